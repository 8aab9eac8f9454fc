/**
 * Certificates written octet by octet, so that a test can have each part wrong on its own.
 *
 * @module
 */
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** One value in DER (X.690 section 8.1). */
export function der(tag: number, ...content: (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const length = body.length;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
export const octets = (...parts: Uint8Array[]): Buffer => der(0x04, ...parts);
export const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value, 'utf8'));

/** An object identifier. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, bytes);
}

/** One extension. */
export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, [0xff])] : []), octets(value));
}

/** basicConstraints, critical. */
export function basicConstraints(cA: boolean, pathLength?: number): Buffer {
  const parts = cA ? [der(0x01, [0xff])] : [];
  if (pathLength !== undefined) parts.push(der(0x02, [pathLength]));
  return extension('2.5.29.19', sequence(...parts), true);
}

/** keyUsage, critical. @param bits - the first octet: 0x80 digitalSignature, 0x04 keyCertSign */
export const keyUsage = (bits: number): Buffer => extension('2.5.29.15', der(0x03, [0, bits]), true);

/** extKeyUsage. */
export const extendedKeyUsage = (...ids: string[]): Buffer => extension('2.5.29.37', sequence(...ids.map(oid)));
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** subjectAltName. @param names - DNS names; an IPv4 address becomes one of the other kind */
export function alternativeNames(...names: string[]): Buffer {
  const parts = names.map((name) =>
    /^[\d.]+$/.test(name) ? der(0x87, name.split('.').map(Number)) : text(0x82, name),
  );
  return extension('2.5.29.17', sequence(...parts));
}

/** nameConstraints with DNS names, critical. */
export function dnsConstraints(constraints: { readonly permitted?: string[]; readonly excluded?: string[] }): Buffer {
  const list = (tag: number, names: readonly string[] | undefined): Buffer[] =>
    names === undefined ? [] : [der(tag, ...names.map((name) => sequence(text(0x82, name))))];
  return extension(
    '2.5.29.30',
    sequence(...list(0xa0, constraints.permitted), ...list(0xa1, constraints.excluded)),
    true,
  );
}

/** A name of one common name; empty for the empty name. */
export function distinguishedName(commonName: string): Buffer {
  if (commonName === '') return sequence();
  return sequence(der(0x31, sequence(oid('2.5.4.3'), text(0x0c, commonName))));
}

/** What a certificate shall be. */
export interface DerCertificateOptions {
  readonly subject?: string;
  readonly issuer?: DerIdentity;
  /** The issuer's name, where it shall be another than the issuer has. */
  readonly issuerName?: string;
  readonly extensions?: readonly Uint8Array[];
  readonly key?: KeyObject;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** 2 stands for version 3. */
  readonly version?: number;
  readonly hash?: 'sha256' | 'sha1';
  /** Overwrites the signature. */
  readonly signature?: Uint8Array;
  /** Makes the signature, of the octets that are signed. */
  readonly signed?: (tbs: Uint8Array) => Uint8Array;
  /** Overwrites the SubjectPublicKeyInfo. */
  readonly spki?: Uint8Array;
}

/** A certificate and its key. */
export interface DerIdentity {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly subject: string;
}

let serial = 0;

/** A new key: P-256, unless another kind is asked for. */
export function newKey(kind: 'p256' | 'ed25519' | 'rsa1024' | 'rsa2048' | 'rsa-e3' | 'secp256k1' = 'p256'): KeyObject {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (kind === 'rsa1024') return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  if (kind === 'rsa-e3') return generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey;
  if (kind === 'rsa2048') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: kind === 'p256' ? 'prime256v1' : kind }).privateKey;
}

/** Makes a certificate; without an issuer it signs itself. */
export function derCertificate(options: DerCertificateOptions = {}): DerIdentity {
  serial += 1;
  const { subject = `test ${String(serial)}`, issuer, hash = 'sha256', version = 2 } = options;
  const key = options.key ?? newKey();
  const signer = issuer?.key ?? key;
  const algorithm = algorithmOf(signer, hash);
  const tbs = sequence(
    ...(version === 0 ? [] : [der(0xa0, der(0x02, [version]))]),
    der(0x02, [0x01, serial >> 8, serial & 0xff]),
    algorithm,
    distinguishedName(options.issuerName ?? issuer?.subject ?? subject),
    sequence(
      time(options.notBefore ?? new Date(Date.now() - DAY)),
      time(options.notAfter ?? new Date(Date.now() + DAY)),
    ),
    distinguishedName(subject),
    options.spki ?? createPublicKey(key).export({ type: 'spki', format: 'der' }),
    ...(options.extensions === undefined ? [] : [der(0xa3, sequence(...options.extensions))]),
  );
  const signature =
    options.signature ??
    options.signed?.(tbs) ??
    sign(signer.asymmetricKeyType === 'ed25519' ? undefined : hash, tbs, signer);
  const bytes = sequence(tbs, algorithm, der(0x03, [0], signature));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return { der: bytes, pem, key, subject };
}

const DAY = 86_400_000;

/** An authority. */
export function derAuthority(options: DerCertificateOptions & { readonly pathLength?: number } = {}): DerIdentity {
  const { pathLength, ...rest } = options;
  return derCertificate({ extensions: [basicConstraints(true, pathLength), keyUsage(0x04)], ...rest });
}

/** A server's certificate for `localhost`. */
export function derServer(issuer: DerIdentity, options: DerCertificateOptions = {}): DerIdentity {
  return derCertificate({ issuer, extensions: serverExtensions(), ...options });
}

/** What a server's certificate has. */
export function serverExtensions(...names: string[]): Buffer[] {
  return [
    basicConstraints(false),
    keyUsage(0x80),
    extendedKeyUsage(SERVER_AUTH),
    alternativeNames(...(names.length > 0 ? names : ['localhost', '127.0.0.1'])),
  ];
}

/** The key in PEM. */
export function keyPem(identity: DerIdentity): string {
  return identity.key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function algorithmOf(signer: KeyObject, hash: 'sha256' | 'sha1'): Buffer {
  switch (signer.asymmetricKeyType) {
    case 'ed25519':
      return sequence(oid('1.3.101.112'));
    case 'rsa':
      return sequence(oid(hash === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'), der(0x05));
    default:
      return sequence(oid(hash === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
  }
}

/** GeneralizedTime. */
function time(date: Date): Buffer {
  return text(0x18, `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`);
}
