/**
 * The receiving side of a stream.
 *
 * Owns putting bytes in order, the final size, and what the window allows (RFC 9000 sections 2.2, 3.2, 4.1 and 4.5).
 * Bytes that came out of order are kept, at most the window's worth, in the pieces in which they came; a piece whose
 * bytes all came before costs nothing. CRYPTO streams use it too, without a final size.
 *
 * @module
 */
import { QuicError, QuicFault } from './error-codes.ts';

interface Piece {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** How many pieces may wait. A peer that sends every second byte makes each a piece. */
const MAX_PIECES = 1_024;

/** Bytes of one stream, put in order. */
export class ReceiveStream {
  /** The offset of the next byte that is read. */
  #next: number;
  /** The greatest offset that was seen: what flow control counts. */
  #highest: number;
  #finalSize: number | undefined;
  #reset: boolean;
  readonly #pieces: Piece[];

  constructor() {
    this.#next = 0;
    this.#highest = 0;
    this.#finalSize = undefined;
    this.#reset = false;
    this.#pieces = [];
  }

  /** The greatest offset that was seen. */
  get highest(): number {
    return this.#highest;
  }

  /** How many bytes were read. */
  get consumed(): number {
    return this.#next;
  }

  get finalSize(): number | undefined {
    return this.#finalSize;
  }

  /** Whether every byte up to the end was read, or the peer reset it. */
  get isOver(): boolean {
    return this.#reset || this.#next === this.#finalSize;
  }

  /**
   * Takes what came.
   *
   * @returns by how much the greatest offset rose
   * @throws QuicFault FINAL_SIZE_ERROR
   */
  receive(offset: number, data: Uint8Array, fin: boolean): number {
    const end = offset + data.length;
    if (fin) this.#setFinalSize(end);
    else if (this.#finalSize !== undefined && end > this.#finalSize) throw finalSizeFault();
    const risen = Math.max(0, end - this.#highest);
    this.#highest += risen;
    if (!this.#reset && end > this.#next) this.#insert(offset, data);
    return risen;
  }

  /** The peer gave the stream up. Returns as {@link receive}. @throws QuicFault FINAL_SIZE_ERROR */
  reset(finalSize: number): number {
    this.#setFinalSize(finalSize);
    const risen = finalSize - this.#highest;
    this.#highest = finalSize;
    this.#reset = true;
    this.#pieces.length = 0;
    return risen;
  }

  /** The next bytes in order, or `undefined`. They belong to the datagram that brought them, which is nobody else's. */
  read(): Uint8Array | undefined {
    const first = this.#pieces[0];
    if (first === undefined || first.offset > this.#next) return undefined;
    this.#pieces.shift();
    const data = first.data.subarray(this.#next - first.offset);
    this.#next += data.length;
    return data;
  }

  /** Keeps the bytes that are not there yet; pieces stay in order and never overlap. */
  #insert(offset: number, data: Uint8Array): void {
    let from = Math.max(offset, this.#next);
    const end = offset + data.length;
    let index = this.#pieces.length;
    while (index > 0 && (this.#pieces[index - 1] as Piece).offset > from) index -= 1;
    const before = this.#pieces[index - 1];
    if (before !== undefined) from = Math.max(from, before.offset + before.data.length);
    while (from < end) {
      const after = this.#pieces[index];
      const to = after === undefined ? end : Math.min(end, after.offset);
      if (to > from) {
        if (this.#pieces.length >= MAX_PIECES) {
          throw new QuicFault(QuicError.flowControlError, 'a stream in too many pieces');
        }
        this.#pieces.splice(index, 0, { offset: from, data: data.subarray(from - offset, to - offset) });
        index += 1;
      }
      if (after === undefined) return;
      from = Math.max(from, after.offset + after.data.length);
      index += 1;
    }
  }

  #setFinalSize(size: number): void {
    const other = this.#finalSize !== undefined && this.#finalSize !== size;
    if (other || size < this.#highest) throw finalSizeFault();
    this.#finalSize = size;
  }
}

function finalSizeFault(): QuicFault {
  return new QuicFault(QuicError.finalSizeError, 'a stream has another size than it had');
}
