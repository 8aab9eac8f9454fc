/**
 * How much of a link QUIC uses, and how it shares one, in virtual time: RFC 9002 section 7, RFC 9438. The figures are
 * those of the RFCs, not what the code happened to do.
 */
import { describe, expect, it } from 'vitest';
import type { QuicTrace, RecoveryMetrics } from '../../src/protocols/quic/index.ts';
import type { QuicLink, SentDatagram } from '../support/quic/network.ts';
import { CALM_LINK, Chance, QuicNetwork } from '../support/quic/network.ts';
import { traceOf } from '../support/quic/quiet-trace.ts';
import type { Traffic } from '../support/quic/party.ts';
import { endpointOf, Party } from '../support/quic/party.ts';

const SERVER = '10.0.0.2:443';
const CLIENT = '10.0.0.1:5000';
/** 10 Mbit/s in bytes a millisecond. */
const RATE = 1_250;
const DATAGRAM = 1_200;
/** 10 Mbit/s, 50 ms there and back, a queue of one bandwidth × delay. */
const LINK: QuicLink = { ...CALM_LINK, latency: 25, bandwidth: RATE, queue: RATE * 50 };

type Faults = (network: QuicNetwork, from: string) => Partial<QuicLink>;

interface World {
  network: QuicNetwork;
  server: Party;
  client: Party;
  /** Opens a connection and waits for it. */
  open(over?: { trace?: QuicTrace; congestion?: 'cubic' | 'newreno'; toleratedLoss?: number }): Traffic;
}

function world(faults: Faults = () => ({}), link: QuicLink = LINK): World {
  const network: QuicNetwork = new QuicNetwork(7, (from) => ({ ...link, ...faults(network, from) }));
  const server = new Party(endpointOf(2), { echoes: true });
  const client = new Party(endpointOf(3, { accepts: false }), { piece: 16_384 });
  network.place(SERVER, server);
  network.place(CLIENT, client);
  return {
    network,
    server,
    client,
    open: (over = {}) => {
      const traffic = client.connect({ local: CLIENT, remote: SERVER }, network.now, over);
      network.run(network.now + 5_000, () => traffic.established);
      expect(traffic.established).toBe(true);
      return traffic;
    },
  };
}

/** Sends so many bytes; the share of the link that they took. */
function share({ network, server, open }: World, bytes: number, over: { toleratedLoss?: number } = {}): number {
  const traffic = open(over);
  const start = network.now;
  traffic.open(false, bytes);
  const [receiver] = server.all;
  network.run(start + 60_000, () => (receiver?.received ?? 0) >= bytes);
  expect(receiver?.faults).toEqual([]);
  return (receiver?.received ?? 0) / (network.now - start) / RATE;
}

/** Every so often a run of the client's datagrams is lost: such a part of all, so many at a time. */
function bursts(seed: number, loss: number, length: number): Faults {
  const chance = new Chance(seed);
  let left = 0;
  return (_network, from) => {
    if (from !== CLIENT) return {};
    if (left === 0 && chance.happens(loss / length)) left = length;
    if (left === 0) return {};
    left -= 1;
    return { loss: 1 };
  };
}

describe('10 Mbit/s and 50 ms', () => {
  it('are used up when nothing is lost', () => {
    expect(share(world(), 6_000_000)).toBeGreaterThan(0.9);
  });

  it('are used to 70% by CUBIC when 1% is lost one by one', () => {
    for (const seed of [1, 2, 3]) expect(share(world(bursts(seed, 0.01, 1)), 6_000_000)).toBeGreaterThan(0.7);
  });

  it('are used as far as RFC 9438 sections 4.3 and 5.1 let it when every loss is taken for congestion', () => {
    // In the Reno-friendly region the average window is sqrt(alpha (1 + beta) / (2 (1 - beta) p)) datagrams, which is
    // Reno's sqrt(3 / (2 p)): 12.2 of 52 that the link holds, 23.5% of it.
    const expected = (Math.sqrt(1.5 / 0.01) * DATAGRAM) / 50 / RATE;
    const used = share(world(bursts(4, 0.01, 1)), 3_000_000, { toleratedLoss: 0 });
    expect(used / expected).toBeGreaterThan(0.85);
    // Slow start, in which it began, counts too.
    expect(used / expected).toBeLessThan(1.5);
  });

  it.each(['cubic', 'newreno'] as const)(
    'are shared within 2:1 by two flows that begin one after the other: %s',
    (congestion) => {
      const shared = world((_network, from) => ({ bottleneck: from === CLIENT ? 'there' : 'back' }));
      const { network, server, open } = shared;
      const first = open({ congestion });
      first.open(false, 100_000_000);
      network.run(network.now + 2_000);
      const second = open({ congestion });
      second.open(false, 100_000_000);
      network.run(network.now + 10_000);
      const [one, two] = server.all;
      const [before, beforeToo] = [one?.received ?? 0, two?.received ?? 0];
      network.run(network.now + 20_000);
      const [taken, takenToo] = [(one?.received ?? 0) - before, (two?.received ?? 0) - beforeToo];
      expect(Math.max(taken, takenToo) / Math.min(taken, takenToo)).toBeLessThan(2);
      expect((taken + takenToo) / 20_000 / RATE).toBeGreaterThan(0.85);
    },
  );
});

