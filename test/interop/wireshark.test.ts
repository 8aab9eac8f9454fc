/**
 * What Wireshark says of our packets, client's and server's, with the keys that they log: it opens every one of them, and
 * finds nothing malformed.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../src/common/index.ts';
import { cipherSuites, NamedGroup, nodeCryptoProvider } from '../../src/crypto/index.ts';
import { AppServer, Client } from '../../src/index.ts';
import type { QuicAcceptOptions, QuicConnectOptions, QuicConnection } from '../../src/protocols/quic/index.ts';
import { QuicEndpoint, quicLimitValues } from '../../src/protocols/quic/index.ts';
import { Capture } from './support/capture.ts';
import type { Dissected } from './support/capture.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { Workshop } from './support/peers.ts';
import { digest, pattern, serverApp } from './support/server-app.ts';
import { startRelay } from './support/udp-relay.ts';

const tshark = findProgram('tshark');
const [INITIAL, ZERO_RTT, HANDSHAKE, RETRY] = [0, 1, 2, 3];

let workshop: Workshop;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => {
  workshop.dispose();
});

/** Nothing is wrong with any datagram, and there is none that could not be opened. */
function expectClean(datagrams: readonly Dissected[]): void {
  expect(datagrams.filter(({ complaints }) => complaints !== '')).toEqual([]);
  const closed = datagrams.filter(
    ({ frames, longTypes, versions }) => frames.length === 0 && !longTypes.includes(RETRY) && !versions.includes(0),
  );
  expect(closed).toEqual([]);
}

function union(datagrams: readonly Dissected[], of: (datagram: Dissected) => readonly number[]): Set<number> {
  return new Set(datagrams.flatMap(of));
}

describe.skipIf(tshark === undefined)('Wireshark reads what a client and a server say to each other', () => {
  it('over sockets: Retry, 0-RTT, requests, a move, updated keys (RFC 9000, 9001, 9114)', async () => {
    const capture = new Capture(workshop.folder);
    const server = await new AppServer(serverApp, {
      tls: { cert: workshop.certPem, key: workshop.keyPem },
      quic: { earlyData: true, retry: true },
    }).listen('https://127.0.0.1:0');
    const relay = await startRelay({ port: server.endpoints[0]?.port ?? 0, onDatagram: capture.add });
    const url = `https://localhost:${String(relay.port)}`;
    const client = new Client({
      protocol: ['http3'],
      tls: { ca: workshop.caPem, keylog: capture.secret },
      quic: { earlyData: true, quicLimits: { maxPackets: 100 } },
    });
    const early: boolean[] = [];
    for (let visit = 0; visit < 2; visit += 1) {
      await client.withSession(async (session) => {
        const first = await session.dispatch({ url: `${url}/hello` });
        expect(await first.text()).toBe('Hello\n');
        early.push(first.connection.early);
        const down = await session.dispatch({ url: `${url}/bytes?count=200000` });
        const reading = down.bytes();
        expect(await session.migrate()).toBe(1);
        expect(digest(await reading)).toBe(digest(pattern(200_000)));
        const up = await session.dispatch({ url: `${url}/digest`, method: 'POST', body: pattern(200_000) });
        expect(JSON.parse(await up.text())).toMatchObject({ digest: digest(pattern(200_000)) });
        const streamed = await session.dispatch({ url: `${url}/stream?count=20000` });
        expect((await streamed.text()).length).toBe(20_000);
      });
    }
    expect(early).toEqual([false, true]);
    await server.close();
    await relay.stop();

    const datagrams = await capture.dissect(tshark ?? '', relay.port);
    expect(datagrams.length).toBe(relay.passed);
    expectClean(datagrams);
    // Each side has sent under keys of both phases.
    const servers = datagrams.filter(({ from }) => from === relay.port);
    const clients = datagrams.filter(({ from }) => from !== relay.port);
    for (const side of [servers, clients]) {
      expect(new Set(side.flatMap(({ phases }) => phases))).toEqual(new Set([false, true]));
    }
    expect(union(datagrams, ({ longTypes }) => longTypes)).toEqual(new Set([INITIAL, ZERO_RTT, HANDSHAKE, RETRY]));
    // ClientHello to Finished, and NewSessionTicket.
    expect(
      [1, 2, 4, 8, 11, 15, 20].filter((type) => !union(datagrams, ({ handshake }) => handshake).has(type)),
    ).toEqual([]);
    // DATA, HEADERS, SETTINGS.
    expect([0, 1, 4].filter((type) => !union(datagrams, ({ http3 }) => http3).has(type))).toEqual([]);
    // ACK, CRYPTO, NEW_TOKEN, STREAM to its end, NEW_CONNECTION_ID, the challenge and its answer, HANDSHAKE_DONE, the end.
    const wanted = [0x02, 0x06, 0x07, 0x0b, 0x18, 0x1a, 0x1b, 0x1d, 0x1e];
    expect(wanted.filter((type) => !union(datagrams, ({ frames }) => frames).has(type))).toEqual([]);
  });

  const variants = [
    ...cipherSuites.map(({ id, name }): Variant => [name, { cipherSuites: [id] }, {}]),
    ['a HelloRetryRequest', { keyShareGroups: [NamedGroup.secp256r1] }, { groups: [NamedGroup.secp384r1] }],
    ['every group there is', { keyShareGroups: nodeCryptoProvider.groups }, {}],
  ] as const satisfies Variant[];

  it.each(variants)('in memory: every kind of frame, with %s (RFC 9000 section 19)', async (name, connect, accept) => {
    const capture = new Capture(workshop.folder);
    const servers = 20_000 + variants.findIndex(([other]) => other === name);
    converse(capture, servers, connect, accept);
    const datagrams = await capture.dissect(tshark ?? '', servers);
    expect(datagrams.length).toBeGreaterThan(30);
    expectClean(datagrams);
    const wanted = [
      ...[0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x15],
      ...[0x18, 0x19, 0x1a, 0x1b, 0x1d, 0x1e, 0x31],
    ];
    const seen = union(datagrams, ({ frames }) => frames);
    expect(wanted.filter((type) => !seen.has(type)).map((type) => type.toString(16))).toEqual([]);
    expect(new Set(datagrams.flatMap(({ phases }) => phases))).toEqual(new Set([false, true]));
  });
});

