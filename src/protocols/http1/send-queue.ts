/**
 * All output of a connection that the driver has not taken yet.
 *
 * Owns: the positions by which a stream's share of it is told (how much was ever written, how much was ever taken), and
 * the cutting into portions (portion-size.ts). Joining small pieces is wire/'s work.
 *
 * @module
 */
import { OutputBuffer, RingQueue } from '../../wire/index.ts';
import { FIRST_PORTION, PortionSize } from '../portion-size.ts';

/** A queue of bytes in the order of writing. */
export class SendQueue {
  /** How much is given at once, as the peer's pace has shown; `undefined` before the first output of more than a portion. */
  portion: PortionSize | undefined;
  readonly #buffer: OutputBuffer;
  /** Pieces that were cut from the buffer and not given yet. */
  readonly #pieces: RingQueue<Uint8Array>;
  #piecesSize: number;
  #taken: number;

  constructor() {
    this.portion = undefined;
    this.#buffer = new OutputBuffer();
    this.#pieces = new RingQueue<Uint8Array>();
    this.#piecesSize = 0;
    this.#taken = 0;
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

  /** Writes a whole message: a head that was validated before, and its content. See {@link OutputBuffer.writeMessage}. */
  writeMessage(head: string, body: Uint8Array | string, length: number): Uint8Array | undefined {
    return this.#buffer.writeMessage(head, body, length);
  }

  /** Writes all of a message that nothing follows. See {@link OutputBuffer.writeAlone}. */
  writeAlone(message: Uint8Array): void {
    this.#buffer.writeAlone(message);
  }

  /** The next portion, given away; `undefined` when nothing waits. */
  take(now: number): Uint8Array[] | undefined {
    const size = this.pending;
    if (size === 0) return undefined;
    if (size <= FIRST_PORTION && this.#piecesSize === 0) return this.#takeAll(size);
    this.portion ??= new PortionSize();
    const portion = this.portion.next(now);
    if (size <= portion && this.#piecesSize === 0) return this.#takeAll(size);
    return this.#takePortion(portion);
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#buffer.clear();
    this.#pieces.clear();
    this.#piecesSize = 0;
  }

  #takeAll(size: number): Uint8Array[] | undefined {
    this.#taken += size;
    return this.#buffer.take();
  }

  #takePortion(size: number): Uint8Array[] {
    for (const piece of this.#buffer.take() ?? []) {
      this.#pieces.push(piece);
      this.#piecesSize += piece.length;
    }
    const portion: Uint8Array[] = [];
    let room = size;
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
