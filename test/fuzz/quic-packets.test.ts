/**
 * QUIC under datagrams: conversations whose datagrams are changed, lost, sent again and mixed with junk on their way, and
 * endpoints under first packets that are nearly right. What is not authentic changes nothing: nobody is blamed, every
 * byte that arrives is right, and everything ends.
 */
import { describe, expect } from 'vitest';
import type { NetworkPath } from '../../src/common/index.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { mutate, pickOf, randomBytes } from '../support/fuzz/mutation.ts';
import { endpointOf, Party } from '../support/quic/party.ts';
import type { Side } from '../unit/quic/connection-pair.ts';
import { ConnectionPair, idSource, pemIdentity, seeded } from '../unit/quic/connection-pair.ts';

/**
 * A conversation as it should be: what the corpus is made of. It is another one than those that are changed, since whoever
 * has seen a first packet can make Initial packets, and end the handshake.
 */
const recorded = ((): readonly Uint8Array[] => {
  const pair = new ConnectionPair({
    identity: pemIdentity('p256'),
    client: { random: seeded(71), connectionIds: idSource(72) },
    server: { random: seeded(73), connectionIds: idSource(74) },
  }).connect();
  const id = pair.client.openStream(true);
  pair.client.writeStream(id, new Uint8Array(3_000), true);
  pair.wait(200);
  pair.server?.writeStream(id, new Uint8Array(3_000), true);
  pair.wait(200);
  return pair.sent.map(({ data }) => data);
})();
/** The first bytes of every form of packet, in this version and in others. */
const WORDS: readonly Uint8Array[] = [
  Uint8Array.of(0xc0, 0, 0, 0, 1, 8),
  Uint8Array.of(0xd0, 0, 0, 0, 1, 8),
  Uint8Array.of(0xe0, 0, 0, 0, 1, 8),
  Uint8Array.of(0xf0, 0, 0, 0, 1, 8),
  Uint8Array.of(0x80, 0, 0, 0, 0, 8),
  Uint8Array.of(0xc0, 0x6b, 0x33, 0x43, 0xcf, 8),
  Uint8Array.of(0x40),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
];

describe('QUIC under datagrams', () => {
  fuzz('QUIC packets, conversations', 100, (random) => {
    const rate = random.pick([0.02, 0.1, 0.3]);
    const seen: Uint8Array[] = [...recorded];
    const pair: ConnectionPair = new ConnectionPair({
      latency: 5,
      drop: () => random.chance(rate / 2),
      delay: () => (random.chance(rate) ? random.integer(1, 30) : 0),
      tamper: ({ data, index }) => {
        if (index >= 0) seen.push(data);
        return random.chance(rate) ? mutate(random, [data], WORDS) : data;
      },
    });
    const junk = (): void => {
      for (let count = random.integer(0, 4); count > 0; count -= 1) {
        const from = random.pick<Side>(['client', 'server']);
        const data = random.chance(0.3) ? randomBytes(random, 1_300) : mutate(random, seen, WORDS);
        // Without a server the first one that is well formed would be the connection's.
        if (from === 'server' || pair.server !== undefined) pair.inject(from, data);
      }
    };
    for (let steps = 20; steps > 0; steps -= 1) {
      pair.wait(random.integer(1, 40));
      junk();
    }
    pair.run(pair.now + 20_000, () => pair.client.handshakeConfirmed);
    const sent = Buffer.from(randomBytes(random, 20_000));
    if (pair.client.availableStreams(true) > 0 && pair.client.handshakeConfirmed) {
      const id = pair.client.openStream(true);
      pair.client.writeStream(id, new Uint8Array(sent), true);
      for (let steps = 10; steps > 0; steps -= 1) {
        junk();
        pair.wait(random.integer(1, 60));
      }
      // Longer than either side is idle: probes may all be changed on their way, until one of the two gives up.
      pair.run(pair.now + 60_000, () => pair.finished.server.has(id) || pair.closed('client') !== undefined);
      const got = pair.bytes('server', id);
      expect(got.equals(sent.subarray(0, got.length))).toBe(true);
      const endured = pair.closed('server') === undefined && pair.closed('client') === undefined;
      if (endured) expect(got.length).toBe(sent.length);
    }
    for (const side of ['client', 'server'] as const) {
      const closed = side === 'server' && pair.server === undefined ? undefined : pair.closed(side);
      // Time may run out. Nobody is blamed for what somebody else has changed.
      if (closed !== undefined) expect([side, closed.initiator]).toEqual([side, 'network']);
    }
    pair.client.close(0, '');
    pair.wait(120_000);
    expect([pair.client.isTerminated, pair.server?.isTerminated ?? true]).toEqual([true, true]);
    expect([pair.client.nextTimeout(), pair.server?.nextTimeout()]).toEqual([undefined, undefined]);
  });

  fuzz('QUIC packets, endpoint', 150, (random) => {
    const server = new Party(
      endpointOf(random.integer(1, 1 << 30), { limits: { maxIncoming: 4, maxHalfOpen: 8, retryAboveHalfOpen: 4 } }),
    );
    const clients = [1, 2, 3].map((seed) => {
      const client = new Party(endpointOf(seed, { accepts: false }));
      client.connect({ local: '10.0.0.1:5000', remote: '10.0.0.2:443' }, 0);
      return client.endpoint.datagramsToSend(0, 1)[0]?.data ?? new Uint8Array(0);
    });
    let [got, now] = [0, 0];
    for (let count = random.integer(1, 40); count > 0; count -= 1) {
      const path: NetworkPath = { local: '10.0.0.2:443', remote: `10.1.1.${String(random.integer(1, 5))}:9` };
      const data = random.chance(0.2)
        ? new Uint8Array(pickOf(random, clients))
        : mutate(random, random.chance(0.5) ? clients : recorded, WORDS);
      const before = server.endpoint.connectionCount;
      server.serve(server.endpoint.datagramReceived(data, path, now), now);
      got += data.length;
      // Only what is authentic and whole opens a connection.
      expect(server.endpoint.connectionCount).toBeLessThanOrEqual(Math.min(before + 1, 8));
      now += random.integer(0, 20);
      const due = server.endpoint.nextTimeout();
      if (due !== undefined && due <= now) server.endpoint.handleTimeout(now);
      server.serve(undefined, now);
    }
    let sent = 0;
    for (const { data } of server.endpoint.datagramsToSend(now, 10_000)) sent += data.length;
    expect(sent).toBeLessThanOrEqual(3 * got);
    // Handshakes that do not end are given up.
    for (let rounds = 0; server.endpoint.nextTimeout() !== undefined; rounds += 1) {
      expect(rounds).toBeLessThan(10_000);
      now = Math.max(now, server.endpoint.nextTimeout() ?? now);
      server.endpoint.handleTimeout(now);
      server.serve(undefined, now);
      server.endpoint.datagramsToSend(now, 1_000);
    }
    expect([server.endpoint.connectionCount, server.endpoint.stubCount, server.endpoint.halfOpenCount]).toEqual([
      0, 0, 0,
    ]);
  });
});
