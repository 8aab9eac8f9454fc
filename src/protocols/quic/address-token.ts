/**
 * Address validation tokens: those of Retry packets and those of NEW_TOKEN frames.
 *
 * Owns their sealing under rotating keys, what they are bound to, how long they live, and that a token of NEW_TOKEN counts
 * once (RFC 9000 sections 8.1.2 to 8.1.4). A server keeps nothing for a token that it gives; keys are shared by all who
 * answer on one address. Times are milliseconds since 1970.
 *
 * Format: kind, name of the key, nonce, and sealed: when it was issued and, for Retry, the client's first Destination
 * Connection ID. The kind, the client's address (of NEW_TOKEN its host alone) and, for Retry, the connection id that the
 * Retry chose are authenticated besides.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import { NONCE_LENGTH, TAG_LENGTH } from '../../crypto/index.ts';
import type { TicketKey } from '../../tls/index.ts';
import { ByteReader, ByteWriter, latin1Text, NEED_MORE } from '../../wire/index.ts';
import { hostOf } from './paths.ts';

/** A key for tokens: the same shape as that of session tickets, and never the same key. */
export type AddressTokenKey = TicketKey;

/** What a token says of the client that shows it. */
export type TokenVerdict =
  /** It came from our Retry to that client. */
  | { readonly kind: 'retry'; readonly originalDestinationId: Uint8Array }
  /** An earlier connection of that host was given it. {@link AddressTokens.claim} it before it counts. */
  | { readonly kind: 'new'; readonly nonce: string; readonly issuedAt: number }
  /** It says that it is a Retry's, and is not: the client will not accept another Retry (section 8.1.2). */
  | { readonly kind: 'invalidRetry' }
  /** It proves nothing, and is as good as none (section 8.1.3). */
  | { readonly kind: 'none' };

/** What {@link AddressTokens} is told. */
export interface AddressTokenOptions {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  /** The first one seals, all of them open. Without one no token is made or taken. */
  readonly keys: readonly AddressTokenKey[];
  /** Milliseconds for which a token of Retry is good. */
  readonly retryLifetime: number;
  /** Milliseconds for which a token of NEW_TOKEN is good. */
  readonly newLifetime: number;
  /** How many used tokens are remembered. When they are more, older tokens are refused rather than taken twice. */
  readonly maxRemembered: number;
}

const RETRY = 0xe7;
const NEW = 0x3c;
const NAME_LENGTH = 16;
const HEAD = 1 + NAME_LENGTH + NONCE_LENGTH;
const NONE: TokenVerdict = { kind: 'none' };
const INVALID_RETRY: TokenVerdict = { kind: 'invalidRetry' };
const EMPTY = new Uint8Array(0);

/** Seals and opens tokens. */
export class AddressTokens {
  readonly #crypto: CryptoProvider;
  readonly #random: Random;
  readonly #options: AddressTokenOptions;
  #keys: readonly AddressTokenKey[];
  /** Nonces of tokens that were used, in two generations: the older one goes when the newer one is full or old. */
  #used: Set<string>;
  #usedBefore: Set<string>;
  #usedSince: number;
  #latestUsed: number;
  #latestUsedBefore: number;
  /** Tokens issued up to then may have been used. */
  #forgottenUntil: number;

  constructor(options: AddressTokenOptions) {
    this.#crypto = options.crypto;
    this.#random = options.random;
    this.#options = options;
    this.#keys = options.keys;
    this.#used = new Set();
    this.#usedBefore = new Set();
    this.#usedSince = 0;
    this.#latestUsed = -1;
    this.#latestUsedBefore = -1;
    this.#forgottenUntil = -1;
  }

  /** Replaces the keys: a new one in front, old ones behind for as long as their tokens live. */
  rotate(keys: readonly AddressTokenKey[]): void {
    this.#keys = keys;
  }

  /**
   * A token for a Retry packet; `undefined` when there is no key.
   *
   * @param remote - where the client's packet came from
   * @param originalId - the Destination Connection ID of that packet
   * @param retryId - the Source Connection ID of the Retry, to which the client sends next
   */
  forRetry(remote: string, originalId: Uint8Array, retryId: Uint8Array, now: number): Uint8Array | undefined {
    return this.#seal(RETRY, bound(RETRY, remote, retryId), originalId, now);
  }

