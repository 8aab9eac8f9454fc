/**
 * What quic-interop-runner (https://github.com/quic-interop/quic-interop-runner) looks for in captures of its test cases,
 * looked for in what two of ours say to each other under the same conditions. Its cases chacha20, http3, ipv6, retry and
 * resumption are asked of real peers in test/interop.
 */
import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../../src/common/index.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { QuicLink } from '../../support/quic/network.ts';
import { CALM_LINK, Chance, QuicNetwork } from '../../support/quic/network.ts';
import { endpointOf, Party } from '../../support/quic/party.ts';
import type { Traffic } from '../../support/quic/party.ts';
import { sealer } from '../tls/handshake-pair.ts';
import type { Side, Transit } from './connection-pair.ts';
import { ConnectionPair, pemIdentity, seeded } from './connection-pair.ts';
import type { WirePacket } from './wire-reader.ts';
import { carries, dataIn, packetsOf } from './wire-reader.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };
const LATENCY = 15;

function ofSide(pair: ConnectionPair, side: Side): WirePacket[] {
  return packetsOf(pair).filter(({ transit }) => transit.from === side);
}

/** How many connections the server has had: each has one Source Connection ID in its Initial packets. */
function handshakes(pair: ConnectionPair): number {
  const initials = ofSide(pair, 'server').filter(({ kind }) => kind === 'initial');
  return new Set(initials.map(({ header }) => Buffer.from(header.source).toString('hex'))).size;
}

/** A request of so many bytes, and an answer. */
function exchange(pair: ConnectionPair, asked: number, answered: number): void {
  const id = pair.client.openStream(true);
  pair.client.writeStream(id, Buffer.alloc(asked, 1), true);
  pair.run(pair.now + 60_000, () => pair.finished.server.has(id));
  let left = answered;
  const server = pair.side('server');
  const done = (): boolean => {
    const capacity = left === 0 ? 0 : Math.min(left, server.sendCapacity(id), 60_000);
    if (capacity > 0) {
      left -= capacity;
      server.writeStream(id, Buffer.alloc(capacity, 2), left === 0);
    }
    return pair.finished.client.has(id);
  };
  for (let rounds = 0; rounds < 100_000 && !done(); rounds += 1) pair.run(pair.now + 5, done);
  expect(pair.bytes('client', id).length).toBe(answered);
}

describe('longrtt', () => {
  it('the ClientHello goes out twice, and there is one handshake', () => {
    const pair = new ConnectionPair({ ...KEYLOG, latency: 750 }).connect();
    const hellos = ofSide(pair, 'client').filter(
      (packet) => packet.kind === 'initial' && carries(packet, 'cryptoReceived'),
    );
    expect(hellos.length).toBeGreaterThanOrEqual(2);
    expect(handshakes(pair)).toBe(1);
    exchange(pair, 50, 1_024);
  });
});

/** Drops or corrupts as the simulator of the runner does: a part of the datagrams, of which so many in a row at most. */
class Burst {
  #row = 0;
  readonly #chance: Chance;
  readonly #rate: number;

  constructor(seed: number, rate: number) {
    this.#chance = new Chance(seed);
    this.#rate = rate;
  }

  hits(): boolean {
    const hit = this.#row <= 3 && this.#chance.happens(this.#rate);
    this.#row = hit ? this.#row + 1 : 0;
    return hit;
  }

  /** Puts something else in the place of one of the first bytes, where headers are. */
  corrupted(data: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(data);
    const where = this.#chance.between(0, Math.min(50, bytes.length - 1));
    bytes[where] = (bytes[where] ?? 0) ^ this.#chance.between(1, 255);
    return bytes;
  }
}

const SERVER = '10.0.0.2:443';
const CLIENT = '10.0.0.1:5000';
const LINK: QuicLink = { ...CALM_LINK, latency: LATENCY, bandwidth: 1_250, queue: 25 * 1_500 };

class CorruptingNetwork extends QuicNetwork {
  corrupt: ((data: Uint8Array, path: NetworkPath) => Uint8Array) | undefined;

  override send(data: Uint8Array, path: NetworkPath): void {
    super.send(this.corrupt?.(data, path) ?? data, path);
  }
}

