/**
 * Writes X.509 certificates: the TBSCertificate through ASN.1, the signature by node:crypto.
 *
 * Owns the bytes of the development CA and of its leaves (RFC 5280 section 4). It decides no policy: names, times and
 * keys come in. Every certificate is signed by an ECDSA P-256 key with SHA-256 (RFC 5758 section 3.2).
 *
 * @module
 */
import { createHash, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Asn1, DerWriter } from './asn1.ts';
import { derMembers } from './der-reader.ts';
import type { NameScope, SubjectName } from './names.ts';

/** What both kinds of certificate have. */
interface CertificateCommon {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970; the second that it falls in is still valid. */
  readonly notAfter: number;
  /** The key that the certificate is for. */
  readonly publicKey: KeyObject;
  /** The issuer's P-256 key. */
  readonly signingKey: KeyObject;
}

/** A self-signed CA. */
export interface CaContent extends CertificateCommon {
  readonly scope: NameScope;
}

/** A certificate of a server or client. */
export interface LeafContent extends CertificateCommon {
  /** The CA's key, for its name and key identifier. */
  readonly issuerKey: KeyObject;
  readonly names: readonly SubjectName[];
  /** Whether it may also be shown by a client. */
  readonly clientAuth: boolean;
}

/** The DER of a self-signed CA: critical basicConstraints with path length 0, critical keyUsage, critical constraints. */
export function writeCaCertificate(der: DerWriter, content: CaContent): Uint8Array {
  const keyId = keyIdentifier(content.publicKey);
  const name = distinguishedName(der, caCommonName(keyId));
  const extensions = [
    extension(der, OID.basicConstraints, true, der.sequence(der.true(), der.integer(0))),
    extension(der, OID.keyUsage, true, keyUsage(der, [KEY_CERT_SIGN, CRL_SIGN])),
    nameConstraints(der, content.scope),
    // On a CA this extension is a limit too: the key can sign no mail, code or document that anybody accepts.
    extension(der, OID.extKeyUsage, false, der.sequence(der.oid(OID.serverAuth), der.oid(OID.clientAuth))),
    extension(der, OID.subjectKeyIdentifier, false, der.octetString(keyId)),
    extension(der, OID.authorityKeyIdentifier, false, der.sequence(der.taggedBytes(0, keyId))),
  ];
  return signCertificate(der, content, name, name, extensions);
}

/** The DER of a leaf: subjectAltName, digitalSignature, serverAuth. */
export function writeLeafCertificate(der: DerWriter, content: LeafContent): Uint8Array {
  const issuerId = keyIdentifier(content.issuerKey);
  const usages = content.clientAuth ? [OID.serverAuth, OID.clientAuth] : [OID.serverAuth];
  const extensions = [
    extension(der, OID.basicConstraints, true, der.sequence()),
    extension(der, OID.keyUsage, true, keyUsage(der, [DIGITAL_SIGNATURE])),
    extension(der, OID.extKeyUsage, false, der.sequence(...usages.map((usage) => der.oid(usage)))),
    extension(der, OID.subjectAltName, false, der.sequence(...content.names.map((name) => generalName(der, name)))),
    extension(der, OID.subjectKeyIdentifier, false, der.octetString(keyIdentifier(content.publicKey))),
    extension(der, OID.authorityKeyIdentifier, false, der.sequence(der.taggedBytes(0, issuerId))),
  ];
  // No host name in the subject: checkers that still look there would hold it against the name constraints.
  const subject = distinguishedName(der, 'hface-ts development certificate');
  return signCertificate(der, content, distinguishedName(der, caCommonName(issuerId)), subject, extensions);
}

/** The DER of the name constraints extension of a scope: always the same bytes, so that it can be looked for in a CA. */
export function nameConstraintsDer(der: DerWriter, scope: NameScope): Uint8Array {
  return der.encode(nameConstraints(der, scope));
}

/** Certificate DER as PEM (RFC 7468). */
export function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.byteLength)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function signCertificate(
  der: DerWriter,
  content: CertificateCommon,
  issuer: Asn1,
  subject: Asn1,
  extensions: readonly Asn1[],
): Uint8Array {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const tbs = der.sequence(
    der.tagged(0, der.integer(VERSION_3)),
    der.bigInteger(serialNumber()),
    algorithm,
    issuer,
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    subject,
    der.fromDer(subjectPublicKeyInfo(content.publicKey)),
    der.tagged(3, der.sequence(...extensions)),
  );
  const signature = sign('sha256', der.encode(tbs), { key: content.signingKey, dsaEncoding: 'der' });
  return der.encode(der.sequence(tbs, algorithm, der.bitString(signature)));
}

/** 16 random bytes as a positive INTEGER that needs no padding (RFC 5280 section 4.1.2.2 allows 20). */
function serialNumber(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return serial;
}

function subjectPublicKeyInfo(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' });
}

/** RFC 7093 section 2 method 1: the first 160 bits of SHA-256 over the BIT STRING's value. */
function keyIdentifier(key: KeyObject): Uint8Array {
  const bitString = derMembers(subjectPublicKeyInfo(key))[1]?.content ?? new Uint8Array(0);
  // The first byte counts the unused bits.
  return createHash('sha256').update(bitString.subarray(1)).digest().subarray(0, 20);
}

/** The key identifier stands in the name, so that two CAs of one user never have the same name. */
function caCommonName(keyId: Uint8Array): string {
  return `hface-ts development CA ${Buffer.from(keyId.subarray(0, 4)).toString('hex')}`;
}

function distinguishedName(der: DerWriter, commonName: string): Asn1 {
  const attribute = (oid: string, text: string): Asn1 => der.set(der.sequence(der.oid(oid), der.utf8String(text)));
  return der.sequence(attribute(OID.organization, 'hface-ts'), attribute(OID.commonName, commonName));
}

function extension(der: DerWriter, oid: string, critical: boolean, value: Asn1): Asn1 {
  return critical
    ? der.sequence(der.oid(oid), der.true(), der.octetString(value))
    : der.sequence(der.oid(oid), der.octetString(value));
}

/** KeyUsage as a named bit list: trailing zero bits are left out (X.690 section 11.2.2). */
function keyUsage(der: DerWriter, bits: readonly number[]): Asn1 {
  let byte = 0;
  for (const bit of bits) byte |= 0x80 >> bit;
  return der.bitString(Uint8Array.of(byte), 7 - Math.max(...bits));
}

/** RFC 5280 section 4.2.1.10: only permitted subtrees; minimum 0 is the default and left out. */
function nameConstraints(der: DerWriter, scope: NameScope): Asn1 {
  const subtrees = [
    ...scope.domains.map((domain) => der.sequence(der.taggedBytes(DNS_NAME, Buffer.from(domain, 'latin1')))),
    ...scope.networks.map(({ address, mask }) =>
      der.sequence(der.taggedBytes(IP_ADDRESS, Uint8Array.of(...address, ...mask))),
    ),
  ];
  return extension(der, OID.nameConstraints, true, der.sequence(der.tagged(0, ...subtrees)));
}

function generalName(der: DerWriter, name: SubjectName): Asn1 {
  if (name.kind === 'ip') return der.taggedBytes(IP_ADDRESS, name.bytes);
  return der.taggedBytes(DNS_NAME, Buffer.from(name.text, 'latin1'));
}

const VERSION_3 = 2;

/** Bits of KeyUsage, RFC 5280 section 4.2.1.3. */
const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
const CRL_SIGN = 6;

/** Tags of GeneralName, RFC 5280 section 4.2.1.6. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

const OID = {
  organization: '2.5.4.10',
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;
