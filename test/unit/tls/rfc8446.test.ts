/**
 * RFC 8446 section 4, rule by rule: which alert answers what. RFC 9001 where it says otherwise.
 */
import { describe, expect, it } from 'vitest';
import { NamedGroup } from '../../../src/crypto/index.ts';
import { keySharesData, psksData, readClientHello } from '../../../src/tls/client-hello.ts';
import { ExtensionType as E } from '../../../src/tls/extensions.ts';
import { HandshakeType as T } from '../../../src/tls/handshake-types.ts';
import { Alert } from '../../../src/tls/index.ts';
import type { ClientSession } from '../../../src/tls/index.ts';
import { keyShareData, RETRY_RANDOM, uint16Data, writeServerHello } from '../../../src/tls/server-hello.ts';
import { clientConfig, failure, identityOf, only, pump, sealer, serverConfig, shake } from './handshake-pair.ts';
import type { Outcome } from './handshake-pair.ts';
import {
  answerTo,
  block,
  changedClientHello,
  changedServerHello,
  messageOf,
  tamper,
  u16,
  vector,
} from './tampering.ts';
import { instead, rules } from './rules.ts';
import type { Row } from './rules.ts';
import type { Side, Tampering } from './tampering.ts';

const EMPTY = new Uint8Array(0);
const UNKNOWN = 0x1234;
const P384 = { keyShareGroups: [NamedGroup.secp384r1] };
/** The server asks for x25519 by a HelloRetryRequest. */
const RETRY: Pick<Tampering, 'client' | 'server'> = { client: P384, server: { groups: [NamedGroup.x25519] } };

/** A session of an earlier connection. */
function newSession(earlyData = false, suite?: number): ClientSession {
  const cipherSuites = suite === undefined ? {} : { cipherSuites: [suite] };
  const outcome = shake(clientConfig(cipherSuites), serverConfig({ tickets: sealer(), earlyData, ...cipherSuites }));
  outcome.serverSide.issueTicket(EMPTY);
  pump(outcome);
  const session = only(outcome.client, 'SessionReceived')[0]?.session;
  if (session === undefined) throw new Error('there is no session');
  return session;
}

const RESUMED = (): Pick<Tampering, 'client' | 'server'> => ({
  client: { session: newSession() },
  server: { tickets: sealer() },
});

function clientHello(
  change: (init: Parameters<Parameters<typeof changedClientHello>[1]>[0], map: Map<number, Uint8Array>) => void,
  over: Partial<Tampering> = {},
): Tampering {
  return { from: 'client', type: T.clientHello, change: (message) => changedClientHello(message, change), ...over };
}

function serverHello(
  change: (init: Parameters<Parameters<typeof changedServerHello>[1]>[0], map: Map<number, Uint8Array>) => void,
  over: Partial<Tampering> = {},
): Tampering {
  return { from: 'server', type: T.serverHello, change: (message) => changedServerHello(message, change), ...over };
}

describe('section 4: a message that is not awaited is unexpected_message', () => {
  const types = [...Object.values(T), 0, 3, 6, 12, 14, 16, 255];
  /** What is awaited where, and what may come there instead. */
  const awaited: readonly [from: Side, type: number, others: readonly number[], over: Partial<Tampering>][] = [
    ['client', T.clientHello, [], {}],
    ['server', T.serverHello, [], {}],
    ['server', T.encryptedExtensions, [], {}],
    ['server', T.certificate, [T.certificateRequest, T.compressedCertificate], {}],
    ['server', T.certificateVerify, [], {}],
    ['server', T.finished, [], {}],
    ['server', T.finished, [], RESUMED()],
    ['client', T.finished, [], {}],
    ['client', T.certificate, [T.compressedCertificate], { server: { clientCertificate: 'require' } }],
    [
      'client',
      T.certificateVerify,
      [],
      { server: { clientCertificate: 'require' }, client: { identity: identityOf('p256') } },
    ],
  ];

  it.each(awaited)('%s, %i', (from, type, others, over) => {
    for (const other of types) {
      if (other === type || others.includes(other)) continue;
      const change = (message: Buffer): Uint8Array => Buffer.concat([Uint8Array.of(other), message.subarray(1)]);
      expect(answerTo({ from, type, change, ...over }), `message ${String(other)}`).toBe(Alert.unexpectedMessage);
    }
  });

  it.each(types)('behind the handshake: %i', (type) => {
    for (const side of ['clientSide', 'serverSide'] as const) {
      const outcome = shake(clientConfig(), serverConfig());
      outcome[side].cryptoReceived('application', messageOf(type, Buffer.alloc(200)), 0);
      const event = outcome[side].nextEvent();
      if (side === 'clientSide' && type === T.newSessionTicket) continue;
      // RFC 9001 section 4.4: a CertificateRequest is a PROTOCOL_VIOLATION, to a client.
      const violation = side === 'clientSide' && type === T.certificateRequest;
      expect(event).toMatchObject({
        type: 'HandshakeFailed',
        alert: violation ? undefined : Alert.unexpectedMessage,
      });
    }
  });
});

