/**
 * The sending side of a stream.
 *
 * Owns the bytes until they are acknowledged, what of them is to be sent first or again, and the end (RFC 9000 sections
 * 2.2, 3.1 and 13.3). Chunks are kept as they were given and cut into views. CRYPTO streams use it too, without an end.
 *
 * @module
 */
import { RangeSet } from '../../wire/index.ts';

interface Chunk {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** A stretch to be sent. */
export interface SendPiece {
  readonly offset: number;
  readonly data: Uint8Array;
  readonly fin: boolean;
}

/** Bytes of one stream, on their way. */
export class SendStream {
  readonly #chunks: Chunk[];
  /** Offsets that are acknowledged. */
  readonly #acknowledged: RangeSet;
  /** Offsets that were lost and are to be sent again. */
  readonly #lost: RangeSet;
  #length: number;
  #sent: number;
  #ended: boolean;
  #finPending: boolean;
  #finAcknowledged: boolean;

  constructor() {
    this.#chunks = [];
    this.#acknowledged = new RangeSet();
    this.#lost = new RangeSet();
    this.#length = 0;
    this.#sent = 0;
    this.#ended = false;
    this.#finPending = false;
    this.#finAcknowledged = false;
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** The greatest offset that was sent: what flow control counts. */
  get sent(): number {
    return this.#sent;
  }

  /** How many bytes are kept. */
  get buffered(): number {
    const first = this.#chunks[0];
    return first === undefined ? 0 : this.#length - first.offset;
  }

  /** Whether bytes wait that were never sent. */
  get hasUnsent(): boolean {
    return this.#sent < this.#length;
  }

  /** Whether there is anything to send, flow control apart. */
  get hasPending(): boolean {
    return this.#lost.length > 0 || this.#sent < this.#length || this.#finPending;
  }

  /** Whether all of it, and the end, arrived. */
  get isComplete(): boolean {
    return this.#finAcknowledged && this.#acknowledged.size === this.#length;
  }

  /** Adds bytes, which belong to the stream from here on, and the end when `fin`. */
  write(data: Uint8Array, fin: boolean): void {
    if (data.length > 0) {
      this.#chunks.push({ offset: this.#length, data });
      this.#length += data.length;
    }
    if (fin && !this.#ended) {
      this.#ended = true;
      this.#finPending = true;
    }
  }

  /**
   * The next stretch to send: what was lost before what is new.
   *
   * @param room - how many bytes fit in the packet
   * @param limit - the greatest offset that flow control allows
   */
  next(room: number, limit: number): SendPiece | undefined {
    if (this.#lost.length > 0) {
      const offset = this.#lost.start(0);
      const end = this.#lost.end(0);
      return this.#piece(offset, Math.min(end - offset, room));
    }
    const end = Math.min(this.#length, limit);
    const fresh = Math.min(end - this.#sent, room);
    if (fresh > 0) return this.#piece(this.#sent, fresh);
    // An end without bytes; it counts nothing.
    if (this.#finPending && this.#sent === this.#length) {
      return { offset: this.#length, data: EMPTY, fin: true };
    }
    return undefined;
  }

  /** What {@link next} gave was put in a packet. */
  took(piece: SendPiece): void {
    const end = piece.offset + piece.data.length;
    if (piece.offset < this.#sent) this.#lost.remove(piece.offset, Math.min(end, this.#sent));
    this.#sent = Math.max(this.#sent, end);
    if (piece.fin) this.#finPending = false;
  }

  /** A stretch arrived. */
  acknowledged(offset: number, length: number, fin: boolean): void {
    if (fin) {
      this.#finAcknowledged = true;
      this.#finPending = false;
    }
    if (length === 0) return;
    this.#acknowledged.add(offset, offset + length);
    this.#lost.remove(offset, offset + length);
    this.#release();
  }

  /** A stretch was lost. */
  lost(offset: number, length: number, fin: boolean): void {
    if (fin && !this.#finAcknowledged) this.#finPending = true;
    if (length === 0) return;
    this.#lost.add(offset, offset + length);
    // What arrived by another packet needs no second time.
    for (let index = 0; index < this.#acknowledged.length; index += 1) {
      const start = this.#acknowledged.start(index);
      if (start >= offset + length) break;
      this.#lost.remove(start, this.#acknowledged.end(index));
    }
  }

  /** Everything is to be sent again from the beginning, as after a Retry. */
  restart(): void {
    this.#lost.clear();
    this.#acknowledged.clear();
    this.#sent = 0;
    this.#finPending = this.#ended;
  }

  /** Bytes that are of no use any more. */
  discard(): void {
    this.#chunks.length = 0;
    this.#lost.clear();
    this.#finPending = false;
  }

  #piece(offset: number, length: number): SendPiece {
    const chunk = this.#chunkAt(offset);
    const from = offset - chunk.offset;
    const data = chunk.data.subarray(from, Math.min(from + length, chunk.data.length));
    return { offset, data, fin: this.#ended && offset + data.length === this.#length };
  }

  /** The chunk that holds an offset: by halves, since many small ones may wait. */
  #chunkAt(offset: number): Chunk {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle] as Chunk).offset <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#chunks[low] as Chunk;
  }

  /** Lets go of chunks that arrived whole, from the front. */
  #release(): void {
    if (this.#acknowledged.min !== 0) return;
    const upTo = this.#acknowledged.end(0);
    let count = 0;
    while (count < this.#chunks.length) {
      const chunk = this.#chunks[count] as Chunk;
      if (chunk.offset + chunk.data.length > upTo) break;
      count += 1;
    }
    if (count > 0) this.#chunks.splice(0, count);
  }
}

const EMPTY = new Uint8Array(0);
