import { describe, expect, it } from 'vitest';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { Transit } from './connection-pair.ts';
import { ConnectionPair, seeded, seededNumbers, traceOf } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };

function upload(pair: ConnectionPair, length: number, until = 120_000): number {
  const id = pair.client.openStream(true);
  const start = pair.now;
  pair.client.writeStream(id, Buffer.alloc(length, 1), true);
  pair.run(pair.now + until, () => pair.finished.server.has(id));
  expect(pair.bytes('server', id).length).toBe(length);
  return pair.now - start;
}

describe('the path MTU (RFC 9000 section 14.3)', () => {
  const limited = (mtu: number): ConnectionPair =>
    new ConnectionPair({ client: { maxDatagramSize: 1_452 }, drop: ({ data }) => data.length > mtu });

  it.each([1_452, 1_400, 1_280, 1_200])('is found when it is %d', (mtu) => {
    const sizes: number[] = [];
    const trace = traceOf({ datagramSizeChanged: (_now, size) => sizes.push(size) });
    const pair = new ConnectionPair({
      client: { maxDatagramSize: 1_452, trace },
      drop: ({ data }) => data.length > mtu,
    }).connect();
    upload(pair, 400_000);
    pair.wait(2_000);
    upload(pair, 400_000);
    const size = sizes.at(-1) ?? 0;
    expect(size).toBeLessThanOrEqual(mtu);
    expect(size).toBeGreaterThan(mtu - 20);
  });

  it('is no reason to slow down when a probe is lost (section 14.4)', () => {
    const windows: number[] = [];
    const pair = limited(1_300);
    pair.connect();
    upload(pair, 300_000);
    const reference = new ConnectionPair().connect();
    expect(upload(pair, 300_000)).toBeLessThanOrEqual(upload(reference, 300_000) * 1.2 + 50);
    expect(windows).toEqual([]);
  });

  it('that becomes less is noticed (RFC 8899 section 4.3: black holes)', () => {
    const pair = limited(1_452);
    pair.connect();
    upload(pair, 400_000);
    pair.options = { ...pair.options, drop: ({ data }) => data.length > 1_250 };
    upload(pair, 400_000);
    expect(pair.closed('client')).toBeUndefined();
  });

  it('is not looked for where the driver does not say that the system permits it', () => {
    const pair = new ConnectionPair().connect();
    upload(pair, 400_000);
    expect(Math.max(...pair.sent.map(({ data }) => data.length))).toBe(1_200);
  });

  it('is kept to from the beginning when the driver knows it', () => {
    const pair = new ConnectionPair({
      client: { initialDatagramSize: 1_400, maxDatagramSize: 1_400 },
      server: { initialDatagramSize: 1_400, maxDatagramSize: 1_400 },
    }).connect();
    upload(pair, 400_000);
    expect(Math.max(...pair.sent.map(({ data }) => data.length))).toBe(1_400);
  });
});

describe('acknowledgements (RFC 9000 section 13.2)', () => {
  it('come for every second packet, and for a single one within max_ack_delay', () => {
    const pair = new ConnectionPair(KEYLOG).connect().wait(300);
    const before = pair.sent.length;
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('x'), false);
    pair.run(pair.now + 5);
    const start = pair.now;
    pair.run(pair.now + 200);
    const answers = pair.sent.slice(before).filter(({ from }) => from === 'server');
    expect(answers.length).toBe(1);
    expect((answers[0]?.at ?? 0) - start).toBeLessThanOrEqual(10 + 10 + 25);
    const count = pair.sent.length;
    upload(pair, 240_000);
    const down = pair.sent.slice(count).filter(({ from }) => from === 'server').length;
    const up = pair.sent.slice(count).filter(({ from }) => from === 'client').length;
    expect(down).toBeLessThan(up * 0.7);
  });

  it('go at once when a packet is missing (section 13.2.1)', () => {
    const pair = new ConnectionPair(KEYLOG).connect().wait(300);
    const rogue = new Rogue(pair, 'client');
    rogue.send('oneRtt', frame(0x01), { number: 600 });
    expect(pair.side('server').datagramsToSend(pair.now, 10).length).toBe(1);
  });

  it('do not answer packets that ask for none (section 13.2.1)', () => {
    const pair = new ConnectionPair(KEYLOG).connect().wait(300);
    const rogue = new Rogue(pair, 'client');
    for (let number = 600; number < 640; number += 1) rogue.send('oneRtt', frame(0x02, 0, 0, 0, 0), { number });
    expect(pair.side('server').datagramsToSend(pair.now, 10)).toEqual([]);
  });

  it('forget ranges that the peer knows, and stay bounded whatever comes', () => {
    const pair = new ConnectionPair(KEYLOG).connect().wait(300);
    const rogue = new Rogue(pair, 'client');
    for (let number = 600; number < 4_600; number += 2) rogue.send('oneRtt', frame(0x01), { number });
    const [answer] = pair.side('server').datagramsToSend(pair.now, 10);
    expect(answer?.data.length).toBeLessThan(200);
    // What is older than the ranges that are kept counts as received.
    rogue.send('oneRtt', frame(0x0a, 0, 1, 'x'), { number: 601 });
    expect(pair.received.server.size).toBe(0);
  });
});

