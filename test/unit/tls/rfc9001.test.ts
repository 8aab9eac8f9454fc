/**
 * RFC 9001 sections 4 and 8: what QUIC asks of TLS, seen from the handshake and from the connection that carries it.
 */
import { describe, expect, it } from 'vitest';
import { NamedGroup } from '../../../src/crypto/index.ts';
import { readClientHello } from '../../../src/tls/client-hello.ts';
import { ExtensionType as E } from '../../../src/tls/extensions.ts';
import { HandshakeType as T } from '../../../src/tls/handshake-types.ts';
import { Alert, TlsClientHandshake } from '../../../src/tls/index.ts';
import type { TlsEvent } from '../../../src/tls/index.ts';
import { readNewSessionTicket } from '../../../src/tls/server-flight.ts';
import { ConnectionPair } from '../quic/connection-pair.ts';
import { frame, Rogue } from '../quic/rogue.ts';
import { clientConfig, failure, only, pump, sealer, serverConfig, shake } from './handshake-pair.ts';
import { answerTo, changedClientHello } from './tampering.ts';

const PROTOCOL_VIOLATION = 0x0a;

/** The messages of one side by type, in order. */
function sent(events: readonly TlsEvent[]): number[] {
  return only(events, 'CryptoDataProduced').map(({ data }) => data[0] as number);
}

/** Events that are steps, in order. */
function steps(events: readonly TlsEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'SecretsReady') return `keys ${event.level}`;
    return event.type === 'CryptoDataProduced' ? `bytes ${event.level}` : event.type;
  });
}

describe('section 4.1.4: levels', () => {
  it('have their keys before they have bytes, and each side goes up through them', () => {
    const { client, server } = shake(clientConfig(), serverConfig());
    expect(steps(client)).toEqual([
      'bytes initial',
      'keys handshake',
      'TransportParametersReceived',
      'CertificateReceived',
      'bytes handshake',
      'keys application',
      'HandshakeCompleted',
    ]);
    const atServer = steps(server);
    expect(atServer.indexOf('keys handshake')).toBeLessThan(atServer.indexOf('bytes handshake'));
    expect(atServer.indexOf('bytes initial')).toBeLessThan(atServer.indexOf('keys handshake'));
    expect(atServer.at(-1)).toBe('HandshakeCompleted');
  });

  it('carry no handshake bytes at 0-RTT', () => {
    for (const side of ['clientSide', 'serverSide'] as const) {
      const outcome = shake(clientConfig(), serverConfig());
      outcome[side].cryptoReceived('early', Uint8Array.of(5, 0, 0, 0), 0);
      expect(outcome[side].nextEvent()).toMatchObject({ type: 'HandshakeFailed', alert: undefined });
    }
  });
});

describe('section 4.1.3: handshake bytes', () => {
  it.each([
    ['next to what came', 0],
    ['with a gap before them', 50],
  ])('of a level that is over are a PROTOCOL_VIOLATION: %s', (_what, gap) => {
    // The server's HANDSHAKE_DONE is on its way: the client keeps its Handshake keys until it has come.
    const pair = new ConnectionPair({ client: { keylog: true }, server: { keylog: true } });
    pair.run(5_000, () => pair.client.handshakeComplete);
    expect(pair.client.handshakeConfirmed).toBe(false);
    const rogue = new Rogue(pair, 'server');
    const flight = 3_000;
    const closed = rogue.send('handshake', frame(0x06, flight + gap, 4, Buffer.alloc(4)));
    expect(closed).toMatchObject({ application: false, errorCode: PROTOCOL_VIOLATION });
  });

  it('that came before are taken again without a word', () => {
    const pair = new ConnectionPair({ client: { keylog: true }, server: { keylog: true } });
    pair.run(5_000, () => pair.client.handshakeComplete);
    expect(new Rogue(pair, 'server').send('handshake', frame(0x06, 0, 4, Buffer.from([8, 0, 0, 1])))).toBeUndefined();
  });
});

