/**
 * Judges a certificate and a key that a user has brought, before a listener or a handshake does it in OpenSSL's words.
 *
 * Owns the checks on contents: what the text is, whether the key opens, whether both belong together, whether the time
 * is right, and at last whether node:tls takes them. The files are identity-files.ts' work. Whether a client will trust
 * the chain is not asked here.
 *
 * @module
 */
import { createPrivateKey } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ConfigurationError } from '../common/index.ts';
import type { TlsIdentity } from '../common/index.ts';
import { readCertificate } from './describe.ts';
import { isKeyOf } from './key-pair.ts';
import { codeOf, day, IDENTITY_CODES, messageOf, printable } from './messages.ts';
import { isCertificateBlock, isCutOff, isEncryptedKeyBlock, isPrivateKeyBlock, pemBlocks } from './pem.ts';
import type { PemBlock } from './pem.ts';
import { shellQuoted } from './private-files.ts';
import { systemWallClock } from './system.ts';
import type { WallClock } from './system.ts';

/** A certificate chain and a key as they came, with names for messages. */
export interface IdentityInput {
  /** The chain in PEM, leaf first. */
  readonly cert: string | Uint8Array;
  /** The private key in PEM. */
  readonly key: string | Uint8Array;
  /** What opens the key, if it is encrypted. */
  readonly passphrase?: string | undefined;
  /** What messages call the certificate: a path. Default `the certificate`. */
  readonly certName?: string;
  /** What messages call the key: a path. Default `the key`. */
  readonly keyName?: string;
  /** Wall time in milliseconds since 1970. Default: the system's. */
  readonly now?: WallClock;
}

/** An identity that has passed the checks: PEM texts. */
export interface CheckedIdentity extends Pick<TlsIdentity, 'passphrase'> {
  /** The chain in PEM, leaf first. */
  readonly cert: string;
  /** The private key in PEM. */
  readonly key: string;
}

/**
 * Checks that certificate and key can serve TLS together now.
 *
 * @returns the identity for a TLS configuration
 * @throws ConfigurationError that says what is wrong and with which of the two: empty, DER or another format, cut off,
 *   the two swapped, encrypted without the right passphrase, not matching, expired, not yet valid, too weak for TLS
 */
export function checkIdentity(input: IdentityInput): CheckedIdentity {
  const certName = input.certName === undefined ? 'the certificate' : printable(input.certName);
  const keyName = input.keyName === undefined ? 'the key' : printable(input.keyName);
  const certText = pemText(input.cert, certName, 'x509', input.certName);
  const keyText = pemText(input.key, keyName, 'pkey', input.keyName);
  const certBlocks = pemBlocks(certText);
  const keyBlocks = pemBlocks(keyText);
  refuseSwapped(certBlocks, keyBlocks, certName, keyName);
  const chain = readChain(certText, certBlocks, certName);
  const key = readKey(keyText, keyBlocks, keyName, input.passphrase);
  refuseMismatch(chain, key, certName, keyName);
  refuseDates(chain, certName, (input.now ?? systemWallClock)());
  const { passphrase } = input;
  const identity = { cert: certText, key: keyText, ...(passphrase === undefined ? {} : { passphrase }) };
  refuseUnusable(identity, certName);
  return identity;
}

/** The text of a PEM file; what is clearly something else is refused by its name. */
function pemText(content: string | Uint8Array, name: string, kind: 'x509' | 'pkey', path: string | undefined): string {
  if (content.length === 0) throw failure('format', `${name} is empty`, 'write the PEM text into it');
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  if (text.includes('-----BEGIN ')) return text.replace(/^\ufeff/, '');
  if (text.trim() === '') throw failure('format', `${name} is empty`, 'write the PEM text into it');
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const file = shellQuoted(path ?? 'FILE');
  if (isUtf16(bytes)) {
    throw failure('format', `${name} is UTF-16 text, where PEM must be ASCII`, 'save it as UTF-8 or ASCII');
  }
  if (isPkcs12(bytes)) {
    const hint = `openssl pkcs12 -in ${file} -nodes -out both.pem, then give both.pem twice`;
    throw failure('format', `${name} is PKCS#12, where PEM is wanted`, hint);
  }
  if (bytes[0] === DER_SEQUENCE && (bytes[1] as number) >= 0x80) {
    const hint = `openssl ${kind} -inform der -in ${file} -out ${file}.pem`;
    throw failure('format', `${name} is DER (binary), where PEM is wanted`, hint);
  }
  throw failure('format', `${name} is no PEM: it has no -----BEGIN line`, 'give a file in PEM format');
}

function refuseSwapped(cert: readonly PemBlock[], key: readonly PemBlock[], certName: string, keyName: string): void {
  if (cert.some(isCertificateBlock) || !cert.some(isPrivateKeyBlock)) return;
  if (key.some(isPrivateKeyBlock) || !key.some(isCertificateBlock)) {
    throw failure('format', `${certName} holds a private key and no certificate`, 'give the file with the certificate');
  }
  throw failure('format', `${certName} holds the key and ${keyName} the certificate`, 'swap the two');
}

