/**
 * The transcript of a handshake.
 *
 * Owns the messages until the hash function is known, the synthetic message_hash after a HelloRetryRequest (RFC 8446
 * section 4.4.1), and the running hash from then on.
 *
 * @module
 */
import type { CryptoProvider, HashName, TranscriptHash } from '../crypto/index.ts';
import { handshakeMessage, HandshakeType } from './handshake-types.ts';

/** Messages, hashed in order. */
export class Transcript {
  readonly #crypto: CryptoProvider;
  #early: Uint8Array[];
  #hash: TranscriptHash | undefined;

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
    this.#early = [];
    this.#hash = undefined;
  }

  /** Adds a message, header included. */
  add(message: Uint8Array): void {
    if (this.#hash === undefined) this.#early.push(message);
    else this.#hash.update(message);
  }

  /** Says which hash it is; once is enough. */
  choose(name: HashName): void {
    if (this.#hash !== undefined) return;
    this.#hash = this.#crypto.createTranscriptHash(name);
    for (const message of this.#early) this.#hash.update(message);
    this.#early = [];
  }

  /** A HelloRetryRequest follows: what there was until now is replaced by its hash. */
  retry(name: HashName): void {
    const clientHello = this.#crypto.createTranscriptHash(name);
    for (const message of this.#early) clientHello.update(message);
    this.#early = [handshakeMessage(HandshakeType.messageHash, (writer) => writer.writeBytes(clientHello.digest()))];
  }

  /** The hash of everything so far. Only after {@link choose}. */
  digest(): Uint8Array {
    if (this.#hash === undefined) throw new TypeError('no hash was chosen');
    return this.#hash.digest();
  }

  /** The hash of everything so far by a hash function that is not chosen yet: of the session that is offered. */
  digestAs(name: HashName): Uint8Array {
    const hash = this.#crypto.createTranscriptHash(name);
    for (const message of this.#early) hash.update(message);
    return hash.digest();
  }

  /** The same with one more message, or part of one, that is not added. */
  digestWith(name: HashName, message: Uint8Array): Uint8Array {
    const hash = this.#crypto.createTranscriptHash(name);
    for (const early of this.#early) hash.update(early);
    hash.update(message);
    return hash.digest();
  }
}