describe('section 4.1.2: ClientHello', () => {
  const body = (
    compression: readonly number[],
    sessionId: readonly number[] = [],
    extensions: Uint8Array = EMPTY,
  ): Uint8Array =>
    messageOf(
      T.clientHello,
      u16(0x0303),
      Buffer.alloc(32),
      vector(1, sessionId),
      vector(2, u16(0x1301)),
      vector(1, compression),
      extensions,
    );
  rules([
    ['compression methods other than null', Alert.illegalParameter, instead('client', T.clientHello, body([1, 0]))],
    ['another compression method', Alert.illegalParameter, instead('client', T.clientHello, body([1]))],
    ['no compression method', Alert.decodeError, instead('client', T.clientHello, body([]))],
    ['no extensions: an older version', Alert.protocolVersion, instead('client', T.clientHello, body([0]))],
    [
      'a session id of 33 bytes',
      Alert.decodeError,
      instead('client', T.clientHello, body([0], Array<number>(33).fill(1))),
    ],
    ['bytes behind it', Alert.decodeError, instead('client', T.clientHello, body([0], [], Buffer.from([0, 0, 0])))],
    [
      'extensions cut short',
      Alert.decodeError,
      instead('client', T.clientHello, body([0], [], Buffer.from([0, 9, 0]))),
    ],
    [
      'no cipher suite at all',
      Alert.decodeError,
      clientHello((init) => {
        init.cipherSuites = [];
      }),
    ],
  ]);

  it('unknown cipher suites, versions, groups, schemes, protocols and extensions are passed over', () => {
    const grease = 0x5a5a;
    const { client, server } = shake(
      clientConfig({
        cipherSuites: [grease, 0x1301],
        groups: [grease, NamedGroup.x25519],
        signatureSchemes: [grease, 0x0403],
        alpn: ['other', 'h3'],
      }),
      serverConfig(),
    );
    expect([failure(client), failure(server)]).toEqual([undefined, undefined]);
    const extended = tamper(
      clientHello((_init, map) => {
        map.set(grease, Buffer.alloc(3));
        map.set(E.supportedVersions, Buffer.from([4, 0x5a, 0x5a, 3, 4]));
      }),
    );
    // It is answered; that it was changed on its way is seen later.
    expect(only(extended.server, 'SecretsReady').length).toBeGreaterThan(0);
  });
});