describe('section 4.2: only TLS 1.3', () => {
  it('is offered', () => {
    const client = new TlsClientHandshake(clientConfig());
    client.start(0);
    const event = client.nextEvent();
    const hello = readClientHello((event as { data: Uint8Array }).data.subarray(4));
    expect(hello.supportedVersions).toEqual([0x0304]);
  });

  it.each([
    ['TLS 1.2 alone', [2, 3, 3]],
    ['TLS 1.2 and 1.1', [4, 3, 3, 3, 2]],
    ['a version of the future', [2, 3, 5]],
  ])('is accepted: not %s', (_what, versions) => {
    const change = (message: Buffer): Uint8Array =>
      changedClientHello(message, (_init, map) => map.set(E.supportedVersions, Uint8Array.from(versions)));
    expect(answerTo({ from: 'client', type: T.clientHello, change })).toBe(Alert.protocolVersion);
  });

  it('and a client that offers more besides gets it', () => {
    const change = (message: Buffer): Uint8Array =>
      changedClientHello(message, (_init, map) => map.set(E.supportedVersions, Uint8Array.from([4, 3, 4, 3, 3])));
    expect(answerTo({ from: 'client', type: T.clientHello, change })).toBeUndefined();
  });
});

describe('section 4.3: a ClientHello of several packets', () => {
  it('completes, each datagram of the first flight being of 1200 bytes at least', () => {
    const alpn = ['h3', ...Array.from({ length: 300 }, (_value, index) => `protocol-${String(index)}`)];
    const pair = new ConnectionPair({ client: { alpn } }).connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
    const first = pair.sent.filter(({ from, at }) => from === 'client' && at <= 10);
    expect(first.length).toBeGreaterThan(2);
    expect(first.every(({ data }) => data.length >= 1_200)).toBe(true);
  });

  it('completes when its packets come in any order', () => {
    const alpn = ['h3', ...Array.from({ length: 300 }, (_value, index) => `protocol-${String(index)}`)];
    for (const late of [0, 1, 2]) {
      const delay = ({ from, index }: { from: string; index: number }): number =>
        from === 'client' && index === late ? 30 : 0;
      const pair = new ConnectionPair({ client: { alpn }, delay }).connect();
      expect(pair.client.handshakeConfirmed, `packet ${String(late)} late`).toBe(true);
    }
  });
});

describe('section 4.6.1: tickets', () => {
  it.each([
    [true, 0xffffffff],
    [false, undefined],
  ])('with early data %s announce %s', (earlyData, bound) => {
    const outcome = shake(clientConfig(), serverConfig({ tickets: sealer(), earlyData }));
    outcome.serverSide.issueTicket(new Uint8Array(0));
    const event = outcome.serverSide.nextEvent();
    expect(readNewSessionTicket((event as { data: Uint8Array }).data.subarray(4)).maxEarlyData).toBe(bound);
  });
});

describe('section 4.7: HelloRetryRequest', () => {
  it('is part of a handshake over QUIC', () => {
    const pair = new ConnectionPair({
      client: { keyShareGroups: [NamedGroup.secp384r1] },
      server: { groups: [NamedGroup.x25519] },
    }).connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
    expect(pair.server?.handshakeConfirmed).toBe(true);
  });
});

describe('section 4.8: alerts', () => {
  it.each([
    ['no identity for a name', { identity: Alert.unrecognizedName }, Alert.unrecognizedName],
    ['no group in common', { server: { groups: [0x0019] } }, Alert.handshakeFailure],
    [
      'no suite in common',
      { client: { cipherSuites: [0x1303] }, server: { cipherSuites: [0x1301] } },
      Alert.handshakeFailure,
    ],
    [
      'a chain that is not trusted',
      { certificate: { ok: false as const, alert: Alert.unknownCa, reason: 'nobody' } },
      Alert.unknownCa,
    ],
  ])('are CRYPTO_ERROR on both sides: %s', (_what, options, alert) => {
    const pair = new ConnectionPair(options);
    pair.run(3_000);
    for (const side of ['client', 'server'] as const) {
      expect(pair.closed(side)).toMatchObject({ application: false, errorCode: 0x0100 + alert });
      expect(pair.side(side).isTerminated || pair.closed(side) !== undefined).toBe(true);
    }
  });
});

