// Two engines face to face: no socket, no timer, no promise. Bytes and time go in, events and bytes come out.
//
//   node examples/protocol.js
import { webcrypto } from 'node:crypto';
import { Http1ClientFactory, Http1ServerFactory } from 'hface-ts/protocols/http1';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// What a factory wants to know of a connection. Time and randomness are handed in: with a seed it would replay exactly.
const random = { fill: (bytes) => webcrypto.getRandomValues(bytes) };
const context = { secure: false, alpn: undefined, epochOffset: Date.UTC(2026, 0, 1), random };

let now = 0;
const client = new Http1ClientFactory().create(context, now);
const server = new Http1ServerFactory().create(context, now);

/** What one has to send the other receives. Any chunking will do. */
function transfer(from, to) {
  for (const chunk of from.bytesToSend(now) ?? []) {
    process.stdout.write(decoder.decode(chunk));
    to.bytesReceived(chunk, now);
  }
  process.stdout.write('\n');
}

/** All that an engine has to tell. */
function* eventsOf(engine) {
  for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) yield event;
}

// The client asks.
const request = [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':authority',
  'example.com',
  ':path',
  '/',
  'content-length',
  '5',
];
const streamId = client.getAvailableStreamId();
client.submitHeaders(streamId, request, { endStream: false });
client.submitData(streamId, encoder.encode('hello'), { endStream: true });
transfer(client, server);

// The server answers, with an interim response before and trailers behind.
now += 10;
for (const event of eventsOf(server)) {
  console.log('server:', event.type);
  if (event.type === 'HeadersReceived') {
    server.submitInformational(event.streamId, [':status', '103', 'link', '</style.css>; rel=preload']);
    server.submitHeaders(event.streamId, [':status', '200', 'trailer', 'x-length'], { endStream: false });
  } else if (event.type === 'DataReceived') {
    const text = decoder.decode(event.data).toUpperCase();
    if (text !== '') server.submitData(event.streamId, encoder.encode(text), { endStream: false });
    server.dataConsumed(event.streamId, event.flowControlledLength);
    if (!event.endStream) continue;
    server.submitTrailers(event.streamId, ['x-length', '5']);
    server.submitHandlerEnd(event.streamId);
  }
}
transfer(server, client);

for (const event of eventsOf(client)) {
  console.log('client:', event.type);
  if (event.type === 'DataReceived') client.dataConsumed(event.streamId, event.flowControlledLength);
}

// An engine's timers are data: when the next one is due, and what happens then.
const due = server.nextTimeout();
console.log('idle until', due);
now = due ?? now;
server.handleTimeout(now);
for (const event of eventsOf(server)) console.log('server:', event.type);
