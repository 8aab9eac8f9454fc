/**
 * Where an endpoint's connection ids come from, and which worker a datagram belongs to.
 *
 * Owns the form of ids: eight random bytes, and the worker's index under a mask that is made from them with a key that all
 * workers share (RFC 9000 section 5.1: nobody else can tell that two ids belong together). Ids that clients chose
 * are shared out by a keyed hash. Handing a datagram over to another worker is the driver's.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import type { CryptoProvider, HeaderProtection } from '../../crypto/index.ts';
import { MASK_LENGTH, SAMPLE_LENGTH } from '../../crypto/index.ts';
import type { ConnectionIdSource, IssuedConnectionId } from './connection-config.ts';
import { statelessResetToken } from './stateless-reset.ts';

/** The length of the ids that endpoints issue, in bytes. */
export const CONNECTION_ID_LENGTH = 10;
const NONCE = 8;
/** Workers are numbered by two bytes. */
export const MAX_WORKERS = 0x10000;
const LONG = 0x80;

/** The keys that the workers of one address have in common. */
export interface ConnectionIdKeys {
  /** 16 bytes: hides the worker's index in connection ids, and shares out the ids of clients. */
  readonly connectionIds: Uint8Array;
  /** 32 bytes: makes stateless reset tokens. */
  readonly reset: Uint8Array;
}

/** Makes the ids of one worker. */
export class WorkerConnectionIds implements ConnectionIdSource {
  readonly length: number;
  readonly #crypto: CryptoProvider;
  readonly #random: Random;
  readonly #resetKey: Uint8Array;
  readonly #worker: number;
  readonly #mask: IndexMask;
  /** Views of small arrays cost more than what is in them: V8 moves those out of its heap for it. */
  readonly #draw: Uint8Array;
  readonly #taken: (id: Uint8Array) => boolean;

  /** @param taken - whether an id is in use already */
  constructor(
    crypto: CryptoProvider,
    random: Random,
    keys: ConnectionIdKeys,
    worker: number,
    taken: (id: Uint8Array) => boolean,
  ) {
    this.length = CONNECTION_ID_LENGTH;
    this.#crypto = crypto;
    this.#random = random;
    this.#resetKey = keys.reset;
    this.#worker = worker;
    this.#mask = new IndexMask(crypto, keys.connectionIds);
    this.#draw = new Uint8Array(NONCE);
    this.#taken = taken;
  }

  next(): IssuedConnectionId {
    const id = new Uint8Array(CONNECTION_ID_LENGTH);
    do {
      this.#random.fill(this.#draw);
      for (let index = 0; index < NONCE; index += 1) id[index] = this.#draw[index] as number;
      const masked = this.#worker ^ this.#mask.of(id, 0);
      id[NONCE] = masked >> 8;
      id[NONCE + 1] = masked & 0xff;
    } while (this.#taken(id));
    return { id, resetToken: this.resetToken(id) };
  }

  /** The token of an id, whether it is one of these or not. */
  resetToken(id: Uint8Array): Uint8Array {
    return statelessResetToken(this.#crypto, this.#resetKey, id);
  }
}

/** Tells which worker a datagram is for. */
export class WorkerRouter {
  readonly #crypto: CryptoProvider;
  readonly #key: Uint8Array;
  readonly #workers: number;
  readonly #mask: IndexMask;

  /** @param workers - how many there are, numbered from 0 */
  constructor(crypto: CryptoProvider, keys: Pick<ConnectionIdKeys, 'connectionIds'>, workers: number) {
    this.#crypto = crypto;
    this.#key = keys.connectionIds;
    this.#workers = workers;
    this.#mask = new IndexMask(crypto, keys.connectionIds);
  }

  /**
   * The index of the worker. What is no packet gets 0.
   *
   * An id of our length that a client chose is read as if we had made it: that names some worker, the same one each
   * time, which is all that is wanted.
   */
  workerOf(datagram: Uint8Array): number {
    const at = destinationOffset(datagram);
    if (at === undefined) return 0;
    const length = at === 1 ? CONNECTION_ID_LENGTH : (datagram[at - 1] as number);
    if (datagram.length < at + length) return 0;
    if (length === CONNECTION_ID_LENGTH) {
      const masked = ((datagram[at + NONCE] as number) << 8) | (datagram[at + NONCE + 1] as number);
      const index = masked ^ this.#mask.of(datagram, at);
      if (index < this.#workers) return index;
    }
    const hash = this.#crypto.hmac('sha256', this.#key, datagram.subarray(at, at + length));
    const [high = 0, middle = 0, low = 0] = hash;
    return ((high << 16) | (middle << 8) | low) % this.#workers;
  }
}

/** Where the destination id begins; `undefined` where there is none. */
function destinationOffset(datagram: Uint8Array): number | undefined {
  const first = datagram[0];
  if (first === undefined) return undefined;
  if ((first & LONG) === 0) return 1;
  // Long header: version, then the id behind its length (RFC 8999 section 5.1).
  return datagram.length > 5 ? 6 : undefined;
}

/** Two bytes made from an id's random part. */
class IndexMask {
  readonly #cipher: HeaderProtection;
  readonly #sample: Uint8Array;
  readonly #bytes: Uint8Array;

  constructor(crypto: CryptoProvider, key: Uint8Array) {
    this.#cipher = crypto.createHeaderProtection('aes-128-gcm', key);
    this.#sample = new Uint8Array(SAMPLE_LENGTH);
    this.#bytes = new Uint8Array(MASK_LENGTH);
  }

  of(bytes: Uint8Array, at: number): number {
    for (let index = 0; index < NONCE; index += 1) this.#sample[index] = bytes[at + index] as number;
    this.#cipher.masks(this.#sample, this.#bytes);
    return ((this.#bytes[0] as number) << 8) | (this.#bytes[1] as number);
  }
}