describe('section 4.1.2: what a second ClientHello may change', () => {
  const second = (change: Parameters<typeof clientHello>[0], over: Partial<Tampering> = {}): Tampering =>
    clientHello(change, { nth: 1, ...RETRY, ...over });
  const replaced = (type: number, data: Uint8Array): Tampering => second((_init, map) => map.set(type, data));
  const share = { group: NamedGroup.x25519, share: Buffer.alloc(32, 9) };
  const binder = Buffer.alloc(32);
  const psk = (name: string): Uint8Array => psksData([{ identity: Buffer.from(name), obfuscatedAge: 0 }], [binder]);

  rules(
    (
      [
        ['random', second((init) => void (init.random = Buffer.alloc(32)))],
        ['a cipher suite less', second((init) => void (init.cipherSuites = init.cipherSuites.slice(1)))],
        ['another server name', replaced(E.serverName, vector(2, [0], vector(2, Buffer.from('b.example'))))],
        [
          'another protocol',
          replaced(E.applicationLayerProtocolNegotiation, vector(2, vector(1, Buffer.from('h3')), vector(1, [65]))),
        ],
        ['other groups', replaced(E.supportedGroups, vector(2, u16(NamedGroup.x25519)))],
        ['other signature schemes', replaced(E.signatureAlgorithms, vector(2, u16(0x0403)))],
        ['other versions', replaced(E.supportedVersions, vector(1, u16(0x0304), u16(0x0303)))],
        ['other PSK modes', replaced(E.pskKeyExchangeModes, Buffer.from([2, 0, 1]))],
        ['other transport parameters', replaced(E.quicTransportParameters, Buffer.from('other'))],
        ['other certificate compression', replaced(E.compressCertificate, vector(1, u16(1)))],
        ['an extension more', replaced(E.statusRequest, Buffer.from([1, 0, 0, 0, 0]))],
        ['an extension less', second((_init, map) => map.delete(E.compressCertificate))],
        ['a cookie from nowhere', replaced(E.cookie, vector(2, [1]))],
        [
          'early_data',
          second((_init, map) => {
            map.set(E.earlyData, EMPTY);
            map.set(E.preSharedKey, psk('a'));
          }),
        ],
        ['a PSK from nowhere', replaced(E.preSharedKey, psk('a'))],
        ['no share', replaced(E.keyShare, keySharesData([]))],
        [
          'the share of another group',
          replaced(E.keyShare, keySharesData([{ group: NamedGroup.secp256r1, share: Buffer.alloc(65, 4) }])),
        ],
        [
          'two shares',
          replaced(E.keyShare, keySharesData([share, { group: NamedGroup.secp384r1, share: Buffer.alloc(97, 4) }])),
        ],
      ] as const
    ).map(([rule, tampering]) => [rule, Alert.illegalParameter, tampering] as const),
  );

  it('not its PSKs: none is added or moved', () => {
    const identities = ['a', 'b', 'c'].map((name) => ({ identity: Buffer.from(name), obfuscatedAge: 0 }));
    const offer = (names: readonly string[]): Uint8Array =>
      psksData(
        names.map((name) => ({ identity: Buffer.from(name), obfuscatedAge: 7 })),
        names.map(() => binder),
      );
    for (const [names, allowed] of [
      [['a', 'b', 'c'], true],
      [['b'], true],
      [['a', 'c'], true],
      [['c', 'a'], false],
      [['a', 'd'], false],
      [['a', 'a'], false],
    ] as const) {
      let count = 0;
      const { server } = shake(clientConfig(RETRY.client), serverConfig(RETRY.server), {
        tamper: (data, _level, from) => {
          if (from !== 'client' || data[0] !== T.clientHello) return data;
          count += 1;
          return changedClientHello(data, (_init, map) =>
            map.set(E.preSharedKey, count === 1 ? psksData(identities, [binder, binder, binder]) : offer(names)),
          );
        },
      });
      expect(failure(server), names.join()).toBe(allowed ? undefined : Alert.illegalParameter);
    }
  });

  it.each<[string, Parameters<typeof clientHello>[0]]>([
    ['padding', (_init, map) => map.set(21, Buffer.alloc(100))],
    ['extensions that are not known here', (_init, map) => map.set(0xfe0d, Buffer.alloc(50))],
    ['their order', (init, map) => void (init.extensions = new Map([...map].reverse()))],
  ])('but %s', (_what, change) => {
    const { server } = tamper(second(change));
    // It goes on; the client's Finished then shows that somebody interfered.
    expect(only(server, 'SecretsReady').length).toBeGreaterThan(0);
    expect(failure(server)).not.toBe(Alert.illegalParameter);
  });

  /** Both ClientHellos of a client that a HelloRetryRequest is shown to. */
  function hellosOf(outcomeOf: (seen: Buffer[]) => Outcome): ReturnType<typeof readClientHello>[] {
    const seen: Buffer[] = [];
    outcomeOf(seen);
    return seen.map((message) => readClientHello(message.subarray(4)));
  }

  const CHANGING = [E.keyShare, E.earlyData, E.preSharedKey, E.cookie] as number[];
  const kept = (hello: ReturnType<typeof readClientHello> | undefined): unknown => [
    hello?.legacyVersion,
    Buffer.from(hello?.random ?? []).toString('hex'),
    hello?.sessionId.length,
    hello?.cipherSuites,
    [...(hello?.extensions ?? [])]
      .filter(([type]) => !CHANGING.includes(type))
      .map(([type, data]) => [type, Buffer.from(data).toString('hex')]),
  ];

  it.each([
    ['a group', [[E.keyShare, uint16Data(NamedGroup.secp256r1)]]],
    ['a cookie', [[E.cookie, vector(2, Buffer.from('crumbs'))]]],
    [
      'both',
      [
        [E.keyShare, uint16Data(NamedGroup.secp256r1)],
        [E.cookie, vector(2, Buffer.from('crumbs'))],
      ],
    ],
  ] as [string, [number, Uint8Array][]][])('a client changes nothing else when it is asked for %s', (_what, asked) => {
    const session = newSession(true);
    const hellos = hellosOf((seen) => {
      const config = clientConfig({ session, earlyData: true });
      return shake(config, serverConfig(), {
        tamper: (data, _level, from) => {
          if (from === 'client' && data[0] === T.clientHello) seen.push(Buffer.from(data));
          if (from !== 'server' || data[0] !== T.serverHello || seen.length > 1) return data;
          const extensions = new Map([[E.supportedVersions, uint16Data(0x0304)], ...asked]);
          return writeServerHello({ random: RETRY_RANDOM, sessionId: EMPTY, cipherSuite: 0x1301, extensions });
        },
      });
    });
    const [first, again] = hellos;
    expect(hellos.length).toBe(2);
    expect(kept(again)).toEqual(kept(first));
    expect(first?.earlyData).toBe(true);
    expect(again?.earlyData).toBe(false);
    expect(again?.psks?.identities.map(({ identity }) => Buffer.from(identity))).toEqual([Buffer.from(session.ticket)]);
    const cookie = asked.find(([type]) => type === E.cookie);
    expect(Buffer.from(again?.cookie ?? []).toString()).toBe(cookie === undefined ? '' : 'crumbs');
    const group = asked.some(([type]) => type === E.keyShare) ? NamedGroup.secp256r1 : NamedGroup.x25519;
    expect(again?.keyShares?.map((entry) => entry.group)).toEqual([group]);
  });

  it('section 4.1.4: a client drops a PSK of another hash than that of the suite that is chosen', () => {
    const session = newSession(false, 0x1302);
    const hellos = hellosOf((seen) =>
      shake(clientConfig({ session, ...P384 }), serverConfig({ cipherSuites: [0x1301], groups: [NamedGroup.x25519] }), {
        tamper: (data, _level, from) => {
          if (from === 'client' && data[0] === T.clientHello) seen.push(Buffer.from(data));
          return data;
        },
      }),
    );
    expect(hellos.map(({ psks }) => psks?.identities.length)).toEqual([1, undefined]);
  });
});

