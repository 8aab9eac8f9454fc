/**
 * The end of a byte stream whose engine has ended.
 *
 * Owns the steps after the last event: the last output is written, the sending side ends, what the peer still sends is
 * read and dropped up to a bound, and the peer's own end is awaited for a bounded time. Closing at once while unread
 * input is there would make TCP send a reset, which destroys a response that the peer has not read yet
 * (RFC 9112 section 9.6). An engine whose `wantsEof` is false then cut something off: the stream is reset, since a
 * proper end would make a close-delimited message look whole.
 *
 * Invariant: whatever the peer does, the stream is closed or aborted after a bounded time without progress.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';
import type { ByteStream } from '../networking/index.ts';
import type { ConnectionLimits } from './limits.ts';

/** Closes a stream in good order, within bounds. */
export class StreamClosing {
  readonly #stream: ByteStream;
  readonly #limits: ConnectionLimits;
  /** Whatever the peer does, no later than this. */
  readonly #latest: number;
  #deadline: number;
  #buffered: number;
  #discarded: number;
  #done: boolean;

  /** @param now - when the end was decided */
  constructor(stream: ByteStream, limits: ConnectionLimits, now: number) {
    this.#stream = stream;
    this.#limits = limits;
    this.#latest = now + limits.maxLingerTime;
    this.#deadline = now + limits.lingerTimeout;
    this.#buffered = stream.bufferedBytes;
    this.#discarded = 0;
    this.#done = false;
  }

  /** All output was written. `graceful`: the sending side ends and the peer's end is awaited; otherwise a reset. */
  outputDone(graceful: boolean, error: HfaceError | undefined, now: number): void {
    if (this.#done) return;
    this.#done = true;
    if (!graceful) {
      this.#stream.abort(error);
      return;
    }
    this.#deadline = now + this.#limits.lingerTimeout;
    this.#buffered = this.#stream.bufferedBytes;
    this.#stream.end();
  }

  /** Input that nobody wants any more. Who still sends has perhaps not read the response yet: there is time again. */
  discard(bytes: number, now: number): void {
    this.#discarded += bytes;
    if (this.#discarded > this.#limits.lingerBytes) this.#stream.close();
    else this.#deadline = Math.min(now + this.#limits.lingerTimeout, this.#latest);
  }

  /** The absolute time of the next look. */
  nextTimeout(): number {
    return this.#deadline;
  }

  /** Ends it, unless queued output went on its way meanwhile. */
  timedOut(now: number): void {
    if (now < this.#deadline) return;
    const buffered = this.#stream.bufferedBytes;
    if (buffered < this.#buffered) {
      // Output moves: that alone is no reason to end it, however long it takes.
      this.#buffered = buffered;
      this.#deadline = now + this.#limits.lingerTimeout;
      return;
    }
    this.#deadline = Infinity;
    // What the system has taken may still be on its way to a slow peer: no reset then.
    if (buffered === 0) this.#stream.close();
    else this.#stream.abort();
  }
}
