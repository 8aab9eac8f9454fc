/**
 * A `ReadableStream` as a response's body.
 *
 * Owns the reading loop: one read at a time, none while there is no room.
 *
 * @module
 */
import type { ReadableStreamDefaultReader, ReadableStream as WebReadableStream } from 'node:stream/web';
import { AppError } from '../common/index.ts';
import type { BodySink, BodySource } from './body-source.ts';

/** Takes what a reader of a stream has read. */
type StreamRead = (result: { readonly done: boolean; readonly value?: unknown }) => void;

/** Reads a stream of `Uint8Array`. */
export class StreamSource implements BodySource {
  readonly length: undefined;
  readonly prompt: boolean;
  readonly #stream: WebReadableStream<unknown>;
  #reader: ReadableStreamDefaultReader<unknown> | undefined;
  #sink: BodySink | undefined;
  #waiting: boolean;
  #done: boolean;
  readonly #onRead: StreamRead;
  readonly #onFailure: (error: unknown) => void;

  /** @param stream - not locked */
  constructor(stream: WebReadableStream<unknown>) {
    this.length = undefined;
    this.prompt = false;
    this.#stream = stream;
    this.#reader = undefined;
    this.#sink = undefined;
    this.#waiting = false;
    this.#done = false;
    // Not assigned where they are written: V8 would put them, and so the exchange, into the old generation.
    const take: StreamRead = (result) => this.#take(result);
    const fail = (error: unknown): void => this.#failed(error);
    this.#onRead = take;
    this.#onFailure = fail;
  }

  /** @inheritdoc */
  start(sink: BodySink): void {
    if (this.#done) return;
    this.#sink = sink;
    try {
      this.#reader = this.#stream.getReader();
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#next();
  }

  /** @inheritdoc */
  resume(): void {
    if (!this.#waiting || this.#done) return;
    this.#waiting = false;
    this.#next();
  }

  /** @inheritdoc */
  cancel(reason: unknown): void {
    if (this.#done) return;
    this.#done = true;
    // What an app's cancel() throws concerns nobody: the response is over.
    const cancelled = this.#reader === undefined ? cancelUnread(this.#stream, reason) : this.#reader.cancel(reason);
    cancelled.catch(ignore);
  }

  #next(): void {
    (this.#reader as ReadableStreamDefaultReader<unknown>).read().then(this.#onRead, this.#onFailure);
  }

  /** Nobody holds the promise that this runs for: nothing may be thrown out of it. */
  #take(result: Parameters<StreamRead>[0]): void {
    try {
      this.#read(result.done, result.value);
    } catch (error) {
      this.cancel(error);
      (this.#sink as BodySink).fail(error);
    }
  }

  #read(done: boolean, value: unknown): void {
    if (this.#done) return;
    const sink = this.#sink as BodySink;
    if (done) {
      this.#done = true;
      sink.end();
      return;
    }
    if (!(value instanceof Uint8Array)) {
      this.cancel(undefined);
      sink.fail(new AppError(`a body stream must yield Uint8Array, not ${kindOf(value)}`, 'ERR_APP_BODY'));
      return;
    }
    const room = value.byteLength === 0 || sink.piece(value);
    if (room) this.#resumeReading();
    else this.#waiting = true;
  }

  #resumeReading(): void {
    // The sink may have cancelled from inside `piece`.
    if (!this.#done) this.#next();
  }

  #failed(error: unknown): void {
    if (this.#done) return;
    this.#done = true;
    (this.#sink as BodySink).fail(error);
  }
}

async function cancelUnread(stream: WebReadableStream<unknown>, reason: unknown): Promise<void> {
  // A locked stream has another reader; it is that one's to cancel.
  if (!stream.locked) await stream.cancel(reason);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object'
    ? ((value.constructor as { readonly name?: string } | undefined)?.name ?? 'object')
    : typeof value;
}

function ignore(): void {}
