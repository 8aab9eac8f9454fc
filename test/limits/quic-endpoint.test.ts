/**
 * A QUIC endpoint under floods from addresses that may be anybody's: first packets, packets of other versions, of
 * connections that it does not know, tokens that were used before. It reflects nothing worth having, holds little, and
 * takes an honest client meanwhile.
 */
import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../src/common/index.ts';
import type { LimitOptions } from '../../src/common/index.ts';
import type { QuicEndpointOptions, quicEndpointLimits } from '../../src/protocols/quic/index.ts';
import { QuicError } from '../../src/protocols/quic/index.ts';
import { readPacketHeader } from '../../src/protocols/quic/packet-header.ts';
import { MemoryWatch } from '../support/attack/memory.ts';
import { tripsLimit } from '../support/limits.ts';
import type { SentDatagram } from '../support/quic/network.ts';
import { CALM_LINK, QuicNetwork, seeded } from '../support/quic/network.ts';
import type { PartyOptions, Traffic } from '../support/quic/party.ts';
import { endpointOf, Party } from '../support/quic/party.ts';

const MIB = 1 << 20;
const SERVER = '10.0.0.2:443';
const CLIENT = '10.0.0.1:5000';
const there: NetworkPath = { local: CLIENT, remote: SERVER };
const EMPTY = new Uint8Array(0);

interface World {
  readonly network: QuicNetwork;
  readonly server: Party;
  readonly client: Party;
  readonly sent: SentDatagram[];
}

function world(
  limits: LimitOptions<typeof quicEndpointLimits>,
  party: PartyOptions = {},
  over: Partial<QuicEndpointOptions> = {},
): World {
  const network = new QuicNetwork(1, () => CALM_LINK);
  const server = new Party(endpointOf(2, { limits, ...over }), party);
  const client = new Party(endpointOf(3, { accepts: false }));
  network.place(SERVER, server);
  network.place(CLIENT, client);
  const sent: SentDatagram[] = [];
  network.onSent = (datagram) => sent.push({ ...datagram, data: new Uint8Array(datagram.data) });
  return { network, server, client, sent };
}

/** What a server sees of somebody. */
function from(remote: string): NetworkPath {
  return { local: SERVER, remote };
}

/** The first datagrams of clients that say nothing more. */
const spoofed: readonly Uint8Array[] = Array.from({ length: 64 }, (_, index) => {
  const client = new Party(endpointOf(500 + index, { accepts: false }));
  client.connect(there, 0);
  return client.endpoint.datagramsToSend(0, 1)[0]?.data ?? EMPTY;
});

/** One of them, as if from another client. */
function firstOf(index: number): Uint8Array {
  return new Uint8Array(spoofed[index % spoofed.length] ?? EMPTY);
}

function take(server: Party, data: Uint8Array, remote: string, now = 0): void {
  server.serve(server.endpoint.datagramReceived(data, from(remote), now), now);
}

/** Bytes that an endpoint sends now, by whom to. */
function sentTo(server: Party, now = 0): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { data, path } of server.endpoint.datagramsToSend(now, 100_000)) {
    bytes.set(path.remote, (bytes.get(path.remote) ?? 0) + data.length);
  }
  return bytes;
}

/** An honest client comes, and is served. */
function honest({ network, client }: World): Traffic {
  const traffic = client.connect(there, network.now);
  network.run(network.now + 5_000, () => traffic.established);
  expect(traffic.established, 'an honest client is served').toBe(true);
  const before = traffic.received;
  traffic.open(true, 1_000);
  network.run(network.now + 5_000, () => traffic.received === before + 1_000);
  expect(traffic.received).toBe(before + 1_000);
  return traffic;
}

/** A packet with a short header of a connection that nobody knows. */
function stray(length: number, seed = length): Uint8Array {
  const datagram = seeded(seed).fill(new Uint8Array(length));
  datagram[0] = 0x41;
  return datagram;
}

