/**
 * The library that validates paths, loaded when the first chain must be checked.
 *
 * Owns the loading and the reading of one certificate by both parsers: the library's, which decides on paths, and
 * node:crypto's, which verifies signatures and compares names. A certificate that either cannot read is refused.
 *
 * @module
 */
import type { X509Certificate } from 'node:crypto';
import type * as asn1js from 'asn1js';
import type * as pkijs from 'pkijs';

/** The two packages. */
export interface ChainLibrary {
  readonly asn1js: typeof asn1js;
  readonly pkijs: typeof pkijs;
}

let loading: Promise<ChainLibrary> | undefined;

/** Loads the library, once. A failure is not kept: the next chain tries again. */
export function loadChainLibrary(): Promise<ChainLibrary> {
  loading ??= Promise.all([import('asn1js'), import('pkijs')]).then(
    ([asn1js, pkijs]) => ({ asn1js, pkijs }),
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** A certificate as both parsers see it. */
export interface ReadCertificate {
  readonly x509: X509Certificate;
  readonly content: pkijs.Certificate;
  /** The names, made comparable; to leave out what cannot matter, not to decide. */
  readonly subject: string;
  readonly issuer: string;
}

/** Reads a certificate. @throws Error for one that the library refuses */
export function readCertificate(library: ChainLibrary, x509: X509Certificate): ReadCertificate {
  const der = x509.raw;
  const { result } = library.asn1js.fromBER(der);
  const content = new library.pkijs.Certificate({ schema: result });
  return { x509, content, subject: comparableName(x509.subject), issuer: comparableName(x509.issuer) };
}

/** A name without what RFC 5280 section 7.1 has no regard for: case, and how much space. */
export function comparableName(name: string | undefined): string {
  return (name ?? '').toLowerCase().replaceAll(/\s+/g, ' ');
}
