/**
 * Pins: a chain is accepted only when a public key that is known beforehand stands in it.
 *
 * Owns reading pins and matching them. A pin is the SHA-256 of a SubjectPublicKeyInfo in base64 (RFC 7469 section 2.4).
 *
 * Invariant: a pin matches only a certificate that is bound to the leaf by valid signatures. What else a peer puts
 * into its message counts for nothing, or anyone could append the pinned certificate to a chain of their own.
 *
 * @module
 */
import { createHash, X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../common/index.ts';

/** Reads pins; a prefix `sha256/` or `sha256//` is allowed. @throws ConfigurationError */
export function readPins(pins: readonly string[]): ReadonlySet<string> {
  return new Set(
    pins.map((pin) => {
      // A pin itself may begin with a slash.
      const text = pin.replace(/^sha256\/{1,2}(?=.{44}$)/, '');
      const bytes = Buffer.from(text, 'base64');
      if (bytes.length !== 32 || bytes.toString('base64') !== text) {
        throw new ConfigurationError(`"${pin}" is no pin`, {
          code: 'ERR_PIN_SYNTAX',
          hint: "a pin is the SHA-256 of a certificate's SubjectPublicKeyInfo in base64: 44 characters",
        });
      }
      return text;
    }),
  );
}

/** The pin of a certificate's key. */
export function pinOf(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

/** Whether the leaf, or a certificate above it that truly issued what stands below, has a pinned key. */
export function matchesPin(chain: readonly Uint8Array[], pins: ReadonlySet<string>): boolean {
  let below: X509Certificate | undefined;
  for (const der of chain) {
    const certificate = new X509Certificate(der);
    if (below !== undefined && !(below.checkIssued(certificate) && below.verify(certificate.publicKey))) return false;
    if (pins.has(pinOf(certificate))) return true;
    below = certificate;
  }
  return false;
}