/** A packet of a version that there is not. */
function unknownVersion(seed: number): Uint8Array {
  const datagram = seeded(seed).fill(new Uint8Array(1_200));
  datagram.set([0xc0, 0x0a, 0x1a, 0x2a, 0x3a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
  return datagram;
}

describe('first packets from spoofed addresses (RFC 9000 sections 8.1 and 21.3)', () => {
  it('retryAboveHalfOpen: beyond it an address proves itself first; nothing is held for those that do not', async () => {
    tripsLimit('quicEndpointLimits.retryAboveHalfOpen', 'quicEndpointLimits.retryRate');
    const place = world({ retryAboveHalfOpen: 10, retryRate: 100 });
    const { server } = place;
    const watch = new MemoryWatch();
    let most = 0;
    for (let index = 0; index < 20_000; index += 1) {
      take(server, firstOf(index), `10.${String(index >> 8)}.${String(index & 255)}.1:9`);
      if (index % 64 !== 0) continue;
      for (const bytes of sentTo(server).values()) most = Math.max(most, bytes);
    }
    // RFC 9000 section 8.1: thrice what came, at most.
    expect(most).toBeLessThanOrEqual(3 * 1_200);
    expect([server.endpoint.halfOpenCount <= 10, server.endpoint.counters.retried]).toEqual([true, 100]);
    expect(await watch.retained(4 * MIB)).toBeLessThan(4 * MIB);
    watch.stop();
    place.network.run(2_000);
    honest(place);
  });

  it('maxHalfOpen: handshakes that do not end are refused beyond it', () => {
    tripsLimit('quicEndpointLimits.maxHalfOpen');
    const place = world({ maxHalfOpen: 10, retryAboveHalfOpen: Infinity });
    for (let index = 0; index < 40; index += 1) take(place.server, firstOf(index), `10.1.${String(index)}.1:9`);
    expect([place.server.endpoint.halfOpenCount, place.server.endpoint.counters.refused]).toEqual([10, 30]);
    // They give up in their own time.
    place.network.run(30_000);
    expect(place.server.endpoint.halfOpenCount).toBe(0);
    honest(place);
  });

  it('maxHalfOpenPerAddress: one address has to prove itself when it has many', () => {
    tripsLimit('quicEndpointLimits.maxHalfOpenPerAddress');
    const place = world({ maxHalfOpenPerAddress: 3 });
    for (let index = 0; index < 10; index += 1) take(place.server, firstOf(index), `10.1.1.1:${String(1_000 + index)}`);
    expect([place.server.endpoint.halfOpenCount, place.server.endpoint.counters.retried]).toEqual([3, 7]);
    honest(place);
  });

  it('maxConnections: a further one is refused, until one goes', () => {
    tripsLimit('quicEndpointLimits.maxConnections');
    const place = world({ maxConnections: 2 });
    const first = honest(place);
    honest(place);
    const third = place.client.connect(there, place.network.now);
    place.network.run(place.network.now + 1_000);
    expect(third.ended?.errorCode).toBe(QuicError.connectionRefused);
    first.handle.connection.close(0, '');
    place.network.run(place.network.now + 2_000);
    honest(place);
  });

  it('maxConnectionsPerAddress: one address has no more, whatever it proves; another has', () => {
    tripsLimit('quicEndpointLimits.maxConnectionsPerAddress');
    const place = world({ maxConnectionsPerAddress: 2 });
    const traffics = Array.from({ length: 5 }, () => place.client.connect(there, 0));
    place.network.run(3_000);
    expect(traffics.filter(({ established }) => established)).toHaveLength(2);
    const other = new Party(endpointOf(4, { accepts: false }));
    place.network.place('10.9.9.9:5000', other);
    const traffic = other.connect({ local: '10.9.9.9:5000', remote: SERVER }, place.network.now);
    place.network.run(place.network.now + 3_000, () => traffic.established);
    expect(traffic.established).toBe(true);
  });

  it('maxIncoming, maxIncomingDatagrams: what nobody has accepted yet is little', () => {
    tripsLimit('quicEndpointLimits.maxIncoming', 'quicEndpointLimits.maxIncomingDatagrams');
    const { server } = world({ maxIncoming: 4, maxIncomingDatagrams: 3 });
    for (let index = 0; index < 20; index += 1) {
      for (let again = 0; again < 10; again += 1) {
        server.endpoint.datagramReceived(firstOf(index), from(`10.1.${String(index)}.1:9`), 0);
      }
    }
    let waiting = 0;
    for (let next = server.endpoint.nextIncoming(); next !== undefined; next = server.endpoint.nextIncoming()) {
      waiting += 1;
      next.ignore();
    }
    expect([waiting, server.endpoint.counters.dropped]).toEqual([4, 4 * 7 + 16 * 10]);
  });

  it('refusalRate: refusals are no flood of their own', () => {
    tripsLimit('quicEndpointLimits.refusalRate');
    const { server } = world({ maxConnections: 0, refusalRate: 7 });
    for (let index = 0; index < 500; index += 1) take(server, firstOf(index), `10.1.${String(index & 255)}.1:9`);
    const refused = sentTo(server);
    expect(refused.size).toBe(7);
    expect(Math.max(...refused.values())).toBeLessThan(100);
  });

  it('datagrams below 1200 bytes, and first packets that are not authentic, get no answer', () => {
    const { server } = world({});
    for (let index = 0; index < 500; index += 1) {
      take(server, firstOf(index).subarray(0, 1_199), '10.1.1.1:9');
      const forged = firstOf(index);
      forged[700] = (forged[700] ?? 0) ^ 1;
      take(server, forged, '10.1.1.2:9');
    }
    expect([sentTo(server).size, server.endpoint.connectionCount, server.endpoint.counters.dropped]).toEqual([
      0, 0, 1_000,
    ]);
  });
});

describe('reflection', () => {
  it('versionNegotiationRate: packets of unknown versions are answered so often, shorter than they came', () => {
    tripsLimit('quicEndpointLimits.versionNegotiationRate');
    const place = world({ versionNegotiationRate: 20 });
    for (let index = 0; index < 2_000; index += 1) {
      take(place.server, unknownVersion(index + 1), `10.1.${String(index & 255)}.${String(index >> 8)}:9`);
    }
    const answered = sentTo(place.server);
    expect(answered.size).toBe(20);
    expect(Math.max(...answered.values())).toBeLessThanOrEqual(1_200);
    honest(place);
  });

  it('statelessResetRate: packets of unknown connections are answered so often, and shorter than they came', () => {
    tripsLimit('quicEndpointLimits.statelessResetRate');
    const place = world({ statelessResetRate: 20 });
    let got = 0;
    for (let index = 0; index < 2_000; index += 1) {
      const data = stray(30 + (index % 1_000), index + 1);
      got += data.length;
      take(place.server, data, '10.1.1.1:9');
    }
    const answers = place.server.endpoint.datagramsToSend(0, 1_000);
    expect(answers).toHaveLength(20);
    expect(answers.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThan(got / 100);
    honest(place);
  });

  it('maxReplies: answers that the socket does not take are dropped beyond it', () => {
    tripsLimit('quicEndpointLimits.maxReplies');
    const { server } = world({ versionNegotiationRate: 10_000, statelessResetRate: 10_000, maxReplies: 16 });
    for (let index = 0; index < 500; index += 1) {
      take(server, unknownVersion(index + 1), '10.1.1.1:9');
      take(server, stray(200, index + 1), '10.1.1.2:9');
    }
    expect(server.endpoint.datagramsToSend(0, 10_000)).toHaveLength(16);
  });

  it('an unproven address gets thrice what it sent, junk counted, however large the answer (CVE-2025-54939)', () => {
    const place = world({}, { accept: {} });
    const { server } = place;
    take(server, firstOf(0), '10.1.1.1:9');
    let got = 1_200;
    let sent = sentTo(server).get('10.1.1.1:9') ?? 0;
    expect(sent).toBeLessThanOrEqual(3 * got);
    const junk = firstOf(0);
    const header = readPacketHeader(junk, 0, 8);
    junk.fill(0xaa, header?.numberOffset ?? 40);
    const watch = new MemoryWatch();
    for (let index = 0; index < 2_000; index += 1) {
      take(server, new Uint8Array(junk), '10.1.1.1:9', index);
      got += junk.length;
      const due = server.endpoint.nextTimeout();
      if (due !== undefined && due <= index) server.endpoint.handleTimeout(index);
      sent += sentTo(server, index).get('10.1.1.1:9') ?? 0;
      expect(sent).toBeLessThanOrEqual(3 * got);
    }
    // It is not made to send by junk at all: probes are few.
    expect(sent).toBeLessThan(60_000);
    expect(watch.stop()).toBeLessThan(96 * MIB);
    honest(place);
  });

  it('closingReplyRate, maxStubs: connections that are over answer seldom, and are forgotten', () => {
    tripsLimit('quicEndpointLimits.closingReplyRate', 'quicEndpointLimits.maxStubs');
    const place = world({ closingReplyRate: 3, maxStubs: 6 });
    const { network, server, client, sent } = place;
    const traffics = Array.from({ length: 10 }, () => client.connect(there, 0));
    network.run(1_000);
    sent.length = 0;
    for (const traffic of traffics) traffic.open(true, 100);
    network.flush(client);
    const late = sent.map(({ data }) => data);
    for (const traffic of server.all) traffic.handle.connection.close(0, '');
    server.endpoint.datagramsToSend(network.now, 1_000);
    expect(server.endpoint.stubCount).toBe(6);
    let answers = 0;
    for (let again = 0; again < 50; again += 1) {
      for (const data of late) server.endpoint.datagramReceived(new Uint8Array(data), from(CLIENT), network.now);
      for (const { data } of server.endpoint.datagramsToSend(network.now, 1_000)) {
        if ((data[0] ?? 0) < 0x80 && data.length < 100) answers += 1;
      }
    }
    // Stateless resets, for those that were forgotten, have a rate of their own.
    expect(answers).toBeLessThanOrEqual(3 + 100);
    network.run(network.now + 10_000);
    expect(server.endpoint.stubCount).toBe(0);
  });
});

describe('tokens (RFC 9000 sections 8.1.3 and 8.1.4)', () => {
  /** A client's connection, and the token that it was given. */
  const tokenOf = (place: World): Uint8Array => {
    const traffic = honest(place);
    for (let notice = traffic.handle.connection.nextNotice(); notice !== undefined;) {
      if (notice.type === 'TokenReceived') return notice.token;
      notice = traffic.handle.connection.nextNotice();
    }
    throw new Error('no token');
  };
  const seen: boolean[] = [];
  const watched: PartyOptions = {
    decide: ({ addressValidated }) => {
      seen.push(addressValidated);
      return 'accept';
    },
  };
  const present = (place: World, token: Uint8Array): boolean | undefined => {
    const traffic = place.client.connect(there, place.network.now, { token });
    place.network.run(place.network.now + 3_000, () => traffic.established);
    expect(traffic.established).toBe(true);
    return seen.at(-1);
  };

  it('retryTokenLifetime: a token of Retry that comes late is INVALID_TOKEN', () => {
    tripsLimit('quicEndpointLimits.retryTokenLifetime');
    const decide: PartyOptions['decide'] = (incoming) => (incoming.addressValidated ? 'accept' : 'retry');
    const place = world({ retryTokenLifetime: 10 }, { decide });
    const slow = place.client.connect(there, 0);
    place.network.run(2_000);
    expect(slow.ended?.errorCode).toBe(QuicError.invalidToken);
    honest(world({ retryTokenLifetime: 5_000 }, { decide }));
  });

  it('newTokenLifetime: a token of NEW_TOKEN proves an address for so long, then nothing', () => {
    tripsLimit('quicEndpointLimits.newTokenLifetime');
    const place = world({ newTokenLifetime: 60_000 }, watched);
    const [one, two] = [tokenOf(place), tokenOf(place)];
    expect(present(place, one)).toBe(true);
    place.network.run(place.network.now + 61_000);
    expect(present(place, two)).toBe(false);
  });

  it('maxUsedTokens: a token proves an address once, however many are remembered', () => {
    tripsLimit('quicEndpointLimits.maxUsedTokens');
    const place = world({ maxUsedTokens: 2 }, watched);
    const tokens = Array.from({ length: 5 }, () => tokenOf(place));
    const first = tokens.map((token) => present(place, token));
    const again = tokens.map((token) => present(place, token));
    expect(first[0]).toBe(true);
    expect(again).toEqual([false, false, false, false, false]);
  });

  it('a token for another address proves nothing', () => {
    const place = world({}, watched);
    const token = tokenOf(place);
    const thief = new Party(endpointOf(6, { accepts: false }));
    place.network.place('10.6.6.6:5000', thief);
    const traffic = thief.connect({ local: '10.6.6.6:5000', remote: SERVER }, place.network.now, { token });
    place.network.run(place.network.now + 3_000, () => traffic.established);
    expect([traffic.established, seen.at(-1)]).toEqual([true, false]);
  });
});