describe('congestion (RFC 9002 section 7)', () => {
  it.each(['cubic', 'newreno'] as const)('is controlled by %s: bytes in flight keep to the window', (congestion) => {
    let above = 0;
    let lost = 0;
    const trace = traceOf({
      metricsUpdated: (_now, { bytesInFlight, window, probeCount }) => {
        // A window that was just cut is exceeded until what is on its way has arrived.
        if (bytesInFlight > window && probeCount === 0) above += 1;
      },
      packetLost: () => (lost += 1),
    });
    const random = seededNumbers(3);
    const pair = new ConnectionPair({ client: { congestion, trace } }).connect();
    pair.options = { ...pair.options, drop: () => random() < 0.02 };
    upload(pair, 1_000_000);
    expect(lost).toBeGreaterThan(5);
    expect(above).toBeLessThan(400);
  });

  it('lets no more than the initial window out at first', () => {
    const pair = new ConnectionPair().connect().wait(500);
    const before = pair.sent.length;
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(1_000_000, 1), true);
    pair.run(pair.now + 9);
    const bytes = pair.sent.slice(before).reduce((sum, { data }) => sum + data.length, 0);
    expect(bytes).toBeLessThanOrEqual(14_720 + 1_200);
  });

  it('is spread over the round trip (section 7.7): no burst above 64 packets, none of more than 10 at first', () => {
    const pair = new ConnectionPair({ latency: 50, client: { limits: quicLimitValues() } }).connect().wait(500);
    const before = pair.sent.length;
    upload(pair, 2_000_000);
    const bursts = new Map<number, number>();
    for (const { from, at } of pair.sent.slice(before)) {
      if (from === 'client') bursts.set(at, (bursts.get(at) ?? 0) + 1);
    }
    expect(Math.max(...bursts.values())).toBeLessThanOrEqual(64);
    const [first] = bursts.values();
    expect(first).toBeLessThanOrEqual(10);
  });

  it('that lasts drops the window to its least (section 7.6)', () => {
    const windows: number[] = [];
    const trace = traceOf({ metricsUpdated: (_now, { window }) => windows.push(window) });
    const pair = new ConnectionPair({
      client: { trace, limits: quicLimitValues({ idleTimeout: 0 }) },
      server: { limits: quicLimitValues({ idleTimeout: 0 }) },
    }).connect();
    upload(pair, 500_000);
    pair.options = { ...pair.options, drop: () => true };
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(500_000, 1), true);
    pair.wait(10_000);
    pair.options = { ...pair.options, drop: () => false };
    windows.length = 0;
    pair.run(pair.now + 60_000, () => pair.finished.server.has(id));
    expect(Math.min(...windows)).toBe(2_400);
    expect(pair.finished.server.has(id)).toBe(true);
  });
});

/** A link of so many bits in a millisecond with a queue of 100 ms, for what the client sends. */
function bottleneck(
  bits: number,
): (pair: () => ConnectionPair) => { delay: (transit: Transit) => number; drop: (transit: Transit) => boolean } {
  return (pair) => {
    let freeAt = 0;
    let full = false;
    return {
      drop: ({ from, data }) => {
        if (from !== 'client') return false;
        const { now } = pair();
        freeAt = Math.max(freeAt, now);
        full = freeAt - now > 100;
        if (!full) freeAt += (data.length * 8) / bits;
        return full;
      },
      delay: ({ from }) => (from === 'client' ? freeAt - pair().now : 0),
    };
  };
}

