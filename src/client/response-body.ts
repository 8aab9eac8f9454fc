/**
 * The body of a response between the connection that delivers it and whoever reads it.
 *
 * Owns the queue and its bound: bytes are given back to the connection (`dataConsumed`) as they come while little is
 * queued, and only as they are read above that, so a slow reader stops the sender.
 *
 * Invariants: never more queued than `bodyBuffer` and what one window or read brings beyond it; pieces are read in
 * order, then the end or the failure; a body is read in one way only, once; one that is cancelled ends the request.
 *
 * @module
 */
import { HfaceError, LimitError } from '../common/index.ts';
import type { ByteReader } from './byte-reader.ts';
import { readableStream } from './byte-reader.ts';
import type { ClientLimits } from './limits.ts';

/** What a body asks of its request. */
export interface BodyOwner {
  dataConsumed(length: number): void;
  abort(reason?: unknown): void;
}

/** A response body: an async iterable of bytes, which may be had whole or as a stream instead. */
export class ResponseBody implements AsyncIterable<Uint8Array>, ByteReader {
  readonly #owner: BodyOwner;
  readonly #limits: ClientLimits;
  /** Those that wait, from #first on. */
  #queue: Uint8Array[];
  #first: number;
  #queued: number;
  /** What is to be given back once the queue has room. */
  #owed: number;
  #ended: boolean;
  #error: unknown;
  #failed: boolean;
  #used: boolean;
  #waiting: ((outcome: Outcome) => void) | undefined;

  /**
   * Made by the session.
   *
   * @hidden
   */
  constructor(owner: BodyOwner, limits: ClientLimits) {
    this.#owner = owner;
    this.#limits = limits;
    this.#queue = NO_PIECES;
    this.#first = 0;
    this.#queued = 0;
    this.#owed = 0;
    this.#ended = false;
    this.#error = undefined;
    this.#failed = false;
    this.#used = false;
    this.#waiting = undefined;
  }

  /** Whether reading has begun. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether it ended and was empty, so that there is nothing to read. */
  get empty(): boolean {
    return this.#ended && this.#first === this.#queue.length;
  }

