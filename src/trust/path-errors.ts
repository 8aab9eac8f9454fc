/**
 * What can be wrong with a certificate path, in our codes and in words.
 *
 * Owns the table from OpenSSL's names of verification results, and our own in the same manner, to stable codes, alerts
 * (RFC 8446 section 6.2) and messages: one sentence for each way, whoever checked.
 *
 * @module
 */
import type { CertificateRefused } from './certificate-verifier.ts';
import { refused } from './certificate-verifier.ts';

/** The alerts that a refused certificate causes (RFC 8446 section 6.2). */
export const CERTIFICATE_ALERTS = {
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  unknownCa: 48,
} as const;

/** One row of the table. */
interface PathError {
  readonly code: string;
  readonly reason: string;
  readonly alert: number;
}

/** The verdict on a path with which OpenSSL found fault. */
export function pathRefused(error: string): CertificateRefused {
  const row = PATH_ERRORS.get(error);
  if (row !== undefined) return refused(row.code, row.reason, row.alert);
  return refused('ERR_CERT_INVALID', `its certificate is not valid (${error})`, CERTIFICATE_ALERTS.badCertificate);
}

const AUTHORITY: PathError = {
  code: 'ERR_CERT_AUTHORITY',
  reason: 'its certificate comes from an authority that is not trusted here',
  alert: CERTIFICATE_ALERTS.unknownCa,
};

/** A row of the table for what is wrong in itself. */
function invalid(name: string, reason: string, alert: number = CERTIFICATE_ALERTS.badCertificate): [string, PathError] {
  return [name, { code: 'ERR_CERT_INVALID', reason, alert }];
}

const PATH_ERRORS: ReadonlyMap<string, PathError> = new Map([
  ['UNABLE_TO_GET_ISSUER_CERT', AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', AUTHORITY],
  ['SELF_SIGNED_CERT_IN_CHAIN', AUTHORITY],
  ['CERT_UNTRUSTED', AUTHORITY],
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    {
      code: 'ERR_CERT_SELF_SIGNED',
      reason: 'its certificate is self-signed',
      alert: CERTIFICATE_ALERTS.unknownCa,
    },
  ],
  [
    'CERT_HAS_EXPIRED',
    {
      code: 'ERR_CERT_EXPIRED',
      reason: 'its certificate has expired',
      alert: CERTIFICATE_ALERTS.certificateExpired,
    },
  ],
  [
    'CERT_NOT_YET_VALID',
    {
      code: 'ERR_CERT_NOT_YET_VALID',
      reason: 'its certificate is not valid yet',
      alert: CERTIFICATE_ALERTS.badCertificate,
    },
  ],
  [
    'CERT_REVOKED',
    {
      code: 'ERR_CERT_REVOKED',
      reason: 'its certificate was revoked',
      alert: CERTIFICATE_ALERTS.certificateRevoked,
    },
  ],
  [
    'INVALID_PURPOSE',
    {
      code: 'ERR_CERT_PURPOSE',
      reason: 'its certificate is not meant for this use',
      alert: CERTIFICATE_ALERTS.unsupportedCertificate,
    },
  ],
  // The rest has one code: OpenSSL, through Node, tells most of these apart by no name.
  invalid('NO_CERTIFICATE', 'it showed no certificate'),
  invalid('UNREADABLE_CERTIFICATE', 'its certificate cannot be read'),
  invalid('CERT_SIGNATURE_FAILURE', 'the signature on its certificate is wrong'),
  invalid('INVALID_CA', 'its certificate was issued by one that is no authority'),
  invalid('PATH_LENGTH_EXCEEDED', 'its chain is longer than one of its authorities may have it'),
  invalid('PERMITTED_VIOLATION', 'an authority of its chain may not issue for that name'),
  invalid('EXCLUDED_VIOLATION', 'an authority of its chain must not issue for that name'),
  invalid('EE_KEY_TOO_SMALL', 'the key of its certificate is too weak, too large or of an unknown kind'),
  invalid('CA_KEY_TOO_SMALL', 'the key of an authority of its chain is too weak, too large or of an unknown kind'),
  invalid('CA_MD_TOO_WEAK', 'a signature of its chain is by a weak or unknown algorithm'),
  invalid('CERT_CHAIN_TOO_LONG', 'its chain is larger than can be checked'),
  invalid('INVALID_EXTENSION', 'a certificate of its chain has an extension that is malformed or out of place'),
  invalid('INVALID_NAME', 'a certificate of its chain has no name where there must be one'),
  invalid('UNSUPPORTED_VERSION', 'a certificate of its chain is not of X.509 version 3'),
  invalid(
    'UNHANDLED_CRITICAL_EXTENSION',
    'a certificate of its chain has a critical extension that is not known here',
    CERTIFICATE_ALERTS.unsupportedCertificate,
  ),
]);