describe('section 6: KeyUpdate', () => {
  const keyUpdate = Buffer.from([24, 0, 0, 1, 1]);

  it.each([
    ['client', 'before its Finished', (finished: Buffer) => Buffer.concat([keyUpdate, finished])],
    ['client', 'behind its Finished', (finished: Buffer) => Buffer.concat([finished, keyUpdate])],
    ['client', 'behind its Finished, cut', (finished: Buffer) => Buffer.concat([finished, keyUpdate.subarray(0, 1)])],
    ['server', 'before its Finished', (finished: Buffer) => Buffer.concat([keyUpdate, finished])],
    ['server', 'behind its Finished', (finished: Buffer) => Buffer.concat([finished, keyUpdate])],
  ] as const)('of a %s at the Handshake level is unexpected_message: %s', (from, _where, change) => {
    expect(answerTo({ from, type: T.finished, change })).toBe(Alert.unexpectedMessage);
  });

  it.each(['client', 'server'] as const)('of a %s: other messages there are a PROTOCOL_VIOLATION (4.1.3)', (from) => {
    const change = (finished: Buffer): Uint8Array => Buffer.concat([finished, Buffer.from([8, 0, 0, 0])]);
    expect(answerTo({ from, type: T.finished, change })).toBe('violation');
  });
});

describe('section 8: what TLS does otherwise in QUIC', () => {
  it('8.1: a protocol is always offered and always chosen', () => {
    expect(failure(shake(clientConfig({ alpn: ['h4'] }), serverConfig()).server)).toBe(Alert.noApplicationProtocol);
    expect(only(shake(clientConfig(), serverConfig()).client, 'HandshakeCompleted')[0]?.alpn).toBe('h3');
  });

  it('8.2: transport parameters come before the handshake is complete, and once', () => {
    const { client, server } = shake(clientConfig(), serverConfig());
    for (const events of [client, server]) {
      expect(only(events, 'TransportParametersReceived').length).toBe(1);
      const order = steps(events);
      expect(order.indexOf('TransportParametersReceived')).toBeLessThan(order.indexOf('HandshakeCompleted'));
    }
  });

  it('8.3: there is no EndOfEarlyData, though 0-RTT was accepted', () => {
    const config = serverConfig({ tickets: sealer(), earlyData: true });
    const first = shake(clientConfig(), config);
    first.serverSide.issueTicket(new Uint8Array(0));
    pump(first);
    const session = only(first.client, 'SessionReceived')[0]?.session;
    const { client, server } = shake(clientConfig({ session, earlyData: true }), config);
    expect(only(server, 'EarlyDataDecided')).toMatchObject([{ accepted: true }]);
    expect(only(client, 'HandshakeCompleted').length).toBe(1);
    expect(sent(client)).toEqual([T.clientHello, T.finished]);
  });

  it('8.2: neither hello is without transport parameters: missing_extension', () => {
    const change = (message: Buffer): Uint8Array =>
      changedClientHello(message, (_init, map) => map.delete(E.quicTransportParameters));
    expect(answerTo({ from: 'client', type: T.clientHello, change })).toBe(Alert.missingExtension);
    // Passed over as unknown, since it is not its number.
    const renamed = (message: Buffer): Uint8Array =>
      changedClientHello(message, (_init, map) => {
        map.set(0xffa5, map.get(E.quicTransportParameters) ?? new Uint8Array(0));
        map.delete(E.quicTransportParameters);
      });
    expect(answerTo({ from: 'client', type: T.clientHello, change: renamed })).toBe(Alert.missingExtension);
  });

  it('8.3: an EndOfEarlyData is unexpected_message, with 0-RTT or without', () => {
    const endOfEarlyData = Buffer.from([5, 0, 0, 0]);
    const change = (finished: Buffer): Uint8Array => Buffer.concat([endOfEarlyData, finished]);
    expect(answerTo({ from: 'client', type: T.finished, change })).toBe(Alert.unexpectedMessage);
    const config = { tickets: sealer(), earlyData: true };
    const first = shake(clientConfig(), serverConfig(config));
    first.serverSide.issueTicket(new Uint8Array(0));
    pump(first);
    const session = only(first.client, 'SessionReceived')[0]?.session;
    const early = { client: { session, earlyData: true }, server: config };
    expect(answerTo({ from: 'client', type: T.finished, change, ...early })).toBe(Alert.unexpectedMessage);
  });

  it('8.4: there is no compatibility mode: session ids are empty in every hello', () => {
    const ids: number[] = [];
    shake(clientConfig({ keyShareGroups: [NamedGroup.secp384r1] }), serverConfig({ groups: [NamedGroup.x25519] }), {
      tamper: (data, level) => {
        if (level === 'initial') ids.push(data[38] as number);
        return data;
      },
    });
    expect(ids).toEqual([0, 0, 0, 0]);
  });
});