function readChain(text: string, blocks: readonly PemBlock[], name: string): X509Certificate[] {
  const certificates = blocks.filter(isCertificateBlock);
  if (isCutOff(text)) throw failure('format', `${name} is cut off: its last block has no END line`, 'copy it again');
  if (certificates.length === 0) {
    const found = blocks[0] === undefined ? 'no complete block' : `a ${printable(blocks[0].label)}`;
    throw failure('format', `${name} holds ${found}, no certificate`, 'give the file with -----BEGIN CERTIFICATE-----');
  }
  return certificates.map((block, i) =>
    readCertificate(block.text, certificates.length === 1 ? name : `certificate ${String(i + 1)} in ${name}`),
  );
}

function readKey(text: string, blocks: readonly PemBlock[], name: string, passphrase: string | undefined): KeyObject {
  if (isCutOff(text)) throw failure('format', `${name} is cut off: its last block has no END line`, 'copy it again');
  const block = blocks.find(isPrivateKeyBlock);
  if (block === undefined) {
    const found = blocks[0] === undefined ? 'no complete block' : `a ${printable(blocks[0].label)}`;
    throw failure('format', `${name} holds ${found}, no private key`, 'give the file with -----BEGIN PRIVATE KEY-----');
  }
  if (block.label === 'OPENSSH PRIVATE KEY') {
    throw failure('format', `${name} is a key in the format of OpenSSH`, 'make a key for TLS, or convert it to PKCS#8');
  }
  const encrypted = isEncryptedKeyBlock(block);
  if (encrypted && (passphrase === undefined || passphrase === '')) {
    throw failure('passphrase', `${name} is encrypted, and there is no passphrase`, 'give the passphrase of the key');
  }
  return openKey(block.text, name, encrypted, passphrase);
}

function openKey(pem: string, name: string, encrypted: boolean, passphrase: string | undefined): KeyObject {
  try {
    const key = createPrivateKey(encrypted ? { key: pem, passphrase } : pem);
    if (TLS_KEYS.has(key.asymmetricKeyType ?? '')) return key;
    const hint = 'use an ECDSA, RSA or Ed25519 key';
    throw failure(
      'refused',
      `${name} is a key of type ${key.asymmetricKeyType ?? 'unknown'}, which TLS cannot use`,
      hint,
    );
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    if (encrypted) {
      throw failure('passphrase', `the passphrase does not open ${name}`, 'give the passphrase of the key', error);
    }
    const message = `${name} cannot be read: ${printable(messageOf(error))}`;
    throw failure('format', message, 'the file is damaged; copy it again', error);
  }
}

function refuseMismatch(chain: readonly X509Certificate[], key: KeyObject, certName: string, keyName: string): void {
  const matching = chain.findIndex((certificate) => isKeyOf(certificate, key));
  if (matching === 0) return;
  if (matching > 0) {
    const message = `${keyName} belongs to certificate ${String(matching + 1)} in ${certName}, which must be the first`;
    throw failure('mismatch', message, 'put the certificate of the server first, then those that signed it');
  }
  throw failure(
    'mismatch',
    `${keyName} does not belong to ${certName}`,
    'give the key that the certificate was made for',
  );
}

function refuseDates(chain: readonly X509Certificate[], certName: string, now: number): void {
  chain.forEach((certificate, i) => {
    const name = i === 0 ? certName : `certificate ${String(i + 1)} in ${certName}`;
    const notBefore = Date.parse(certificate.validFrom);
    const notAfter = Date.parse(certificate.validTo);
    if (now > notAfter) {
      throw failure('expired', `${name} has expired on ${day(notAfter)}`, 'renew it, or check the clock');
    }
    if (now < notBefore) {
      throw failure('notYetValid', `${name} is valid from ${day(notBefore)} on`, 'wait until then, or check the clock');
    }
  });
}

/** What is left is up to OpenSSL: keys too short, digests too weak for its security level. */
function refuseUnusable(identity: CheckedIdentity, certName: string): void {
  try {
    createSecureContext(identity);
  } catch (error) {
    const code = codeOf(error);
    const message = `TLS refuses ${certName}: ${printable(messageOf(error))}`;
    const hint = WEAK.has(code) ? 'make a new one: ECDSA P-256, or RSA with 2048 bits, signed with SHA-256' : undefined;
    throw failure('refused', message, hint, error);
  }
}

function failure(
  kind: keyof typeof IDENTITY_CODES,
  message: string,
  hint: string | undefined,
  cause?: unknown,
): ConfigurationError {
  return new ConfigurationError(message, { code: IDENTITY_CODES[kind], hint, cause });
}

function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** PFX begins with a SEQUENCE, its header 2 to 5 bytes long, and INTEGER 3 (RFC 7292 section 4). */
function isPkcs12(bytes: Uint8Array): boolean {
  if (bytes[0] !== DER_SEQUENCE) return false;
  const first = bytes[1] ?? 0;
  const header = first < 0x80 ? 2 : 2 + (first & 0x7f);
  return bytes[header] === 0x02 && bytes[header + 1] === 0x01 && bytes[header + 2] === 0x03;
}

const DER_SEQUENCE = 0x30;
const TLS_KEYS: ReadonlySet<string> = new Set(['ec', 'rsa', 'rsa-pss', 'ed25519', 'ed448']);
const WEAK: ReadonlySet<string> = new Set([
  'ERR_SSL_EE_KEY_TOO_SMALL',
  'ERR_SSL_CA_KEY_TOO_SMALL',
  'ERR_SSL_CA_MD_TOO_WEAK',
]);
