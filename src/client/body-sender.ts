/**
 * Sends one request body on one connection, no faster than the connection takes it.
 *
 * Owns the reading of the body's source and the count of its bytes against Content-Length (RFC 9110 section 8.6: never
 * more, never less), and the trailers after it. A body in memory goes out in one call, without a promise.
 *
 * Invariants: after `stop` nothing is sent and the observer is not called; the source's iterator is told to return
 * unless it has ended by itself; `bodySent` and `bodyFailed` are called at most once each, and nothing after `bodyFailed`.
 *
 * @module
 */
import { HfaceError, LocalProtocolError, toHfaceError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { BodySource } from './body-content.ts';
import { HeaderFields } from './header-input.ts';
import type { HeaderInput } from './header-input.ts';

/** Where the body goes. */
export interface BodySink {
  /** Takes the whole piece; false: wait for `writable` before the next. */
  sendData(data: Uint8Array, endStream: boolean): boolean;
  sendTrailers(headers: HeaderList): void;
}

/** Who is told how the sending goes. */
export interface BodySenderObserver {
  /** The connection takes no more for now. */
  bodyBlocked(): void;
  /** It does again. */
  bodyUnblocked(): void;
  /** All of it is sent, trailers included. */
  bodySent(): void;
  /**
   * The body, its length or its trailers are wrong: the request cannot be completed. After `bodySent` only when the
   * source gives more than its length.
   */
  bodyFailed(error: HfaceError): void;
}

/** What there is to send. */
export interface Outgoing {
  /** `undefined`: trailers only. */
  readonly body: BodySource | undefined;
  /** What Content-Length says, or `undefined` without. */
  readonly contentLength: number | undefined;
  readonly trailers: HeaderInput | (() => HeaderInput | Promise<HeaderInput>) | undefined;
}

/** The sending of one body. */
export class BodySender {
  readonly #outgoing: Outgoing;
  readonly #sink: BodySink;
  readonly #observer: BodySenderObserver;
  #iterator: AsyncIterator<Uint8Array, unknown> | undefined;
  /** A body in memory that is being sent, and how much of it is. */
  #bytes: Uint8Array | undefined;
  #sent: number;
  #stopped: boolean;
  #begun: boolean;
  #complete: boolean;
  #resume: (() => void) | undefined;

  constructor(outgoing: Outgoing, sink: BodySink, observer: BodySenderObserver) {
    this.#outgoing = outgoing;
    this.#sink = sink;
    this.#observer = observer;
    this.#iterator = undefined;
    this.#bytes = undefined;
    this.#sent = 0;
    this.#stopped = false;
    this.#begun = false;
    this.#complete = false;
    this.#resume = undefined;
  }

  /** Whether the source was touched. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether all was sent. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Begins to send. To be called once. */
  start(): void {
    if (this.#stopped || this.#begun) return;
    this.#begun = true;
    const { body } = this.#outgoing;
    if (body?.bytes === undefined) {
      this.#run().catch((error: unknown) => this.#fail(sourceError(error)));
      return;
    }
    this.#bytes = body.bytes;
    this.#sendBytes();
  }

  /** The connection takes more. */
  writable(): void {
    if (this.#stopped) return;
    if (this.#bytes !== undefined) {
      this.#observer.bodyUnblocked();
      this.#sendBytes();
      return;
    }
    const resume = this.#resume;
    if (resume === undefined) return;
    this.#resume = undefined;
    this.#observer.bodyUnblocked();
    resume();
  }

  /** Ends the sending; the source is let go. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#release();
  }

  /** Sends what is in memory, as far as there is room. */
  #sendBytes(): void {
    const bytes = this.#bytes as Uint8Array;
    try {
      while (this.#sent < bytes.byteLength) {
        const end = Math.min(this.#sent + SLICE, bytes.byteLength);
        const isLast = end === bytes.byteLength && this.#outgoing.trailers === undefined;
        const hasRoom = this.#sendPiece(bytes.subarray(this.#sent, end), isLast);
        if (isLast) {
          this.#done();
          return;
        }
        if (!hasRoom) {
          this.#observer.bodyBlocked();
          return;
        }
      }
      this.#bytes = undefined;
      this.#sendTrailers().catch((error: unknown) => this.#fail(sourceError(error)));
    } catch (error) {
      this.#fail(toHfaceError(error));
    }
  }

  async #run(): Promise<void> {
    const { body, contentLength, trailers } = this.#outgoing;
    if (body !== undefined) {
      const iterator = body.open();
      this.#iterator = iterator;
      for (;;) {
        const result = await iterator.next();
        if (this.#stopped) return;
        if (result.done === true) break;
        const { byteLength } = checked(result.value);
        if (byteLength === 0) continue;
        const isLast = trailers === undefined && this.#sent + byteLength === contentLength;
        const hasRoom = this.#sendPiece(result.value, isLast);
        // The source has still to say that it has ended: sources may be slow there, and the server does not wait.
        if (isLast) this.#done();
        else if (!hasRoom) await this.#room();
        if (this.#isStopped()) return;
      }
      this.#iterator = undefined;
    }
    if (!this.#complete) await this.#sendTrailers();
  }

  /** What comes after the content. */
  async #sendTrailers(): Promise<void> {
    const { contentLength, trailers } = this.#outgoing;
    if (contentLength !== undefined && this.#sent !== contentLength) {
      const message = `the body ended after ${this.#sent} of ${contentLength} bytes`;
      throw new LocalProtocolError(message, 'ERR_CONTENT_LENGTH');
    }
    if (trailers === undefined) {
      this.#sink.sendData(new Uint8Array(0), true);
    } else {
      const fields = typeof trailers === 'function' ? await trailers() : trailers;
      if (this.#isStopped()) return;
      this.#sink.sendTrailers(HeaderFields.from(fields).list);
    }
    this.#done();
  }

  #sendPiece(piece: Uint8Array, endStream: boolean): boolean {
    const { contentLength } = this.#outgoing;
    this.#sent += piece.byteLength;
    if (contentLength !== undefined && this.#sent > contentLength) {
      const message = `the body is longer than its content-length of ${contentLength}`;
      throw new LocalProtocolError(message, 'ERR_CONTENT_LENGTH');
    }
    return this.#sink.sendData(piece, endStream);
  }

  #room(): Promise<void> {
    this.#observer.bodyBlocked();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** Asked anew after a call that may have stopped it. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  #done(): void {
    this.#complete = true;
    this.#bytes = undefined;
    this.#observer.bodySent();
  }

  #fail(error: HfaceError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#release();
    this.#observer.bodyFailed(error);
  }

  #release(): void {
    this.#bytes = undefined;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
    const iterator = this.#iterator;
    this.#iterator = undefined;
    if (iterator?.return === undefined) return;
    // The user's source may fail or never answer here: it is told, not waited for.
    try {
      iterator.return().then(undefined, () => {});
    } catch {
      // Nothing is left to report it to: the request is over.
    }
  }
}

/** How much of a body in memory is given to the connection at once: enough for one write, and then its timer sees progress. */
const SLICE = 0x40000;

/** Only bytes are sent. */
function checked(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError(`a request body gives Uint8Array, not ${piece === null ? 'null' : typeof piece}`);
}

/** What the user's source threw; what this side found wrong stays as it is. */
function sourceError(error: unknown): HfaceError {
  if (error instanceof HfaceError) return error;
  return new HfaceError(`the request body failed: ${toHfaceError(error).message}`, {
    code: 'ERR_REQUEST_BODY',
    initiator: 'application',
    cause: error,
  });
}
