/**
 * Compressed certificates (RFC 8879), in both directions.
 */
import { brotliCompressSync, deflateRawSync, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { HandshakeType as T } from '../../../src/tls/handshake-types.ts';
import { Alert } from '../../../src/tls/index.ts';
import { clientConfig, failure, identityOf, only, serverConfig, shake } from './handshake-pair.ts';
import { answerTo, messageOf, tamper, u16, vector } from './tampering.ts';
import type { Tampering } from './tampering.ts';

const identity = identityOf('p256');
const certificate = Buffer.concat([vector(1), vector(3, vector(3, identity.chain[0] ?? []), u16(0))]);
const ZLIB = 1;
const BROTLI = 2;
const ZSTD = 3;

const u24 = (value: number): Buffer => Buffer.from([value >> 16, value >> 8, value]);

function compressed(algorithm: number, length: number, data: Uint8Array): Uint8Array {
  return messageOf(T.compressedCertificate, u16(algorithm), u24(length), vector(3, data));
}

const sides: readonly ['client' | 'server', Partial<Tampering>][] = [
  ['server', {}],
  ['client', { server: { clientCertificate: 'require' }, client: { identity } }],
];

describe.each(sides)('a compressed certificate of a %s', (from, over) => {
  const sent = (message: Uint8Array): Tampering => ({ from, type: T.certificate, change: () => message, ...over });

  it.each([
    ['zlib', ZLIB, deflateSync(certificate)],
    ['brotli', BROTLI, brotliCompressSync(certificate)],
  ])('is read: %s', (_name, algorithm, data) => {
    // What was sent in its place is another message, so the signature does not fit; it was read for that.
    expect(answerTo(sent(compressed(algorithm, certificate.length, data)))).toBe(Alert.decryptError);
  });

  it.each<[string, number, Uint8Array]>([
    ['section 4: an algorithm that was not offered', Alert.illegalParameter, compressed(ZSTD, 10, Buffer.alloc(10))],
    ['section 4: no algorithm', Alert.illegalParameter, compressed(0, certificate.length, certificate)],
    ['section 4: garbage', Alert.badCertificate, compressed(ZLIB, certificate.length, Buffer.alloc(100, 7))],
    ['section 4: garbage, brotli', Alert.badCertificate, compressed(BROTLI, certificate.length, Buffer.alloc(100, 7))],
    [
      'section 4: cut short',
      Alert.badCertificate,
      compressed(ZLIB, certificate.length, deflateSync(certificate).subarray(0, -8)),
    ],
    [
      'section 4: a length too small',
      Alert.badCertificate,
      compressed(ZLIB, certificate.length - 1, deflateSync(certificate)),
    ],
    [
      'section 4: a length too great',
      Alert.badCertificate,
      compressed(BROTLI, certificate.length + 1, brotliCompressSync(certificate)),
    ],
    ['section 4: a length of zero', Alert.badCertificate, compressed(ZLIB, 0, deflateSync(certificate))],
    ['section 4: of zero bytes', Alert.decodeError, compressed(ZLIB, 0, deflateSync(Buffer.alloc(0)))],
    ['section 4: no data', Alert.decodeError, compressed(ZLIB, certificate.length, new Uint8Array(0))],
    ['section 4: raw deflate', Alert.badCertificate, compressed(ZLIB, certificate.length, deflateRawSync(certificate))],
    ['what comes out is no Certificate', Alert.decodeError, compressed(ZLIB, 300, deflateSync(Buffer.alloc(300, 255)))],
    ['the message cut short', Alert.decodeError, messageOf(T.compressedCertificate, u16(ZLIB))],
    [
      'bytes behind it',
      Alert.decodeError,
      Buffer.concat([
        messageOf(
          T.compressedCertificate,
          u16(ZLIB),
          u24(certificate.length),
          vector(3, deflateSync(certificate)),
          [0],
        ),
      ]),
    ],
  ])('%s', (_rule, alert, message) => {
    expect(answerTo(sent(message))).toBe(alert);
  });
});

describe('RFC 8879 section 3', () => {
  it('a client offers what it reads, best first, and so does a server that asks', () => {
    const seen: string[] = [];
    shake(clientConfig(), serverConfig({ clientCertificate: 'request' }), {
      tamper: (data, _level, from) => {
        if (data[0] === T.clientHello || data[0] === T.certificateRequest) {
          const at = data.indexOf(Buffer.from([0, 27, 0, 5, 4, 0, BROTLI, 0, ZLIB]));
          seen.push(`${from} ${String(at > 0)}`);
        }
        return data;
      },
    });
    expect(seen).toEqual(['client true', 'server true']);
  });

  it('is for Certificate only: no other message is compressed', () => {
    const { client } = tamper({
      from: 'server',
      type: T.certificateVerify,
      change: () => compressed(ZLIB, certificate.length, deflateSync(certificate)),
    });
    expect(failure(client)).toBe(Alert.unexpectedMessage);
    expect(only(client, 'CertificateReceived')).toEqual([]);
  });
});
