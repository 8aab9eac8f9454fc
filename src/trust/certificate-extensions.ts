/**
 * Extensions of certificates, by name.
 *
 * Owns the object identifiers (RFC 5280 sections 4.2.1 and 4.2.2) and which of them are read here or by the library.
 *
 * @module
 */
import type { Extension as CertificateExtension } from 'pkijs';
import type { ChainLibrary, ReadCertificate } from './chain-library.ts';

/** Object identifiers of extensions. */
export const Extension = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

/** What may be critical: it is heeded. The key identifiers must not be (sections 4.2.1.1 and 4.2.1.2). */
const HEEDED: ReadonlySet<string> = new Set(
  Object.values(Extension).filter(
    (id) => id !== Extension.subjectKeyIdentifier && id !== Extension.authorityKeyIdentifier,
  ),
);
const KNOWN: ReadonlySet<string> = new Set(Object.values(Extension));

/** One extension of a certificate, or `undefined`. */
export function extensionOf(certificate: ReadCertificate, id: string): CertificateExtension | undefined {
  return certificate.content.extensions?.find(({ extnID }) => extnID === id);
}

/** What is wrong with the extensions of a certificate by themselves, by OpenSSL's name. */
export function extensionFault(library: ChainLibrary, certificate: ReadCertificate): string | undefined {
  const extensions = certificate.content.extensions ?? [];
  // Section 4.2: one of each at most (limbo: rfc5280::duplicate-extensions).
  if (new Set(extensions.map(({ extnID }) => extnID)).size !== extensions.length) return 'INVALID_EXTENSION';
  for (const extension of extensions) {
    // Section 4.2: what is critical and not known is refused (limbo: rfc5280::unknown-critical-extension-*).
    if (extension.critical && !HEEDED.has(extension.extnID)) return 'UNHANDLED_CRITICAL_EXTENSION';
    if (KNOWN.has(extension.extnID) && !isReadable(library, extension)) return 'INVALID_EXTENSION';
  }
  return undefined;
}

function isReadable({ asn1js }: ChainLibrary, extension: CertificateExtension): boolean {
  const octets = extension.extnValue.valueBlock.valueHexView;
  // The library passes over what stands behind a value.
  if (asn1js.fromBER(octets).offset !== octets.length) return false;
  const value: unknown = extension.parsedValue;
  // Those two the library reads as ASN.1 only.
  if (extension.extnID === Extension.keyUsage) return value instanceof asn1js.BitString;
  if (extension.extnID === Extension.subjectKeyIdentifier) return value instanceof asn1js.OctetString;
  return typeof value === 'object' && value !== null && !('parsingError' in value && value.parsingError !== undefined);
}