/** Asks for a kilobyte, on connection after connection. */
function multiconnect(network: QuicNetwork, count: number): { slowest: number; server: Party } {
  const server = new Party(endpointOf(5));
  const client = new Party(endpointOf(6, { accepts: false }));
  network.place(SERVER, server);
  network.place(CLIENT, client);
  let slowest = 0;
  for (let index = 0; index < count; index += 1) {
    const start = network.now;
    const traffic = client.connect({ local: CLIENT, remote: SERVER }, start);
    network.run(start + 60_000, () => traffic.established || traffic.ended !== undefined);
    expect(traffic.ended?.reason).toBeUndefined();
    slowest = Math.max(slowest, network.now - start);
    traffic.open(true, 1_024);
    network.flush(client);
    network.run(start + 60_000, () => traffic.received === 1_024 || traffic.ended !== undefined);
    expect(traffic.received).toBe(1_024);
    traffic.handle.connection.close(0x100, '');
    network.flush(client);
  }
  network.run(network.now + 60_000);
  return { slowest, server };
}

describe('handshakeloss and handshakecorruption', () => {
  it('30% of all datagrams are lost: fifty connections, and no more', () => {
    const there = new Burst(1, 0.3);
    const back = new Burst(2, 0.3);
    const network = new QuicNetwork(3, (from) => ({ ...LINK, loss: (from === SERVER ? back : there).hits() ? 2 : 0 }));
    const { slowest, server } = multiconnect(network, 50);
    expect(server.all.length).toBe(50);
    // What the handshake's timeout leaves.
    expect(slowest).toBeLessThan(10_000);
  });

  it('30% of all datagrams have another byte within the first fifty: fifty connections, and no more', () => {
    const there = new Burst(4, 0.3);
    const back = new Burst(5, 0.3);
    const network = new CorruptingNetwork(6, () => LINK);
    network.corrupt = (data, { local }) => {
      const burst = local === SERVER ? back : there;
      return burst.hits() ? burst.corrupted(data) : data;
    };
    const { server } = multiconnect(network, 50);
    expect(server.all.length).toBe(50);
  });
});

describe('blackhole and transferloss', () => {
  /** Sends so much one way; when it was there. */
  function transfer(network: QuicNetwork, length: number): { traffic: Traffic; server: Party; time: number } {
    const server = new Party(endpointOf(7), { piece: 16_384 });
    const client = new Party(endpointOf(8, { accepts: false }), { piece: 16_384 });
    network.place(SERVER, server);
    network.place(CLIENT, client);
    const traffic = client.connect({ local: CLIENT, remote: SERVER }, 0);
    network.run(10_000, () => traffic.established);
    traffic.open(false, length);
    network.flush(client);
    network.run(60_000, () => (server.all[0]?.received ?? 0) >= length);
    return { traffic, server, time: network.now };
  }

  it('nothing comes through for two seconds of every seven', () => {
    const network: QuicNetwork = new QuicNetwork(9, () => ({ ...LINK, loss: network.now % 7_000 < 5_000 ? 0 : 2 }));
    const { server, time, traffic } = transfer(network, 7 << 20);
    expect(server.all.map(({ received }) => received)).toEqual([7 << 20]);
    expect([traffic.ended, server.all[0]?.faults]).toEqual([undefined, []]);
    // It was dark meanwhile.
    expect(time).toBeGreaterThan(7_000);
  });

  it('2% are lost, three in a row and more', () => {
    const there = new Burst(11, 0.02);
    const back = new Burst(12, 0.02);
    const network = new QuicNetwork(13, (from) => ({ ...LINK, loss: (from === SERVER ? back : there).hits() ? 2 : 0 }));
    const { server } = transfer(network, 2 << 20);
    expect(server.all.map(({ received, faults }) => [received, faults])).toEqual([[2 << 20, []]]);
  });
});

