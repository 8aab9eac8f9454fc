/**
 * The development CA as a value: its certificate, its key, and what it may sign.
 *
 * Owns making one and reading one back with every check that shows whether it is still ours and whole. No file is
 * touched here. Two years of life, ECDSA P-256, renewed when less than 30 days are left, with a new key: the two years
 * bound how long a stolen key is of use.
 *
 * @module
 */
import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { loadDerWriter } from './asn1.ts';
import { hasExtension } from './der-reader.ts';
import { isKeyOf } from './key-pair.ts';
import { messageOf } from './messages.ts';
import { nameScope } from './names.ts';
import type { NameScope } from './names.ts';
import { isCertificateBlock, isPrivateKeyBlock, pemBlocks } from './pem.ts';
import { certificatePem, writeCaCertificate } from './x509-writer.ts';

/** A CA with its key, ready to sign. */
export interface Authority {
  /** The certificate in PEM. */
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  readonly scope: NameScope;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** A new CA. */
export async function createAuthority(scope: NameScope, now: number): Promise<Authority> {
  const der = await loadDerWriter();
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' });
  const notBefore = now - BACKDATED;
  const notAfter = now + CA_LIFE;
  const raw = writeCaCertificate(der, { notBefore, notAfter, publicKey, signingKey: privateKey, scope });
  return describeAuthority(new X509Certificate(raw), privateKey, scope);
}

/** The CA as its file holds it: key, then certificate. */
export function authorityText(authority: Authority): string {
  return `${authority.key.export({ format: 'pem', type: 'pkcs8' }) as string}${authority.certificatePem}`;
}

/** The CA of a file's text, or in a few words what is wrong with it. */
export function readAuthority(text: string): Authority | string {
  const blocks = pemBlocks(text);
  const keyBlock = blocks.find(isPrivateKeyBlock);
  const certificateBlock = blocks.find(isCertificateBlock);
  if (keyBlock === undefined || certificateBlock === undefined) return 'it is cut off or empty';
  try {
    const key = createPrivateKey(keyBlock.text);
    const certificate = new X509Certificate(certificateBlock.text);
    if (!isKeyOf(certificate, key)) return 'key and certificate do not match';
    const scope = ownScope(certificate);
    return scope === undefined ? 'it is no development CA' : describeAuthority(certificate, key, scope);
  } catch (error) {
    return `it cannot be read (${messageOf(error)})`;
  }
}

/**
 * What a certificate may sign, if it is a development CA whole and unchanged: self-signed, a CA, P-256, and among its
 * extensions our name constraints, byte for byte. `undefined` for any other certificate, so that a planted CA with wider powers is not
 * taken for ours.
 */
export function ownScope(certificate: X509Certificate): NameScope | undefined {
  const { publicKey } = certificate;
  if (!certificate.ca || publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  if (!certificate.verify(publicKey)) return undefined;
  return [nameScope('loopback'), nameScope('private')].find((scope) => hasExtension(certificate.raw, scope.extension));
}

/** Whether the CA has to be replaced by now. */
export function isAuthorityDue(authority: Authority, now: number): boolean {
  return authority.notAfter - now < CA_RENEWAL;
}

function describeAuthority(certificate: X509Certificate, key: KeyObject, scope: NameScope): Authority {
  return {
    certificatePem: certificatePem(certificate.raw),
    certificate,
    key,
    scope,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}

const DAY = 86_400_000;
/** Milliseconds: two years. */
const CA_LIFE = 730 * DAY;
/** Milliseconds before the end at which a new CA is made. */
const CA_RENEWAL = 30 * DAY;
/** Milliseconds that a certificate is dated back, for clocks that are a little behind. */
export const BACKDATED = 3_600_000;
