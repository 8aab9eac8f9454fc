/**
 * The keys of a QUIC endpoint: all from one secret, those for tickets and tokens anew every hour.
 *
 * Owns the derivation (HMAC-SHA-256 of a label, RFC 5869's expand step with one block) and the generations. A ticket or
 * token is good for as long as its key is among the newest; three generations outlast a ticket's two hours. Who shares
 * `ticketKeys` with other processes shares all of it, and renews it by `updateTls`.
 *
 * @module
 */
import type { Random } from '../common/index.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { QuicEndpointKeys } from '../protocols/quic/index.ts';

/** How long a key seals, in milliseconds. */
export const KEY_LIFETIME = 3_600_000;
/** How many keys open besides the one that seals. */
const KEPT = 3;

type SealingKey = QuicEndpointKeys['tickets'][number];

/** Makes the keys of an endpoint. */
export class QuicKeys {
  readonly #crypto: CryptoProvider;
  readonly #random: Random;
  readonly #root: Uint8Array;
  #shared: Uint8Array | undefined;
  #tickets: readonly SealingKey[];
  #tokens: readonly SealingKey[];
  #renewAt: number;

  /** @param shared - what several processes have in common; `undefined`: keys of this process alone */
  constructor(crypto: CryptoProvider, random: Random, shared: Uint8Array | undefined, now: number) {
    this.#crypto = crypto;
    this.#random = random;
    this.#root = shared ?? random.fill(new Uint8Array(32));
    this.#shared = shared;
    this.#tickets = [];
    this.#tokens = [];
    this.#renewAt = now;
    this.#renew(now);
  }

  /** The keys in force. */
  get current(): QuicEndpointKeys {
    return {
      connectionIds: this.#derive(this.#root, 'connection ids').subarray(0, 16),
      reset: this.#derive(this.#root, 'stateless reset'),
      tickets: this.#tickets,
      tokens: this.#tokens,
    };
  }

  /** New keys where it is time for them; whether it was. */
  renewed(now: number): boolean {
    if (this.#shared !== undefined || now < this.#renewAt) return false;
    this.#renew(now);
    return true;
  }

  /** Another configuration: its tickets count, those of the one before do not, unless both name the same keys. */
  replace(shared: Uint8Array | undefined, now: number): void {
    const before = this.#shared;
    this.#shared = shared;
    if (shared !== undefined && before !== undefined && this.#crypto.equal(shared, before)) return;
    this.#tickets = [];
    this.#renew(now);
  }

  #renew(now: number): void {
    this.#renewAt = now + KEY_LIFETIME;
    const secret = this.#shared ?? this.#random.fill(new Uint8Array(32));
    this.#tickets = [this.#sealingKey(secret, 'tickets'), ...this.#tickets].slice(0, 1 + KEPT);
    this.#tokens = [this.#sealingKey(secret, 'tokens'), ...this.#tokens].slice(0, 1 + KEPT);
  }

  #sealingKey(secret: Uint8Array, use: string): SealingKey {
    return {
      name: this.#derive(secret, `${use} name`).subarray(0, 16),
      key: this.#derive(secret, `${use} key`),
    };
  }

  #derive(secret: Uint8Array, label: string): Uint8Array {
    return this.#crypto.hmac('sha256', secret, Buffer.from(`hface-ts quic ${label}\x01`));
  }
}