describe('sections 4.1.3 and 4.1.4: ServerHello and HelloRetryRequest', () => {
  const ending = (last: number): Buffer => Buffer.from(`${'00'.repeat(24)}444f574e4752440${String(last)}`, 'hex');
  const older = (random: Uint8Array): Tampering =>
    serverHello((init, map) => {
      init.random = random;
      map.delete(E.supportedVersions);
    });
  const retry = (...extensions: [number, Uint8Array][]): Uint8Array =>
    writeServerHello({
      random: RETRY_RANDOM,
      sessionId: EMPTY,
      cipherSuite: 0x1301,
      extensions: new Map([[E.supportedVersions, uint16Data(0x0304)], ...extensions]),
    });
  const asRetry = (...extensions: [number, Uint8Array][]): Tampering =>
    instead('server', T.serverHello, retry(...extensions));

  rules([
    ['another session id', Alert.illegalParameter, serverHello((init) => void (init.sessionId = Buffer.alloc(1)))],
    ['a suite that was not offered', Alert.illegalParameter, serverHello((init) => void (init.cipherSuite = 0x1304))],
    [
      'compression',
      Alert.illegalParameter,
      {
        from: 'server',
        type: T.serverHello,
        change: (m) => Buffer.concat([m.subarray(0, 41), Uint8Array.of(1), m.subarray(42)]),
      },
    ],
    ['another version', Alert.illegalParameter, serverHello((_init, map) => map.set(E.supportedVersions, u16(0x0303)))],
    [
      'a version of the future',
      Alert.illegalParameter,
      serverHello((_i, map) => map.set(E.supportedVersions, u16(0x0305))),
    ],
    ['no version: TLS 1.2', Alert.protocolVersion, older(Buffer.alloc(32))],
    ['a downgrade to TLS 1.2 that leaves its mark', Alert.illegalParameter, older(ending(1))],
    ['a downgrade to TLS 1.1 that leaves its mark', Alert.illegalParameter, older(ending(0))],
    ['something like the mark', Alert.protocolVersion, older(ending(2))],
    [
      'section 4.2.1: legacy_version is ignored; that it was changed is seen at the signature',
      Alert.decryptError,
      {
        from: 'server',
        type: T.serverHello,
        change: (m) => Buffer.concat([m.subarray(0, 4), Uint8Array.of(3, 1), m.subarray(6)]),
      },
    ],
    ['no key_share', Alert.missingExtension, serverHello((_init, map) => map.delete(E.keyShare))],
    ['HelloRetryRequest: no change', Alert.illegalParameter, asRetry()],
    ['HelloRetryRequest: a group not offered', Alert.illegalParameter, asRetry([E.keyShare, u16(0x0019)])],
    ['HelloRetryRequest: a group with a share', Alert.illegalParameter, asRetry([E.keyShare, u16(NamedGroup.x25519)])],
    ['HelloRetryRequest: an empty cookie', Alert.decodeError, asRetry([E.cookie, u16(0)])],
    ['HelloRetryRequest: an extension not offered', Alert.unsupportedExtension, asRetry([UNKNOWN, EMPTY])],
    ['HelloRetryRequest: one out of place', Alert.illegalParameter, asRetry([E.earlyData, EMPTY])],
    [
      'HelloRetryRequest: another version',
      Alert.illegalParameter,
      instead(
        'server',
        T.serverHello,
        writeServerHello({
          random: RETRY_RANDOM,
          sessionId: EMPTY,
          cipherSuite: 0x1301,
          extensions: new Map([[E.supportedVersions, u16(0x0303)]]),
        }),
      ),
    ],
    [
      'HelloRetryRequest: another suite than offered',
      Alert.illegalParameter,
      serverHello((init) => void (init.cipherSuite = 0x1304), RETRY),
    ],
    [
      'a second HelloRetryRequest',
      Alert.unexpectedMessage,
      instead('server', T.serverHello, retry([E.cookie, vector(2, [1])]), { nth: 1, ...RETRY }),
    ],
    [
      'another suite than in HelloRetryRequest',
      Alert.illegalParameter,
      serverHello((init) => void (init.cipherSuite = init.cipherSuite === 0x1301 ? 0x1303 : 0x1301), {
        nth: 1,
        ...RETRY,
      }),
    ],
    [
      'section 4.2.8: another group than in HelloRetryRequest',
      Alert.illegalParameter,
      serverHello(
        (_init, map) => map.set(E.keyShare, keyShareData({ group: NamedGroup.secp384r1, share: Buffer.alloc(97, 4) })),
        { nth: 1, ...RETRY },
      ),
    ],
  ]);
});

