import { describe, expect, it } from 'vitest';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { Side } from './connection-pair.ts';
import { ConnectionPair, seededNumbers } from './connection-pair.ts';

/** How many seeds are tried; by hand more: HFACE_QUIC_SEEDS. */
const seeds = Number(process.env['HFACE_QUIC_SEEDS'] ?? '40');
const first = Number(process.env['HFACE_QUIC_SEED'] ?? '1');

const limits = quicLimitValues({ handshakeTimeout: 60_000, idleTimeout: 120_000 });

/** A network and a use of it that follow from a seed. */
function weather(seed: number): void {
  const chance = seededNumbers(seed);
  const loss = chance() < 0.3 ? 0 : chance() * 0.3;
  const disorder = chance() < 0.5 ? 0 : chance() * 0.3;
  const corruption = chance() < 0.7 ? 0 : chance() * 0.05;
  const mtu = chance() < 0.7 ? 1_452 : 1_200 + Math.floor(chance() * 252);
  const rebinds = chance() < 0.2;
  const pair = new ConnectionPair({
    client: { limits, maxDatagramSize: 1_452, congestion: chance() < 0.5 ? 'cubic' : 'newreno' },
    server: { limits, maxDatagramSize: chance() < 0.5 ? 1_452 : 1_200 },
    latency: 1 + chance() * 80,
    drop: ({ data }) => data.length > mtu || chance() < loss,
    delay: () => (chance() < disorder ? chance() * 60 : 0),
    tamper: ({ data }) => {
      const copy = data.slice();
      if (chance() < corruption) copy[Math.floor(chance() * copy.length)] = Math.floor(chance() * 256);
      return copy;
    },
    onEvent: (self, side, event) => {
      if (side !== 'server' || event.type !== 'QuicStreamReceived') return;
      self.side('server').writeStream(event.streamId, event.data.slice(), event.fin);
    },
  });
  pair.connect(60_000);
  expect(pair.closed('client'), 'the client ended').toBeUndefined();
  expect(pair.client.handshakeConfirmed).toBe(true);
  const bodies = new Map<number, Buffer>();
  for (let count = 1 + Math.floor(chance() * 6); count > 0; count -= 1) {
    const id = pair.client.openStream(true);
    const body = Buffer.alloc(Math.floor(chance() * 60_000));
    for (let at = 0; at < body.length; at += 1) body[at] = (at * 31 + id) & 0xff;
    bodies.set(id, body);
    pair.client.writeStream(id, body.subarray(), true);
    pair.run(pair.now + chance() * 100);
    if (rebinds) pair.serverSees = { local: '10.0.0.2:443', remote: `10.0.0.1:${String(5_001 + count)}` };
    if (chance() < 0.2) pair.client.initiateKeyUpdate();
  }
  pair.run(pair.now + 100_000, () => [...bodies.keys()].every((id) => pair.finished.client.has(id)));
  for (const [id, body] of bodies) expect(pair.bytes('client', id).equals(body), `stream ${String(id)}`).toBe(true);
  pair.client.close(0, '');
  pair.run(pair.now + 400_000);
  for (const side of ['client', 'server'] as const satisfies readonly Side[]) {
    expect(pair.side(side).isTerminated).toBe(true);
    expect(pair.side(side).nextTimeout()).toBeUndefined();
  }
}

describe('over loss, disorder, corruption, narrow paths and rebinding', () => {
  it.each(Array.from({ length: seeds }, (_, index) => first + index))(
    'every byte arrives once and in order, and every connection ends: seed %d',
    (seed) => {
      weather(seed);
    },
  );
});
