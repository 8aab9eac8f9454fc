/**
 * Certificates of development servers and clients: issuing one, and judging one that was kept.
 *
 * Owns what a caller may ask for, and the life of a leaf: 90 days, renewed when less than a third of it is left, never
 * past the end of its CA.
 *
 * @module
 */
import { createHash, createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { ConfigurationError } from '../common/index.ts';
import { loadDerWriter } from './asn1.ts';
import { BACKDATED } from './authority.ts';
import type { Authority } from './authority.ts';
import { describeX509 } from './describe.ts';
import { isKeyOf } from './key-pair.ts';
import { day, NAME_CODE, OPTION_CODE, printable } from './messages.ts';
import { DEFAULT_NAMES, describeScope, isWithinScope, parseSubjectNames } from './names.ts';
import type { NameScope, SubjectName } from './names.ts';
import { isCertificateBlock, isPrivateKeyBlock, pemBlocks } from './pem.ts';
import { writePkcs12 } from './pkcs12.ts';
import { certificatePem, writeLeafCertificate } from './x509-writer.ts';

/** The kind of key a leaf has. */
export type LeafKeyType = 'ecdsa-p256' | 'rsa-2048';

/** What a leaf shall be. */
export interface LeafOptions {
  /** Host names and addresses. Default `localhost`, `127.0.0.1`, `::1`. */
  readonly names?: readonly string[];
  /** Default `'ecdsa-p256'`. */
  readonly keyType?: LeafKeyType;
  /** Whether a client may show it as well. Default false. */
  readonly clientAuth?: boolean;
  /** Days of life, 1 to 397. Default 90. */
  readonly days?: number;
  /** A PKCS#12 file besides, opened by this passphrase. */
  readonly pkcs12?: { readonly passphrase: string; readonly friendlyName?: string };
}

/** A certificate with its key. */
export interface IssuedIdentity {
  /**
   * The chain that a server sends, in PEM: the leaf alone. The CA signs leaves directly, and a root is not sent
   * (RFC 8446 section 4.4.2): a client that trusts it has it.
   */
  readonly certPem: string;
  /** The private key in PEM, PKCS#8, unencrypted. */
  readonly keyPem: string;
  /** The CA's certificate in PEM: what a client must trust. */
  readonly caPem: string;
  /** The names in the certificate. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** SHA-256 of the leaf: uppercase hexadecimal, colons between bytes. */
  readonly fingerprint256: string;
  /** The PKCS#12 file, when one was asked for. */
  readonly pkcs12: Uint8Array | undefined;
}

/** Leaf options, read and checked. */
export interface LeafRequest {
  readonly names: readonly SubjectName[];
  readonly keyType: LeafKeyType;
  readonly clientAuth: boolean;
  /** Milliseconds. */
  readonly life: number;
  readonly pkcs12: LeafOptions['pkcs12'];
}

/** Reads the options. @throws ConfigurationError */
export function readLeafOptions(options: LeafOptions): LeafRequest {
  const { names = DEFAULT_NAMES, keyType = 'ecdsa-p256', clientAuth = false, days = DEFAULT_DAYS, pkcs12 } = options;
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    throw new ConfigurationError(`a certificate cannot be valid for ${String(days)} days`, {
      code: OPTION_CODE,
      hint: `give 1 to ${String(MAX_DAYS)} days; clients refuse more`,
    });
  }
  if (!KEY_TYPES.has(keyType)) {
    throw new ConfigurationError(`"${printable(keyType)}" is no key type`, {
      code: OPTION_CODE,
      hint: 'use ecdsa-p256 or rsa-2048',
    });
  }
  return { names: parseSubjectNames(names), keyType, clientAuth, life: days * DAY, pkcs12 };
}

/** Refuses names that the CA may not sign. @throws ConfigurationError */
export function checkScope(scope: NameScope, names: readonly SubjectName[]): void {
  const outside = names.filter((name) => !isWithinScope(scope, name)).map((name) => name.text);
  if (outside.length === 0) return;
  const permitted = describeScope(scope).join(', ');
  throw new ConfigurationError(`the development CA may not sign ${outside.join(', ')}, only ${permitted}`, {
    code: NAME_CODE,
    hint:
      scope.name === 'loopback'
        ? 'use a name below .localhost, or a certificate of your own; names of a private network need a CA made for them'
        : 'use one of those names, or a certificate of your own',
  });
}

