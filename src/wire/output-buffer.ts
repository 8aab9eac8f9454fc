/**
 * Bytes on their way out, collected between two flushes.
 *
 * Owns: joining what is small and passing what is large, so that one flush is one write of few pieces. Does not own
 * limits, nor the grammar: text must be latin1 that was validated before.
 *
 * Text is kept as text until something else follows or the output is taken; a head that is written in forty pieces is
 * encoded in one go. Small chunks are copied behind it; chunks above {@link JOINED_CHUNK_LIMIT} pass uncopied as
 * pieces of their own. Which pieces come out depends on what was written only, never on other buffers: a run can be
 * replayed exactly.
 *
 * Invariants: the pieces hold exactly what was written, in order; memory handed out by {@link OutputBuffer.take} is
 * never written again; between a `take` and the next write the buffer holds no memory at all.
 *
 * @module
 */

import { varintLength, writeVarint } from './varint.ts';

/** Chunks of up to this size, in bytes, are joined with what stands around them; larger ones pass uncopied. */
export const JOINED_CHUNK_LIMIT = 4096;

/** A joined piece ends before it exceeds this size, in bytes. */
const RUN_LIMIT = 16_384;
/** Room beyond what is needed, in bytes: what ends a message is mostly short. */
const SLACK = 64;
const NO_BYTES = Buffer.alloc(0);
/** Memory from which middle-sized pieces are cut: making each its own would cost more than filling it. */
const SLAB = 65_536;
/** Smaller ones are cut from Node's pool; so what a piece keeps alive is at most sixteen times its size. */
const CUT_FROM = 4096;
let slab: Buffer = NO_BYTES;
let slabUsed = 0;

/** Memory for one piece, which nobody else writes to. */
function allocate(size: number): Buffer {
  if (size < CUT_FROM || size > SLAB / 4) return Buffer.allocUnsafe(size);
  if (slabUsed + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB);
    slabUsed = 0;
  }
  const memory = slab.subarray(slabUsed, slabUsed + size);
  slabUsed += size;
  return memory;
}

/**
 * Collects text, numbers and chunks and yields them as a scatter list for one vectored write.
 */
export class OutputBuffer {
  #pieces: Uint8Array[];
  #piecesSize: number;
  /** Memory in which the piece under construction lies, up to #used. */
  #run: Buffer;
  #used: number;
  /** Text behind the run that has not been encoded yet. */
  #text: string;

  constructor() {
    this.#pieces = [];
    this.#piecesSize = 0;
    this.#run = NO_BYTES;
    this.#used = 0;
    this.#text = '';
  }

  /** How many bytes wait to be taken. */
  get size(): number {
    return this.#piecesSize + this.#used + this.#text.length;
  }

  /**
   * Writes text, one octet a character.
   *
   * @param text - characters up to U+00FF only. Others would lose their upper half on the wire, and U+010A would
   *   become a line feed: the caller has checked (`isFieldValue`, `isToken`).
   */
  writeLatin1(text: string): void {
    this.#text += text;
  }

  /** Writes a chunk. It belongs to the buffer from now on: it may be handed out as it is. */
  write(chunk: Uint8Array): void {
    if (chunk.length > JOINED_CHUNK_LIMIT) {
      this.#endRun();
      this.#pieces.push(chunk);
      this.#piecesSize += chunk.length;
      return;
    }
    const at = this.#reserve(chunk.length);
    this.#run.set(chunk, at);
  }

  /**
   * Writes a head and the content behind it: one piece, where nothing waits and the content is small.
   *
   * @param head - as for {@link OutputBuffer.writeLatin1}
   * @param body - text is written as UTF-8, in `length` octets
   * @returns that piece, which nobody writes to any more
   */
  writeMessage(head: string, body: Uint8Array | string, length: number): Uint8Array | undefined {
    if (this.#pieces.length > 0 || this.#used > 0 || this.#text.length > 0 || length > JOINED_CHUNK_LIMIT) {
      this.writeLatin1(head);
      this.write(typeof body === 'string' ? Buffer.from(body) : body);
      return undefined;
    }
    const headLength = head.length;
    const memory = allocate(headLength + length);
    memory.write(head, 0, headLength, 'latin1');
    // As many octets as characters: it is ASCII, of which latin1 is copied and not looked at.
    if (typeof body === 'string') memory.write(body, headLength, length, length === body.length ? 'latin1' : 'utf8');
    else memory.set(body, headLength);
    this.#pieces.push(memory);
    this.#piecesSize = memory.length;
    return memory;
  }

