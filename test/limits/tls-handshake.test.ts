/**
 * Our TLS handshake under attack: messages, chains, tickets and cookies beyond their bounds, bombs, bytes one by one.
 *
 * RFC 8446 section 4; RFC 8879 section 5; RFC 9001 section 4.
 */
import { brotliCompressSync, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NamedGroup } from '../../src/crypto/index.ts';
import { psksData, readClientHello } from '../../src/tls/client-hello.ts';
import { ExtensionType as E } from '../../src/tls/extensions.ts';
import { HandshakeType as T } from '../../src/tls/handshake-types.ts';
import { Alert, TicketSealer, TlsClientHandshake, TlsServerHandshake, tlsLimits } from '../../src/tls/index.ts';
import type { TlsEvent } from '../../src/tls/index.ts';
import { RETRY_RANDOM, uint16Data, writeServerHello } from '../../src/tls/server-hello.ts';
import { retainedBytes } from '../support/attack/memory.ts';
import { tripsLimit } from '../support/limits.ts';
import {
  clientConfig,
  failure,
  identityOf,
  only,
  pump,
  sealer,
  serverConfig,
  serverParameters,
  shake,
} from '../unit/tls/handshake-pair.ts';
import { answerTo, block, changedClientHello, messageOf, tamper, u16, vector } from '../unit/tls/tampering.ts';

const EMPTY = new Uint8Array(0);
const header = (type: number, length: number): Buffer => Buffer.from([type, length >> 16, length >> 8, length]);

function eventsOf(side: TlsClientHandshake | TlsServerHandshake): TlsEvent[] {
  const events: TlsEvent[] = [];
  for (let event = side.nextEvent(); event !== undefined; event = side.nextEvent()) events.push(event);
  return events;
}

describe('messages', () => {
  it('that announce too much are refused by their first four bytes', () => {
    tripsLimit('tlsLimits.maxMessageBytes');
    const most = tlsLimits.maxMessageBytes.default;
    for (const [length, alert] of [
      [most + 1, Alert.illegalParameter],
      [0xffffff, Alert.illegalParameter],
      [most, undefined],
    ] as const) {
      const client = new TlsClientHandshake(clientConfig());
      client.start(0);
      client.cryptoReceived('initial', header(T.serverHello, length), 0);
      expect(failure(eventsOf(client)), String(length)).toBe(alert);
    }
  });

  it('of a client that nobody knows are smaller', () => {
    tripsLimit('tlsLimits.maxClientHelloBytes');
    const most = tlsLimits.maxClientHelloBytes.default;
    const server = new TlsServerHandshake(serverConfig(), serverParameters);
    server.cryptoReceived('initial', header(T.clientHello, most + 1), 0);
    expect(failure(eventsOf(server))).toBe(Alert.illegalParameter);
    const padded = (length: number): number | 'violation' | undefined =>
      answerTo({
        from: 'client',
        type: T.clientHello,
        change: (message) => changedClientHello(message, (_init, map) => map.set(21, Buffer.alloc(length))),
      });
    expect(padded(most)).toBe(Alert.illegalParameter);
    expect(padded(most - 1_000)).toBeUndefined();
  });

  it('wait within two of them, however long a verdict takes', () => {
    const { clientSide } = shake(clientConfig(), serverConfig(), {
      tamper: (data, level, from) =>
        from === 'server' && level === 'handshake' && data[0] === T.finished ? undefined : data,
    });
    const client = clientSide;
    let sent = 0;
    while (failure(eventsOf(client)) === undefined && sent < 4 * tlsLimits.maxMessageBytes.default) {
      client.cryptoReceived('handshake', Buffer.alloc(1_000, 255), 0);
      sent += 1_000;
    }
    expect(sent).toBeLessThanOrEqual(2 * tlsLimits.maxMessageBytes.default + 1_000);
  });

  it('byte by byte cost no more than their length', () => {
    const client = new TlsClientHandshake(clientConfig());
    client.start(0);
    const most = tlsLimits.maxMessageBytes.default;
    client.cryptoReceived('initial', header(T.serverHello, most), 0);
    const before = retainedBytes();
    const byte = Uint8Array.of(0);
    for (let at = 0; at < most - 1; at += 1) client.cryptoReceived('initial', byte, 0);
    expect(retainedBytes() - before).toBeLessThan(4 * most);
    client.cryptoReceived('initial', byte, 0);
    expect(failure(eventsOf(client))).toBe(Alert.decodeError);
  });
});

