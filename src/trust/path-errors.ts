/**
 * What can be wrong with a certificate path, in our codes and in words.
 *
 * Owns the table from OpenSSL's names of verification results to stable codes, alerts (RFC 8446 section 6.2) and
 * messages.
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
]);
