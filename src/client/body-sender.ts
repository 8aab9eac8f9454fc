/**
 * Sends one request body on one connection, no faster than the connection takes it.
 *
 * Owns the reading of the body's source and the count of its bytes against Content-Length (RFC 9110 section 8.6: never
 * more, never less), and the trailers after it. A body in memory goes out in one call, without a promise.
 *
 * Invariants: after `stop` nothing is sent and the observer is not called; the source's iterator is told to return
 * unless it has ended by itself; `bodySent` or `bodyFailed` is called at most once, and never both.
 *
 * @module
 */
import { HfaceError, LocalProtocolError, toHfaceError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { BodySource } from './body-source.ts';
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
  /** The body, its length or its trailers are wrong: the request cannot be completed. */
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
    const { body, trailers } = this.#outgoing;
    if (body?.bytes === undefined || typeof trailers === 'function') {
      this.#run().catch((error: unknown) => this.#fail(sourceError(error)));
      return;
    }
    try {
      this.#sendPiece(body.bytes, trailers === undefined);
      if (trailers !== undefined) this.#sink.sendTrailers(HeaderFields.from(trailers).list);
      this.#done();
    } catch (error) {
      this.#fail(toHfaceError(error));
    }
  }

  /** The connection takes more. */
  writable(): void {
    const resume = this.#resume;
    if (resume === undefined) return;
    this.#resume = undefined;
    if (!this.#stopped) this.#observer.bodyUnblocked();
    resume();
  }

  /**
   * The response is complete, so nobody waits for the rest. True when there is none: all that Content-Length promised
   * is sent, and the source was only slow to say so.
   */
  finishEarly(): boolean {
    const { contentLength, trailers } = this.#outgoing;
    if (this.#stopped || !this.#begun || trailers !== undefined || this.#sent !== contentLength) return false;
    this.#sendEnd();
    this.#release();
    return true;
  }

  /** Ends the sending; the source is let go. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#release();
  }

  async #run(): Promise<void> {
    const { body, trailers } = this.#outgoing;
    if (body !== undefined) {
      const iterator = body.open();
      this.#iterator = iterator;
      for (;;) {
        const result = await iterator.next();
        if (this.#stopped) return;
        if (result.done === true) break;
        if (checked(result.value).byteLength === 0) continue;
        if (!this.#sendPiece(result.value, false)) await this.#room();
        if (this.#isStopped()) return;
      }
      this.#iterator = undefined;
    }
    if (trailers === undefined) {
      this.#sendEnd();
      return;
    }
    this.#checkComplete();
    const fields = typeof trailers === 'function' ? await trailers() : trailers;
    if (this.#isStopped()) return;
    this.#sink.sendTrailers(HeaderFields.from(fields).list);
    this.#done();
  }

  #sendEnd(): void {
    this.#checkComplete();
    this.#sink.sendData(new Uint8Array(0), true);
    this.#done();
  }

  #sendPiece(piece: Uint8Array, endStream: boolean): boolean {
    const { contentLength } = this.#outgoing;
    this.#sent += piece.byteLength;
    if (contentLength !== undefined && this.#sent > contentLength) {
      throw new LocalProtocolError(
        `the body is longer than its content-length of ${contentLength}`,
        'ERR_CONTENT_LENGTH',
      );
    }
    if (endStream) this.#checkComplete();
    return this.#sink.sendData(piece, endStream);
  }

  #checkComplete(): void {
    const { contentLength } = this.#outgoing;
    if (contentLength === undefined || this.#sent === contentLength) return;
    throw new LocalProtocolError(`the body ended after ${this.#sent} of ${contentLength} bytes`, 'ERR_CONTENT_LENGTH');
  }

  #room(): Promise<void> {
    this.#observer.bodyBlocked();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #done(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#complete = true;
    this.#observer.bodySent();
  }

  #fail(error: HfaceError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#release();
    this.#observer.bodyFailed(error);
  }

  #release(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
    if (iterator?.return === undefined) return;
    // The user's source may fail or never answer here: it is told, not waited for.
    try {
      iterator.return().then(undefined, () => {});
    } catch {
      // Nothing is left to report it to: the request is over.
    }
  }
}

/** Only bytes are sent. */
function checked(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError(`a request body gives Uint8Array, not ${piece === null ? 'null' : typeof piece}`);
}

/** What the user's source threw; what this side found wrong stays as it is. */
function sourceError(error: unknown): HfaceError {
  if (error instanceof HfaceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HfaceError(`the request body failed: ${message}`, {
    code: 'ERR_REQUEST_BODY',
    initiator: 'application',
    cause: error,
  });
}
