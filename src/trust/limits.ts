/**
 * Every bound on the check of a chain of certificates, as data.
 *
 * Owns the table. A peer chooses what it shows, so each step that grows with it has a limit: octets to parse,
 * certificates to search, signatures to verify, names to compare. What goes beyond is refused, never checked in part.
 *
 * @module
 */
import type { LimitDefinition } from '../common/index.ts';

const KIB = 1024;

/** The names of the table. */
export type ChainLimit =
  'maxCertificates' | 'maxCertificateBytes' | 'maxChainBytes' | 'maxSignatureChecks' | 'maxNameComparisons';

/** The limits of a chain that is checked here: over QUIC, where no other implementation of TLS has done it. */
export const chainLimits: Readonly<Record<ChainLimit, LimitDefinition>> = {
  maxCertificates: {
    unit: 'count',
    default: 16,
    answers:
      'Certificates that a peer shows. ERR_CERT_INVALID, bad_certificate: a search through all of them is costly.',
  },
  maxCertificateBytes: {
    unit: 'bytes',
    default: 16 * KIB,
    answers: 'One certificate in DER. ERR_CERT_INVALID, bad_certificate: nobody parses a bomb.',
  },
  maxChainBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers:
      'All certificates that a peer shows. ERR_CERT_INVALID, bad_certificate: each octet may be a structure to parse.',
  },
  maxSignatureChecks: {
    unit: 'count',
    default: 48,
    answers:
      'Signatures verified for one chain, the search for a path included. ERR_CERT_INVALID, bad_certificate: crossed and circular chains multiply the work (limbo: pathological).',
  },
  maxNameComparisons: {
    unit: 'count',
    default: 20_000,
    answers:
      'Names times name constraints of all certificates together. ERR_CERT_INVALID, bad_certificate: both lists are as long as their maker likes.',
  },
};
