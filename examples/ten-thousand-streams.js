// Ten thousand requests at once on one HTTP/2 connection, on purpose: all are open before the first is answered.
// A server allows 128 by default, since each may make it keep a window's worth of content. Whoever wants more says how
// large windows are then to be, so that all together stay within what may be kept.
//
//   node examples/ten-thousand-streams.js [count]
import { originOf, parseEndpoint } from 'hface-ts/common';
import { HttpOverTcpListener, HttpOverTcpOpener, serveExchanges, systemNetworking } from 'hface-ts/connections';
import { Http2ClientFactory, Http2ServerFactory } from 'hface-ts/protocols/http2';

const COUNT = Number(process.argv[2] ?? 10_000);
const shared = { maxConcurrentStreams: COUNT, initialStreamWindow: 800, maxUnconsumedBytes: 8 << 20 };
const networking = systemNetworking();

// The server keeps every request until all have come.
const waiting = [];
const listener = new HttpOverTcpListener({
  networking,
  // It counts handlers besides streams: a reset ends the stream at once, the work for it perhaps later.
  factory: new Http2ServerFactory({ limits: { ...shared, maxLiveHandlers: COUNT } }),
});
const listening = await listener.listen(parseEndpoint('http://localhost:0'), {
  connectionAccepted: (connection) => void serveExchanges(connection, { exchangeReceived }),
});

/** @param {import('hface-ts/connections').ServerExchange} exchange */
function exchangeReceived(exchange) {
  exchange.start({
    dataReceived: (_data, length) => exchange.dataConsumed(length),
    trailersReceived() {},
    writable() {},
    aborted() {},
    closed: () => exchange.handlerEnded(),
  });
  waiting.push(exchange);
  if (waiting.length < COUNT) return;
  console.log(`${waiting.length} requests are open on one connection, ${megabytes()} MB in use`);
  for (const one of waiting) one.respond(200, [], new TextEncoder().encode(`stream ${one.streamId}`));
}

// The client opens one after the other, without waiting for an answer.
const opener = new HttpOverTcpOpener({ networking, factory: new Http2ClientFactory({ limits: shared }) });
const [endpoint] = listening.endpoints;
const url = new URL(`http://localhost:${endpoint?.port}/`);
const connection = await opener.open({ origin: originOf(url) });
const head = [':method', 'GET', ':scheme', 'http', ':authority', url.host, ':path', '/'];

// A server says in its SETTINGS how many it allows; before they have come nobody knows.
for (let event = await connection.receiveEvent(); event?.type !== 'SettingsReceived';) {
  event = await connection.receiveEvent();
}
console.log(`before: ${megabytes()} MB in use`);
for (let index = 0; index < COUNT; index += 1) {
  connection.sendHeaders(connection.getAvailableStreamId(), head, { endStream: true });
}

let ended = 0;
for await (const event of connection) {
  if (event.type === 'StreamClosed') ended += 1;
  if (event.type === 'StreamResetReceived' || event.type === 'StreamResetSent') throw event.error;
  if (ended === COUNT) break;
}
console.log(`${ended} answers`);
await connection.shutdown();
await listening.close();

function megabytes() {
  return Math.round(process.memoryUsage().rss / 1_000_000);
}
