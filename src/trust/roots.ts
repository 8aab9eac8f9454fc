/**
 * The authorities that are trusted when nobody says otherwise.
 *
 * Owns the reading of them. Node brings Mozilla's list and adds what NODE_EXTRA_CA_CERTS names; newer releases tell
 * their whole list, for older ones it is put together here.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { ConfigurationError } from '../common/index.ts';

/** PEM as configurations give it. */
export type PemSource = string | Uint8Array | readonly (string | Uint8Array)[];

/** What newer releases of `node:tls` have besides (Node 22.15, 23.10). */
interface NewerTls {
  readonly getCACertificates?: (type: 'default' | 'system') => string[];
}

/** The authorities that Node trusts by itself, in PEM. */
export function defaultRoots(): readonly string[] {
  const { getCACertificates } = tls as NewerTls;
  if (getCACertificates !== undefined) return getCACertificates('default');
  return [...tls.rootCertificates, ...extraRoots()];
}

/**
 * The authorities that the operating system trusts, in PEM; `undefined` where neither this release of Node nor a known
 * file tells them.
 */
export function systemRoots(): readonly string[] | undefined {
  const { getCACertificates } = tls as NewerTls;
  if (getCACertificates !== undefined) return getCACertificates('system');
  for (const file of BUNDLES) {
    try {
      return [readFileSync(file, 'utf8')];
    } catch {
      // Not this system's place.
    }
  }
  return undefined;
}

/** PEM in any of its forms as a list of texts. */
export function pemList(pem: PemSource): readonly string[] {
  const list: readonly (string | Uint8Array)[] = typeof pem === 'string' || pem instanceof Uint8Array ? [pem] : pem;
  return list.map((entry) => (typeof entry === 'string' ? entry : Buffer.from(entry).toString('latin1')));
}

/**
 * The authorities that a configuration names. OpenSSL would pass over what it cannot read, and then trust nobody.
 *
 * @throws ConfigurationError for an entry in which there is no certificate
 */
export function readAuthorities(pem: PemSource): readonly string[] {
  const list = pemList(pem);
  for (const entry of list) {
    try {
      new X509Certificate(entry);
    } catch (error) {
      throw new ConfigurationError('a certificate of an authority cannot be read', {
        code: 'ERR_TLS_CA',
        hint: 'give certificates in PEM: they begin with -----BEGIN CERTIFICATE-----',
        cause: error,
      });
    }
  }
  return list;
}

/** What NODE_EXTRA_CA_CERTS names. A file that cannot be read counts for nothing, as in Node itself. */
function extraRoots(): readonly string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (file === undefined || file === '') return [];
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    return [];
  }
}

/** Where systems with OpenSSL keep one file of all authorities. */
const BUNDLES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