describe('amplificationlimit', () => {
  it('a long chain goes out in three times what came, while the client is not heard', () => {
    const { cert = '', key = '' } = pemIdentity('rsa');
    const isLost = ({ from, index }: Transit): boolean => from === 'client' && index >= 1 && index <= 6;
    const pair = new ConnectionPair({
      ...KEYLOG,
      latency: LATENCY,
      identity: { cert: cert.toString().trim().concat('\n').repeat(10), key },
      drop: isLost,
    }).connect(60_000);
    const handshake = packetsOf(pair).filter(({ kind }) => kind === 'handshake');
    const sent = handshake.filter(({ transit }) => transit.from === 'server').flatMap(({ frames }) => frames);
    const offsets = sent.map(([name, offset, data]) =>
      name === 'cryptoReceived' ? Number(offset) + String(data).length / 2 : 0,
    );
    expect(Math.max(...offsets)).toBeGreaterThan(7_500);
    const proof = handshake.find(({ transit }) => transit.from === 'client' && !isLost(transit))?.transit;
    const until = proof?.at ?? 0;
    const atServer = ({ from, at }: Transit): number => (from === 'client' ? at : at - LATENCY);
    const before = pair.sent.filter((transit) => !isLost(transit) && atServer(transit) < until);
    before.sort((one, other) => atServer(one) - atServer(other));
    let allowed = 0;
    for (const { from, data } of before) {
      allowed += from === 'client' ? 3 * data.length : -data.length;
      expect(allowed).toBeGreaterThanOrEqual(0);
    }
    expect(handshakes(pair)).toBe(1);
    exchange(pair, 50, 5_000);
  });
});

describe('multiplexing', () => {
  it('two thousand small requests on one connection, whose server allows a thousand at once at most', () => {
    const pair = new ConnectionPair({
      onEvent: (self, side, event) => {
        if (side === 'server' && event.type === 'QuicStreamReceived' && event.fin) {
          self.side('server').writeStream(event.streamId, Buffer.alloc(32), true);
        }
      },
    }).connect();
    const { client } = pair;
    expect(client.availableStreams(true)).toBeLessThanOrEqual(1_000);
    let asked = 0;
    const ask = (): boolean => {
      for (; asked < 2_000 && client.availableStreams(true) > 0; asked += 1) {
        client.writeStream(client.openStream(true), Buffer.alloc(20), true);
      }
      return pair.finished.client.size === 2_000;
    };
    for (let rounds = 0; rounds < 5_000 && !ask(); rounds += 1) pair.run(pair.now + 10);
    expect(pair.finished.client.size).toBe(2_000);
  });
});

describe('zerortt', () => {
  it('forty requests with long names go out in 0-RTT packets, and next to nothing of the client in 1-RTT packets', () => {
    const server = { keylog: true, tickets: sealer(), earlyData: true };
    const first = new ConnectionPair({ server }).connect().wait(300);
    const notice = first.notices.client.find(({ type }) => type === 'SessionReceived');
    if (notice?.type !== 'SessionReceived') throw new Error('no session');
    const epoch = 1_700_000_100_000;
    const pair = new ConnectionPair({
      latency: LATENCY,
      client: { keylog: true, session: notice.session, earlyData: true, random: seeded(77), epoch },
      server: { ...server, epoch },
      onEvent: (self, side, event) => {
        if (side === 'server' && event.type === 'QuicStreamReceived' && event.fin) {
          self.side('server').writeStream(event.streamId, Buffer.alloc(32), true);
        }
      },
    });
    for (let count = 0; count < 40; count += 1) {
      pair.client.writeStream(pair.client.openStream(true), Buffer.alloc(270, 1), true);
    }
    pair.run(5_000, () => pair.finished.client.size === 40);
    expect(pair.finished.client.size).toBe(40);
    pair.wait(500);
    const sizes = { zeroRtt: 0, oneRtt: 0 };
    for (const { kind, size } of ofSide(pair, 'client'))
      if (kind === 'zeroRtt' || kind === 'oneRtt') sizes[kind] += size;
    expect(sizes.zeroRtt).toBeGreaterThan(40 * 270);
    expect(sizes.oneRtt).toBeLessThan(5_000);
    // The second handshake has no Certificate, and one name for the server.
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ resumed: true, earlyData: 'accepted' }]);
    expect(pair.only('client', 'CertificateReceived')).toEqual([]);
    expect(handshakes(pair)).toBe(1);
  });
});

