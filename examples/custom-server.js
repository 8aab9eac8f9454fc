// A server of one's own on HttpConnection: no app, no facade, the events of each connection.
// The loop is the same for every version of HTTP.
//
//   node examples/custom-server.js 5080
//   curl -d 'some text' http://localhost:5080/
import { parseEndpoint } from 'hface-ts/common';
import { defaultServerFactory, HttpOverTcpListener, systemNetworking } from 'hface-ts/connections';

const listener = new HttpOverTcpListener({ networking: systemNetworking(), factory: defaultServerFactory() });
const listening = await listener.listen(parseEndpoint(`http://localhost:${process.argv[2] ?? 5080}`));
console.log('listening on port', listening.endpoints[0]?.port);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void listening.drain({ timeout: 1_000 }));

for await (const connection of listening) {
  serve(connection).catch((error) => console.error('a connection failed:', error.message));
}

/**
 * Answers each request with its body in upper case, piece by piece.
 * @param {import('hface-ts/connections').HttpConnection} connection one that was accepted
 */
async function serve(connection) {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  for await (const event of connection) {
    switch (event.type) {
      case 'HeadersReceived': {
        const { streamId, headers, endStream } = event;
        console.log(headers[headers.indexOf(':method') + 1], headers[headers.indexOf(':path') + 1]);
        connection.sendHeaders(streamId, [':status', '200', 'content-type', 'text/plain'], { endStream });
        if (endStream) connection.handlerEnded(streamId);
        break;
      }
      case 'DataReceived': {
        const { streamId, data, endStream } = event;
        // Resolves when there is room for more, so a slow reader slows the sender.
        const text = decoder.decode(data, { stream: !endStream }).toUpperCase();
        await connection.sendData(streamId, encoder.encode(text), { endStream });
        if (endStream) connection.handlerEnded(streamId);
        break;
      }
      case 'TrailersReceived': {
        await connection.sendData(event.streamId, new Uint8Array(0), { endStream: true });
        connection.handlerEnded(event.streamId);
        break;
      }
      case 'StreamResetReceived':
      case 'StreamResetSent':
        connection.handlerEnded(event.streamId);
        break;
    }
  }
}
