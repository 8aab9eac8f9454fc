/**
 * Key agreement on node:crypto: x25519, the NIST curves, and x25519 with ML-KEM-768 where node has it.
 *
 * Owns the forms in which keys go in and out of node (JWK, since DER costs eleven times as much) and which shares are
 * refused: wrong lengths, points that are not uncompressed or not on the curve (RFC 8446 section 4.2.8.2), and an
 * x25519 secret of zeros (section 7.4.2).
 *
 * @module
 */
import { createECDH, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { ECDH, KeyObject } from 'node:crypto';
import type { Random } from '../common/index.ts';
import { NamedGroup } from './crypto-provider.ts';
import type { KeyAgreement, KeyAgreementAnswer } from './crypto-provider.ts';
import { mlKem, MlKemPair } from './node-ml-kem.ts';

interface Curve {
  readonly openssl: string;
  /** The length of a private key, in bytes. */
  readonly scalarLength: number;
  /** The length of an uncompressed point, in bytes. */
  readonly pointLength: number;
}

const CURVES: ReadonlyMap<number, Curve> = new Map([
  [NamedGroup.secp256r1, { openssl: 'prime256v1', scalarLength: 32, pointLength: 65 }],
  [NamedGroup.secp384r1, { openssl: 'secp384r1', scalarLength: 48, pointLength: 97 }],
]);

const X25519_LENGTH = 32;
/** Node's types know neither that a pair's halves may take different forms nor that one of them may be JWK. */
const FRESH = { publicKeyEncoding: { format: 'jwk' } } as unknown as undefined;

interface FreshPair {
  readonly publicKey: { readonly x: string };
  readonly privateKey: KeyObject;
}

const UNCOMPRESSED = 4;

/** The groups there are, best first. */
export function availableGroups(): readonly number[] {
  const curves = [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1];
  return mlKem === undefined ? curves : [NamedGroup.x25519MlKem768, ...curves];
}

/** See CryptoProvider.generateKeyAgreement. */
export function generateAgreement(group: number, random: Random | undefined): KeyAgreement {
  if (group === NamedGroup.x25519) return new X25519(random);
  if (group === NamedGroup.x25519MlKem768 && mlKem !== undefined) return new Hybrid(random);
  const curve = CURVES.get(group);
  if (curve === undefined) throw new TypeError(`there is no key agreement by group ${String(group)}`);
  return new EllipticCurve(group, curve, random);
}

/** See CryptoProvider.answerKeyAgreement. */
export function answerAgreement(
  group: number,
  peerShare: Uint8Array,
  random: Random | undefined,
): KeyAgreementAnswer | undefined {
  if (group === NamedGroup.x25519MlKem768) return answerHybrid(peerShare, random);
  const own = generateAgreement(group, random);
  const secret = own.agree(peerShare);
  return secret === undefined ? undefined : { share: own.share, secret };
}

class X25519 implements KeyAgreement {
  readonly group: number;
  readonly share: Uint8Array;
  readonly #key: KeyObject;

  constructor(random: Random | undefined) {
    const [key, share] = random === undefined ? freshX25519() : seededX25519(random);
    this.group = NamedGroup.x25519;
    this.share = share;
    this.#key = key;
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    if (peerShare.length !== X25519_LENGTH) return undefined;
    try {
      const x = Buffer.from(peerShare.buffer, peerShare.byteOffset, peerShare.length).toString('base64url');
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
      const secret = diffieHellman({ privateKey: this.#key, publicKey });
      return secret.some((byte) => byte !== 0) ? secret : undefined;
    } catch {
      // OpenSSL refuses points of small order by itself.
      return undefined;
    }
  }
}

/**
 * The public key is exported while the pair is made. Exported later it could stop the process for ever: Node 20 holds the
 * key's lock over allocations, and a collection that comes then wants it to free what made the key.
 */
function freshX25519(): [KeyObject, Uint8Array] {
  const { publicKey, privateKey } = generateKeyPairSync('x25519', FRESH) as unknown as FreshPair;
  return [privateKey, Buffer.from(publicKey.x, 'base64url')];
}

/** PKCS#8 around the private key, which is any 32 bytes (RFC 8410, RFC 7748 section 5). */
function seededX25519(random: Random): [KeyObject, Uint8Array] {
  const der = Buffer.from(`302e020100300506032b656e04220420${'00'.repeat(X25519_LENGTH)}`, 'hex');
  random.fill(der.subarray(der.length - X25519_LENGTH));
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return [privateKey, Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x as string, 'base64url')];
}

class EllipticCurve implements KeyAgreement {
  readonly group: number;
  readonly share: Uint8Array;
  readonly #curve: Curve;
  readonly #ecdh: ECDH;

  constructor(group: number, curve: Curve, random: Random | undefined) {
    this.group = group;
    this.#curve = curve;
    this.#ecdh = createECDH(curve.openssl);
    if (random === undefined) this.#ecdh.generateKeys();
    else setDrawnKey(this.#ecdh, random, curve.scalarLength);
    this.share = this.#ecdh.getPublicKey();
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    if (peerShare.length !== this.#curve.pointLength || peerShare[0] !== UNCOMPRESSED) return undefined;
    try {
      return this.#ecdh.computeSecret(peerShare);
    } catch {
      return undefined;
    }
  }
}

/** A private key between 1 and the group's order, by drawing until one is: two in 2^32 draws are none. */
function setDrawnKey(ecdh: ECDH, random: Random, length: number): void {
  for (;;) {
    try {
      ecdh.setPrivateKey(random.fill(Buffer.alloc(length)));
      return;
    } catch {
      // Out of range: the next one.
    }
  }
}

/** ML-KEM's encapsulation key before x25519's, and the secrets in the same order (draft-ietf-tls-ecdhe-mlkem). */
class Hybrid implements KeyAgreement {
  readonly group: number;
  readonly share: Uint8Array;
  readonly #curve: X25519;
  readonly #kem: MlKemPair;

  constructor(random: Random | undefined) {
    refuseRandom(random);
    this.group = NamedGroup.x25519MlKem768;
    this.#curve = new X25519(undefined);
    this.#kem = new MlKemPair();
    this.share = Buffer.concat([this.#kem.encapsulationKey, this.#curve.share]);
  }

  agree(peerShare: Uint8Array): Uint8Array | undefined {
    const split = peerShare.length - X25519_LENGTH;
    if (split < 0) return undefined;
    const curveSecret = this.#curve.agree(peerShare.subarray(split));
    const kemSecret = this.#kem.decapsulate(peerShare.subarray(0, split));
    if (curveSecret === undefined || kemSecret === undefined) return undefined;
    return Buffer.concat([kemSecret, curveSecret]);
  }
}

function answerHybrid(peerShare: Uint8Array, random: Random | undefined): KeyAgreementAnswer | undefined {
  refuseRandom(random);
  if (mlKem === undefined) throw new TypeError('this version of Node has no ML-KEM');
  const split = peerShare.length - X25519_LENGTH;
  if (split < 0) return undefined;
  const curve = new X25519(undefined);
  const curveSecret = curve.agree(peerShare.subarray(split));
  const kem = mlKem.encapsulate(peerShare.subarray(0, split));
  if (curveSecret === undefined || kem === undefined) return undefined;
  return { share: Buffer.concat([kem.ciphertext, curve.share]), secret: Buffer.concat([kem.secret, curveSecret]) };
}

function refuseRandom(random: Random | undefined): void {
  if (random !== undefined) throw new TypeError('ML-KEM takes its randomness from the system alone');
}
