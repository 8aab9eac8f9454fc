/**
 * Whether a certificate is for a host (RFC 9525; RFC 9110 section 4.3.4).
 *
 * Owns the choice of what is compared: names with the DNS names of subjectAltName, address literals with its IP
 * addresses. The subject's common name counts for nothing (RFC 9525 section 2), a wildcard stands for one whole label
 * (section 6.3). The comparison itself is node:crypto's.
 *
 * @module
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Whether the certificate is for the name or literal (without brackets; a zone identifier is left aside). */
export function certificateIsFor(certificate: X509Certificate, host: string): boolean {
  const address = host.split('%', 1)[0] as string;
  if (isIP(address) !== 0) return certificate.checkIP(address) !== undefined;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (name === '') return false;
  return certificate.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined;
}

/** The names and addresses of a certificate for a message, at most five. */
export function namesOf(certificate: X509Certificate): string {
  const names = (certificate.subjectAltName ?? '')
    .split(', ')
    .map((entry) => entry.replace(/^(?:DNS|IP Address|URI|email):/, ''))
    .filter((entry) => entry !== '');
  if (names.length === 0) return 'no name at all';
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${String(names.length - 5)} more` : names.join(', ');
}
