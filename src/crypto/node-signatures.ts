/**
 * Signatures on node:crypto.
 *
 * Owns which scheme fits which key (RFC 8446 section 4.2.3) and how node is asked for it. RSA keys with an OID of their
 * own (id-RSASSA-PSS) sign by the `rsa_pss_pss` schemes, ordinary ones by `rsa_pss_rsae`; PKCS#1 v1.5 signs nothing in
 * TLS 1.3.
 *
 * @module
 */
import { constants, createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignatureScheme } from './crypto-provider.ts';
import type { SigningKey, VerifyingKey } from './crypto-provider.ts';

const HASHES: ReadonlyMap<number, string | null> = new Map([
  [SignatureScheme.ecdsaSecp256r1Sha256, 'sha256'],
  [SignatureScheme.ecdsaSecp384r1Sha384, 'sha384'],
  [SignatureScheme.ed25519, null],
  [SignatureScheme.rsaPssRsaeSha256, 'sha256'],
  [SignatureScheme.rsaPssRsaeSha384, 'sha384'],
  [SignatureScheme.rsaPssRsaeSha512, 'sha512'],
  [SignatureScheme.rsaPssPssSha256, 'sha256'],
  [SignatureScheme.rsaPssPssSha384, 'sha384'],
  [SignatureScheme.rsaPssPssSha512, 'sha512'],
]);

const NONE: readonly number[] = [];
/** RSA keys below are refused: 2,048 bits are the least that anybody still signs with. */
const MIN_RSA_BITS = 2048;

/** See CryptoProvider.importSigningKey. */
export function importSigningKey(key: string | Uint8Array, passphrase: string | undefined): SigningKey {
  const object = createPrivateKey(privateKeyInput(key, passphrase));
  const schemes = schemesOf(object);
  if (schemes.length === 0) throw new Error('the private key is of a kind or size that TLS 1.3 does not sign with');
  return new NodeSigningKey(object, schemes);
}

/** See CryptoProvider.importCertificateKey. */
export function importCertificateKey(certificate: Uint8Array): VerifyingKey | undefined {
  try {
    const { publicKey } = new X509Certificate(certificate);
    const schemes = schemesOf(publicKey);
    return schemes.length === 0 ? undefined : new NodeVerifyingKey(publicKey, schemes);
  } catch {
    return undefined;
  }
}

function privateKeyInput(
  key: string | Uint8Array,
  passphrase: string | undefined,
): Parameters<typeof createPrivateKey>[0] {
  const withPassphrase = passphrase === undefined ? {} : { passphrase };
  if (typeof key === 'string') return { key, ...withPassphrase };
  const buffer = Buffer.from(key);
  // A SEQUENCE is DER; PEM begins with dashes.
  if (buffer[0] === 0x30) return { key: buffer, format: 'der', type: 'pkcs8', ...withPassphrase };
  return { key: buffer, ...withPassphrase };
}

/** The schemes of a key, best first: the hash of a curve's own length, the shortest for RSA. */
function schemesOf(key: KeyObject): readonly number[] {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec':
      if (details?.namedCurve === 'prime256v1') return [SignatureScheme.ecdsaSecp256r1Sha256];
      if (details?.namedCurve === 'secp384r1') return [SignatureScheme.ecdsaSecp384r1Sha384];
      return NONE;
    case 'ed25519':
      return [SignatureScheme.ed25519];
    case 'rsa':
      if ((details?.modulusLength ?? 0) < MIN_RSA_BITS) return NONE;
      return [SignatureScheme.rsaPssRsaeSha256, SignatureScheme.rsaPssRsaeSha384, SignatureScheme.rsaPssRsaeSha512];
    case 'rsa-pss':
      if ((details?.modulusLength ?? 0) < MIN_RSA_BITS) return NONE;
      return pssSchemes(details?.hashAlgorithm);
    default:
      return NONE;
  }
}

/** A key that is bound to one hash signs with that one alone. */
function pssSchemes(hash: string | undefined): readonly number[] {
  const all = [SignatureScheme.rsaPssPssSha256, SignatureScheme.rsaPssPssSha384, SignatureScheme.rsaPssPssSha512];
  return hash === undefined ? all : all.filter((scheme) => HASHES.get(scheme) === hash);
}

/** RFC 8446 section 4.2.3: the salt is as long as the hash. */
function keyInput(key: KeyObject): { key: KeyObject; padding?: number; saltLength?: number } {
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') return { key };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

class NodeSigningKey implements SigningKey {
  readonly schemes: readonly number[];
  readonly #key: KeyObject;

  constructor(key: KeyObject, schemes: readonly number[]) {
    this.schemes = schemes;
    this.#key = key;
  }

  sign(scheme: number, data: Uint8Array): Uint8Array {
    if (!this.schemes.includes(scheme)) throw new TypeError(`the key does not sign by scheme ${String(scheme)}`);
    return sign(HASHES.get(scheme), data, keyInput(this.#key));
  }
}

class NodeVerifyingKey implements VerifyingKey {
  readonly schemes: readonly number[];
  readonly #key: KeyObject;
  /** How long each signature is, in bytes; `undefined` where lengths differ. */
  readonly #signatureLength: number | undefined;

  constructor(key: KeyObject, schemes: readonly number[]) {
    const bits = key.asymmetricKeyDetails?.modulusLength;
    this.schemes = schemes;
    this.#key = key;
    this.#signatureLength = bits === undefined ? undefined : Math.ceil(bits / 8);
  }

  verify(scheme: number, data: Uint8Array, signature: Uint8Array): boolean {
    if (!this.schemes.includes(scheme)) return false;
    // RFC 8017 section 8.1.2: as long as the modulus. OpenSSL takes one whose leading zeros were left out.
    if (this.#signatureLength !== undefined && signature.length !== this.#signatureLength) return false;
    try {
      return verify(HASHES.get(scheme), data, keyInput(this.#key), signature);
    } catch {
      return false;
    }
  }
}
