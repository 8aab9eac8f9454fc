/**
 * ML-KEM-768 (FIPS 203) on node:crypto, from Node 24.7 on.
 *
 * Owns the feature test and the DER around raw keys. `@types/node` 20 knows none of it, so its shape is declared here.
 *
 * @module
 */
import * as nodeCrypto from 'node:crypto';
import type { KeyObject } from 'node:crypto';

interface KemFunctions {
  generateKeyPairSync(type: 'ml-kem-768'): { publicKey: KeyObject; privateKey: KeyObject };
  encapsulate(key: KeyObject): { sharedKey: Uint8Array; ciphertext: Uint8Array };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Uint8Array;
}

/** What {@link MlKem.encapsulate} gives. */
export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly secret: Uint8Array;
}

const KEY_LENGTH = 1184;
const CIPHERTEXT_LENGTH = 1088;
/** SubjectPublicKeyInfo up to the key: id-alg-ml-kem-768 without parameters. */
const SPKI_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

const functions = kemFunctions();

function kemFunctions(): KemFunctions | undefined {
  const candidate = nodeCrypto as unknown as Partial<KemFunctions>;
  if (typeof candidate.encapsulate !== 'function' || typeof candidate.decapsulate !== 'function') return undefined;
  try {
    (candidate as KemFunctions).generateKeyPairSync('ml-kem-768');
    return candidate as KemFunctions;
  } catch {
    // An OpenSSL that lacks the algorithm.
    return undefined;
  }
}

/** A key pair: one decapsulation. */
export class MlKemPair {
  /** 1,184 bytes for the peer. */
  readonly encapsulationKey: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = available().generateKeyPairSync('ml-kem-768');
    this.encapsulationKey = publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
    this.#privateKey = privateKey;
  }

  /** `undefined` for a ciphertext of another length. Any other gives a secret, if not the peer's. */
  decapsulate(ciphertext: Uint8Array): Uint8Array | undefined {
    if (ciphertext.length !== CIPHERTEXT_LENGTH) return undefined;
    return available().decapsulate(this.#privateKey, ciphertext);
  }
}

/** A secret for the holder of an encapsulation key; `undefined` when the key is malformed (FIPS 203 section 7.2). */
function encapsulate(key: Uint8Array): Encapsulation | undefined {
  if (key.length !== KEY_LENGTH) return undefined;
  try {
    const der = Buffer.concat([SPKI_PREFIX, key]);
    const publicKey = nodeCrypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
    const { sharedKey, ciphertext } = available().encapsulate(publicKey);
    return { ciphertext, secret: sharedKey };
  } catch {
    return undefined;
  }
}

function available(): KemFunctions {
  if (functions === undefined) throw new TypeError('this version of Node has no ML-KEM');
  return functions;
}

/** The sender's side, or `undefined` where Node has no ML-KEM. */
export const mlKem: { encapsulate(key: Uint8Array): Encapsulation | undefined } | undefined =
  functions === undefined ? undefined : { encapsulate };
