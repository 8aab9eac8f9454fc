/**
 * The crypto provider on node:crypto: every primitive is OpenSSL's.
 *
 * Owns the assembly; each primitive has a file of its own.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { HashName } from './cipher-suites.ts';
import type { CryptoProvider, TranscriptHash } from './crypto-provider.ts';
import { NodeAead, NodeAesHeaderProtection, NodeChaChaHeaderProtection } from './node-aead.ts';
import { answerAgreement, availableGroups, generateAgreement } from './node-key-agreement.ts';
import { hmac } from './node-hmac.ts';
import { importCertificateKey, importSigningKey } from './node-signatures.ts';

/** Cryptography by node:crypto. */
export const nodeCryptoProvider: CryptoProvider = {
  createAead: (name, key) => new NodeAead(name, key),
  createHeaderProtection: (name, key) =>
    name === 'chacha20-poly1305' ? new NodeChaChaHeaderProtection(key) : new NodeAesHeaderProtection(key),
  createTranscriptHash: (hash) => new NodeTranscriptHash(hash),
  hash: (hash, data) => createHash(hash).update(data).digest(),
  hmac,
  equal: (one, other) => one.length === other.length && timingSafeEqual(one, other),
  groups: availableGroups(),
  generateKeyAgreement: generateAgreement,
  answerKeyAgreement: answerAgreement,
  importSigningKey,
  importCertificateKey,
};

class NodeTranscriptHash implements TranscriptHash {
  readonly #hash: Hash;

  constructor(hash: HashName) {
    this.#hash = createHash(hash);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Uint8Array {
    return this.#hash.copy().digest();
  }
}