describe('chains', () => {
  const leaf = identityOf('p256').chain[0] ?? EMPTY;
  const entry = Buffer.concat([vector(3, leaf), u16(0)]);
  const chain = (count: number): Uint8Array =>
    messageOf(T.certificate, vector(1), vector(3, ...Array.from({ length: count }, () => entry)));

  it.each([
    ['server', {}],
    ['client', { server: { clientCertificate: 'require' as const }, client: { identity: identityOf('p256') } }],
  ] as const)('of a %s with too many certificates are refused', (from, over) => {
    tripsLimit('tlsLimits.maxCertificates');
    const most = tlsLimits.maxCertificates.default;
    const answer = (count: number): unknown =>
      answerTo({ from, type: T.certificate, change: () => chain(count), ...over });
    expect(answer(most + 1)).toBe(Alert.illegalParameter);
    expect(answer(most)).toBe(Alert.decryptError);
  });

  it('that decompress to more than they may, or than they say, are never held', () => {
    tripsLimit('tlsLimits.maxDecompressedBytes');
    const most = tlsLimits.maxDecompressedBytes.default;
    const zeros = Buffer.alloc(64 << 20);
    const bombs = [
      { algorithm: 1, data: deflateSync(zeros, { level: 9 }) },
      { algorithm: 2, data: brotliCompressSync(zeros) },
    ];
    const before = retainedBytes();
    for (const { algorithm, data } of bombs) {
      for (const announced of [zeros.length & 0xffffff, most + 1, most, 100]) {
        const message = messageOf(
          T.compressedCertificate,
          u16(algorithm),
          [announced >> 16, announced >> 8, announced],
          vector(3, data),
        );
        const answer = answerTo({ from: 'server', type: T.certificate, change: () => message });
        expect(answer).toBe(Alert.badCertificate);
      }
    }
    expect(retainedBytes() - before).toBeLessThan(16 << 20);
  });
});

describe('tickets', () => {
  const ticket = (name: Uint8Array, nonce = 0): Uint8Array =>
    messageOf(T.newSessionTicket, [0, 0, 1, 0], [0, 0, 0, 0], vector(1, u16(nonce)), vector(2, name), block([]));

  it('that are large are not kept: they would fill the next ClientHello', () => {
    tripsLimit('tlsLimits.maxTicketBytes');
    const most = tlsLimits.maxTicketBytes.default;
    for (const [length, kept] of [
      [most, 1],
      [most + 1, 0],
      [65_535, 0],
    ] as const) {
      const { clientSide } = shake(clientConfig(), serverConfig());
      clientSide.cryptoReceived('application', ticket(Buffer.alloc(length, 1)), 0);
      const events = eventsOf(clientSide);
      expect(only(events, 'SessionReceived').length).toBe(kept);
      expect(failure(events)).toBeUndefined();
    }
  });

  it('in a flood are passed over, and cost no more', () => {
    tripsLimit('tlsLimits.maxTickets');
    const { clientSide } = shake(clientConfig(), serverConfig());
    for (let index = 0; index < 10_000; index += 1) {
      clientSide.cryptoReceived('application', ticket(Buffer.from(String(index)), index), 0);
    }
    const events = eventsOf(clientSide);
    expect(only(events, 'SessionReceived').length).toBe(tlsLimits.maxTickets.default);
    expect(failure(events)).toBeUndefined();
  });

  it('that a client offers by the hundred are tried a few times only', () => {
    tripsLimit('tlsLimits.maxOfferedTickets');
    let opened = 0;
    class Counting extends TicketSealer {
      override open(name: Uint8Array): ReturnType<TicketSealer['open']> {
        opened += 1;
        return super.open(name);
      }
    }
    const { random, crypto } = serverConfig();
    const tickets = new Counting(crypto, random, [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }]);
    const identities = Array.from({ length: 100 }, (_value, index) => ({
      identity: Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(30, index)]),
      obfuscatedAge: 0,
    }));
    const binders = identities.map(() => Buffer.alloc(32));
    const { server } = tamper({
      from: 'client',
      type: T.clientHello,
      server: { tickets },
      change: (message) =>
        changedClientHello(message, (_init, map) => map.set(E.preSharedKey, psksData(identities, binders))),
    });
    expect(opened).toBe(tlsLimits.maxOfferedTickets.default);
    expect(only(server, 'TicketOffered')).toEqual([]);
    expect(failure(server)).toBeUndefined();
  });

  it('of others, cut short or changed in any byte, open to nothing', () => {
    const outcome = shake(clientConfig(), serverConfig({ tickets: sealer() }));
    outcome.serverSide.issueTicket(Buffer.from('mine'));
    pump(outcome);
    const mine = only(outcome.client, 'SessionReceived')[0]?.session.ticket ?? EMPTY;
    expect(Buffer.from(sealer().open(mine)?.applicationData ?? [])).toEqual(Buffer.from('mine'));
    for (let at = 0; at < mine.length; at += 1) {
      const changed = Uint8Array.from(mine);
      changed[at] = (changed[at] as number) ^ 1;
      expect(sealer().open(changed)).toBeUndefined();
      expect(sealer().open(mine.subarray(0, at))).toBeUndefined();
    }
  });
});

