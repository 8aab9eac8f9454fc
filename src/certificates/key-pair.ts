/**
 * Whether a private key is the one that a certificate was made for.
 *
 * @module
 */
import { sign, verify } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';

/**
 * Whether the certificate has the key's public half, and the key signs what that half verifies. The second matters: key
 * files carry the public half beside the private one, and OpenSSL compares only the public ones. A file with a damaged
 * private half would pass, and each handshake would fail.
 */
export function isKeyOf(certificate: X509Certificate, key: KeyObject): boolean {
  if (!certificate.checkPrivateKey(key)) return false;
  try {
    return verify(undefined, PROBE, certificate.publicKey, sign(undefined, PROBE, key));
  } catch {
    return false;
  }
}

const PROBE = new TextEncoder().encode('hface-ts: does this key sign for this certificate?');