  /** Writes a chunk that goes out as it is if nothing waits, and that nobody writes to any more. */
  writeAlone(chunk: Uint8Array): void {
    if (this.#pieces.length > 0 || this.#used > 0 || this.#text.length > 0) {
      this.write(chunk);
      return;
    }
    this.#pieces.push(chunk);
    this.#piecesSize = chunk.length;
  }

  /** Writes one octet. */
  writeUint8(value: number): void {
    const at = this.#reserve(1);
    this.#run[at] = value;
  }

  /** Writes two octets, the most significant first. */
  writeUint16(value: number): void {
    const at = this.#reserve(2);
    this.#run[at] = value >>> 8;
    this.#run[at + 1] = value;
  }

  /** Writes three octets, the most significant first. */
  writeUint24(value: number): void {
    const at = this.#reserve(3);
    this.#run[at] = value >>> 16;
    this.#run[at + 1] = value >>> 8;
    this.#run[at + 2] = value;
  }

  /** Writes four octets, the most significant first. */
  writeUint32(value: number): void {
    const at = this.#reserve(4);
    this.#run[at] = value >>> 24;
    this.#run[at + 1] = value >>> 16;
    this.#run[at + 2] = value >>> 8;
    this.#run[at + 3] = value;
  }

  /** Writes a variable-length integer in its shortest form (RFC 9000 section 16). */
  writeVarint(value: number): void {
    const at = this.#reserve(varintLength(value));
    writeVarint(this.#run, at, value);
  }

  /** Everything written so far, given away; `undefined` if that is nothing. */
  take(): Uint8Array[] | undefined {
    this.#endRun();
    if (this.#pieces.length === 0) return undefined;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesSize = 0;
    return pieces;
  }

  /** Drops everything written so far. */
  clear(): void {
    this.#pieces = [];
    this.#piecesSize = 0;
    this.#run = NO_BYTES;
    this.#used = 0;
    this.#text = '';
  }

  /** Encodes the waiting text, makes room for `count` bytes behind it, counts them as used, and answers where. */
  #reserve(count: number): number {
    if (this.#used > 0 && this.#used + this.#text.length + count > RUN_LIMIT) this.#endRun();
    const textLength = this.#text.length;
    const needed = this.#used + textLength + count;
    if (needed > this.#run.length) this.#grow(needed);
    if (textLength > 0) {
      this.#run.write(this.#text, this.#used, textLength, 'latin1');
      this.#text = '';
    }
    this.#used = needed;
    return needed - count;
  }

  #grow(needed: number): void {
    const memory = Buffer.allocUnsafe(Math.max(needed + SLACK, 2 * this.#run.length));
    memory.set(this.#run.subarray(0, this.#used), 0);
    this.#run = memory;
  }

  /** Makes a piece of the run and the waiting text. */
  #endRun(): void {
    if (this.#text.length > 0) {
      if (this.#used === 0 || this.#used + this.#text.length > RUN_LIMIT) {
        this.#pushRun();
        this.#piecesSize += this.#text.length;
        this.#pieces.push(Buffer.from(this.#text, 'latin1'));
        this.#text = '';
        return;
      }
      this.#reserve(0);
    }
    this.#pushRun();
  }

  #pushRun(): void {
    if (this.#used > 0) {
      this.#pieces.push(this.#run.subarray(0, this.#used));
      this.#piecesSize += this.#used;
    }
    this.#run = NO_BYTES;
    this.#used = 0;
  }
}
