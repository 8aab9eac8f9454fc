/**
 * Writes PKCS#12: the form in which browsers, keychains and Java take a certificate with its key.
 *
 * Owns the PFX of one identity (RFC 7292): the key shrouded by node:crypto (PBES2, AES-256-CBC), leaf and CA in the
 * clear, since they are public, and a MAC with SHA-256 over both. Reading PKCS#12 is node:tls' work. The key
 * derivation has 2,048 iterations, as OpenSSL's own files have: the passphrase must be a good one.
 *
 * @module
 */
import { createHash, createHmac, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { ConfigurationError } from '../common/index.ts';
import { loadDerWriter } from './asn1.ts';
import type { Asn1, DerWriter } from './asn1.ts';
import { OPTION_CODE } from './messages.ts';
import { pemBlocks } from './pem.ts';

/** What goes into a PKCS#12 file. */
export interface Pkcs12Content {
  /** The chain in PEM, leaf first; further certificates may follow. */
  readonly certPem: string;
  /** The leaf's private key in PEM, unencrypted. */
  readonly keyPem: string;
  /** PEM of the authority, to go along. */
  readonly caPem?: string;
  /** What shall open the file. Not empty: programs differ in how they read an empty one. ASCII if Java shall read it. */
  readonly passphrase: string;
  /** The name that keychains show. Default `hface-ts`. */
  readonly friendlyName?: string;
}

/**
 * The bytes of a PKCS#12 file with a key and its certificates.
 *
 * @throws ConfigurationError without a passphrase
 */
export async function writePkcs12(content: Pkcs12Content): Promise<Uint8Array> {
  const { passphrase, friendlyName = 'hface-ts' } = content;
  if (passphrase === '') {
    throw new ConfigurationError('a PKCS#12 file needs a passphrase', { code: OPTION_CODE, hint: 'give a passphrase' });
  }
  const der = await loadDerWriter();
  const chain = pemBlocks(content.certPem + (content.caPem ?? '')).map((block) => new X509Certificate(block.text).raw);
  const key = createPrivateKey(content.keyPem).export({
    format: 'der',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase,
  });
  // Both bags carry the same identifier: that is how a reader pairs them.
  const attributes = bagAttributes(der, randomBytes(20), friendlyName);
  const certificates = chain.map((raw, i) =>
    safeBag(der, OID.certBag, certificateBag(der, raw), i === 0 ? attributes : []),
  );
  const keyBag = safeBag(der, OID.shroudedKeyBag, der.fromDer(key), attributes);
  const authenticatedSafe = der.encode(
    der.sequence(dataContent(der, der.sequence(...certificates)), dataContent(der, der.sequence(keyBag))),
  );
  return der.encode(
    der.sequence(der.integer(3), dataContent(der, authenticatedSafe), macData(der, authenticatedSafe, passphrase)),
  );
}

/** ContentInfo of type data (RFC 7292 section 4). */
function dataContent(der: DerWriter, content: Asn1 | Uint8Array): Asn1 {
  return der.sequence(der.oid(OID.data), der.tagged(0, der.octetString(content)));
}

/** SafeBag (section 4.2). */
function safeBag(der: DerWriter, type: string, value: Asn1, attributes: readonly Asn1[]): Asn1 {
  const items = [der.oid(type), der.tagged(0, value)];
  if (attributes.length > 0) items.push(der.set(...attributes));
  return der.sequence(...items);
}

/** CertBag (section 4.2.3). */
function certificateBag(der: DerWriter, raw: Uint8Array): Asn1 {
  return der.sequence(der.oid(OID.x509Certificate), der.tagged(0, der.octetString(raw)));
}

function bagAttributes(der: DerWriter, keyId: Uint8Array, friendlyName: string): Asn1[] {
  return [
    der.sequence(der.oid(OID.friendlyName), der.set(der.bmpString(friendlyName))),
    der.sequence(der.oid(OID.localKeyId), der.set(der.octetString(keyId))),
  ];
}

/** MacData (section 4). */
function macData(der: DerWriter, content: Uint8Array, passphrase: string): Asn1 {
  const salt = randomBytes(SALT_BYTES);
  const mac = createHmac('sha256', macKey(passphrase, salt)).update(content).digest();
  const digestInfo = der.sequence(der.sequence(der.oid(OID.sha256), der.null()), der.octetString(mac));
  return der.sequence(digestInfo, der.octetString(salt), der.integer(ITERATIONS));
}

/** Appendix B.2 with id 3, for a key as long as the digest: one block, so that its steps 6B and 6C fall away. */
function macKey(passphrase: string, salt: Uint8Array): Uint8Array {
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
  let digest: Uint8Array = createHash('sha256')
    .update(new Uint8Array(SHA256_BLOCK).fill(MAC_ID))
    .update(repeated(salt))
    .update(repeated(password))
    .digest();
  for (let round = 1; round < ITERATIONS; round += 1) digest = createHash('sha256').update(digest).digest();
  return digest;
}

/** Copies of the bytes, as many as fill the last block; the last copy may be cut. */
function repeated(bytes: Uint8Array): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes.length / SHA256_BLOCK) * SHA256_BLOCK);
  for (let i = 0; i < filled.length; i += 1) filled[i] = bytes[i % bytes.length] as number;
  return filled;
}

const ITERATIONS = 2048;
const SALT_BYTES = 16;
const SHA256_BLOCK = 64;
const MAC_ID = 3;

const OID = {
  data: '1.2.840.113549.1.7.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;
