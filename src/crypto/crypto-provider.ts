/**
 * What TLS and QUIC ask of cryptography: AEAD, header protection, HMAC and hashes, key agreement, signatures.
 *
 * Owns the interfaces. Everything is synchronous, and nothing but {@link KeyAgreement} needs randomness, so that
 * handshakes replay from a seed. node:crypto's implementation is in node-provider.ts. Protocol rules (labels, nonces
 * from packet numbers, key schedules) are not here.
 *
 * @module
 */
import type { Random } from '../common/index.ts';
import type { AeadName, HashName } from './cipher-suites.ts';

/** One key of an AEAD algorithm. */
export interface Aead {
  /**
   * Encrypts and authenticates.
   *
   * @param nonce - 12 bytes, never used twice with this key
   * @param associated - what is authenticated besides
   * @param out - where the ciphertext and its tag of 16 bytes go, at `offset`; it may be the memory of `plaintext`
   * @returns how many bytes were written: those of `plaintext` and 16 more
   */
  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array, offset: number): number;
  /** Decrypts `sealed`, the ciphertext and its tag; `undefined` when it is not authentic. The result is fresh memory. */
  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** One header protection key (RFC 9001 section 5.4). */
export interface HeaderProtection {
  /**
   * The masks of several packets at once.
   *
   * @param samples - 16 bytes of each packet's ciphertext, one behind another
   * @param out - 5 bytes for each, one behind another
   */
  masks(samples: Uint8Array, out: Uint8Array): void;
}

/** A hash over a growing transcript (RFC 8446 section 4.4.1). */
export interface TranscriptHash {
  /** Adds what was sent or received. */
  update(data: Uint8Array): void;
  /** The hash of everything so far; more may be added afterwards. */
  digest(): Uint8Array;
}

/** Named groups for key agreement (RFC 8446 section 4.2.7, draft-ietf-tls-ecdhe-mlkem), by their registered numbers. */
export const NamedGroup = { secp256r1: 0x0017, secp384r1: 0x0018, x25519: 0x001d, x25519MlKem768: 0x11ec } as const;

/** A client's half of a key agreement. */
export interface KeyAgreement {
  readonly group: number;
  /** What the peer is sent. */
  readonly share: Uint8Array;
  /** The shared secret; `undefined` when the peer's share is malformed or would give a secret that is no secret. */
  agree(peerShare: Uint8Array): Uint8Array | undefined;
}

/** A server's answer to a client's share. */
export interface KeyAgreementAnswer {
  readonly share: Uint8Array;
  readonly secret: Uint8Array;
}

/** Signature schemes (RFC 8446 section 4.2.3), by their registered numbers. */
export const SignatureScheme = {
  ecdsaSecp256r1Sha256: 0x0403,
  ecdsaSecp384r1Sha384: 0x0503,
  ed25519: 0x0807,
  rsaPssRsaeSha256: 0x0804,
  rsaPssRsaeSha384: 0x0805,
  rsaPssRsaeSha512: 0x0806,
  rsaPssPssSha256: 0x0809,
  rsaPssPssSha384: 0x080a,
  rsaPssPssSha512: 0x080b,
} as const;

/** A private key for signatures. */
export interface SigningKey {
  /** The schemes it can sign with, best first. */
  readonly schemes: readonly number[];
  /** @throws TypeError for a scheme that is not among {@link schemes} */
  sign(scheme: number, data: Uint8Array): Uint8Array;
}

/** A public key for signatures. */
export interface VerifyingKey {
  /** The schemes that fit it. */
  readonly schemes: readonly number[];
  /** False for a scheme that does not fit, and for any signature that is malformed or wrong. */
  verify(scheme: number, data: Uint8Array, signature: Uint8Array): boolean;
}

/** Cryptography for TLS 1.3 and QUIC. */
export interface CryptoProvider {
  /**
   * An AEAD algorithm under a key.
   *
   * @param key - of the length that the algorithm wants
   */
  createAead(name: AeadName, key: Uint8Array): Aead;
  /**
   * Header protection under a key.
   *
   * @param key - of the length that the algorithm wants
   */
  createHeaderProtection(name: AeadName, key: Uint8Array): HeaderProtection;
  /** A hash of messages that are still to come. */
  createTranscriptHash(hash: HashName): TranscriptHash;
  /** A hash of what is at hand. */
  hash(hash: HashName, data: Uint8Array): Uint8Array;
  /** RFC 2104. */
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Compares in a time that does not depend on where the two differ; false for different lengths. */
  equal(one: Uint8Array, other: Uint8Array): boolean;
  /** The groups that this provider has, best first. */
  readonly groups: readonly number[];
  /**
   * A fresh key pair.
   *
   * @param random - where the private key comes from; without it the system. Only groups of curves take it.
   * @throws TypeError for a group that is not among {@link groups}, or that takes no `random`
   */
  generateKeyAgreement(group: number, random?: Random): KeyAgreement;
  /** The server's half; `undefined` when the client's share is malformed. Throws as {@link generateKeyAgreement}. */
  answerKeyAgreement(group: number, peerShare: Uint8Array, random?: Random): KeyAgreementAnswer | undefined;
  /** A private key in PEM, or PKCS#8 in DER. @throws Error when it is none, or of a kind that signs nothing here */
  importSigningKey(key: string | Uint8Array, passphrase?: string): SigningKey;
  /** The public key of a certificate in DER; `undefined` when it is malformed or of a kind that verifies nothing here. */
  importCertificateKey(certificate: Uint8Array): VerifyingKey | undefined;
}
