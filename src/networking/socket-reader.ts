/**
 * Reading a plain TCP socket that this process connects, without an allocation for each read.
 *
 * Owns the chunk that comes before somebody reads. Does not own the memory (read-memory.ts) nor pausing
 * (socket-stream.ts). Not on Windows, where the system writes into the buffer at any time.
 *
 * Invariant: at most one chunk is held.
 *
 * @module
 */
import type { OnReadOpts } from 'node:net';
import { isWindows } from './platform.ts';
import { bufferAfterRead, chunkOfRead, sharedReadBuffer } from './read-memory.ts';

/** The reading side of one socket. */
export class SocketReader implements OnReadOpts {
  /** For `net.connect`: asked at first, and again after each read. */
  readonly buffer: () => Uint8Array;
  readonly callback: (bytes: number, buffer: Uint8Array) => boolean;
  /** What the next read goes into, where much has come. */
  #own: Uint8Array | undefined;
  #receive: ((chunk: Uint8Array) => void) | undefined;
  #held: Uint8Array | undefined;

  constructor() {
    this.#own = undefined;
    this.#receive = undefined;
    this.#held = undefined;
    // Not assigned where they are written: V8 would put them, and so the connection, into the old generation.
    const buffer = (): Uint8Array => this.#own ?? sharedReadBuffer();
    const callback = (bytes: number, memory: Uint8Array): boolean => this.#received(bytes, memory);
    this.buffer = buffer;
    this.callback = callback;
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
    const chunk = chunkOfRead(bytes, buffer);
    const next = bufferAfterRead(bytes);
    this.#own = next === sharedReadBuffer() ? undefined : next;
    if (this.#receive === undefined) {
      this.#held = chunk;
      return false;
    }
    this.#receive(chunk);
    return true;
  }
}

/** What reads the next plain socket that is connected; `undefined` where Node has to do it. */
export function newSocketReader(): SocketReader | undefined {
  return isWindows ? undefined : new SocketReader();
}