describe('section 4.2: extensions', () => {
  const certificate = (...extensions: [number, Uint8Array][]): Uint8Array =>
    messageOf(T.certificate, vector(1), vector(3, vector(3, identityOf('p256').chain[0] ?? EMPTY), block(extensions)));
  const encrypted = (change: (map: Map<number, Uint8Array>) => void): Tampering => ({
    from: 'server',
    type: T.encryptedExtensions,
    change: (message) => {
      const map = extensionsOf(message.subarray(4));
      change(map);
      return messageOf(T.encryptedExtensions, block(map));
    },
  });
  const request = (...extensions: [number, Uint8Array][]): Tampering =>
    instead('server', T.certificateRequest, messageOf(T.certificateRequest, vector(1), block(extensions)), {
      server: { clientCertificate: 'request' },
    });
  const SCHEMES: [number, Uint8Array] = [E.signatureAlgorithms, vector(2, u16(0x0403))];
  const twice = (from: Side, type: number, at: (message: Buffer) => number): Tampering => ({
    from,
    type,
    change: (message) => {
      // The block's first extension again, at its end.
      const start = at(message);
      const length = 4 + message.readUInt16BE(start + 4);
      const again = message.subarray(start + 2, start + 2 + length);
      const whole = vector(2, message.subarray(start + 2), again);
      return messageOf(type, message.subarray(4, start), whole);
    },
  });

  rules([
    [
      'an answer in ServerHello to no offer',
      Alert.unsupportedExtension,
      serverHello((_i, map) => map.set(UNKNOWN, EMPTY)),
    ],
    [
      'an answer in EncryptedExtensions to no offer',
      Alert.unsupportedExtension,
      encrypted((map) => map.set(UNKNOWN, EMPTY)),
    ],
    ['early_data that was not offered', Alert.unsupportedExtension, encrypted((map) => map.set(E.earlyData, EMPTY))],
    [
      'server_name that was not offered',
      Alert.unsupportedExtension,
      { ...encrypted((map) => map.set(E.serverName, EMPTY)), client: { serverName: undefined } },
    ],
    [
      'an answer in Certificate to no offer',
      Alert.unsupportedExtension,
      instead('server', T.certificate, certificate([E.statusRequest, Buffer.from([1, 0, 0, 1, 0])])),
    ],
    [
      'an unknown one in Certificate',
      Alert.unsupportedExtension,
      instead('server', T.certificate, certificate([UNKNOWN, EMPTY])),
    ],
    [
      "an answer in the client's Certificate to no request",
      Alert.unsupportedExtension,
      instead('client', T.certificate, certificate([E.statusRequest, Buffer.from([1, 0, 0, 1, 0])]), {
        server: { clientCertificate: 'require' },
      }),
    ],
    ['out of place in ClientHello', Alert.illegalParameter, clientHello((_init, map) => map.set(E.oidFilters, u16(0)))],
    ['out of place in ServerHello', Alert.illegalParameter, serverHello((_i, map) => map.set(E.serverName, EMPTY))],
    ['a cookie in ServerHello', Alert.illegalParameter, serverHello((_i, map) => map.set(E.cookie, vector(2, [1])))],
    ...[E.keyShare, E.preSharedKey, E.pskKeyExchangeModes, E.cookie, E.supportedVersions, E.signatureAlgorithms].map(
      (type): Row => [
        `section 4.3.1: ${String(type)} in EncryptedExtensions`,
        Alert.illegalParameter,
        encrypted((map) => map.set(type, u16(0))),
      ],
    ),
    [
      'post_handshake_auth from a server',
      Alert.illegalParameter,
      encrypted((map) => map.set(E.postHandshakeAuth, EMPTY)),
    ],
    [
      'out of place in Certificate',
      Alert.illegalParameter,
      instead('server', T.certificate, certificate([E.serverName, EMPTY])),
    ],
    ['out of place in CertificateRequest', Alert.illegalParameter, request(SCHEMES, [E.keyShare, EMPTY])],
    [
      'one twice in ClientHello',
      Alert.illegalParameter,
      twice('client', T.clientHello, (m) => 41 + m.readUInt16BE(39) + 2),
    ],
    ['one twice in ServerHello', Alert.illegalParameter, twice('server', T.serverHello, () => 42)],
    ['one twice in EncryptedExtensions', Alert.illegalParameter, twice('server', T.encryptedExtensions, () => 4)],
    [
      'section 4.2.2: a cookie in the first ClientHello',
      Alert.illegalParameter,
      clientHello((_i, map) => map.set(E.cookie, vector(2, [1]))),
    ],
    [
      'section 4.2.10: early_data with content',
      Alert.decodeError,
      clientHello((_i, map) => map.set(E.earlyData, u16(0))),
    ],
    [
      'section 4.3.2: a CertificateRequest with a context',
      Alert.illegalParameter,
      {
        ...request(SCHEMES),
        change: () => messageOf(T.certificateRequest, vector(1, [1]), block([SCHEMES])),
      },
    ],
    ['section 4.3.2: without signature_algorithms', Alert.missingExtension, request()],
    ['section 4.3.2: with none in it', Alert.decodeError, request([E.signatureAlgorithms, u16(0)])],
    // It was changed on its way, which the signature shows; until then it is in order.
    ['section 4.3.2: unknown extensions are ignored', Alert.decryptError, request(SCHEMES, [UNKNOWN, EMPTY])],
    [
      'RFC 6066 section 3: server_name with content',
      Alert.decodeError,
      encrypted((map) => map.set(E.serverName, u16(0))),
    ],
    [
      'RFC 7301 section 3.1: two protocols',
      Alert.decodeError,
      encrypted((map) => map.set(E.applicationLayerProtocolNegotiation, vector(2, vector(1, [65]), vector(1, [66])))),
    ],
    [
      'RFC 7301 section 3.1: an empty protocol',
      Alert.decodeError,
      encrypted((map) => map.set(E.applicationLayerProtocolNegotiation, vector(2, [0]))),
    ],
    [
      'RFC 7301 section 3.2: a protocol not offered',
      Alert.illegalParameter,
      encrypted((map) => map.set(E.applicationLayerProtocolNegotiation, vector(2, vector(1, [65])))),
    ],
    [
      'RFC 9001 section 8.1: no protocol',
      Alert.noApplicationProtocol,
      encrypted((map) => map.delete(E.applicationLayerProtocolNegotiation)),
    ],
    [
      'RFC 9001 section 8.2: no transport parameters',
      Alert.missingExtension,
      encrypted((map) => map.delete(E.quicTransportParameters)),
    ],
  ]);

  it('section 4.2.7: a server may tell its groups, and they mean nothing', () => {
    const { client } = tamper(encrypted((map) => map.set(E.supportedGroups, vector(2, u16(0x0019)))));
    expect(failure(client)).toBe(Alert.decryptError);
  });
});

