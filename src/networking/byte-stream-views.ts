/**
 * Views on a {@link ByteStream} for those who do not want callbacks: async iteration with awaitable writes, and a
 * `node:stream` Duplex.
 *
 * Owns the translation of backpressure, half-close and failure between the two shapes. A view becomes the stream's
 * handler; there is one per stream.
 *
 * Invariants:
 * - A view holds at most 64 KiB (a Duplex: its high-water mark) and one chunk more than its reader has taken; then the
 *   stream is paused.
 * - Leaving a view (a `break` out of the loop, `destroy`, disposal) before both sides have ended aborts the stream.
 *
 * @module
 */
import { Duplex } from 'node:stream';
import { NetworkError, toHfaceError } from '../common/index.ts';
import type { HfaceError } from '../common/index.ts';
import { BoundedQueue, Gate, Latch } from '../concurrency/index.ts';
import type { ByteStream } from './byte-stream.ts';

/** How many bytes an {@link AsyncByteStream} reads ahead of its reader. */
const READ_AHEAD = 0x10000;

/**
 * A stream to iterate over and to write to with `await`.
 *
 * @example
 * ```ts
 * const view = new AsyncByteStream(await networking.connectTcp({ target }));
 * await view.write(question);
 * view.end();
 * for await (const chunk of view) consume(chunk);
 * ```
 */
export class AsyncByteStream implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** The stream below. */
  readonly stream: ByteStream;
  readonly #chunks: BoundedQueue<Uint8Array>;
  readonly #room: Gate;
  readonly #closed: Latch<HfaceError | undefined>;
  #writeEnded: boolean;

  /** Becomes the stream's handler. */
  constructor(stream: ByteStream) {
    this.stream = stream;
    this.#chunks = new BoundedQueue({ capacity: READ_AHEAD, weigh: (chunk) => chunk.length });
    this.#room = new Gate(true);
    this.#closed = new Latch();
    this.#writeEnded = false;
    stream.start({
      dataReceived: (chunk) => {
        this.#chunks.tryPush(chunk);
        if (!this.#chunks.hasRoom) stream.pause();
      },
      endReceived: () => this.#chunks.close(),
      drained: () => this.#room.open(),
      closed: (error) => {
        const reason = error ?? gone();
        this.#chunks.close(reason);
        this.#room.fail(reason);
        this.#closed.open(error);
      },
    });
  }

  /** The next chunk; `undefined` once the peer has ended. Rejects with what ended the stream before, or the signal's reason. */
  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const chunk = await this.#chunks.take(signal);
    if (this.#chunks.hasRoom) this.stream.resume();
    return chunk;
  }

  /**
   * Writes; the chunks are the stream's for good. Resolves when there is room for more. Rejects when the stream is
   * over, or with the signal's reason: what was handed in goes out all the same.
   */
  async write(chunks: Uint8Array | readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    if (this.#writeEnded) throw gone();
    if (!this.#closed.settled && !this.stream.write(chunks)) this.#room.close();
    await this.#room.wait(signal);
  }

  /** Ends the sending side once all that was written is gone. */
  end(): void {
    this.#writeEnded = true;
    this.stream.end();
  }

  /** Ends both sides at once. */
  abort(error?: HfaceError): void {
    this.stream.abort(error);
  }

  /** Resolves when the stream is over, with what ended it if that was not both sides. Never rejects. */
  closed(): Promise<HfaceError | undefined> {
    return this.#closed.wait();
  }

  /** The chunks until the peer ends. Leaving the loop before that aborts the stream. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let ended = false;
    try {
      for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
      ended = true;
    } finally {
      if (!ended) this.stream.abort();
    }
  }

  /** Aborts the stream unless both sides have ended, and waits until it is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!(this.#writeEnded && this.#chunks.closed)) this.stream.abort();
    await this.#closed.wait();
  }
}

/** The stream as a Duplex of `node:stream`, with half-close in both directions. Becomes the stream's handler. */
export function duplexView(stream: ByteStream): Duplex {
  return new DuplexView(stream);
}

class DuplexView extends Duplex {
  readonly #stream: ByteStream;
  /** Goes on with writing when there is room, or when the stream is over. */
  #waiting: ((error?: Error | null) => void) | undefined;
  /** Goes on with destroying when the stream is over. */
  #destroying: ((error?: Error | null) => void) | undefined;
  #received: boolean;
  #sent: boolean;
  #over: boolean;

  constructor(stream: ByteStream) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.#stream = stream;
    this.#waiting = undefined;
    this.#destroying = undefined;
    this.#received = false;
    this.#sent = false;
    this.#over = false;
    stream.start({
      dataReceived: (chunk) => {
        if (!this.push(chunk)) stream.pause();
      },
      endReceived: () => {
        this.#received = true;
        this.push(null);
      },
      drained: () => this.#goOn(null),
      closed: (error) => this.#streamClosed(error),
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#write(chunk, callback);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], callback: (error?: Error | null) => void): void {
    this.#write(
      chunks.map((entry) => entry.chunk),
      callback,
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#sent = true;
    // `finish` means that everything is gone.
    this.#stream.write([], () => callback());
    this.#stream.end();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#goOn(error ?? gone());
    if (this.#over) {
      callback(error);
      return;
    }
    this.#destroying = () => callback(error);
    if (error !== null) this.#stream.abort(toHfaceError(error));
    else if (!this.#received || !this.#sent) this.#stream.abort();
  }

  #streamClosed(error: HfaceError | undefined): void {
    this.#over = true;
    const destroying = this.#destroying;
    if (destroying !== undefined) {
      this.#destroying = undefined;
      destroying();
      return;
    }
    this.#goOn(error ?? gone());
    if (error !== undefined) this.destroy(error);
    // Both sides have ended: what is still buffered for the reader stays there, and Node closes when it is read.
    else if (!this.#received || !this.#sent) this.destroy();
  }

  #write(chunks: Uint8Array | readonly Uint8Array[], callback: (error?: Error | null) => void): void {
    if (this.#over) callback(gone());
    else if (this.#stream.write(chunks)) callback();
    else this.#waiting = callback;
  }

  #goOn(error: Error | null): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(error);
  }
}

/** What a writer or reader is told when the stream was ended by this side. */
function gone(): NetworkError {
  return new NetworkError('the stream is closed', { code: 'ERR_STREAM_CLOSED', phase: 'write' });
}
