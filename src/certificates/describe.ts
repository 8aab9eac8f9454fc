/**
 * What a certificate says, in words and numbers.
 *
 * Owns the reading of one certificate through node:crypto; it judges nothing and checks no signature.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ConfigurationError } from '../common/index.ts';
import { IDENTITY_CODES, messageOf, printable } from './messages.ts';
import { isCertificateBlock, pemBlocks } from './pem.ts';

/** A certificate's facts. */
export interface CertificateFacts {
  /** `O=hface-ts, CN=…`; control characters are escaped. */
  readonly subject: string;
  readonly issuer: string;
  /** Host names and addresses of subjectAltName in their order; IPv6 as RFC 5952 writes it. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** Uppercase hexadecimal. */
  readonly serialNumber: string;
  /** SHA-256 of the DER: uppercase hexadecimal, colons between bytes. */
  readonly fingerprint256: string;
  /** `ECDSA prime256v1`, `RSA 2048`, `ed25519` … */
  readonly key: string;
  /** Whether it may sign other certificates. */
  readonly ca: boolean;
}

/**
 * The facts of the first certificate in a PEM text.
 *
 * @throws ConfigurationError when there is none, or it cannot be read
 */
export function describeCertificate(pem: string): CertificateFacts {
  const block = pemBlocks(pem).find(isCertificateBlock);
  if (block === undefined) {
    throw new ConfigurationError('there is no certificate in this text', {
      code: IDENTITY_CODES.format,
      hint: 'give PEM: -----BEGIN CERTIFICATE----- and what follows',
    });
  }
  return describeX509(readCertificate(block.text, 'the certificate'));
}

/** The facts of a certificate. */
export function describeX509(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: alternativeNames(certificate.subjectAltName ?? ''),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    serialNumber: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
    key: describeKey(certificate.publicKey),
    ca: certificate.ca,
  };
}

/** The certificate of one PEM block. @throws ConfigurationError when OpenSSL cannot read it; `what` begins the message */
export function readCertificate(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ConfigurationError(`${what} cannot be read: ${printable(messageOf(error))}`, {
      code: IDENTITY_CODES.format,
      hint: 'the file is damaged; copy or issue it again',
      cause: error,
    });
  }
}

/** node:crypto gives one attribute a line; X509Certificate of a certificate without any gives undefined. */
function oneLine(name: string | undefined): string {
  return printable((name ?? '').split('\n').join(', '));
}

/**
 * Reads node:crypto's text of subjectAltName, `DNS:a, IP Address:…`. An entry with characters that could be taken for
 * the separators comes as a JSON string, so the text is unambiguous.
 */
function alternativeNames(text: string): string[] {
  const names: string[] = [];
  let position = 0;
  while (position < text.length) {
    const colon = text.indexOf(':', position);
    if (colon < 0) break;
    const kind = text.slice(position, colon);
    const quoted = text[colon + 1] === '"';
    const end = quoted ? endOfString(text, colon + 2) : endOfEntry(text, colon);
    const raw = text.slice(colon + 1, end);
    if (kind === 'DNS') names.push(quoted ? printable(String(JSON.parse(raw))) : raw);
    if (kind === 'IP Address') names.push(canonicalAddress(raw));
    position = end + SEPARATOR.length;
  }
  return names;
}

function endOfEntry(text: string, from: number): number {
  const end = text.indexOf(SEPARATOR, from);
  return end < 0 ? text.length : end;
}

function endOfString(text: string, from: number): number {
  let position = from;
  while (position < text.length && text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position + 1;
}

function canonicalAddress(text: string): string {
  if (!text.includes(':')) return text;
  return URL.canParse(`http://[${text}]/`) ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text;
}

function describeKey(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') return `ECDSA ${details?.namedCurve ?? 'of its own curve'}`;
  if (key.asymmetricKeyType === 'rsa') return `RSA ${String(details?.modulusLength ?? '')}`;
  return key.asymmetricKeyType ?? 'unknown';
}

const SEPARATOR = ', ';
