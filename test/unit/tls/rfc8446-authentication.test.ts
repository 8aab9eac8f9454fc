/**
 * RFC 8446 sections 4.4 and 4.6, rule by rule: which alert answers what.
 */
import { describe, expect, it } from 'vitest';
import { ExtensionType as E } from '../../../src/tls/extensions.ts';
import { HandshakeType as T } from '../../../src/tls/handshake-types.ts';
import { Alert } from '../../../src/tls/index.ts';
import type { TlsEvent } from '../../../src/tls/index.ts';
import { readNewSessionTicket } from '../../../src/tls/server-flight.ts';
import { signedContent } from '../../../src/tls/signed-content.ts';
import { clientConfig, identityOf, sealer, serverConfig, shake } from './handshake-pair.ts';
import { instead, rules } from './rules.ts';
import type { Row } from './rules.ts';
import { block, messageOf, u16, vector } from './tampering.ts';
import type { Side, Tampering } from './tampering.ts';

const EMPTY = new Uint8Array(0);
const UNKNOWN = 0x1234;

describe('section 4.4: Certificate, CertificateVerify, Finished', () => {
  const chain = identityOf('p256').chain[0] ?? EMPTY;
  const entry = Buffer.concat([vector(3, chain), u16(0)]);
  const mutual: Partial<Tampering> = {
    server: { clientCertificate: 'require' },
    client: { identity: identityOf('p256') },
  };
  const verify = (from: Side, change: (scheme: number, signature: Buffer) => Uint8Array): Tampering => ({
    from,
    type: T.certificateVerify,
    change: (message) => change(message.readUInt16BE(4), message.subarray(8)),
    ...(from === 'client' ? mutual : {}),
  });
  const signed = (scheme: number, signature: Uint8Array): Uint8Array =>
    messageOf(T.certificateVerify, u16(scheme), vector(2, signature));
  const finished = (from: Side, change: (data: Buffer) => Uint8Array): Tampering => ({
    from,
    type: T.finished,
    change: (message) => messageOf(T.finished, change(message.subarray(4))),
  });

  rules([
    [
      '4.4.2.4: an empty chain of a server',
      Alert.decodeError,
      instead('server', T.certificate, messageOf(T.certificate, vector(1), vector(3))),
    ],
    [
      '4.4.2: a context of a server',
      Alert.illegalParameter,
      instead('server', T.certificate, messageOf(T.certificate, vector(1, [1]), vector(3, entry))),
    ],
    [
      '4.4.2: a context of a client',
      Alert.illegalParameter,
      instead('client', T.certificate, messageOf(T.certificate, vector(1, [1]), vector(3, entry)), mutual),
    ],
    [
      '4.4.2: an empty certificate',
      Alert.decodeError,
      instead('server', T.certificate, messageOf(T.certificate, vector(1), vector(3, vector(3), u16(0)))),
    ],
    [
      '4.4.2: bytes behind the list',
      Alert.decodeError,
      instead('server', T.certificate, messageOf(T.certificate, vector(1), vector(3, entry), [0])),
    ],
    [
      '4.4.2: what is no certificate',
      Alert.unsupportedCertificate,
      instead('server', T.certificate, messageOf(T.certificate, vector(1), vector(3, vector(3, [1, 2, 3]), u16(0)))),
    ],
    [
      '4.4.2: a Certificate that was not asked for',
      Alert.unexpectedMessage,
      instead('client', T.finished, messageOf(T.certificate, vector(1), vector(3))),
    ],
    [
      '4.4.2: CertificateVerify behind no certificate',
      Alert.unexpectedMessage,
      instead('client', T.finished, signed(0x0403, EMPTY), { server: { clientCertificate: 'request' } }),
    ],
    ...(['server', 'client'] as const).flatMap((from): Row[] => [
      [
        `4.4.3: ${from}: a wrong signature`,
        Alert.decryptError,
        verify(from, (scheme, signature) => signed(scheme, signature.fill(1, 20, 22))),
      ],
      [`4.4.3: ${from}: no signature`, Alert.decryptError, verify(from, (scheme) => signed(scheme, EMPTY))],
      [
        `4.4.3: ${from}: RSASSA-PKCS1-v1_5`,
        Alert.illegalParameter,
        verify(from, (_s, signature) => signed(0x0401, signature)),
      ],
      [`4.4.3: ${from}: SHA-1`, Alert.illegalParameter, verify(from, (_s, signature) => signed(0x0203, signature))],
      [
        `4.4.3: ${from}: a scheme for another key`,
        Alert.illegalParameter,
        verify(from, (_s, signature) => signed(0x0807, signature)),
      ],
      [
        `4.4.3: ${from}: a scheme that was not offered`,
        Alert.illegalParameter,
        verify(from, (_s, signature) => signed(0x0603, signature)),
      ],
      [`4.4.4: ${from}: wrong`, Alert.decryptError, finished(from, (data) => data.fill(0))],
      [`4.4.4: ${from}: short`, Alert.decryptError, finished(from, (data) => data.subarray(1))],
      [`4.4.4: ${from}: long`, Alert.decryptError, finished(from, (data) => Buffer.concat([data, Uint8Array.of(0)]))],
      [`4.4.4: ${from}: empty`, Alert.decryptError, finished(from, () => EMPTY)],
    ]),
  ]);

  it('4.4.3: the signature of one side is not that of the other', () => {
    const hash = Buffer.alloc(32, 1);
    expect(Buffer.from(signedContent('server', hash))).not.toEqual(Buffer.from(signedContent('client', hash)));
    expect(Buffer.from(signedContent('server', hash)).toString('hex')).toBe(
      `${'20'.repeat(64)}${Buffer.from('TLS 1.3, server CertificateVerify').toString('hex')}00${'01'.repeat(32)}`,
    );
  });
});