/** What the window was, each time it was told of. */
interface Sample extends RecoveryMetrics {
  readonly at: number;
}

function sampler(): { samples: Sample[]; lost: number[]; sent: (until: number) => number; trace: QuicTrace } {
  const samples: Sample[] = [];
  const lost: number[] = [];
  const sizes: { at: number; size: number }[] = [];
  const sent = (until: number): number => sizes.reduce((sum, { at, size }) => (at < until ? sum + size : sum), 0);
  const trace = traceOf({
    packetSent: (at, _kind, _number, size, frames) => {
      if (frames.some(({ kind }) => kind !== 'ack')) sizes.push({ at, size });
    },
    metricsUpdated: (at, metrics) => samples.push({ at, ...metrics }),
    packetLost: (at) => lost.push(at),
  });
  return { samples, lost, sent, trace };
}

describe('the window', () => {
  /** Wide enough that no queue builds: what happens is what is made to happen. */
  const WIDE: QuicLink = { ...CALM_LINK, latency: 25 };

  /** Everything sent in a stretch of time is lost, or one datagram of it. */
  const lossAt =
    (from: number, until: number): Faults =>
    (network, sender) =>
      sender === CLIENT && network.now >= from && network.now < until ? { loss: 1 } : {};

  it('begins with ten datagrams (RFC 9002 section 7.2) and doubles in a round trip (section 7.3.1)', () => {
    const { samples, sent, trace } = sampler();
    const { network, open } = world(() => ({}), WIDE);
    const traffic = open({ trace });
    expect(samples[0]?.window).toBeGreaterThanOrEqual(10 * DATAGRAM);
    expect(samples[0]?.window).toBeLessThan(13 * DATAGRAM);
    traffic.open(false, 2_000_000);
    const start = network.now;
    const at = (time: number): number => samples.filter((sample) => sample.at <= time).at(-1)?.window ?? 0;
    network.run(start + 260);
    // Pacing spreads what is sent over the round trip before.
    const doublings = Math.log2(at(start + 155) / at(start + 55));
    expect(doublings).toBeGreaterThan(1.4);
    expect(doublings).toBeLessThanOrEqual(2.05);
    // It grows by what is acknowledged, while it is what limits.
    const [first, last] = [samples[0], samples.filter((sample) => sample.at <= start + 125).at(-1)];
    const grown = (last?.window ?? 0) - (first?.window ?? 0);
    const acknowledged =
      sent(last?.at ?? 0) - (last?.bytesInFlight ?? 0) - (sent(first?.at ?? 0) - (first?.bytesInFlight ?? 0));
    expect(grown / acknowledged).toBeGreaterThan(0.9);
    expect(grown / acknowledged).toBeLessThanOrEqual(1.02);
    expect(samples.every(({ slowStartThreshold }) => slowStartThreshold === Number.POSITIVE_INFINITY)).toBe(true);
  });

  it.each([
    ['cubic', 0.7],
    ['newreno', 0.5],
  ] as const)(
    'shrinks once in a round trip at a loss: %s by %f (RFC 9438 section 4.6, RFC 9002 section 7.3.2)',
    (congestion, factor) => {
      const { samples, lost, trace } = sampler();
      const { network, open } = world(lossAt(260, 262), WIDE);
      open({ trace, congestion, toleratedLoss: 0 }).open(false, 3_000_000);
      network.run(1_000, () => lost.length > 0);
      const [first = 0] = lost;
      network.run(first + 40);
      const before = samples.filter(({ at }) => at < first).at(-1)?.window ?? 0;
      const after = samples.filter(({ at }) => at > first).at(-1)?.window ?? 0;
      expect(lost.length).toBeGreaterThan(0);
      expect(after / before).toBeCloseTo(factor, 1);
      // Recovery: further losses of that round trip change nothing (RFC 9002 section 7.3.2).
      expect(new Set(samples.filter(({ at }) => at > first && at < first + 40).map(({ window }) => window)).size).toBe(
        1,
      );
    },
  );

  it('grows along W(t) = C (t - K)^3 + W_max behind a loss (RFC 9438 section 4.2)', () => {
    const { samples, lost, trace } = sampler();
    // A long way, so that the cubic region is not Reno's.
    const long: QuicLink = { ...CALM_LINK, latency: 100 };
    const { network, open } = world(lossAt(1_300, 1_301), long);
    open({ trace, toleratedLoss: 0 }).open(false, 60_000_000);
    network.run(3_000, () => lost.length > 0);
    const [first = 0] = lost;
    const most = (samples.filter(({ at }) => at < first).at(-1)?.window ?? 0) / DATAGRAM;
    const k = Math.cbrt((most * 0.3) / 0.4);
    network.run(first + 200 + 8_000);
    // Congestion avoidance begins when the first packet that was sent after the loss is acknowledged.
    const epoch = samples.find(({ at, window }) => at > first + 150 && window > most * 0.7 * DATAGRAM)?.at ?? 0;
    for (const seconds of [1, 2, 3, 5, 7]) {
      const window = samples.filter(({ at }) => at <= epoch + seconds * 1_000).at(-1)?.window ?? 0;
      // The window aims at what the curve is a round trip later.
      const curve = 0.4 * (seconds - k) ** 3 + most;
      const later = 0.4 * (seconds + 0.2 - k) ** 3 + most;
      expect(window / DATAGRAM).toBeGreaterThan(Math.min(curve, later) * 0.97);
      expect(window / DATAGRAM).toBeLessThan(Math.max(curve, later) * 1.03);
    }
  });

  it('is two datagrams after persistent congestion (RFC 9002 section 7.6)', () => {
    const { samples, trace } = sampler();
    const { network, open } = world(lossAt(400, 3_000), WIDE);
    open({ trace, toleratedLoss: 0 }).open(false, 20_000_000);
    network.run(8_000);
    const behind = samples.filter(({ at }) => at > 3_000);
    expect(Math.min(...behind.map(({ window }) => window))).toBeGreaterThanOrEqual(2 * DATAGRAM);
    expect(Math.min(...behind.map(({ window }) => window))).toBeLessThan(4 * DATAGRAM);
  });
});