type Variant = [name: string, connect: Partial<QuicConnectOptions>, accept: Partial<QuicAcceptOptions>];

/** An endpoint with keys of its own. */
function endpoint(accepts: boolean): QuicEndpoint {
  const random = { fill: <Bytes extends Uint8Array>(bytes: Bytes): Bytes => crypto.getRandomValues(bytes as never) };
  const key = { name: random.fill(new Uint8Array(16)), key: random.fill(new Uint8Array(32)) };
  const keys = { connectionIds: key.name, reset: key.key, tokens: [key], tickets: [key] };
  return new QuicEndpoint({ crypto: nodeCryptoProvider, random, keys, accepts, epoch: Date.now() }, 0);
}

/** A connection that does all there is to be done, under a clock of its own, with nothing between the two endpoints. */
function converse(capture: Capture, port: number, connect: Variant[1], accept: Variant[2]): void {
  const [clients, servers] = [endpoint(false), endpoint(true)];
  const paths = new Map<string, NetworkPath>();
  /** The same object for the same way, as from a socket. */
  const pathOf = (local: string, remote: string): NetworkPath => {
    const path = paths.get(`${local} ${remote}`) ?? { local, remote };
    paths.set(`${local} ${remote}`, path);
    return path;
  };
  const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
  const [home, moved, there] = ['127.0.0.1:30000', '127.0.0.1:30001', `127.0.0.1:${String(port)}`];

  const named = { alpn: ['h3'], serverName: 'localhost', host: 'localhost', keylog: true, maxDatagramSize: 1_400 };
  const client = clients.connect({ ...named, ...connect }, pathOf(home, there), 0).connection;
  const limits = quicLimitValues({
    maxStreamsBidi: 2,
    maxStreamsUni: 1,
    initialStreamWindow: 2_000,
    maxUnconsumedBytes: 6_000,
  });
  let server: QuicConnection | undefined;

  const listen = (connection: QuicConnection): void => {
    for (let notice = connection.nextNotice(); notice !== undefined; notice = connection.nextNotice()) {
      if (notice.type === 'KeyLogged' && connection === client) capture.secret(notice.line);
    }
    for (let event = connection.nextEvent(); event !== undefined; event = connection.nextEvent()) {
      if (event.type === 'CertificateReceived') connection.submitCertificateVerdict({ ok: true });
      if (event.type === 'ClientHelloReceived') {
        connection.submitServerIdentity({ cert: workshop.certPem, key: workshop.keyPem });
      }
      if (event.type !== 'QuicStreamReceived') continue;
      connection.streamConsumed(event.streamId, event.data.length);
      if (event.fin && event.streamId % 4 === 0 && connection === server) {
        connection.writeStream(event.streamId, pattern(3_000), true);
      }
    }
  };
  /** What happens when. */
  const script = new Map<number, () => void>([
    [
      20,
      () => {
        const [long, given] = [client.openStream(true), client.openStream(true)];
        client.writeStream(long, pattern(10_000), true);
        client.writeStream(given, pattern(500), false);
        client.writeStream(client.openStream(false), pattern(100), true);
        client.sendDatagram(pattern(100));
      },
    ],
    [30, () => client.resetStream(4, 0x10c)],
    [31, () => client.stopSending(4, 0x10c)],
    [40, () => client.initiateKeyUpdate()],
    [60, () => server?.sendDatagram(pattern(200))],
    [80, () => client.migrate(pathOf(moved, there))],
    [500, () => server?.initiateKeyUpdate()],
    [520, () => client.sendDatagram(pattern(300))],
    [6_000, () => client.close(0x100, 'done')],
  ]);
  for (let now = 1; now <= 6_010; now += 1) {
    script.get(now)?.();
    for (const [from, to] of [
      [clients, servers],
      [servers, clients],
    ] as const) {
      from.handleTimeout(now);
      for (const { data, segmentSize, path } of from.datagramsToSend(now, 64)) {
        for (let at = 0; at < data.length; at += segmentSize) {
          const datagram = data.slice(at, at + segmentSize);
          capture.add(datagram, portOf(path.local), portOf(path.remote), now);
          to.datagramReceived(datagram, pathOf(path.remote, path.local), now);
        }
      }
    }
    const incoming = servers.nextIncoming();
    if (incoming !== undefined) server = incoming.accept({ alpn: ['h3'], limits, ...accept }).connection;
    for (const connection of [server, client]) if (connection !== undefined) listen(connection);
  }
}