describe('a HelloRetryRequest', () => {
  const asked = (cookie: Uint8Array): ReturnType<typeof answerTo> =>
    answerTo({
      from: 'server',
      type: T.serverHello,
      client: { keyShareGroups: [NamedGroup.secp384r1] },
      server: { groups: [NamedGroup.x25519] },
      change: () =>
        writeServerHello({
          random: RETRY_RANDOM,
          sessionId: EMPTY,
          cipherSuite: 0x1301,
          extensions: new Map([
            [E.supportedVersions, uint16Data(0x0304)],
            [E.cookie, vector(2, cookie)],
          ]),
        }),
    });

  it('with a large cookie is refused: it would have to be sent back', () => {
    tripsLimit('tlsLimits.maxCookieBytes');
    const most = tlsLimits.maxCookieBytes.default;
    expect(asked(Buffer.alloc(most + 1))).toBe(Alert.illegalParameter);
    expect(asked(Buffer.alloc(65_000))).toBe(Alert.illegalParameter);
    expect(asked(Buffer.alloc(most))).toBeUndefined();
  });
});

describe('ClientHellos as browsers send them, and worse', () => {
  /** Grease, a post-quantum share, Encrypted Client Hello, application settings: in any order. */
  function browserLike(message: Uint8Array, order: readonly number[]): Uint8Array {
    return changedClientHello(message, (init, map) => {
      const { groups = [], keyShares = [] } = readClientHello(message.subarray(4));
      const greased = new Map(map);
      greased.set(0x4a4a, EMPTY);
      greased.set(0xfe0d, Buffer.alloc(250, 3));
      greased.set(17_613, vector(2, vector(1, Buffer.from('h3'))));
      greased.set(E.statusRequest, Buffer.from([1, 0, 0, 0, 0]));
      greased.set(E.signedCertificateTimestamp, EMPTY);
      greased.set(0xff01, Uint8Array.of(0));
      greased.set(0xcaca, Uint8Array.of(0));
      greased.set(E.supportedGroups, vector(2, u16(0x2a2a), u16(0x11ec), ...groups.map(u16)));
      const entry = (group: number, share: Uint8Array): Buffer => Buffer.concat([u16(group), vector(2, share)]);
      const own = keyShares.map(({ group, share }) => entry(group, share));
      greased.set(
        E.keyShare,
        vector(2, entry(0x2a2a, Uint8Array.of(0)), entry(0x11ec, Buffer.alloc(1_216, 7)), ...own),
      );
      const entries = [...greased];
      const rank = (index: number): number => order[index % order.length] ?? 0;
      init.cipherSuites = [0x3a3a, ...init.cipherSuites];
      init.extensions = new Map(
        entries
          .map((one, index) => [rank(index), index, one] as const)
          .sort(([a, i], [b, j]) => a - b || i - j)
          .map(([, , one]) => one),
      );
    });
  }

  it.each(Array.from({ length: 25 }, (_value, seed) => seed + 1))('shuffled, order %i', (seed) => {
    const order = Array.from({ length: 23 }, (_value, index) => (index * seed * 7_919) % 101);
    const sizes = [1, 7, 1_000, 5_000];
    const { server } = shake(clientConfig(), serverConfig(), {
      tamper: (data, _level, from) =>
        from === 'client' && data[0] === T.clientHello ? browserLike(data, order) : data,
    });
    expect(only(server, 'ClientHelloReceived')).toMatchObject([{ serverName: 'a.example', alpn: ['h3'] }]);
    expect(only(server, 'SecretsReady').length).toBeGreaterThan(0);
    expect(failure(server)).toBeUndefined();
    // In pieces it is the same.
    const hello = new TlsClientHandshake(clientConfig());
    hello.start(0);
    const [produced] = only(eventsOf(hello), 'CryptoDataProduced');
    const bytes = browserLike(produced?.data ?? EMPTY, order);
    expect(bytes.length).toBeGreaterThan(1_500);
    const size = sizes[seed % sizes.length] as number;
    const pieces = new TlsServerHandshake(serverConfig(), serverParameters);
    for (let at = 0; at < bytes.length; at += size) pieces.cryptoReceived('initial', bytes.slice(at, at + size), 0);
    expect(eventsOf(pieces)).toMatchObject([{ type: 'ClientHelloReceived', serverName: 'a.example' }]);
  });

  it('with a thousand extensions, suites, groups and shares', () => {
    const many = Array.from({ length: 1_000 }, (_value, index) => 0x6000 + index);
    const answer = answerTo({
      from: 'client',
      type: T.clientHello,
      change: (message) =>
        changedClientHello(message, (init, map) => {
          init.cipherSuites = [...many, ...init.cipherSuites];
          map.set(E.signatureAlgorithms, vector(2, ...many.map(u16), u16(0x0403)));
          for (const type of many) map.set(type, EMPTY);
        }),
    });
    expect(answer).toBeUndefined();
  });
});
