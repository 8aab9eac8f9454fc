/**
 * The stream that Node's own HTTP modules take for a socket: what a driver's bytes go into and come out of.
 *
 * Owns: the Duplex and the list of bytes that wait to be taken. It holds no handle and no timer, and buffers nothing of
 * what is written: how much may be written is said by `sendCapacity`, before. Does not own what the bytes mean.
 *
 * @module
 */
import { Duplex } from 'node:stream';

/** Who is told of a socket. */
export interface SocketOwner {
  /** Bytes were written. */
  socketWrote(chunk: Uint8Array): void;
  /** The writing side has ended: no bytes follow. */
  socketEnded(socket: EngineSocket): void;
  /** It was destroyed, by an error or because both sides have ended. */
  socketClosed(socket: EngineSocket, error: Error | undefined): void;
}

/** A socket without a network. */
export class EngineSocket extends Duplex {
  /** Whether the writing side has ended. */
  sentEnd: boolean;
  readonly #owner: SocketOwner;
  /** Writes wait until what they wrote was taken. */
  readonly #holds: boolean;
  #held: ((error?: Error | null) => void) | undefined;
  #error: Error | undefined;

  /** `holds`: the next write waits until {@link EngineSocket.release}, so that who writes sees how fast it goes. */
  constructor(owner: SocketOwner, holds = false) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.sentEnd = false;
    this.#owner = owner;
    this.#holds = holds;
    this.#held = undefined;
    this.#error = undefined;
    this.on('error', (error) => {
      this.#error = error;
    });
    this.on('close', () => {
      // Destroyed: nothing is written any more.
      if (!this.sentEnd) {
        this.sentEnd = true;
        owner.socketEnded(this);
      }
      owner.socketClosed(this, this.#error);
    });
  }

  override _read(): void {
    // What comes is pushed when it comes.
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#owner.socketWrote(chunk);
    this.#wrote(callback);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], callback: (error?: Error | null) => void): void {
    for (const { chunk } of chunks) this.#owner.socketWrote(chunk);
    this.#wrote(callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.sentEnd = true;
    this.#owner.socketEnded(this);
    callback();
  }

  /** What was written has been taken: the next write may come. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  #wrote(callback: (error?: Error | null) => void): void {
    if (this.#holds) this.#held = callback;
    else callback();
  }
}

/** Bytes that wait to be taken. */
export class Outbox {
  /** How many bytes wait. */
  size: number;
  #chunks: Uint8Array[];

  constructor() {
    this.size = 0;
    this.#chunks = [];
  }

  /** Adds a chunk. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.size += chunk.length;
    this.#chunks.push(chunk);
  }

  /** Everything that waits; `undefined` when nothing does. */
  take(): Uint8Array[] | undefined {
    if (this.#chunks.length === 0) return undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    this.size = 0;
    return chunks;
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks = [];
    this.size = 0;
  }
}
