/**
 * Certificates and keys as `node:tls` takes them.
 *
 * Owns the making of secure contexts, and the search for what is wrong when one cannot be made: the message names the
 * very item, since OpenSSL's own words name none.
 *
 * @module
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { ConfigurationError } from '../common/index.ts';
import type { TlsIdentity, TlsVersion } from '../common/index.ts';
import { pemList } from '../trust/index.ts';

/** What a context is made of. */
export interface ContextParts {
  /** `undefined` or empty: no certificate of one's own. */
  readonly identity: TlsIdentity | undefined;
  /** PEM of the authorities; `undefined`: those of Node. */
  readonly authorities: readonly string[] | undefined;
  readonly minVersion: TlsVersion | undefined;
  readonly resumption: boolean;
  /** Whether this is the server's side. */
  readonly server: boolean;
}

/**
 * A context for handshakes.
 *
 * @param what - what it is for, as messages shall begin: `the certificate for example.com`
 * @throws ConfigurationError that names the item that cannot be used
 */
export function secureContext(parts: ContextParts, what: string): SecureContext {
  const { identity } = parts;
  // OpenSSL takes a certificate without a key and fails each handshake with it.
  if (identity?.cert !== undefined && identity.key === undefined) diagnose(identity, what, undefined);
  try {
    return createSecureContext(contextOptions(parts));
  } catch (error) {
    if (identity !== undefined) diagnose(identity, what, error);
    throw new ConfigurationError(`${what}: ${reasonOf(error)}`, { code: 'ERR_TLS_CONFIGURATION', cause: error });
  }
}

/** The same as `node:tls` takes them in its own options. */
export function contextOptions(parts: ContextParts): SecureContextOptions {
  const { identity } = parts;
  const options: SecureContextOptions = {
    minVersion: parts.minVersion ?? 'TLSv1.2',
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION |
      (parts.server ? constants.SSL_OP_CIPHER_SERVER_PREFERENCE : 0) |
      (parts.resumption ? 0 : constants.SSL_OP_NO_TICKET),
  };
  if (parts.authorities !== undefined) options.ca = [...parts.authorities];
  if (identity?.cert !== undefined) options.cert = pemList(identity.cert).join('\n');
  if (identity?.key !== undefined) options.key = pemList(identity.key).join('\n');
  if (identity?.pfx !== undefined) options.pfx = Buffer.from(identity.pfx);
  if (identity?.passphrase !== undefined) options.passphrase = identity.passphrase;
  return options;
}

/** Whether there is a certificate in it. */
export function hasIdentity(identity: TlsIdentity): boolean {
  return identity.cert !== undefined || identity.pfx !== undefined;
}

/** Throws what is wrong with an identity; returns if nothing is. */
function diagnose(identity: TlsIdentity, what: string, cause: unknown): void {
  if (identity.pfx !== undefined) {
    const locked = /mac verify|password|decrypt/i.test(reasonOf(cause));
    throw locked
      ? problem('ERR_TLS_PASSPHRASE', `${what}: the passphrase does not open the PKCS#12 data`, cause)
      : problem('ERR_TLS_PFX', `${what}: the PKCS#12 data cannot be read (${reasonOf(cause)})`, cause);
  }
  const certificate = readCertificate(identity, what);
  const key = readKey(identity, what);
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    throw problem('ERR_TLS_KEY_MISMATCH', `${what}: the private key does not belong to the certificate`, cause);
  }
}

function readCertificate(identity: TlsIdentity, what: string): X509Certificate | undefined {
  if (identity.cert === undefined) return undefined;
  const pem = pemList(identity.cert).join('\n');
  try {
    return new X509Certificate(pem);
  } catch (error) {
    if (pem.includes('PRIVATE KEY-----') && !pem.includes('BEGIN CERTIFICATE')) {
      throw problem('ERR_TLS_SWAPPED', `${what}: there is a private key where the certificate should be`, error);
    }
    throw problem('ERR_TLS_CERTIFICATE', `${what}: the certificate cannot be read (${reasonOf(error)})`, error);
  }
}

function readKey(identity: TlsIdentity, what: string): KeyObject | undefined {
  if (identity.key === undefined) {
    throw problem('ERR_TLS_KEY', `${what}: the private key is missing`, undefined);
  }
  const pem = pemList(identity.key).join('\n');
  try {
    const { passphrase } = identity;
    return createPrivateKey(passphrase === undefined ? { key: pem } : { key: pem, passphrase });
  } catch (error) {
    if (pem.includes('BEGIN CERTIFICATE') && !pem.includes('PRIVATE KEY-----')) {
      throw problem('ERR_TLS_SWAPPED', `${what}: there is a certificate where the private key should be`, error);
    }
    if (pem.includes('ENCRYPTED')) {
      const said = identity.passphrase === undefined ? 'needs a passphrase' : 'is not opened by the passphrase';
      throw problem('ERR_TLS_PASSPHRASE', `${what}: the private key ${said}`, error);
    }
    throw problem('ERR_TLS_KEY', `${what}: the private key cannot be read (${reasonOf(error)})`, error);
  }
}

function problem(code: string, message: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(message, { code, cause });
}

/** OpenSSL's words without its numbers. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}