describe('migration (RFC 9000 section 9)', () => {
  /** Whether a payload begins with PATH_CHALLENGE. */
  const challenges = (payloads: readonly Uint8Array[]): number => payloads.filter(([type]) => type === 0x1a).length;

  function moved(alias: string): {
    samples: Sample[];
    since: number;
    challenged: number;
    sent: SentDatagram[];
    whole: boolean;
  } {
    const { samples, trace } = sampler();
    const payloads: Uint8Array[] = [];
    const network: QuicNetwork = new QuicNetwork(7, () => ({ ...CALM_LINK, latency: 25 }));
    // The server sends, so that its window is the one to look at.
    const server = new Party(endpointOf(2), { echoes: true, accept: { trace } });
    const client = new Party(endpointOf(3, { accepts: false }), { piece: 16_384 });
    network.place(SERVER, server);
    network.place(CLIENT, client);
    const traffic = client.connect({ local: CLIENT, remote: SERVER }, 0, {
      trace: traceOf({
        packetReceived: (_now, _kind, _number, _size, payload) => payloads.push(new Uint8Array(payload)),
      }),
    });
    network.run(5_000, () => traffic.established);
    traffic.open(true, 3_000_000);
    network.run(20_000, () => traffic.received > 1_000_000);
    const since = network.now;
    const sent: SentDatagram[] = [];
    network.onSent = (datagram) => sent.push({ ...datagram, data: datagram.data.subarray(0, 0) });
    const before = challenges(payloads);
    network.rebind(CLIENT, alias);
    network.run(60_000, () => traffic.received >= 3_000_000);
    const whole = traffic.received === 3_000_000 && traffic.faults.length === 0;
    return { samples, since, challenged: challenges(payloads) - before, sent, whole };
  }

  it('shows a PATH_CHALLENGE and a window that begins anew at another host (section 9.4)', () => {
    const { samples, since, challenged, sent, whole } = moved('10.9.9.9:6000');
    expect(whole).toBe(true);
    expect(challenged).toBeGreaterThan(0);
    const change = sent.find(({ path }) => path.remote === '10.9.9.9:6000')?.at ?? 0;
    const before = samples.filter(({ at }) => at < since).at(-1)?.window ?? 0;
    const [first] = samples.filter(({ at }) => at > change);
    expect(before).toBeGreaterThan(30 * DATAGRAM);
    expect(first?.window).toBeLessThanOrEqual(12 * DATAGRAM);
  });

  it('keeps the window when only the port changes: a NAT (section 9.4)', () => {
    const { samples, since, challenged, sent, whole } = moved('10.0.0.1:6000');
    expect(whole).toBe(true);
    expect(challenged).toBeGreaterThan(0);
    const change = sent.find(({ path }) => path.remote === '10.0.0.1:6000')?.at ?? 0;
    const before = samples.filter(({ at }) => at < since).at(-1)?.window ?? 0;
    const [first] = samples.filter(({ at }) => at > change);
    expect((first?.window ?? 0) / before).toBeGreaterThan(0.5);
  });
});
