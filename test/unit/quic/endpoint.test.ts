import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../../src/common/index.ts';
import { LocalProtocolError } from '../../../src/common/index.ts';
import type { QuicEndpointOptions, QuicIncoming } from '../../../src/protocols/quic/index.ts';
import { QuicError } from '../../../src/protocols/quic/index.ts';
import { listedVersions, readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import type { QuicLink, SentDatagram } from '../../support/quic/network.ts';
import { CALM_LINK, QuicNetwork, seeded } from '../../support/quic/network.ts';
import type { PartyOptions } from '../../support/quic/party.ts';
import { endpointOf, Party, sharedKeys } from '../../support/quic/party.ts';

const SERVER = '10.0.0.2:443';
const CLIENT = '10.0.0.1:5000';
const there: NetworkPath = { local: CLIENT, remote: SERVER };
/** What the server sees. */
const back: NetworkPath = { local: SERVER, remote: CLIENT };

interface World {
  network: QuicNetwork;
  server: Party;
  client: Party;
  sent: SentDatagram[];
}

function world(over: Partial<QuicEndpointOptions> = {}, party: PartyOptions = {}, link: QuicLink = CALM_LINK): World {
  const network = new QuicNetwork(1, () => link);
  const server = new Party(endpointOf(2, over), party);
  const client = new Party(endpointOf(3, { accepts: false }));
  network.place(SERVER, server);
  network.place(CLIENT, client);
  const sent: SentDatagram[] = [];
  network.onSent = (datagram) => sent.push({ ...datagram, data: new Uint8Array(datagram.data) });
  return { network, server, client, sent };
}

/** The first datagram of a client. */
function firstDatagram(seed = 9): Uint8Array {
  const client = new Party(endpointOf(seed, { accepts: false }));
  client.connect(there, 0);
  const [datagram] = client.endpoint.datagramsToSend(0, 1);
  return datagram?.data ?? new Uint8Array(0);
}

/** Everything that an endpoint says now. */
function replies(server: Party, now = 0): Uint8Array[] {
  return server.endpoint.datagramsToSend(now, 1_000).map(({ data }) => data);
}

describe('routing', () => {
  it('keeps many connections of one client socket apart', () => {
    const { network, server, client } = world();
    const traffics = Array.from({ length: 20 }, () => client.connect(there, 0));
    network.run(5_000, () => traffics.every(({ established }) => established));
    for (const traffic of traffics) traffic.open(true, 5_000);
    network.run(10_000, () => traffics.every(({ closedStreams }) => closedStreams === 1));
    expect(traffics.map(({ received, faults }) => [received, faults])).toEqual(traffics.map(() => [5_000, []]));
    expect([server.endpoint.connectionCount, server.endpoint.halfOpenCount]).toEqual([20, 0]);
    for (const traffic of traffics) traffic.handle.connection.close(0, '');
    network.run(20_000);
    expect([server.endpoint.connectionCount, client.endpoint.connectionCount]).toEqual([0, 0]);
    expect([server.endpoint.stubCount, client.endpoint.stubCount]).toEqual([0, 0]);
    expect([server.endpoint.nextTimeout(), client.endpoint.nextTimeout()]).toEqual([undefined, undefined]);
  });

  it('gives a first packet that comes again to the same connection (RFC 9000 section 5.2.2)', () => {
    const { server } = world();
    const datagram = firstDatagram();
    for (let count = 0; count < 3; count += 1) {
      server.endpoint.datagramReceived(new Uint8Array(datagram), back, 0);
      server.serve(undefined, 0);
    }
    expect([server.endpoint.connectionCount, server.endpoint.counters.accepted]).toEqual([1, 1]);
  });

  it('lets nothing that is coalesced behind a packet reach another connection (section 12.2)', () => {
    const { network, server, client } = world();
    const [one, other] = [client.connect(there, 0), client.connect(there, 0)];
    network.run(2_000, () => one.established && other.established);
    const two = [firstDatagram(31), firstDatagram(32)];
    const joined = new Uint8Array(2_400);
    joined.set(two[0] ?? []);
    joined.set(two[1] ?? [], 1_200);
    server.endpoint.datagramReceived(joined, back, network.now);
    server.serve(undefined, network.now);
    expect(server.endpoint.connectionCount).toBe(3);
    expect([one.ended, other.ended]).toEqual([undefined, undefined]);
  });

  it('takes at most what the driver asks for, a share from each', () => {
    const { network, server, client } = world();
    const traffics = [client.connect(there, 0), client.connect(there, 0)];
    network.run(5_000, () => traffics.every(({ established }) => established));
    for (const traffic of traffics) traffic.open(true, 60_000);
    const { endpoint } = client;
    for (const most of [1, 3, 5]) {
      const packets = endpoint.datagramsToSend(network.now, most);
      const count = packets.reduce((sum, { data, segmentSize }) => sum + Math.ceil(data.length / segmentSize), 0);
      expect(count).toBeLessThanOrEqual(most);
      expect(count).toBeGreaterThan(0);
    }
    expect(server.endpoint.connectionCount).toBe(2);
  });

  it('serves timers by a heap: connections that fall silent are forgotten', () => {
    const { network, client, server } = world();
    const traffics = Array.from({ length: 50 }, () => client.connect(there, 0));
    network.run(5_000, () => traffics.every(({ established }) => established));
    network.run(100_000);
    expect(traffics.map(({ ended }) => ended?.initiator)).toEqual(traffics.map(() => 'network'));
    expect([server.endpoint.connectionCount, server.endpoint.nextTimeout()]).toEqual([0, undefined]);
  });
});

describe('first packets', () => {
  it('count only in datagrams of 1200 bytes (section 14.1)', () => {
    const { server } = world();
    server.endpoint.datagramReceived(firstDatagram().subarray(0, 1_199), back, 0);
    server.serve(undefined, 0);
    expect([server.endpoint.connectionCount, replies(server).length, server.endpoint.counters.dropped]).toEqual([
      0, 0, 1,
    ]);
  });

  it('need a destination id of eight bytes at least (section 7.2)', () => {
    const { server } = world();
    const datagram = new Uint8Array(1_200);
    datagram.set([0xc0, 0, 0, 0, 1, 7, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0x40, 0x64]);
    server.endpoint.datagramReceived(datagram, back, 0);
    expect([server.endpoint.nextIncoming(), replies(server).length]).toEqual([undefined, 0]);
  });

  it('are offered only when they are authentic, and stay as they were', () => {
    const { server } = world();
    const datagram = firstDatagram();
    const forged = new Uint8Array(datagram);
    forged[600] = (forged[600] ?? 0) ^ 1;
    server.endpoint.datagramReceived(Buffer.from(forged), back, 0);
    expect(server.endpoint.nextIncoming()).toBeUndefined();
    server.endpoint.datagramReceived(Buffer.from(datagram), back, 0);
    server.serve(undefined, 0);
    expect(server.endpoint.connectionCount).toBe(1);
    expect(replies(server).length).toBeGreaterThan(0);
  });

  it('are nothing to an endpoint that accepts none', () => {
    const { server } = world({ accepts: false });
    server.endpoint.datagramReceived(firstDatagram(), back, 0);
    expect([server.endpoint.nextIncoming(), replies(server).length]).toEqual([undefined, 0]);
  });

  it('are decided on once', () => {
    const { server } = world();
    server.endpoint.datagramReceived(firstDatagram(), back, 0);
    const incoming = server.endpoint.nextIncoming();
    expect(incoming?.path).toEqual(back);
    expect([incoming?.addressValidated, incoming?.mayRetry]).toEqual([false, true]);
    incoming?.ignore();
    expect(() => incoming?.refuse()).toThrow(LocalProtocolError);
    expect(() => incoming?.accept({ alpn: ['h3'] })).toThrow(LocalProtocolError);
    expect(replies(server)).toEqual([]);
  });

  it('wait in a bounded place', () => {
    const { server } = world({ limits: { maxIncoming: 3, maxIncomingDatagrams: 2 } });
    for (let seed = 10; seed < 20; seed += 1) {
      const datagram = firstDatagram(seed);
      for (let again = 0; again < 5; again += 1) server.endpoint.datagramReceived(new Uint8Array(datagram), back, 0);
    }
    let waiting = 0;
    for (
      let incoming = server.endpoint.nextIncoming();
      incoming !== undefined;
      incoming = server.endpoint.nextIncoming()
    ) {
      waiting += 1;
      incoming.ignore();
    }
    expect([waiting, server.endpoint.counters.dropped]).toEqual([3, 3 * 3 + 7 * 5]);
  });

  it('are refused with CONNECTION_REFUSED (section 10.2.3)', () => {
    const { network, client, server } = world({}, { decide: () => 'refuse' });
    const traffic = client.connect(there, 0);
    network.run(1_000);
    expect(traffic.ended).toMatchObject({
      application: false,
      errorCode: QuicError.connectionRefused,
      initiator: 'peer',
    });
    expect([server.endpoint.connectionCount, server.endpoint.counters.refused]).toEqual([0, 1]);
  });

  it('are ignored without a word', () => {
    const { network, client, sent } = world({}, { decide: () => 'ignore' });
    const traffic = client.connect(there, 0);
    network.run(60_000);
    expect(traffic.ended?.initiator).toBe('network');
    expect(sent.every(({ path }) => path.local === CLIENT)).toBe(true);
  });
});

describe('admission', () => {
  it('refuses above maxConnections, and takes another when one has gone', () => {
    const { network, client } = world({ limits: { maxConnections: 2 } });
    const [one, two, three] = [client.connect(there, 0), client.connect(there, 0), client.connect(there, 0)];
    network.run(1_000);
    expect([one.established, two.established, three.ended?.errorCode]).toEqual([
      true,
      true,
      QuicError.connectionRefused,
    ]);
    one.handle.connection.close(0, '');
    network.run(3_000);
    const four = client.connect(there, network.now);
    network.run(5_000, () => four.established);
    expect(four.established).toBe(true);
  });

  it('asks for proof of an address while many handshakes are under way, and stays open to who gives it', () => {
    const { network, client, server } = world({ limits: { retryAboveHalfOpen: 5 } });
    // Clients that say one thing and no more.
    for (let seed = 40; seed < 60; seed += 1) {
      server.endpoint.datagramReceived(firstDatagram(seed), { local: SERVER, remote: `10.1.0.${String(seed)}:1` }, 0);
      server.serve(undefined, 0);
    }
    expect([server.endpoint.halfOpenCount, server.endpoint.counters.retried]).toEqual([5, 15]);
    const traffic = client.connect(there, 0);
    network.run(2_000, () => traffic.established);
    expect(traffic.established).toBe(true);
    expect(server.endpoint.counters.retried).toBe(16);
    network.run(60_000);
    expect(server.endpoint.halfOpenCount).toBe(0);
  });

  it('refuses who proved its address and has too many from there', () => {
    const { network, client } = world({ limits: { maxConnectionsPerAddress: 2 } });
    const traffics = Array.from({ length: 4 }, () => client.connect(there, 0));
    network.run(3_000);
    expect(traffics.filter(({ established }) => established)).toHaveLength(2);
    expect(traffics.filter(({ ended }) => ended?.errorCode === QuicError.connectionRefused)).toHaveLength(2);
  });
});

describe('Retry (sections 8.1.2 and 17.2.5)', () => {
  const retryOnce = (incoming: QuicIncoming): 'retry' | 'accept' => (incoming.addressValidated ? 'accept' : 'retry');

  it('proves the client, and keeps nothing for it meanwhile', () => {
    const seen: [boolean, boolean][] = [];
    const { network, client, server, sent } = world(
      {},
      {
        decide: (incoming) => {
          seen.push([incoming.addressValidated, incoming.mayRetry]);
          return retryOnce(incoming);
        },
      },
    );
    const traffic = client.connect(there, 0);
    network.run(15);
    expect([server.endpoint.connectionCount, server.endpoint.nextTimeout()]).toEqual([0, undefined]);
    network.run(2_000, () => traffic.established);
    expect(traffic.established).toBe(true);
    expect(seen).toEqual([
      [false, true],
      [true, false],
    ]);
    const retry = sent.find(({ path }) => path.local === SERVER);
    const header = readPacketHeader(retry?.data ?? new Uint8Array(0), 0, 10);
    expect(header?.form).toBe('retry');
  });

  it('is not offered again to who came by one', () => {
    const { network, client } = world({}, { decide: (incoming) => (incoming.mayRetry ? 'retry' : 'refuse') });
    const traffic = client.connect(there, 0);
    network.run(2_000);
    expect(traffic.ended?.errorCode).toBe(QuicError.connectionRefused);
  });

  it('takes no token that has expired or was made with another key: INVALID_TOKEN', () => {
    const late = world({ limits: { retryTokenLifetime: 5 } }, { decide: retryOnce });
    const slow = late.client.connect(there, 0);
    late.network.run(2_000);
    expect(slow.ended).toMatchObject({ errorCode: QuicError.invalidToken, initiator: 'peer' });
    const changed = world({}, { decide: retryOnce });
    const traffic = changed.client.connect(there, 0);
    changed.network.run(15);
    const key = { name: new Uint8Array(16).fill(40), key: new Uint8Array(32).fill(41) };
    changed.server.endpoint.rotateKeys({ tokens: [key], tickets: [] });
    changed.network.run(2_000);
    expect(traffic.ended).toMatchObject({ errorCode: QuicError.invalidToken, initiator: 'peer' });
  });

  it('is not there without a key', () => {
    const { network, client, server } = world({
      keys: { ...sharedKeys, tokens: [] },
      limits: { retryAboveHalfOpen: 0 },
    });
    const traffic = client.connect(there, 0);
    network.run(2_000);
    expect(traffic.ended?.errorCode).toBe(QuicError.connectionRefused);
    expect(server.endpoint.counters.retried).toBe(0);
  });

  it('is sent so often in a second, and no more', () => {
    const { server } = world({ limits: { retryRate: 4, retryAboveHalfOpen: 0 } });
    for (let seed = 60; seed < 70; seed += 1) server.endpoint.datagramReceived(firstDatagram(seed), back, 0);
    expect(replies(server)).toHaveLength(4);
    for (let seed = 70; seed < 80; seed += 1) server.endpoint.datagramReceived(firstDatagram(seed), back, 500);
    expect(replies(server)).toHaveLength(2);
  });
});

describe('tokens of NEW_TOKEN (section 8.1.3)', () => {
  it('prove the address once', () => {
    const seen: boolean[] = [];
    const { network, client } = world(
      {},
      {
        decide: ({ addressValidated }) => {
          seen.push(addressValidated);
          return 'accept';
        },
      },
    );
    const first = client.connect(there, 0);
    network.run(1_000);
    const tokens: Uint8Array[] = [];
    for (let notice = first.handle.connection.nextNotice(); notice !== undefined;) {
      if (notice.type === 'TokenReceived') tokens.push(notice.token);
      notice = first.handle.connection.nextNotice();
    }
    expect(tokens).toHaveLength(1);
    const [token = new Uint8Array(0)] = tokens;
    for (let count = 0; count < 2; count += 1) client.connect(there, network.now, { token });
    network.run(2_000);
    expect(seen).toEqual([false, true, false]);
  });

  it('that are somebody else’s are as good as none: the connection is made all the same', () => {
    const seen: boolean[] = [];
    const { network, client } = world(
      {},
      {
        decide: ({ addressValidated }) => {
          seen.push(addressValidated);
          return 'accept';
        },
      },
    );
    const traffic = client.connect(there, 0, { token: seeded(8).fill(new Uint8Array(70)) });
    network.run(2_000, () => traffic.established);
    expect([seen, traffic.established]).toEqual([[false], true]);
  });
});

describe('Version Negotiation (section 6)', () => {
  const unknown = (length: number, version = [0xfa, 0xce, 0xb0, 0x0c]): Uint8Array => {
    const datagram = new Uint8Array(length);
    datagram.set([0xc0, ...version, 8, 1, 2, 3, 4, 5, 6, 7, 8, 5, 9, 9, 9, 9, 9]);
    return datagram;
  };

  it('answers another version in a datagram of 1200 bytes, with the ids exchanged', () => {
    const { server } = world();
    server.endpoint.datagramReceived(unknown(1_200), back, 0);
    const [answer = new Uint8Array(0)] = replies(server);
    const header = readPacketHeader(answer, 0, 10);
    expect(header?.form).toBe('versionNegotiation');
    if (header === undefined) return;
    expect([[...header.destination], [...header.source]]).toEqual([
      [9, 9, 9, 9, 9],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ]);
    const versions = listedVersions(answer, header);
    expect(versions[0]).toBe(1);
    // Section 15: one of the reserved form.
    expect(versions.slice(1).map((version) => (version & 0x0f0f0f0f) >>> 0)).toEqual([0x0a0a0a0a]);
  });

  it('answers neither what is shorter nor a Version Negotiation packet (section 6.1)', () => {
    const { server } = world();
    server.endpoint.datagramReceived(unknown(1_199), back, 0);
    server.endpoint.datagramReceived(unknown(1_200, [0, 0, 0, 0]), back, 0);
    expect(replies(server)).toEqual([]);
  });

  it('is sent so often in a second, and waits in a bounded place', () => {
    const { server } = world({ limits: { versionNegotiationRate: 10 } });
    for (let count = 0; count < 50; count += 1) server.endpoint.datagramReceived(unknown(1_200), back, 0);
    expect(replies(server)).toHaveLength(10);
    const full = world({ limits: { versionNegotiationRate: 1_000, maxReplies: 20 } });
    for (let count = 0; count < 50; count += 1) full.server.endpoint.datagramReceived(unknown(1_200), back, 0);
    expect(replies(full.server)).toHaveLength(20);
    expect(full.server.endpoint.counters).toMatchObject({ versionsNegotiated: 20, dropped: 30 });
  });
});

describe('stateless reset (section 10.3)', () => {
  const stray = (length: number): Uint8Array => {
    const datagram = seeded(length).fill(new Uint8Array(length));
    datagram[0] = 0x41;
    return datagram;
  };

  it('ends a connection whose server has forgotten it', () => {
    const { network, client, sent } = world();
    const traffic = client.connect(there, 0);
    network.run(1_000);
    const reborn = new Party(endpointOf(77, {}, network.now));
    network.place(SERVER, reborn);
    sent.length = 0;
    traffic.open(true, 1_000);
    network.run(network.now + 2_000, () => traffic.ended !== undefined);
    expect(traffic.ended?.initiator).toBe('network');
    expect(traffic.ended?.error?.code).toBe('ERR_QUIC_STATELESS_RESET');
    expect(client.endpoint.connectionCount).toBe(0);
    const [request, reset] = sent;
    expect(reset?.data.length).toBeLessThan(request?.data.length ?? 0);
    expect(reborn.endpoint.counters.resets).toBe(1);
  });

  it('answers nothing below 22 bytes, and is shorter than what it answers', () => {
    const { server } = world();
    for (let length = 1; length < 22; length += 1) server.endpoint.datagramReceived(stray(length), back, 0);
    expect(replies(server)).toEqual([]);
    for (const length of [22, 31, 43, 44, 60, 1_200]) {
      server.endpoint.datagramReceived(stray(length), back, 0);
      const [reset] = replies(server);
      expect(reset?.length).toBeLessThan(length);
    }
  });

  it('comes to an end between two that know nothing of each other (section 10.3.3)', () => {
    const one = world().server;
    const other = world().server;
    one.endpoint.datagramReceived(stray(1_200), back, 0);
    let rounds = 0;
    for (let [from, to] = [one, other], answers = replies(from); answers.length > 0; answers = replies(from)) {
      rounds += 1;
      for (const answer of answers) to.endpoint.datagramReceived(answer, back, 0);
      [from, to] = [to, from];
    }
    expect(rounds).toBeLessThan(64);
  });

  it('is sent so often in a second', () => {
    const { server } = world({ limits: { statelessResetRate: 5 } });
    for (let count = 0; count < 40; count += 1) server.endpoint.datagramReceived(stray(100), back, 0);
    expect(replies(server)).toHaveLength(5);
    expect(server.endpoint.counters).toMatchObject({ resets: 5, dropped: 35 });
  });

  it('is not believed without the token', () => {
    const { network, client } = world();
    const traffic = client.connect(there, 0);
    network.run(1_000);
    for (let length = 21; length < 100; length += 1) {
      client.endpoint.datagramReceived(stray(length), there, network.now);
      client.serve(undefined, network.now);
    }
    expect(traffic.ended).toBeUndefined();
  });
});

describe('connections that are over (section 10.2)', () => {
  it('leave a stub that repeats their close, less and less often, for three probe timeouts', () => {
    const { network, server, client, sent } = world();
    const traffic = client.connect(there, 0);
    network.run(1_000);
    const [accepted] = server.all;
    traffic.open(true, 100);
    network.flush(client);
    const last = sent.filter(({ path }) => path.local === CLIENT).at(-1);
    accepted?.handle.connection.close(7, 'enough');
    const [close = new Uint8Array(0)] = replies(server, network.now);
    expect(accepted?.handle.closed).toBe(true);
    expect([server.endpoint.connectionCount, server.endpoint.stubCount]).toEqual([0, 1]);
    const answered: number[] = [];
    for (let count = 1; count <= 20; count += 1) {
      server.endpoint.datagramReceived(new Uint8Array(last?.data ?? []), back, network.now);
      for (const answer of replies(server, network.now)) {
        expect(answer).toEqual(close);
        answered.push(count);
      }
    }
    expect(answered).toEqual([1, 2, 4, 8, 16]);
    const until = server.endpoint.nextTimeout() ?? 0;
    expect(until - network.now).toBeGreaterThan(3 * 20);
    server.endpoint.handleTimeout(until);
    expect([server.endpoint.stubCount, server.endpoint.nextTimeout()]).toEqual([0, undefined]);
  });

  it('are bounded in number', () => {
    const { network, server, client } = world({ limits: { maxStubs: 3 } });
    const traffics = Array.from({ length: 10 }, () => client.connect(there, 0));
    network.run(1_000);
    for (const traffic of server.all) traffic.handle.connection.close(0, '');
    network.flush(server);
    expect([server.endpoint.stubCount, server.endpoint.connectionCount]).toEqual([3, 0]);
    network.run(10_000);
    expect(traffics.every(({ ended }) => ended !== undefined)).toBe(true);
  });

  it('repeat their close so often in a second, all together', () => {
    const { network, server, client, sent } = world({ limits: { closingReplyRate: 2 } });
    const traffics = Array.from({ length: 6 }, () => client.connect(there, 0));
    network.run(1_000);
    sent.length = 0;
    for (const traffic of traffics) traffic.open(true, 100);
    network.flush(client);
    const late = sent.map(({ data }) => data);
    for (const traffic of server.all) traffic.handle.connection.close(0, '');
    replies(server, network.now);
    for (const data of late) server.endpoint.datagramReceived(new Uint8Array(data), back, network.now);
    expect(replies(server, network.now)).toHaveLength(2);
  });
});

describe('anything whatever', () => {
  it('is survived, within bounds', () => {
    const { network, server, client } = world();
    const traffic = client.connect(there, 0);
    network.run(1_000);
    const random = seeded(123);
    const [template] = [firstDatagram(5)];
    for (let count = 0; count < 6_000; count += 1) {
      const [kind = 0, high = 0, low = 0] = random.fill(new Uint8Array(3));
      const length = ((high << 8) | low) % 1_400;
      const data = random.fill(new Uint8Array(length));
      if (kind < 60) data.set(template.subarray(0, Math.min(length, kind)));
      if (kind > 200) data[0] = (data[0] ?? 0) | 0xc0;
      server.endpoint.datagramReceived(data, back, network.now);
      server.serve(undefined, network.now);
      client.endpoint.datagramReceived(new Uint8Array(data), there, network.now);
      client.serve(undefined, network.now);
    }
    expect(replies(server, network.now).length).toBeLessThanOrEqual(256 + 16);
    expect([server.endpoint.connectionCount, traffic.ended]).toEqual([1, undefined]);
  });
});
