// A server in a program of your own: on http and https, drained by Ctrl-C.
//
//   node examples/server.js
//   node examples/server.js http://localhost:8080 https://localhost:8443
import { AppServer } from 'hface-ts';
import { developmentTls } from 'hface-ts/certificates';

const endpoints = process.argv.length > 2 ? process.argv.slice(2) : ['http://localhost:5080', 'https://localhost:5443'];

/** @type {import('hface-ts').FetchHandler} */
function app(request, context) {
  return Response.json({ method: request.method, url: request.url, version: context.httpVersion });
}

const server = new AppServer(app, {
  tls: await developmentTls(),
  timeouts: { drain: 5_000 },
  onRequest: ({ method, path, status, duration }) => console.log(method, path, status, `${duration.toFixed(1)} ms`),
});

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

const running = await server.listen(endpoints, { signal: stop.signal });
console.log(
  'listening on',
  running.endpoints.map(({ scheme, host, port }) => `${scheme}://${host}:${port}/`).join(' '),
);
await running.closed;
console.log('everything is answered');
