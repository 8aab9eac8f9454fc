/**
 * The server of a flow test: one app of each style, each with a server of its own, from the built package.
 *
 * `GET /down?id=I&bytes=N` is answered with N bytes, as fast as they are taken. `PUT /up?id=I&rate=R` is read at R bytes a
 * second and answered with the count. `GET /hello` is answered at once. What became of transfer I is asked for over IPC.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { AppServer, asgi } from '../../../dist/src/index.js';
import { nextPiece, pieceStream, readSlowly, Pace, Tally } from './stream-of-bytes.js';
import { serveOperations } from './operations.js';

const tallies = new Map();
const HELLO = Buffer.from('Hello, world!\n');

/** What a target asks for. */
function order(target) {
  const url = new URL(target, 'http://localhost');
  const tally = new Tally();
  if (url.searchParams.has('id')) tallies.set(url.searchParams.get('id'), tally);
  const rate = url.searchParams.get('rate');
  return {
    path: url.pathname,
    bytes: Number(url.searchParams.get('bytes') ?? '0'),
    rate: rate === null ? undefined : Number(rate),
    tally,
  };
}

const apps = {
  async fetch(request) {
    const { path, bytes, rate, tally } = order(request.url);
    if (path === '/hello') return new Response('Hello, world!\n');
    if (path === '/down') return new Response(pieceStream(tally, bytes));
    await readSlowly(request.body, tally, rate);
    return new Response(String(tally.bytes));
  },

  asgi: asgi(async (scope, receive, send) => {
    if (scope.type !== 'http') throw new Error('not served');
    const { path, bytes, rate, tally } = order(`${scope.raw_path}?${scope.query_string}`);
    const start = (headers) => send({ type: 'http.response.start', status: 200, headers });
    if (path === '/hello') {
      await start([['content-length', String(HELLO.length)]]);
      await send({ type: 'http.response.body', body: HELLO });
      return;
    }
    if (path === '/down') {
      await start([['content-length', String(bytes)]]);
      for (let index = 0, body; (body = nextPiece(tally, bytes, index)) !== undefined; index += 1) {
        await send({ type: 'http.response.body', body, more_body: true });
      }
      await send({ type: 'http.response.body' });
      return;
    }
    const pace = new Pace(rate);
    for (let more = true; more;) {
      const event = await receive();
      if (event.type === 'http.disconnect') throw new Error('the client has left');
      more = event.more_body;
      tally.add(event.body);
      await pace.wait(tally.bytes);
    }
    tally.finish();
    const body = Buffer.from(String(tally.bytes));
    await start([['content-length', String(body.length)]]);
    await send({ type: 'http.response.body', body });
  }),
};

const servers = [];

serveOperations({
  /** Starts both apps; their URLs by style. */
  async listen({ tls, limits, timeouts }) {
    const endpoint = tls === undefined ? 'http://127.0.0.1:0' : 'https://127.0.0.1:0';
    const urls = {};
    for (const [style, app] of Object.entries(apps)) {
      const running = await new AppServer(app, { tls, limits, timeouts }).listen(endpoint);
      servers.push(running);
      urls[style] = running.url;
    }
    return urls;
  },
  /** What became of a transfer. */
  tally: ({ id }) => tallies.get(id)?.state,
  /** How many connections and requests there are. */
  open: () => ({
    connections: servers.reduce((sum, server) => sum + server.connections.size, 0),
    requests: servers.reduce((sum, server) => sum + server.requests, 0),
  }),
  /** Drains both servers. */
  async drain() {
    await Promise.all(servers.splice(0).map((server) => server.drain()));
  },
  /** Takes no more orders: what keeps the process alive from now on is something left behind. */
  release: () => void setImmediate(() => process.disconnect()),
});
