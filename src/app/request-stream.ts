/**
 * A request's body as a byte stream of the web.
 *
 * Owns the stream that a Fetch-style app reads. It asks for nothing on its own account (high-water mark 0): a piece
 * leaves the queue, and its credit goes back to the client, when the app reads.
 *
 * A byte stream takes the buffer below a chunk for itself (it is detached). A piece that shares its buffer with others
 * is therefore copied; one that fills it is handed over as it is.
 *
 * @module
 */
import { ReadableStream as WebReadableStream } from 'node:stream/web';
import type { ReadableByteStreamController } from 'node:stream/web';
import type { RequestQueue } from './request-queue.ts';

/** Feeds a byte stream from a queue. */
export class RequestStream {
  /** What the app reads. */
  readonly stream: WebReadableStream<Uint8Array>;
  readonly #queue: RequestQueue;
  #controller: ReadableByteStreamController | undefined;
  #wanted: boolean;
  #touched: boolean;
  #done: boolean;

  /** @param queue - filled by the exchange; `arrived` is to be called after each change */
  constructor(queue: RequestQueue) {
    this.#queue = queue;
    this.#controller = undefined;
    this.#wanted = false;
    this.#touched = false;
    this.#done = false;
    this.stream = new WebReadableStream({
      type: 'bytes',
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#cancelled(),
    });
  }

  /** Whether the app reads it, or has handed it to somebody who will. */
  get touched(): boolean {
    return this.#touched || this.stream.locked;
  }

  /** Something came, or the body ended. */
  arrived(): void {
    if (this.#done) return;
    if (this.#wanted) this.#deliver();
    else if (this.#queue.ended && this.#queue.isEmpty) this.#close();
  }

  /** It will not come whole. */
  fail(error: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#queue.discard(true);
    (this.#controller as ReadableByteStreamController).error(error);
  }

  /** The response is complete: a body that nobody has begun to read is let go, so that the connection can go on. */
  release(): void {
    if (this.#done || this.touched) return;
    this.#done = true;
    this.#queue.discard(true);
    (this.#controller as ReadableByteStreamController).error(
      new TypeError('the body can no longer be read: the response is complete'),
    );
  }

  #pull(): void {
    if (this.#done) return;
    this.#touched = true;
    this.#wanted = true;
    this.#queue.wanted();
    this.#deliver();
  }

  #deliver(): void {
    const piece = this.#queue.take();
    const controller = this.#controller as ReadableByteStreamController;
    if (piece !== undefined) {
      this.#wanted = false;
      // May pull again from inside, when another read waits.
      controller.enqueue(exclusive(piece));
    }
    if (this.#queue.ended && this.#queue.isEmpty) this.#close();
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
    const controller = this.#controller as ReadableByteStreamController;
    controller.close();
    // A read into the caller's own buffer that found nothing is answered by hand.
    controller.byobRequest?.respond(0);
  }

  #cancelled(): void {
    this.#done = true;
    // What is here is given back; what comes is left unread, and the engine ends the message as its version does.
    this.#queue.discard(false);
  }
}

function exclusive(piece: Uint8Array): Uint8Array {
  if (piece.byteLength === piece.buffer.byteLength && piece.buffer instanceof ArrayBuffer) return piece;
  return new Uint8Array(piece);
}