describe('section 4.6.1: NewSessionTicket', () => {
  const ticket = (lifetime: number, extensions: readonly [number, Uint8Array][] = [], name = 'ticket'): Uint8Array => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(lifetime);
    return messageOf(T.newSessionTicket, head, vector(1, [0]), vector(2, Buffer.from(name)), block(extensions));
  };
  const told = (message: Uint8Array): TlsEvent | undefined => {
    const { clientSide } = shake(clientConfig(), serverConfig());
    clientSide.cryptoReceived('application', message, 5);
    return clientSide.nextEvent();
  };
  const early = (bound: number): [number, Uint8Array] => [E.earlyData, Buffer.from([0, 0, 0, 0].fill(bound))];

  it('is kept for seven days at most, and not at all for zero seconds', () => {
    expect(told(ticket(0xffffffff))).toMatchObject({ session: { lifetime: 604_800, receivedAt: 5, earlyData: false } });
    expect(told(ticket(60))).toMatchObject({ session: { lifetime: 60 } });
    expect(told(ticket(0))).toBeUndefined();
  });

  it.each<[string, Uint8Array, number | undefined]>([
    ['an empty ticket', ticket(60, [], ''), Alert.decodeError],
    ['one cut short', messageOf(T.newSessionTicket, [0, 0, 0]), Alert.decodeError],
    ['an extension out of place', ticket(60, [[E.serverName, EMPTY]]), Alert.illegalParameter],
    ['an extension twice', ticket(60, [early(255), early(255)]), Alert.illegalParameter],
    ['RFC 9001 section 4.6.1: a bound of 0-RTT', ticket(60, [early(1)]), undefined],
    ['RFC 9001 section 4.6.1: a bound of 0', ticket(60, [early(0)]), undefined],
  ])('%s', (_what, message, alert) => {
    expect(told(message)).toMatchObject({ type: 'HandshakeFailed', alert });
  });

  it('ignores extensions that it does not know', () => {
    expect(told(ticket(60, [[UNKNOWN, EMPTY], early(255)]))).toMatchObject({ session: { earlyData: true } });
  });

  it('has another nonce and another obfuscation each time', () => {
    const outcome = shake(clientConfig(), serverConfig({ tickets: sealer() }));
    const messages: ReturnType<typeof readNewSessionTicket>[] = [];
    for (let index = 0; index < 5; index += 1) {
      outcome.serverSide.issueTicket(EMPTY);
      const event = outcome.serverSide.nextEvent();
      if (event?.type === 'CryptoDataProduced') messages.push(readNewSessionTicket(event.data.subarray(4)));
    }
    expect(messages.length).toBe(5);
    expect(new Set(messages.map(({ nonce }) => Buffer.from(nonce).toString('hex'))).size).toBe(5);
    expect(new Set(messages.map(({ ageAdd }) => ageAdd)).size).toBe(5);
  });
});
