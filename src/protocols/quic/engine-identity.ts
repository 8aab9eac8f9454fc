/**
 * A user's certificate and key as the handshake needs them.
 *
 * Owns reading PEM into DER. What is read is kept for as long as its configuration is, since importing a key costs as
 * much as several signatures. PKCS#12 is opened by those who own the files.
 *
 * @module
 */
import type { TlsIdentity } from '../../common/index.ts';
import { ConfigurationError } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import type { EngineIdentity } from '../../tls/index.ts';

const known = new WeakMap<TlsIdentity, EngineIdentity>();
const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** The chain in DER and the key. @throws ConfigurationError when they are missing or malformed */
export function engineIdentity(crypto: CryptoProvider, identity: TlsIdentity): EngineIdentity {
  const before = known.get(identity);
  if (before !== undefined) return before;
  const { cert, key, passphrase } = identity;
  if (cert === undefined || key === undefined) {
    throw new ConfigurationError('an identity for QUIC needs a certificate and a key in PEM');
  }
  const chain = readChain(cert);
  if (chain.length === 0) throw new ConfigurationError('there is no certificate in the PEM of an identity for QUIC');
  let made: EngineIdentity;
  try {
    made = { chain, key: crypto.importSigningKey(key, passphrase) };
  } catch (error) {
    throw new ConfigurationError('the key of an identity for QUIC cannot be read', { cause: error });
  }
  known.set(identity, made);
  return made;
}

function readChain(pem: string | Uint8Array): Uint8Array[] {
  const text = typeof pem === 'string' ? pem : new TextDecoder('latin1').decode(pem);
  const chain: Uint8Array[] = [];
  for (const [, base64] of text.matchAll(CERTIFICATE)) {
    const binary = atob((base64 as string).replace(/\s+/g, ''));
    chain.push(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  }
  return chain;
}