describe('section 4.2.8: key shares', () => {
  const clientShares = (...entries: { group: number; share: Uint8Array }[]): Tampering =>
    clientHello((_init, map) => map.set(E.keyShare, keySharesData(entries)));
  const serverShare = (group: number, share: Uint8Array, over: Partial<Tampering> = {}): Tampering =>
    serverHello((_init, map) => map.set(E.keyShare, keyShareData({ group, share })), over);
  const { x25519, secp256r1, secp384r1 } = NamedGroup;
  const good = { group: x25519, share: Buffer.alloc(32, 9) };
  const lowOrder = Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex');
  const malformed: readonly [string, number, Uint8Array][] = [
    ['x25519 of 31 bytes', x25519, Buffer.alloc(31, 9)],
    ['x25519 of 33 bytes', x25519, Buffer.alloc(33, 9)],
    ['x25519, zero', x25519, Buffer.alloc(32)],
    ['x25519, a point of small order', x25519, lowOrder],
    ['P-256, compressed', secp256r1, Buffer.concat([Uint8Array.of(2), Buffer.alloc(32, 1)])],
    ['P-256, a byte too short', secp256r1, Buffer.alloc(64, 4)],
    ['P-256, off the curve', secp256r1, Buffer.alloc(65, 4)],
    ['P-256, the point at infinity', secp256r1, Buffer.alloc(1)],
    ['P-384, off the curve', secp384r1, Buffer.alloc(97, 4)],
  ];
  const groups = [x25519, secp256r1, secp384r1];

  rules([
    ['two of one group', Alert.illegalParameter, clientShares(good, good)],
    [
      'one of a group that is not supported',
      Alert.illegalParameter,
      clientShares(good, { group: 0x0019, share: Buffer.alloc(133, 4) }),
    ],
    ['an empty one', Alert.decodeError, clientHello((_i, map) => map.set(E.keyShare, vector(2, u16(x25519), u16(0))))],
    ...malformed.map(([what, group, share]): Row => [
      `a client's ${what} (section 4.2.8.2)`,
      Alert.illegalParameter,
      { ...clientShares({ group, share }), server: { groups: [group] } },
    ]),
    ...malformed.map(([what, group, share]): Row => [
      `a server's ${what} (section 4.2.8.2, 7.4.2)`,
      Alert.illegalParameter,
      serverShare(group, share, { client: { groups, keyShareGroups: [group] } }),
    ]),
    ['a server’s of a group without a share', Alert.illegalParameter, serverShare(secp256r1, Buffer.alloc(65, 4))],
  ]);

  // A server that goes by the client's order would ask again for a group that it was not given a share of.
  it.each<[number[]]>([[[x25519]], [[secp384r1, x25519]], [[x25519, secp256r1]], [[]]])(
    'section 4.2.8: a client names groups with a share first, in both ClientHellos: %j',
    (keyShareGroups) => {
      const hellos: ReturnType<typeof readClientHello>[] = [];
      const wanted = groups.find((group) => !keyShareGroups.includes(group)) ?? 0;
      const { client } = shake(clientConfig({ groups, keyShareGroups }), serverConfig({ groups: [wanted] }), {
        tamper: (data, level, from) => {
          if (from === 'client' && level === 'initial') hellos.push(readClientHello(data.subarray(4)));
          return data;
        },
      });
      expect(failure(client)).toBeUndefined();
      const others = groups.filter((group) => !keyShareGroups.includes(group));
      const order = [...keyShareGroups, ...others];
      expect(hellos.map((hello) => hello.groups)).toEqual([order, order]);
      expect(hellos.map((hello) => hello.keyShares?.map(({ group }) => group))).toEqual([keyShareGroups, [wanted]]);
    },
  );

  it('section 4.2.8: a client may send none, and is asked', () => {
    const { client, server } = shake(clientConfig({ keyShareGroups: [] }), serverConfig());
    expect([failure(client), failure(server)]).toEqual([undefined, undefined]);
    expect(only(server, 'CryptoDataProduced').filter(({ level }) => level === 'initial').length).toBe(2);
  });
});