describe('keyupdate', () => {
  it('of the client has packets of both sides in the new phase', () => {
    const limits = quicLimitValues({ maxPackets: 30 });
    const pair = new ConnectionPair({ client: { keylog: true, limits }, server: { keylog: true } }).connect().wait(100);
    exchange(pair, 50, 300_000);
    const phases = (side: Side): boolean[] => ofSide(pair, side).map(({ phase }) => phase);
    expect(phases('client')).toContain(true);
    expect(phases('server')).toContain(true);
    expect(pair.closed('client') ?? pair.closed('server')).toBeUndefined();
  });
});

const wayOf = ({ local, remote }: NetworkPath): string => `${local} ${remote}`;

/**
 * On each further path, the server's first packet asks whether the client is there, and the client answers each question
 * that it hears.
 */
function checkPaths(pair: ConnectionPair): void {
  const packets = packetsOf(pair);
  const responses = packets.flatMap((packet) =>
    packet.transit.from === 'client' ? dataIn(packet, 'pathResponseReceived') : [],
  );
  const seen = new Set<string>();
  for (const packet of packets) {
    if (packet.transit.from === 'client') continue;
    const way = wayOf(packet.transit.to);
    if (seen.has(way)) continue;
    seen.add(way);
    if (seen.size === 1) continue;
    const asked = dataIn(packet, 'pathChallengeReceived');
    expect(asked.length, way).toBe(1);
    expect(responses).toContain(asked[0]);
  }
}

describe('rebind-port, rebind-addr', () => {
  it.each([
    ['port', ['10.0.0.1:6000', '10.0.0.1:7000', '10.0.0.1:8000']],
    ['address', ['10.0.0.77:6000', '10.0.0.78:7000', '10.0.0.79:8000']],
  ])('the client has another %s again and again in a download', (_what, remotes) => {
    const running: { pair?: ConnectionPair } = {};
    let count = 0;
    const drop = ({ from, to }: Transit): boolean => {
      const self = running.pair;
      if (self === undefined || from === 'client') return false;
      count += 1;
      const remote = count % 300 === 0 ? remotes.shift() : undefined;
      if (remote !== undefined) self.serverSees = { ...self.serverSees, remote };
      // Nobody has an address any more that the NAT has given up.
      return to.remote !== self.serverSees.remote;
    };
    const pair = new ConnectionPair({ ...KEYLOG, latency: LATENCY, drop }).connect().wait(100);
    running.pair = pair;
    exchange(pair, 50, 2 << 20);
    expect(remotes).toEqual([]);
    expect(new Set(ofSide(pair, 'server').map(({ transit }) => transit.to.remote)).size).toBe(4);
    checkPaths(pair);
    expect(handshakes(pair)).toBe(1);
  });
});

describe('connectionmigration', () => {
  const preferredAddress = { ipv4: { address: Buffer.from([10, 0, 0, 99]), port: 444 }, ipv6: undefined };

  it.each([
    ['to the preferred address of the server', { server: { keylog: true, preferredAddress } }],
    ['of its own will', {}],
  ])('of the client %s: under another id, and asked back at once', (_where, over) => {
    const pair = new ConnectionPair({ ...KEYLOG, latency: LATENCY, ...over }).connect();
    if (!('server' in over)) {
      pair.wait(100);
      expect(pair.client.migrate({ local: '10.0.0.7:7000', remote: '10.0.0.2:443' })).toBe(true);
    }
    exchange(pair, 50, 300_000);
    checkPaths(pair);
    const ways = new Map<string, Set<string>>();
    for (const { transit, kind, header } of ofSide(pair, 'client')) {
      if (kind !== 'oneRtt') continue;
      const ids = ways.get(wayOf(transit.to)) ?? new Set();
      ways.set(wayOf(transit.to), ids.add(Buffer.from(header.destination).toString('hex')));
    }
    expect(ways.size).toBe(2);
    const [before, behind] = [...ways.values()];
    for (const id of behind ?? []) expect(before).not.toContain(id);
    expect(pair.closed('client') ?? pair.closed('server')).toBeUndefined();
  });
});
