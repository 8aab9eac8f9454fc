/**
 * The cipher suites of TLS 1.3 that QUIC uses, as facts.
 *
 * Owns their numbers, lengths and usage limits (RFC 8446 appendix B.4, RFC 9001 sections 5.3 and 6.6). Does not own
 * keys or any operation with them.
 *
 * @module
 */

/** The hash functions of TLS 1.3. */
export type HashName = 'sha256' | 'sha384';

/** The AEAD algorithms (RFC 5116, RFC 8439), by OpenSSL's names. */
export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

/** The length of every suite's nonce, in bytes. */
export const NONCE_LENGTH = 12;
/** The length of every suite's authentication tag, in bytes. */
export const TAG_LENGTH = 16;
/** How much ciphertext a header protection mask is made from, in bytes (RFC 9001 section 5.4.2). */
export const SAMPLE_LENGTH = 16;
/** How long a header protection mask is, in bytes (RFC 9001 section 5.4.1). */
export const MASK_LENGTH = 5;

/** One cipher suite. */
export interface CipherSuite {
  /** Its number on the wire. */
  readonly id: number;
  /** Its name in the registry. */
  readonly name: string;
  readonly aead: AeadName;
  readonly hash: HashName;
  /** The length of the hash and of secrets, in bytes. */
  readonly hashLength: number;
  /** The length of AEAD keys and of header protection keys, in bytes. */
  readonly keyLength: number;
  /** How many packets one key may protect before it must be replaced (RFC 9001 section 6.6). */
  readonly confidentialityLimit: number;
  /** How many packets may fail authentication under all keys of a connection (RFC 9001 section 6.6). */
  readonly integrityLimit: number;
}

/** TLS_AES_128_GCM_SHA256, which protects Initial packets too. */
export const aes128GcmSha256: CipherSuite = {
  id: 0x1301,
  name: 'TLS_AES_128_GCM_SHA256',
  aead: 'aes-128-gcm',
  hash: 'sha256',
  hashLength: 32,
  keyLength: 16,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
};

/** TLS_AES_256_GCM_SHA384. */
export const aes256GcmSha384: CipherSuite = {
  id: 0x1302,
  name: 'TLS_AES_256_GCM_SHA384',
  aead: 'aes-256-gcm',
  hash: 'sha384',
  hashLength: 48,
  keyLength: 32,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
};

/** TLS_CHACHA20_POLY1305_SHA256. Its confidentiality has no limit below the number of packets that QUIC can count. */
export const chacha20Poly1305Sha256: CipherSuite = {
  id: 0x1303,
  name: 'TLS_CHACHA20_POLY1305_SHA256',
  aead: 'chacha20-poly1305',
  hash: 'sha256',
  hashLength: 32,
  keyLength: 32,
  confidentialityLimit: Number.POSITIVE_INFINITY,
  integrityLimit: 2 ** 36,
};

/** All of them, in the order of our preference. */
export const cipherSuites: readonly CipherSuite[] = [aes128GcmSha256, aes256GcmSha384, chacha20Poly1305Sha256];

/** The suite with that number, or `undefined`. */
export function cipherSuiteById(id: number): CipherSuite | undefined {
  return cipherSuites.find((suite) => suite.id === id);
}
