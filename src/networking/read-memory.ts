/**
 * The memory that sockets read into, and what comes of it.
 *
 * Node reads into fresh memory of 64 KiB each time and gives away the part that was filled; for small messages that is
 * most of what a read costs. Here sockets read into one buffer, from which what came is copied at once: the system's
 * read and the callback are one synchronous step. A socket on which much comes is given a buffer of its own, which
 * passes uncopied when it was filled well.
 *
 * Owns the buffers and the rule by which one is chosen. Who reads is socket-reader.ts and socket-stream.ts.
 *
 * Invariant: memory that was given away is never read into again.
 *
 * @module
 */

/** The most that one read brings, in bytes. */
const BUFFER_SIZE = 0x10000;
/** A read that brings as much is worth a buffer of its own. */
const MUCH = 0x8000;

/** Memory that several small chunks share: what a chunk keeps alive is bounded by a multiple of what it holds. */
class Slab {
  readonly #size: number;
  #memory: Buffer | undefined;
  #used: number;

  constructor(size: number) {
    this.#size = size;
    this.#memory = undefined;
    this.#used = 0;
  }

  copy(bytes: Uint8Array, length: number): Uint8Array {
    if (this.#memory === undefined || this.#used + length > this.#size) {
      this.#memory = Buffer.allocUnsafeSlow(this.#size);
      this.#used = 0;
    }
    const end = this.#used + length;
    const chunk = this.#memory.subarray(this.#used, end);
    chunk.set(bytes);
    this.#used = end;
    return chunk;
  }
}

/** Chunks up to this size share memory that any of them may keep alive. */
const LITTLE = 1024;
const little = new Slab(4096);
/** Chunks of these sizes share memory of sixteen times as much at most. */
const MIDDLE = { above: 2048, upTo: 16_384 } as const;
const middle = new Slab(32_768);

let sharedBuffer: Uint8Array | undefined;

/** What all sockets read into by default. */
export function sharedReadBuffer(): Uint8Array {
  sharedBuffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
  return sharedBuffer;
}

/** What a read has brought, in memory that is nobody else's. */
export function chunkOfRead(bytes: number, buffer: Uint8Array): Uint8Array {
  // A buffer of its own passes as it is, where that was worth it.
  if (bytes >= MUCH && buffer !== sharedBuffer) return buffer.subarray(0, bytes);
  const filled = new Uint8Array(buffer.buffer, buffer.byteOffset, bytes);
  if (bytes <= LITTLE) return little.copy(filled, bytes);
  if (bytes > MIDDLE.above && bytes <= MIDDLE.upTo) return middle.copy(filled, bytes);
  const chunk = Buffer.allocUnsafeSlow(bytes);
  chunk.set(filled);
  return chunk;
}

/** What a socket reads into after a read of that size. */
export function bufferAfterRead(bytes: number): Uint8Array {
  return bytes >= MUCH ? Buffer.allocUnsafeSlow(BUFFER_SIZE) : sharedReadBuffer();
}