  /** A token for a NEW_TOKEN frame; `undefined` when there is no key. */
  forLater(remote: string, now: number): Uint8Array | undefined {
    return this.#seal(NEW, bound(NEW, hostOf(remote), EMPTY), EMPTY, now);
  }

  /** What a token of an Initial packet proves. @param destination - the packet's Destination Connection ID */
  open(token: Uint8Array, remote: string, destination: Uint8Array, now: number): TokenVerdict {
    const kind = token[0];
    if ((kind !== RETRY && kind !== NEW) || token.length < HEAD + TAG_LENGTH) return NONE;
    const retry = kind === RETRY;
    const opened = this.#open(token, retry ? bound(RETRY, remote, destination) : bound(NEW, hostOf(remote), EMPTY));
    const unproven = retry ? INVALID_RETRY : NONE;
    if (opened === undefined) return unproven;
    const reader = new ByteReader(opened);
    const high = reader.readUint32();
    const low = reader.readUint32();
    if (high === NEED_MORE || low === NEED_MORE) return unproven;
    const issuedAt = high * 2 ** 32 + low;
    const lifetime = retry ? this.#options.retryLifetime : this.#options.newLifetime;
    // One that seems to come from the future was made by another machine, whose clock is ahead.
    if (now - issuedAt > lifetime) return unproven;
    if (retry) return { kind: 'retry', originalDestinationId: reader.readRest() };
    const nonce = latin1Text(token, 1 + NAME_LENGTH, HEAD);
    const maybeUsed = issuedAt <= this.#forgottenUntil || this.#used.has(nonce) || this.#usedBefore.has(nonce);
    return maybeUsed ? NONE : { kind: 'new', nonce, issuedAt };
  }

  /** Takes a token of NEW_TOKEN for used (section 8.1.4). False when it was already. */
  claim(token: Extract<TokenVerdict, { kind: 'new' }>, now: number): boolean {
    const { nonce, issuedAt } = token;
    if (issuedAt <= this.#forgottenUntil || this.#used.has(nonce) || this.#usedBefore.has(nonce)) return false;
    const { maxRemembered, newLifetime } = this.#options;
    if (this.#used.size * 2 >= maxRemembered || now - this.#usedSince > newLifetime) this.#turnOver(now);
    this.#used.add(nonce);
    this.#latestUsed = Math.max(this.#latestUsed, issuedAt);
    return true;
  }

  /** The older generation is forgotten; what was issued up to its latest token counts no more. */
  #turnOver(now: number): void {
    this.#forgottenUntil = Math.max(this.#forgottenUntil, this.#latestUsedBefore);
    this.#usedBefore = this.#used;
    this.#latestUsedBefore = this.#latestUsed;
    this.#used = new Set();
    this.#latestUsed = -1;
    this.#usedSince = now;
  }

  #seal(kind: number, associated: Uint8Array, originalId: Uint8Array, now: number): Uint8Array | undefined {
    const key = this.#keys[0];
    if (key === undefined) return undefined;
    const plaintext = new ByteWriter(8 + originalId.length);
    plaintext.writeUint32(Math.floor(now / 2 ** 32));
    plaintext.writeUint32(Math.floor(now % 2 ** 32));
    plaintext.writeBytes(originalId);
    const content = plaintext.finish();
    const token = new Uint8Array(HEAD + content.length + TAG_LENGTH);
    token[0] = kind;
    token.set(key.name.subarray(0, NAME_LENGTH), 1);
    const nonce = this.#random.fill(token.subarray(1 + NAME_LENGTH, HEAD));
    this.#crypto.createAead('aes-256-gcm', key.key).seal(nonce, associated, content, token, HEAD);
    return token;
  }

  #open(token: Uint8Array, associated: Uint8Array): Uint8Array | undefined {
    const name = token.subarray(1, 1 + NAME_LENGTH);
    const key = this.#keys.find((candidate) => this.#crypto.equal(candidate.name, name));
    if (key === undefined) return undefined;
    const nonce = token.subarray(1 + NAME_LENGTH, HEAD);
    return this.#crypto.createAead('aes-256-gcm', key.key).open(nonce, associated, token.subarray(HEAD));
  }
}

/** What a token is good for. */
function bound(kind: number, address: string, id: Uint8Array): Uint8Array {
  const writer = new ByteWriter(2 + address.length + id.length);
  writer.writeUint8(kind);
  writer.writeUint8(id.length);
  writer.writeBytes(id);
  writer.writeLatin1(address);
  return writer.finish();
}
