// A server and a client on HTTP/3: over QUIC, on UDP. The second visit begins with its request (0-RTT); in its middle the
// client moves to another port, as a phone does that leaves the house, and the connection goes on.
//
//   node examples/http3.js
import { AppServer, Client } from 'hface-ts';
import { developmentCaCertificate, developmentTls } from 'hface-ts/certificates';

/** @type {import('hface-ts').FetchHandler} */
function app(request, { early }) {
  if (request.method === 'POST') return new Response(request.body);
  // What came early may be a recording of an earlier visit: what must not happen twice is answered with 425 (RFC 8470).
  if (early && new URL(request.url).pathname === '/order') return new Response(null, { status: 425 });
  return new Response(`Hello, ${early ? 'early' : 'late'}\n`);
}

const server = new AppServer(app, {
  tls: await developmentTls(),
  // Without this line TCP is listened to as well, on the same port number, and tells of HTTP/3 by Alt-Svc.
  protocol: ['http3'],
  quic: { earlyData: true },
});
const client = new Client({
  tls: { extraCa: await developmentCaCertificate() },
  protocol: ['http3'],
  quic: { earlyData: true },
});

await server.withServer('https://localhost:0', async ({ url }) => {
  for (const visit of ['first', 'second']) {
    await client.withSession(async (session) => {
      const response = await session.dispatch({ url: `${url}/` });
      const { resumed } = response.connection.tls ?? {};
      console.log(visit, 'visit:', (await response.text()).trim(), `HTTP/${response.httpVersion}, resumed:`, resumed);
    });
  }
  await client.withSession(async (session) => {
    const order = await session.dispatch({ url: `${url}/order` });
    console.log('order:', order.status, (await order.text()).trim());

    const body = 'x'.repeat(3_000_000);
    const echo = session.dispatch({ url, method: 'POST', body });
    console.log('connections that moved:', await session.migrate());
    const response = await echo;
    console.log(
      'echoed:',
      (await response.text()) === body,
      'on connection',
      response.connection.id === order.connection.id,
    );
  });
});