describe('a link of 10 Mbit/s and 50 ms (RFC 9438)', () => {
  const used = (loss: number, congestion: 'cubic' | 'newreno', seed: number): number => {
    const random = seededNumbers(seed);
    const pair: ConnectionPair = new ConnectionPair({ latency: 25, client: { congestion } });
    const link = bottleneck(10_000)(() => pair);
    pair.options = {
      ...pair.options,
      delay: link.delay,
      drop: (transit) => link.drop(transit) || (transit.from === 'client' && random() < loss),
    };
    pair.connect();
    const length = 6_000_000;
    return (length * 8) / upload(pair, length) / 10_000;
  };

  it('is filled by CUBIC to 85% at least without loss', () => {
    expect(used(0, 'cubic', 1)).toBeGreaterThan(0.85);
  });

  it('is filled by CUBIC to 70% at least with a loss of 1%', () => {
    expect((used(0.01, 'cubic', 2) + used(0.01, 'cubic', 3) + used(0.01, 'cubic', 4)) / 3).toBeGreaterThan(0.7);
  });

  it.each([
    ['cubic', 0, 2_000],
    ['cubic', 0.01, 1_000],
  ] as const)(
    'is shared by two flows of %s within 2:1, at a loss of %d, the second %d ms later',
    (congestion, loss, late) => {
      const random = seededNumbers(6);
      let freeAt = 0;
      let now = 0;
      const make = (seed: number): ConnectionPair =>
        new ConnectionPair({
          latency: 25,
          client: { congestion, random: seeded(seed) },
          drop: ({ from, data }) => {
            if (from !== 'client') return false;
            freeAt = Math.max(freeAt, now);
            if (freeAt - now > 100) return true;
            freeAt += (data.length * 8) / 10_000;
            return random() < loss;
          },
          delay: ({ from }) => (from === 'client' ? freeAt - now : 0),
        });
      const flows = [make(1), make(2)];
      const count = (flow: ConnectionPair): number =>
        [...flow.received.server.values()].flat().reduce((sum, { length }) => sum + length, 0);
      const start = (flow: ConnectionPair): void => {
        flow.client.writeStream(flow.client.openStream(true), Buffer.alloc(20_000_000), true);
      };
      const until = (end: number): void => {
        for (; now < end; now += 0.5) for (const flow of flows) flow.run(now);
      };
      until(500);
      start(flows[0] as ConnectionPair);
      until(500 + late);
      start(flows[1] as ConnectionPair);
      until(5_000 + late);
      const before = flows.map(count);
      until(13_000 + late);
      const [one = 0, two = 0] = flows.map((flow, index) => count(flow) - (before[index] ?? 0));
      expect(one + two).toBeGreaterThan(0.7 * 8 * 1_250_000);
      expect(Math.max(one, two) / Math.min(one, two)).toBeLessThan(2);
    },
  );

  it('is filled by NewReno to half at least with a loss of 0.1%', () => {
    expect(used(0.001, 'newreno', 5)).toBeGreaterThan(0.5);
  });
});

describe('datagrams in and out', () => {
  it('of one size lie together, so that one call can send them', () => {
    const pair = new ConnectionPair().connect().wait(300);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(100_000, 1), true);
    const groups = pair.client.datagramsToSend(pair.now, 64);
    expect(groups.length).toBeLessThanOrEqual(2);
    const [first] = groups;
    expect(first?.segmentSize).toBe(1_200);
    expect(first?.data.length).toBeGreaterThan(8_000);
  });

  it('are no more than asked for', () => {
    const pair = new ConnectionPair().connect().wait(300);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(100_000, 1), true);
    const count = (groups: { data: Uint8Array; segmentSize: number }[]): number =>
      groups.reduce((sum, { data, segmentSize }) => sum + Math.ceil(data.length / segmentSize), 0);
    expect(count(pair.client.datagramsToSend(pair.now, 3))).toBe(3);
    expect(count(pair.client.datagramsToSend(pair.now, 0))).toBe(0);
  });

  it('DATAGRAM frames arrive, or do not, once (RFC 9221)', () => {
    const pair = new ConnectionPair().connect();
    expect(pair.client.maxDatagramLength).toBeGreaterThan(1_100);
    for (let count = 0; count < 20; count += 1) expect(pair.client.sendDatagram(Buffer.from([count]))).toBe(true);
    expect(pair.client.sendDatagram(Buffer.alloc(1_300))).toBe(false);
    expect(pair.client.sendDatagram(Buffer.alloc(pair.client.maxDatagramLength, 9))).toBe(true);
    pair.wait(200);
    const came = pair.only('server', 'QuicDatagramReceived').map(({ data }) => data.length);
    expect(came.length).toBe(21);
    expect(Math.max(...came)).toBe(pair.client.maxDatagramLength);
  });
});
