// Which response goes first when all share one connection (RFC 9218): urgency 0 to 7, and `incremental` for those that
// are of use before they are complete. Both ends run in one process on a simulated network, so the order is the same
// each time, and nobody waits for it.
//
//   node examples/priorities.js
import { AppServer, Client } from 'hface-ts';
import { CALM, runSimulation } from 'hface-ts/networking/simulation';

const SIZE = 600_000;

/** @type {import('hface-ts').FetchObject} */
const app = {
  fetch(request, context) {
    // The app may know better than the client. Nobody asked for /news to be urgent.
    if (new URL(request.url).pathname === '/news') context.priority.set(0);
    return new Response(new Uint8Array(SIZE));
  },
};

const requests = [
  { path: '/photo-1', priority: { urgency: 5, incremental: true } },
  { path: '/photo-2', priority: { urgency: 5, incremental: true } },
  { path: '/script', priority: { urgency: 3, incremental: false } },
  { path: '/style', priority: { urgency: 1, incremental: false } },
  { path: '/news', priority: { urgency: 7, incremental: false } },
];

const conditions = { ...CALM, latency: 20, bandwidth: 1_000_000 };
await runSimulation(1, ride, { conditions });

/** @param {import('hface-ts/networking/simulation').Simulation} simulation */
async function ride(simulation) {
  const { clock } = simulation;
  const url = 'http://10.0.0.1:8080';
  const server = await new AppServer(app, { networking: simulation.networking }).listen(url);
  const client = new Client({ networking: simulation.networkingAt('10.0.0.2'), protocol: ['http2'] });
  await client.withSession(async (session) => {
    // The connection is there before the race begins.
    await (await session.dispatch({ url: `${url}/warm-up` })).bytes();
    const began = clock.now();
    await Promise.all(
      requests.map(async ({ path, priority }) => {
        const response = await session.dispatch({ url: url + path, priority });
        await response.bytes();
        console.log(`${path} ended after ${Math.round(clock.now() - began)} ms`);
      }),
    );
  });
  await server.close();
}
