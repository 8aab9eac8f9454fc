/**
 * All output of a connection that the driver has not taken yet.
 *
 * Owns: the positions by which a stream's share of it is told (how much was ever written, how much was ever taken), and
 * the size of one portion. A portion doubles while the driver asks again soon and falls back when it does not: bulk goes
 * out in large writes, while a slow peer leaves only little in the socket, where the engine's timers cannot see it.
 * Joining small pieces is wire/'s work.
 *
 * @module
 */
import { OutputBuffer, RingQueue } from '../../wire/index.ts';

const FIRST_PORTION = 65_536;
const LARGEST_PORTION = 1_048_576;
/** Asked again within this many milliseconds, the next portion is twice as large. */
const SOON = 500;

/** A queue of bytes in the order of writing. */
export class SendQueue {
  readonly #buffer: OutputBuffer;
  /** Pieces that were cut from the buffer and not given yet. */
  readonly #pieces: RingQueue<Uint8Array>;
  #piecesSize: number;
  #taken: number;
  #portion: number;
  #lastTake: number;

  constructor() {
    this.#buffer = new OutputBuffer();
    this.#pieces = new RingQueue<Uint8Array>();
    this.#piecesSize = 0;
    this.#taken = 0;
    this.#portion = FIRST_PORTION;
    this.#lastTake = -Infinity;
  }

  /** How many bytes wait. */
  get pending(): number {
    return this.#piecesSize + this.#buffer.size;
  }

  /** How many bytes were ever taken. */
  get taken(): number {
    return this.#taken;
  }

  /** How many bytes were ever written: the position of the next one. */
  get written(): number {
    return this.#taken + this.#piecesSize + this.#buffer.size;
  }

  /** Writes text, one octet a character; it was validated before. */
  writeText(text: string): void {
    this.#buffer.writeLatin1(text);
  }

  /** Writes a chunk, which belongs to the queue from now on. */
  writeBytes(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#buffer.write(chunk);
  }

  /** The next portion, given away; `undefined` when nothing waits. */
  take(now: number): Uint8Array[] | undefined {
    const size = this.pending;
    if (size === 0) return undefined;
    this.#portion = now - this.#lastTake < SOON ? Math.min(this.#portion * 2, LARGEST_PORTION) : FIRST_PORTION;
    this.#lastTake = now;
    if (size <= this.#portion && this.#piecesSize === 0) {
      this.#taken += size;
      return this.#buffer.take();
    }
    return this.#takePortion();
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#buffer.clear();
    this.#pieces.clear();
    this.#piecesSize = 0;
  }

  #takePortion(): Uint8Array[] {
    for (const piece of this.#buffer.take() ?? []) {
      this.#pieces.push(piece);
      this.#piecesSize += piece.length;
    }
    const portion: Uint8Array[] = [];
    let room = this.#portion;
    while (room > 0) {
      const piece = this.#pieces.shift();
      if (piece === undefined) break;
      const part = piece.length > room ? piece.subarray(0, room) : piece;
      if (part !== piece) this.#pieces.unshift(piece.subarray(room));
      portion.push(part);
      room -= part.length;
      this.#piecesSize -= part.length;
      this.#taken += part.length;
    }
    return portion;
  }
}
