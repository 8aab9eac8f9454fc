/**
 * AEAD and header protection on node:crypto.
 *
 * Owns how node's ciphers are driven: one per packet for AEAD, since a context cannot be kept for a new nonce; one kept
 * for AES header protection, which masks a whole flight in one call.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Cipher, CipherGCMTypes } from 'node:crypto';
import type { AeadName } from './cipher-suites.ts';
import { MASK_LENGTH, SAMPLE_LENGTH, TAG_LENGTH } from './cipher-suites.ts';
import type { Aead, HeaderProtection } from './crypto-provider.ts';

const OPTIONS = { authTagLength: TAG_LENGTH } as const;

/** An AEAD key. node's types know chacha20-poly1305 by a signature of its own; it is driven like GCM. */
export class NodeAead implements Aead {
  readonly #algorithm: CipherGCMTypes;
  readonly #key: Uint8Array;

  constructor(name: AeadName, key: Uint8Array) {
    this.#algorithm = name as CipherGCMTypes;
    this.#key = key;
  }

  /** @inheritdoc */
  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array, offset: number): number {
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    const sealed = cipher.update(plaintext);
    cipher.final();
    out.set(sealed, offset);
    out.set(cipher.getAuthTag(), offset + sealed.length);
    return sealed.length + TAG_LENGTH;
  }

  /** @inheritdoc */
  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const length = sealed.length - TAG_LENGTH;
    if (length < 0) return undefined;
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    decipher.setAuthTag(sealed.subarray(length));
    decipher.setAAD(associated, { plaintextLength: length });
    const opened = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    // Not a Buffer: see networking/udp-socket.ts.
    return new Uint8Array(opened.buffer, opened.byteOffset, opened.length);
  }
}

/** AES: a mask is the beginning of the sample's encryption (RFC 9001 section 5.4.3). */
export class NodeAesHeaderProtection implements HeaderProtection {
  readonly #cipher: Cipher;

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv(key.length === 16 ? 'aes-128-ecb' : 'aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** @inheritdoc */
  masks(samples: Uint8Array, out: Uint8Array): void {
    const blocks = this.#cipher.update(samples);
    for (let from = 0, to = 0; from < blocks.length; from += SAMPLE_LENGTH, to += MASK_LENGTH) {
      for (let index = 0; index < MASK_LENGTH; index += 1) out[to + index] = blocks[from + index] as number;
    }
  }
}

/** ChaCha20: the sample is counter and nonce, as OpenSSL's IV wants them (RFC 9001 section 5.4.4). */
export class NodeChaChaHeaderProtection implements HeaderProtection {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @inheritdoc */
  masks(samples: Uint8Array, out: Uint8Array): void {
    for (let from = 0, to = 0; from < samples.length; from += SAMPLE_LENGTH, to += MASK_LENGTH) {
      const cipher = createCipheriv('chacha20', this.#key, samples.subarray(from, from + SAMPLE_LENGTH));
      out.set(cipher.update(ZEROS), to);
    }
  }
}

const ZEROS = new Uint8Array(MASK_LENGTH);
