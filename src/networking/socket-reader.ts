/**
 * Reading a plain TCP socket without an allocation of 64 KiB for each read.
 *
 * Node reads into fresh memory of that size each time and gives away the part that was filled; for small messages that
 * is most of what a read costs. Here all sockets read into one buffer, from which what came is copied at once: the
 * system's read and the callback are one synchronous step. A socket on which much comes is given a buffer of its own,
 * which passes uncopied when it was filled well.
 *
 * Owns the buffers, and the chunk that comes before somebody reads. Does not own pausing (socket-stream.ts). Only
 * sockets that this process has connected itself can be read like that, and not on Windows, where the system writes into
 * the buffer at any time.
 *
 * Invariants: memory that was given away is never read into again; at most one chunk is held.
 *
 * @module
 */
import type { OnReadOpts } from 'node:net';
import { isWindows } from './platform.ts';

/** The most that one read brings, in bytes. */
const BUFFER_SIZE = 0x10000;
/** A read that brings as much is worth a buffer of its own. */
const MUCH = 0x8000;

/** What a slab is: as much as any view may keep alive. */
const SLAB_SIZE = 4096;
const LITTLE = 1024;

let sharedBuffer: Uint8Array | undefined;
let slab: Buffer | undefined;
let slabUsed = 0;

/** The reading side of one socket. */
export class SocketReader implements OnReadOpts {
  /** For `net.connect`: asked at first, and again after each read. */
  readonly buffer: () => Uint8Array;
  readonly callback: (bytes: number, buffer: Uint8Array) => boolean;
  #own: Uint8Array | undefined;
  #receive: ((chunk: Uint8Array) => void) | undefined;
  #held: Uint8Array | undefined;

  constructor() {
    this.#own = undefined;
    this.#receive = undefined;
    this.#held = undefined;
    this.buffer = () => this.#own ?? (sharedBuffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE));
    this.callback = (bytes, buffer) => this.#received(bytes, buffer);
  }

  /** Names who is given what comes. Answers what has come before; the socket is to be resumed then. */
  start(receive: (chunk: Uint8Array) => void): Uint8Array | undefined {
    this.#receive = receive;
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** False: the socket stops reading. */
  #received(bytes: number, buffer: Uint8Array): boolean {
    const chunk = this.#chunk(bytes, buffer);
    if (this.#receive === undefined) {
      this.#held = chunk;
      return false;
    }
    this.#receive(chunk);
    return true;
  }

  /** What came, in memory that is nobody else's. */
  #chunk(bytes: number, buffer: Uint8Array): Uint8Array {
    const filled = buffer.subarray(0, bytes);
    if (bytes < MUCH) {
      this.#own = undefined;
      return copied(filled);
    }
    const mine = buffer === this.#own;
    this.#own = Buffer.allocUnsafeSlow(BUFFER_SIZE);
    return mine ? filled : copied(filled);
  }
}

/** What reads the next plain socket that is connected; `undefined` where Node has to do it. */
export function newSocketReader(): SocketReader | undefined {
  return isWindows ? undefined : new SocketReader();
}

/** The bytes in other memory: a little in a slab that holds such of several reads, more by itself. */
function copied(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > LITTLE) {
    const chunk = Buffer.allocUnsafeSlow(length);
    chunk.set(bytes);
    return chunk;
  }
  if (slab === undefined || slabUsed + length > SLAB_SIZE) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    slabUsed = 0;
  }
  const chunk = slab.subarray(slabUsed, slabUsed + length);
  chunk.set(bytes);
  slabUsed += length;
  return chunk;
}