  /** Bytes that wait to be read. */
  get queuedBytes(): number {
    let bytes = 0;
    for (let index = this.#first; index < this.#queue.length; index += 1) bytes += this.#queue[index]?.byteLength ?? 0;
    return bytes;
  }

  /** The pieces in order; leaving the loop early gives up the rest. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    this.#use();
    let ended = false;
    try {
      for (;;) {
        const piece = await this.read();
        if (piece === undefined) {
          ended = true;
          return;
        }
        yield piece;
      }
    } finally {
      if (!ended) this.cancel();
    }
  }

  /** The body as a readable byte stream. */
  stream(): ReadableStream<Uint8Array> {
    this.#use();
    return readableStream(this, (error) => error);
  }

  /** All of it. @throws LimitError `maxBodyBytes` when it is larger than `most`; the request is given up then */
  bytes(most: number = this.#limits.maxBodyBytes): Promise<Uint8Array> {
    try {
      this.#use();
      const whole = this.#whole(most);
      return whole === undefined ? this.#gather(most) : Promise.resolve(whole);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** All of it as text in UTF-8, without byte order mark; malformed parts become U+FFFD. */
  text(most: number = this.#limits.maxBodyBytes): Promise<string> {
    try {
      this.#use();
      const whole = this.#whole(most);
      return whole === undefined ? this.#gather(most).then(decoded) : Promise.resolve(decoded(whole));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** All of it, if all of it is here and nobody has begun to read; it is read then. */
  take(): Uint8Array | undefined {
    if (this.#used || !this.#ended) return undefined;
    this.#used = true;
    return this.#whole(Infinity);
  }

  /** Whether all of it is here. */
  get complete(): boolean {
    return this.#ended;
  }

  /** All of it, when all of it is here. */
  #whole(most: number): Uint8Array | undefined {
    if (!this.#ended) return undefined;
    const pieces = this.#first === 0 ? this.#queue : this.#queue.slice(this.#first);
    let length = 0;
    for (const piece of pieces) length += piece.byteLength;
    this.#drop();
    if (length > most) throw tooLarge(most);
    return joined(pieces, length);
  }

  async #gather(most: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) {
      length += piece.byteLength;
      if (length > most) {
        const error = tooLarge(most);
        this.cancel(error);
        throw error;
      }
      pieces.push(piece);
    }
    return joined(pieces, length);
  }

  /** All of it as JSON. @throws SyntaxError */
  async json(most?: number): Promise<unknown> {
    return JSON.parse(await this.text(most)) as unknown;
  }

  /** The next piece; for who reads by hand. `undefined` at the end. */
  read(): Promise<Uint8Array | undefined> {
    this.#used = true;
    if (this.#first < this.#queue.length) return Promise.resolve(this.#shift());
    if (this.#failed) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(undefined);
    if (this.#waiting !== undefined) return Promise.reject(new TypeError('the body is being read already'));
    return new Promise((resolve, reject) => {
      this.#waiting = (outcome) => {
        if (outcome.failed) reject(outcome.error);
        else resolve(outcome.piece);
      };
    });
  }

  /** Gives up the rest: what is queued is dropped and the request is aborted, unless the body has ended. */
  cancel(reason?: unknown): void {
    this.#used = true;
    this.#drop();
    if (this.#ended || this.#failed) return;
    this.#owner.abort(
      reason instanceof HfaceError
        ? reason
        : new HfaceError('the body was cancelled', {
            code: 'ERR_BODY_CANCELLED',
            initiator: 'application',
            cause: reason,
          }),
    );
  }

  /**
   * Reads and drops the rest if it is short, so that the connection can be used again; else gives it up. Resolves when
   * the one or the other is done; never rejects.
   */
  async discard(most: number = this.#limits.maxDiscardedBytes): Promise<void> {
    let length = 0;
    try {
      for (let piece = await this.read(); piece !== undefined; piece = await this.read()) {
        length += piece.byteLength;
        if (length > most) {
          this.cancel();
          return;
        }
      }
    } catch {
      // A body that nobody wants has failed: that is nobody's failure.
    }
  }

  /**
   * A piece came.
   *
   * @internal
   */
  push(data: Uint8Array, length: number): void {
    if (data.byteLength === 0) {
      if (length > 0) this.#owner.dataConsumed(length);
      return;
    }
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      this.#owner.dataConsumed(length);
      waiting({ failed: false, piece: data, error: undefined });
      return;
    }
    if (this.#queue.length === 0) this.#queue = [data];
    else this.#queue.push(data);
    this.#queued += data.byteLength + PIECE_OVERHEAD;
    if (this.#queued <= this.#limits.bodyBuffer) this.#owner.dataConsumed(length);
    else this.#owed += length;
  }

  /**
   * There is no more.
   *
   * @internal
   */
  end(): void {
    if (this.#failed) return;
    this.#ended = true;
    // All of it is here: to hold the connection up would save nothing.
    this.#giveBack();
    this.#settle({ failed: false, piece: undefined, error: undefined });
  }

  /**
   * It broke off. What came before can still be read.
   *
   * @internal
   */
  fail(error: unknown): void {
    if (this.#ended || this.#failed) return;
    this.#failed = true;
    this.#error = error;
    this.#settle({ failed: true, piece: undefined, error });
  }

  #drop(): void {
    this.#queue = NO_PIECES;
    this.#first = 0;
    this.#queued = 0;
  }

  #settle(outcome: Outcome): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(outcome);
  }

  #use(): void {
    if (this.#used) throw new TypeError('the body has been read already');
    this.#used = true;
  }

  #shift(): Uint8Array {
    const piece = this.#queue[this.#first] as Uint8Array;
    this.#first += 1;
    if (this.#first === this.#queue.length) {
      this.#queue = NO_PIECES;
      this.#first = 0;
    } else if (this.#first >= 64 && 2 * this.#first >= this.#queue.length) {
      this.#queue.splice(0, this.#first);
      this.#first = 0;
    }
    this.#queued -= piece.byteLength + PIECE_OVERHEAD;
    if (2 * this.#queued <= this.#limits.bodyBuffer) this.#giveBack();
    return piece;
  }

  #giveBack(): void {
    const owed = this.#owed;
    this.#owed = 0;
    if (owed > 0) this.#owner.dataConsumed(owed);
  }
}

/** What a piece costs besides its bytes, so that a body of single bytes is bounded as well. */
const PIECE_OVERHEAD = 128;

interface Outcome {
  readonly failed: boolean;
  readonly piece: Uint8Array | undefined;
  readonly error: unknown;
}

/** Never changed. */
const NO_PIECES: Uint8Array[] = [];
const decoder = new TextDecoder();

function decoded(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function tooLarge(most: number): LimitError {
  return new LimitError(`the body is larger than ${most} bytes`, { limit: 'maxBodyBytes', value: most });
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.byteLength;
  }
  return bytes;
}
