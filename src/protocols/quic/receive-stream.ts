/**
 * The receiving side of a stream.
 *
 * Owns putting bytes in order and the final size (RFC 9000 sections 2.2, 3.2 and 4.5). Does not own windows: whoever
 * calls has seen that what came was allowed. Bytes that came out of order are kept in the pieces in which they came,
 * which are in order and never overlap; one whose bytes all came before costs nothing. CRYPTO streams use it too, without
 * a final size.
 *
 * Work for a frame in order is constant; out of order it is a search by halves and the moving of what stands behind.
 *
 * @module
 */
import { QuicError, QuicFault } from './error-codes.ts';

/** How many pieces may wait whatever their size. */
const FREE_PIECES = 1_024;
/** The average size of a piece beyond that: a peer that sends every second byte makes each a piece. */
const LEAST_AVERAGE = 128;
/** A view of less than this part of its memory is copied, so that a few bytes do not keep a packet. */
const LEAST_PART = 4;
/** Pieces that were read are let go of in batches, of so many at least. */
const COMPACT_AT = 64;

/** Bytes of one stream, put in order. */
export class ReceiveStream {
  /** The offset of the next byte that is read. */
  #next: number;
  /** The greatest offset that was seen: what flow control counts. */
  #highest: number;
  #finalSize: number | undefined;
  /** Nothing is kept any more: the peer gave the stream up, or nobody reads it. */
  #silent: boolean;
  #reset: boolean;
  /** Where the pieces begin, and what is in them: those before {@link #head} were read. */
  readonly #offsets: number[];
  readonly #pieces: Uint8Array[];
  #head: number;
  /** How many bytes are in pieces. */
  #kept: number;

  constructor() {
    this.#next = 0;
    this.#highest = 0;
    this.#finalSize = undefined;
    this.#silent = false;
    this.#reset = false;
    this.#offsets = [];
    this.#pieces = [];
    this.#head = 0;
    this.#kept = 0;
  }

  /** The greatest offset that was seen. */
  get highest(): number {
    return this.#highest;
  }

  /** How many bytes were read. */
  get consumed(): number {
    return this.#next;
  }

  /** How many bytes wait to be read, those behind a gap too. */
  get kept(): number {
    return this.#kept;
  }

  /** In how many pieces. */
  get pieces(): number {
    return this.#pieces.length - this.#head;
  }

  get finalSize(): number | undefined {
    return this.#finalSize;
  }

  /** Whether every byte up to the end was read, or the peer reset it, or its end is known and nobody reads it. */
  get isOver(): boolean {
    return this.#reset || this.#next === this.#finalSize || (this.#silent && this.#finalSize !== undefined);
  }

  /**
   * Takes what came.
   *
   * @param frameType - for faults
   * @returns by how much the greatest offset rose
   * @throws QuicFault FINAL_SIZE_ERROR; INTERNAL_ERROR for too many small pieces
   */
  receive(offset: number, data: Uint8Array, fin: boolean, frameType = 0): number {
    const end = offset + data.length;
    if (fin) this.#setFinalSize(end, frameType);
    else if (this.#finalSize !== undefined && end > this.#finalSize) throw finalSizeFault(frameType);
    const risen = Math.max(0, end - this.#highest);
    this.#highest += risen;
    if (!this.#silent && end > this.#next) this.#insert(offset, owned(data), frameType);
    return risen;
  }

  /** The peer gave the stream up. Returns as {@link receive}. @throws QuicFault FINAL_SIZE_ERROR */
  reset(finalSize: number, frameType = 0): number {
    this.#setFinalSize(finalSize, frameType);
    const risen = finalSize - this.#highest;
    this.#highest = finalSize;
    this.#reset = true;
    this.discard();
    return risen;
  }

  /** Nobody reads any more: what waits is dropped, and so is what comes. Offsets are counted on. */
  discard(): void {
    this.#silent = true;
    this.#kept = 0;
    this.#clear();
  }

  /** The next bytes in order, or `undefined`: the datagram's memory, which is nobody else's, or a copy where they are few. */
  read(): Uint8Array | undefined {
    const head = this.#head;
    if (head === this.#pieces.length) return undefined;
    const offset = this.#offsets[head] as number;
    if (offset > this.#next) return undefined;
    const data = this.#pieces[head] as Uint8Array;
    this.#head = head + 1;
    if (this.#head === this.#pieces.length) this.#clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#pieces.length) this.#compact();
    this.#kept -= data.length;
    this.#next += data.length;
    return data;
  }

  /** Keeps the bytes that are not there yet; pieces stay in order, never overlap and begin at {@link #next} or behind. */
  #insert(offset: number, data: Uint8Array, frameType: number): void {
    const end = offset + data.length;
    let from = Math.max(offset, this.#next);
    let index = this.#indexBehind(from);
    if (index > this.#head) from = Math.max(from, this.#endOf(index - 1));
    while (from < end) {
      const after = index < this.#pieces.length ? (this.#offsets[index] as number) : end;
      const to = Math.min(end, after);
      if (to > from) {
        this.#put(index, from, to - from === data.length ? data : data.subarray(from - offset, to - offset), frameType);
        index += 1;
      }
      if (after >= end) return;
      from = Math.max(from, this.#endOf(index));
      index += 1;
    }
  }

  #put(index: number, offset: number, piece: Uint8Array, frameType: number): void {
    if (index === this.#pieces.length) {
      this.#offsets.push(offset);
      this.#pieces.push(piece);
    } else {
      this.#offsets.splice(index, 0, offset);
      this.#pieces.splice(index, 0, piece);
    }
    this.#kept += piece.length;
    if (this.pieces > FREE_PIECES && this.#kept < this.pieces * LEAST_AVERAGE) {
      throw new QuicFault(QuicError.internalError, 'a stream in too many pieces', frameType);
    }
  }

  /** The index of the first piece that begins behind an offset. */
  #indexBehind(offset: number): number {
    let low = this.#head;
    let high = this.#pieces.length;
    // Most of what comes stands behind everything that waits.
    if (low < high && (this.#offsets[high - 1] as number) <= offset) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #endOf(index: number): number {
    return (this.#offsets[index] as number) + (this.#pieces[index] as Uint8Array).length;
  }

  #compact(): void {
    this.#offsets.splice(0, this.#head);
    this.#pieces.splice(0, this.#head);
    this.#head = 0;
  }

  #clear(): void {
    this.#offsets.length = 0;
    this.#pieces.length = 0;
    this.#head = 0;
  }

  #setFinalSize(size: number, frameType: number): void {
    const other = this.#finalSize !== undefined && this.#finalSize !== size;
    if (other || size < this.#highest) throw finalSizeFault(frameType);
    this.#finalSize = size;
  }
}

function owned(data: Uint8Array): Uint8Array {
  return data.length * LEAST_PART < data.buffer.byteLength ? new Uint8Array(data) : data;
}

function finalSizeFault(frameType: number): QuicFault {
  return new QuicFault(QuicError.finalSizeError, 'a stream has another size than it had', frameType);
}