/** Issues a leaf. @throws ConfigurationError for names outside the CA's constraints */
export async function issueLeaf(authority: Authority, request: LeafRequest, now: number): Promise<IssuedIdentity> {
  checkScope(authority.scope, request.names);
  if (now >= authority.notAfter) {
    throw new ConfigurationError(`the development CA has expired on ${day(authority.notAfter)}`, {
      code: OPTION_CODE,
      hint: 'open the development CA again: that renews it',
    });
  }
  const der = await loadDerWriter();
  const { privateKey, publicKey } = await generateLeafKey(request.keyType);
  const raw = writeLeafCertificate(der, {
    notBefore: Math.max(now - BACKDATED, authority.notBefore),
    notAfter: Math.min(now + request.life, authority.notAfter),
    publicKey,
    signingKey: authority.key,
    issuerKey: authority.certificate.publicKey,
    names: request.names,
    clientAuth: request.clientAuth,
  });
  const keyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  return withPkcs12(identityOf(authority, new X509Certificate(raw), keyPem), request);
}

/** The identity with its PKCS#12 file, if the request asks for one. */
export async function withPkcs12(identity: IssuedIdentity, request: LeafRequest): Promise<IssuedIdentity> {
  if (request.pkcs12 === undefined) return identity;
  return { ...identity, pkcs12: await writePkcs12({ ...identity, ...request.pkcs12 }) };
}

/** What a kept leaf is called: equal requests find each other's. */
export function leafId(request: LeafRequest): string {
  const names = request.names.map((name) => name.text).sort();
  const identity = JSON.stringify([names, request.keyType, request.clientAuth, request.life]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}

/** The leaf as its file holds it: key, then certificate. */
export function leafText(identity: IssuedIdentity): string {
  return identity.keyPem + identity.certPem;
}

/** The leaf of a file's text, if it is whole, of this CA, what is asked for, and not due for renewal. */
export function readLeaf(
  text: string,
  authority: Authority,
  request: LeafRequest,
  now: number,
): IssuedIdentity | undefined {
  const blocks = pemBlocks(text);
  const keyBlock = blocks.find(isPrivateKeyBlock);
  const certificateBlock = blocks.find(isCertificateBlock);
  if (keyBlock === undefined || certificateBlock === undefined) return undefined;
  try {
    const certificate = new X509Certificate(certificateBlock.text);
    const identity = identityOf(authority, certificate, keyBlock.text);
    const ours =
      isKeyOf(certificate, createPrivateKey(keyBlock.text)) &&
      certificate.checkIssued(authority.certificate) &&
      certificate.verify(authority.certificate.publicKey) &&
      sameNames(identity.names, request.names);
    return ours && !isLeafDue(identity, now) ? identity : undefined;
  } catch {
    // Whatever is wrong with a kept leaf, a new one takes its place.
    return undefined;
  }
}

/** Whether less than a third of the leaf's life is left, or its time has not come. */
export function isLeafDue(identity: IssuedIdentity, now: number): boolean {
  return now < identity.notBefore || identity.notAfter - now < (identity.notAfter - identity.notBefore) / 3;
}

/** `until 2027-02-19` */
export function validity(identity: IssuedIdentity): string {
  return `until ${day(identity.notAfter)}`;
}

function identityOf(authority: Authority, certificate: X509Certificate, keyPem: string): IssuedIdentity {
  const facts = describeX509(certificate);
  return {
    certPem: certificatePem(certificate.raw),
    keyPem,
    caPem: authority.certificatePem,
    names: facts.names,
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    fingerprint256: facts.fingerprint256,
    pkcs12: undefined,
  };
}

function sameNames(present: readonly string[], wanted: readonly SubjectName[]): boolean {
  return present.length === wanted.length && wanted.every((name) => present.includes(name.text));
}

async function generateLeafKey(type: LeafKeyType): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  return type === 'rsa-2048'
    ? promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    : promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' });
}

const KEY_TYPES: ReadonlySet<LeafKeyType> = new Set(['ecdsa-p256', 'rsa-2048']);
const DAY = 86_400_000;
const DEFAULT_DAYS = 90;
/** What browsers take at most for certificates of public authorities; a good bound for all. */
const MAX_DAYS = 397;
