/**
 * Signatures on certificates, for the library that validates paths.
 *
 * Owns which algorithms and keys count (RFC 5280 says none; SHA-1 and what is weaker fall to collisions, RFC 9155), the
 * bound on how many signatures are verified, and the engine that the library calls. The signatures themselves are
 * node:crypto's to verify, on the octets that were signed.
 *
 * Invariants: a signature by an algorithm or a key that does not count is never verified, so no path leads through it;
 * behind the bound nothing is verified.
 *
 * @module
 */
import { webcrypto } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { CryptoEngine } from 'pkijs';
import type { ChainLibrary, ReadCertificate } from './chain-library.ts';

/** RSA below is not for today; above it costs milliseconds to verify, at a stranger's wish. */
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;
const LARGEST_EXPONENT = 0xffff_ffff_ffff_ffffn;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** By object identifier: RSA, ECDSA with SHA-256, -384, -512; Ed25519, Ed448 (RFC 4055, 5758, 8410). */
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
  '1.3.101.113',
]);
const RSA_PSS = '1.2.840.113549.1.1.10';
/** SHA-256, -384, -512, as RSA-PSS names its hash function (RFC 4055 section 3.1). */
const PSS_HASHES: ReadonlySet<string> = new Set([
  '2.16.840.1.101.3.4.2.1',
  '2.16.840.1.101.3.4.2.2',
  '2.16.840.1.101.3.4.2.3',
]);

/** Whether a key may take part in a chain. */
export function isStrongKey(key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss': {
      const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details;
      if (exponent < 3n || exponent > LARGEST_EXPONENT || exponent % 2n === 0n) return false;
      return bits >= LEAST_RSA_BITS && bits <= MOST_RSA_BITS;
    }
    case 'ec':
      return CURVES.has(details.namedCurve ?? '');
    case 'ed25519':
    case 'ed448':
      return true;
    default:
      return false;
  }
}

/** Whether a certificate is signed by an algorithm that counts. */
export function isStrongSignature(library: ChainLibrary, certificate: ReadCertificate): boolean {
  const { signatureAlgorithm } = certificate.content;
  if (signatureAlgorithm.algorithmId !== RSA_PSS) return SIGNATURES.has(signatureAlgorithm.algorithmId);
  const parameters = new library.pkijs.RSASSAPSSParams({ schema: signatureAlgorithm.algorithmParams as unknown });
  return PSS_HASHES.has(parameters.hashAlgorithm.algorithmId);
}

/** The signatures of one chain. */
export class SignatureChecks {
  /** What the library calls. */
  readonly engine: CryptoEngine;
  readonly #library: ChainLibrary;
  readonly #bySigned: Map<Uint8Array, ReadCertificate>;
  readonly #byKey: Map<object, X509Certificate>;
  #left: number;
  #metWeak: boolean;

  constructor(library: ChainLibrary, most: number) {
    this.#library = library;
    this.#bySigned = new Map();
    this.#byKey = new Map();
    this.#left = most;
    this.#metWeak = false;
    this.engine = this.#engineOf(library);
  }

  /** Whether the bound was reached. */
  get exhausted(): boolean {
    return this.#left <= 0;
  }

  /** Whether a signature was passed over because it, or the key to it, is weak. */
  get metWeak(): boolean {
    return this.#metWeak;
  }

  /** Makes a certificate known: the library hands over only parts of it. */
  add(certificate: ReadCertificate): void {
    this.#bySigned.set(certificate.content.tbsView, certificate);
    this.#byKey.set(certificate.content.subjectPublicKeyInfo, certificate.x509);
  }

  /** Whether the one has signed the other. Never throws. */
  verify(certificate: ReadCertificate, issuer: X509Certificate): boolean {
    if (this.#left <= 0) return false;
    try {
      const key = issuer.publicKey;
      if (!isStrongKey(key) || !isStrongSignature(this.#library, certificate)) {
        this.#metWeak = true;
        return false;
      }
      this.#left -= 1;
      return certificate.x509.verify(key);
    } catch {
      return false;
    }
  }

  #engineOf(library: ChainLibrary): CryptoEngine {
    const engine = new library.pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as never });
    engine.verifyWithPublicKey = (signed, _signature, key) => {
      const certificate = this.#bySigned.get(signed as Uint8Array);
      const issuer = this.#byKey.get(key);
      return Promise.resolve(certificate !== undefined && issuer !== undefined && this.verify(certificate, issuer));
    };
    return engine;
  }
}
