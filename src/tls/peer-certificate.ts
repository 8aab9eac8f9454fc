/**
 * The peer's Certificate and CertificateVerify.
 *
 * Owns the order of the two, decompression (RFC 8879), the check of the signature, and the question whether the chain
 * is trusted, which the carrier answers. A bad chain yields no Finished and no application byte.
 *
 * @module
 */
import { brotliDecompressSync, inflateSync } from 'node:zlib';
import type { CryptoProvider } from '../crypto/index.ts';
import { Alert, decodeFault, illegalFault, TlsFault } from './alerts.ts';
import type { HandshakeMessage } from './handshake-types.ts';
import { HandshakeType } from './handshake-types.ts';
import { tlsLimits } from './limits.ts';
import type { CertificateMessage } from './server-flight.ts';
import { readCertificate, readCertificateVerify, readCompressedCertificate } from './server-flight.ts';
import { signedContent } from './signed-content.ts';

/** Algorithms of RFC 8879 that are read, best first. */
export const compressionAlgorithms: readonly number[] = [2, 1];

/**
 * Reads Certificate or CompressedCertificate.
 *
 * @param offered - the extensions of the message that it answers
 * @throws TlsFault
 */
export function certificateOf(message: HandshakeMessage, offered: ReadonlySet<number>): CertificateMessage {
  if (message.type === HandshakeType.certificate) return readCertificate(message.body, offered);
  const { algorithm, uncompressedLength, compressed } = readCompressedCertificate(message.body);
  if (!compressionAlgorithms.includes(algorithm)) {
    throw illegalFault(`a certificate compressed by algorithm ${String(algorithm)}, which was not offered`);
  }
  // RFC 8879 section 4: the announced length is a bound, checked before anything is allocated for it.
  if (uncompressedLength > tlsLimits.maxDecompressedBytes.default) throw badCompression();
  let body: Uint8Array;
  try {
    const options = { maxOutputLength: Math.max(uncompressedLength, 1) };
    body = algorithm === 1 ? inflateSync(compressed, options) : brotliDecompressSync(compressed, options);
  } catch {
    throw badCompression();
  }
  if (body.length !== uncompressedLength) throw badCompression();
  return readCertificate(body, offered);
}

/** RFC 8879 section 4: bad_certificate. */
function badCompression(): TlsFault {
  return new TlsFault(Alert.badCertificate, 'a compressed certificate that does not decompress to what it announces');
}

/**
 * Checks CertificateVerify.
 *
 * @param side - whose it is
 * @param transcript - the hash up to Certificate
 * @param offered - the schemes that this side listed
 * @throws TlsFault
 */
export function checkSignature(
  crypto: CryptoProvider,
  side: 'client' | 'server',
  leaf: Uint8Array,
  transcript: Uint8Array,
  body: Uint8Array,
  offered: readonly number[],
): void {
  const { scheme, signature } = readCertificateVerify(body);
  if (!offered.includes(scheme)) throw illegalFault(`signature scheme ${String(scheme)} was not offered`);
  const key = crypto.importCertificateKey(leaf);
  if (key === undefined)
    throw new TlsFault(Alert.unsupportedCertificate, 'a certificate with a key that signs nothing here');
  if (!key.schemes.includes(scheme))
    throw illegalFault(`signature scheme ${String(scheme)} does not fit the certificate`);
  if (!key.verify(scheme, signedContent(side, transcript), signature)) {
    throw new TlsFault(Alert.decryptError, 'the signature of CertificateVerify is wrong');
  }
}

/** The leaf of a chain that must not be empty. @throws TlsFault */
export function leafOf(chain: readonly Uint8Array[]): Uint8Array {
  const leaf = chain[0];
  // RFC 8446 section 4.4.2.4: a server's empty Certificate is decode_error.
  if (leaf === undefined) throw decodeFault('Certificate: it is empty');
  return leaf;
}
