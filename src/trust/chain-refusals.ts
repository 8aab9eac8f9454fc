/**
 * What is refused of a path that the library accepts.
 *
 * Owns the list: each rule names its section of RFC 5280 and a case of x509-limbo that it stops. Rules refuse only; none
 * accepts. What the rules of the Web's authorities ask of them besides (the Baseline Requirements) is not for us to
 * hold them to, but where it keeps a certificate from being used for what it was not made for.
 *
 * @module
 */
import type { BasicConstraints, ExtKeyUsage } from 'pkijs';
import type { BitString } from 'asn1js';
import { Extension, extensionFault, extensionOf } from './certificate-extensions.ts';
import type { ChainLibrary, ReadCertificate } from './chain-library.ts';
import { brokenConstraint } from './name-constraints.ts';
import { isStrongKey, isStrongSignature } from './signature-checks.ts';

/** Whom a certificate shall prove. */
export type CertificatePurpose = 'server' | 'client';

/** id-kp-serverAuth and id-kp-clientAuth (RFC 5280 section 4.2.1.12). */
const PURPOSES: Readonly<Record<CertificatePurpose, string>> = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
};
const ANY_PURPOSE = '2.5.29.37.0';
/** Bits of the first octet of keyUsage (section 4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;
/** X.509 version 3, as it is written. */
const VERSION_3 = 2;

/** The first rule that a path breaks, by OpenSSL's name. @param path - leaf first, authority last */
export function brokenRule(
  library: ChainLibrary,
  path: readonly ReadCertificate[],
  purpose: CertificatePurpose,
): string | undefined {
  const [leaf, ...above] = path;
  if (leaf === undefined || above.length === 0) return 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  // A leaf that is an authority itself stands twice.
  const authorities = above[0] === leaf ? [] : above;
  for (const certificate of [leaf, ...authorities]) {
    const fault = formFault(certificate) ?? extensionFault(library, certificate);
    if (fault !== undefined) return fault;
    if (!isStrongKey(certificate.x509.publicKey)) {
      return certificate === leaf ? 'EE_KEY_TOO_SMALL' : 'CA_KEY_TOO_SMALL';
    }
  }
  // An authority's signature on itself says nothing (section 6.1), that of every other certificate does.
  if (authorities.length > 0 && path.slice(0, -1).some((certificate) => !isStrongSignature(library, certificate))) {
    return 'CA_MD_TOO_WEAK';
  }
  return leafFault(leaf, purpose) ?? authorityFault(authorities, purpose) ?? brokenConstraint([leaf, ...authorities]);
}

/** Sections 4.1.2.1 and 4.1.2.4 (limbo: webpki::v1-cert, rfc5280::ee-empty-issuer, ::ca-empty-subject). */
function formFault({ content }: ReadCertificate): string | undefined {
  if (content.version !== VERSION_3) return 'UNSUPPORTED_VERSION';
  return content.issuer.typesAndValues.length === 0 ? 'INVALID_NAME' : undefined;
}

function leafFault(leaf: ReadCertificate, purpose: CertificatePurpose): string | undefined {
  const usage = keyUsageOf(leaf);
  // Section 4.2.1.3: TLS 1.3 signs with it.
  if (usage !== undefined && (usage & DIGITAL_SIGNATURE) === 0) return 'INVALID_PURPOSE';
  // Section 4.2.1.9: an authority, and nobody else, signs certificates (limbo: rfc5280::leaf-ku-keycertsign,
  // webpki::ee-basicconstraints-ca). One that says so of itself in both places may also be a leaf.
  const isCa = constraintsOf(leaf)?.cA === true;
  if (usage !== undefined && ((usage & KEY_CERT_SIGN) !== 0) !== isCa) return 'INVALID_PURPOSE';
  // Section 4.2.1.10: only an authority has name constraints (limbo: rfc5280::nc::not-allowed-in-ee-critical).
  if (!isCa && extensionOf(leaf, Extension.nameConstraints) !== undefined) return 'INVALID_EXTENSION';
  // Section 4.2.1.6 (limbo: rfc5280::san::noncritical-with-empty-subject).
  const names = extensionOf(leaf, Extension.subjectAltName);
  if (leaf.content.subject.typesAndValues.length === 0 && names?.critical === false) return 'INVALID_EXTENSION';
  // Section 4.2.1.12 (limbo: rfc5280::eku::ee-wrong-eku, webpki::eku::ee-anyeku).
  return mayServe(leaf, purpose, false) ? undefined : 'INVALID_PURPOSE';
}

/** @param authorities - from the one that issued the leaf up to the one that is trusted */
function authorityFault(authorities: readonly ReadCertificate[], purpose: CertificatePurpose): string | undefined {
  // How many that are not self-issued stand below, the leaf apart (section 6.1.4 (l) and (m)).
  let below = 0;
  for (const authority of authorities) {
    // Sections 4.2.1.9 and 6.1.4 (k) (limbo: rfc5280::intermediate-ca-without-ca-bit, ::root-missing-basic-constraints).
    const constraints = constraintsOf(authority);
    if (constraints?.cA !== true || !authority.x509.ca) return 'INVALID_CA';
    // Section 6.1.4 (n) (limbo: rfc5280::ica-ku-keycertsign, ::root-inconsistent-ca-extensions).
    const usage = keyUsageOf(authority);
    if (usage !== undefined && (usage & KEY_CERT_SIGN) === 0) return 'INVALID_CA';
    // Limbo: pathlen::intermediate-violates-pathlen-0; the library does not look at it.
    const most: unknown = constraints.pathLenConstraint;
    if (most !== undefined && !(typeof most === 'number' && most >= below)) return 'PATH_LENGTH_EXCEEDED';
    if (authority.subject === '') return 'INVALID_NAME';
    if (!mayServe(authority, purpose, true)) return 'INVALID_PURPOSE';
    // Limbo: webpki::nc::intermediate-permitted-excluded-subtrees-both-null.
    if (hasEmptyConstraints(authority)) return 'INVALID_EXTENSION';
    if (authority.subject !== authority.issuer) below += 1;
  }
  return undefined;
}

/** Section 4.2.1.10: one of the two lists at least, and something in it. */
function hasEmptyConstraints(certificate: ReadCertificate): boolean {
  const value = extensionOf(certificate, Extension.nameConstraints)?.parsedValue as
    { readonly permittedSubtrees?: readonly unknown[]; readonly excludedSubtrees?: readonly unknown[] } | undefined;
  if (value === undefined) return false;
  return (value.permittedSubtrees ?? []).length + (value.excludedSubtrees ?? []).length === 0;
}

/** Whether extendedKeyUsage, where it stands, allows the purpose. Of an authority, as OpenSSL has it, any will do. */
function mayServe(certificate: ReadCertificate, purpose: CertificatePurpose, any: boolean): boolean {
  const usages = extensionOf(certificate, Extension.extendedKeyUsage)?.parsedValue as ExtKeyUsage | undefined;
  if (usages === undefined) return true;
  return usages.keyPurposes.some((id) => id === PURPOSES[purpose] || (any && id === ANY_PURPOSE));
}

function constraintsOf(certificate: ReadCertificate): BasicConstraints | undefined {
  return extensionOf(certificate, Extension.basicConstraints)?.parsedValue as BasicConstraints | undefined;
}

/** The first octet of keyUsage; `undefined` without it. */
function keyUsageOf(certificate: ReadCertificate): number | undefined {
  const value = extensionOf(certificate, Extension.keyUsage)?.parsedValue as BitString | undefined;
  return value === undefined ? undefined : (value.valueBlock.valueHexView[0] ?? 0);
}