describe('sections 4.2.9 to 4.2.11: PSKs', () => {
  const psk = (data: Uint8Array): Tampering => clientHello((_init, map) => map.set(E.preSharedKey, data));
  const identity = { identity: Buffer.from('ticket'), obfuscatedAge: 0 };
  const binder = Buffer.alloc(32);
  rules([
    [
      'no psk_key_exchange_modes',
      Alert.missingExtension,
      clientHello((_i, map) => {
        map.delete(E.pskKeyExchangeModes);
        map.set(E.preSharedKey, psksData([identity], [binder]));
      }),
    ],
    [
      'not the last extension',
      Alert.illegalParameter,
      clientHello((init, map) => {
        init.extensions = new Map([[E.preSharedKey, psksData([identity], [binder])], ...map]);
      }),
    ],
    ['a binder too few', Alert.illegalParameter, psk(psksData([identity, identity], [binder]))],
    ['a binder too many', Alert.illegalParameter, psk(psksData([identity], [binder, binder]))],
    ['no identity', Alert.decodeError, psk(psksData([], [binder]))],
    ['no binder', Alert.decodeError, psk(psksData([identity], []))],
    ['a short binder', Alert.decodeError, psk(psksData([identity], [Buffer.alloc(31)]))],
    ['an empty identity', Alert.decodeError, psk(psksData([{ identity: EMPTY, obfuscatedAge: 0 }], [binder]))],
    [
      'chosen, though none was offered',
      Alert.unsupportedExtension,
      serverHello((_i, map) => map.set(E.preSharedKey, u16(0))),
    ],
    [
      'chosen out of range',
      Alert.illegalParameter,
      serverHello((_i, map) => map.set(E.preSharedKey, u16(1)), RESUMED()),
    ],
    [
      'chosen with a suite of another hash',
      Alert.illegalParameter,
      serverHello((init) => void (init.cipherSuite = 0x1302), RESUMED()),
    ],
    ['chosen without key_share', Alert.illegalParameter, serverHello((_i, map) => map.delete(E.keyShare), RESUMED())],
    [
      'section 4.3.2: CertificateRequest beside a PSK',
      Alert.unexpectedMessage,
      instead('server', T.finished, messageOf(T.certificateRequest, vector(1), block([])), RESUMED()),
    ],
    [
      'section 4.2.10: 0-RTT accepted without its PSK',
      Alert.illegalParameter,
      {
        from: 'server',
        type: T.encryptedExtensions,
        client: { session: newSession(true), earlyData: true },
        change: (message) =>
          messageOf(T.encryptedExtensions, block(extensionsOf(message.subarray(4)).set(E.earlyData, EMPTY))),
      },
    ],
  ]);

  it('without (EC)DHE are not taken (section 4.2.9)', () => {
    const { server } = tamper(
      clientHello(
        (_init, map) => {
          map.set(E.pskKeyExchangeModes, Buffer.from([1, 0]));
          map.set(E.preSharedKey, psksData([identity], [binder]));
        },
        { server: { tickets: sealer() } },
      ),
    );
    expect(only(server, 'TicketOffered')).toEqual([]);
  });

  it('that are not ours are passed over, whatever their binders say', () => {
    const { server } = tamper({
      ...psk(psksData([identity, identity], [binder, binder])),
      server: { tickets: sealer() },
    });
    expect(only(server, 'TicketOffered')).toEqual([]);
    expect(only(server, 'SecretsReady').length).toBeGreaterThan(0);
  });
});

describe('RFC 9001 section 4.1.3: nothing of a level is left when the next one begins', () => {
  const followed = (from: Side, type: number, bytes: readonly number[]): Tampering => ({
    from,
    type,
    change: (message) => Buffer.concat([message, Uint8Array.from(bytes)]),
  });
  rules([
    ['a byte behind ServerHello', 'violation', followed('server', T.serverHello, [8])],
    ['a message behind ServerHello', 'violation', followed('server', T.serverHello, [8, 0, 0, 2, 0, 0])],
    ['a byte behind ClientHello', 'violation', followed('client', T.clientHello, [1])],
    ["a byte behind the server's Finished", 'violation', followed('server', T.finished, [4])],
    ["a message behind the client's Finished", 'violation', followed('client', T.finished, [4, 0, 0, 0])],
  ]);
});

function extensionsOf(body: Uint8Array): Map<number, Uint8Array> {
  const bytes = Buffer.from(body);
  const map = new Map<number, Uint8Array>();
  for (let at = 2; at < bytes.length; at += 4 + bytes.readUInt16BE(at + 2)) {
    map.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)));
  }
  return map;
}
