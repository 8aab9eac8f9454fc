/**
 * The other process of a flood: sends datagrams to a port of loopback as fast as the system takes them, for as long as it
 * is told, and says how many.
 *
 * It knows nothing of hface-ts. It ends when its parent goes away.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import process from 'node:process';

const BATCH = 32;

/** What can be sent. First packets have the right form and are sealed with nothing. */
const kinds = {
  empty: () => Buffer.alloc(0),
  junk: () => randomBytes(1 + Math.floor(Math.random() * 1_400)),
  short: () => Buffer.concat([Buffer.of(0x40 | (Math.random() * 0x20)), randomBytes(1_000)]),
  initial: () =>
    Buffer.concat([
      Buffer.of(0xc0, 0, 0, 0, 1, 8),
      randomBytes(8),
      Buffer.of(8),
      randomBytes(8),
      Buffer.of(0, 0x44, 0x80),
      randomBytes(1_176),
    ]),
  version: () =>
    Buffer.concat([Buffer.of(0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8), randomBytes(8), Buffer.of(8), randomBytes(1_200)]),
};

process.on('message', ({ port, kind, milliseconds }) => {
  const socket = dgram.createSocket('udp4');
  let received = 0;
  let sent = 0;
  let waiting = 0;
  socket.on('message', (data) => {
    received += data.length;
  });
  socket.on('error', () => undefined);
  // Making them must not be what takes the time.
  const datagrams = Array.from({ length: 256 }, kinds[kind]);
  const end = Date.now() + milliseconds;
  const done = () => {
    socket.close();
    process.send?.({ sent, received });
  };
  const batch = () => {
    if (Date.now() >= end) {
      setTimeout(done, 100);
      return;
    }
    for (let count = 0; count < BATCH; count += 1) {
      waiting += 1;
      socket.send(datagrams[sent % datagrams.length], port, '127.0.0.1', () => {
        waiting -= 1;
        if (waiting === 0) setImmediate(batch);
      });
      sent += 1;
    }
  };
  socket.bind(0, '127.0.0.1', batch);
});
process.on('disconnect', () => process.exit(0));
