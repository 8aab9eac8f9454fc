/**
 * What a simulated handshake finds of a certificate's path.
 *
 * Owns a small check with `node:crypto`: dates by the virtual clock, signatures up to an authority, purpose. It exists
 * so that simulations fail with the codes of the real thing; over sockets OpenSSL does this, and nothing else may.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';

/** Extended key usages (RFC 5280 section 4.2.1.12). */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** The certificates of a PEM text, in order. */
export function certificatesOf(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (block) => new X509Certificate(block),
  );
}

/** What was found. */
export interface SimulatedPath {
  /** What is wrong, by OpenSSL's name; `undefined` when nothing is. */
  readonly error: string | undefined;
  /** The chain, with the authority at its end where one was found. */
  readonly chain: readonly X509Certificate[];
}

/** Follows a chain up to an authority. */
export function simulatedPath(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  purpose: 'server' | 'client',
  wallTime: number,
): SimulatedPath {
  const fault = (error: string): SimulatedPath => ({ error, chain });
  const [leaf] = chain;
  if (leaf === undefined) return fault('UNSPECIFIED');
  for (const [index, certificate] of chain.entries()) {
    const anchor = authorities.find((authority) => issued(authority, certificate));
    const dated = dateError(certificate, wallTime) ?? (anchor === undefined ? undefined : dateError(anchor, wallTime));
    if (dated !== undefined) return fault(dated);
    if (anchor !== undefined) {
      const path = chain.slice(0, index + 1);
      const own = anchor.fingerprint256 === certificate.fingerprint256;
      return { error: purposeError(leaf, purpose), chain: own ? path : [...path, anchor] };
    }
    const next = chain[index + 1];
    if (next?.ca === true && issued(next, certificate)) continue;
    if (certificate.issuer !== certificate.subject) return fault('UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    return fault(index === 0 ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'SELF_SIGNED_CERT_IN_CHAIN');
  }
  return fault('UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function dateError(certificate: X509Certificate, wallTime: number): string | undefined {
  if (wallTime < Date.parse(certificate.validFrom)) return 'CERT_NOT_YET_VALID';
  return wallTime > Date.parse(certificate.validTo) ? 'CERT_HAS_EXPIRED' : undefined;
}

function purposeError(leaf: X509Certificate, purpose: 'server' | 'client'): string | undefined {
  // The list of extended key usages, in spite of its name; `undefined` without the extension.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  const needed = purpose === 'server' ? SERVER_AUTH : CLIENT_AUTH;
  return usages === undefined || usages.includes(needed) ? undefined : 'INVALID_PURPOSE';
}
