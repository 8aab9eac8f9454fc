/**
 * A request's content as an app reads it: gathered whole, or as a stream, whichever it asks for first.
 *
 * Owns the pieces that are being gathered, and the letting go: of what nobody has begun to read when the response is
 * complete. Most requests are read whole and need no stream at all.
 *
 * @module
 */
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import type { ServerExchange } from '../connections/index.ts';
import type { BodyFeed } from '../fetch/body.ts';
import { joinBytes } from '../fetch/body.ts';
import { RequestQueue } from './request-queue.ts';
import { RequestStream } from './request-stream.ts';

interface Collector {
  readonly pieces: Uint8Array[];
  readonly whole: (bytes: Uint8Array) => void;
  readonly failed: (error: unknown) => void;
}

/** The content of one request. */
export class RequestFeed implements BodyFeed {
  readonly #exchange: ServerExchange;
  readonly #queue: RequestQueue;
  #stream: RequestStream | undefined;
  #collector: Collector | undefined;
  /** Why it cannot be read any more; an error is made when somebody needs it. */
  #lost: (() => unknown) | undefined;

  constructor(exchange: ServerExchange) {
    this.#exchange = exchange;
    this.#queue = new RequestQueue(exchange);
    this.#stream = undefined;
    this.#collector = undefined;
    this.#lost = undefined;
  }

  // BodyFeed

  /** @inheritdoc */
  collect(whole: (bytes: Uint8Array) => void, failed: (error: unknown) => void): void {
    if (this.#lost !== undefined) {
      failed(this.#lost());
      return;
    }
    const collector: Collector = { pieces: [], whole, failed };
    this.#collector = collector;
    this.#queue.wanted();
    this.#gather(collector);
  }

  /** @inheritdoc */
  stream(): WebReadableStream<Uint8Array> {
    const stream = new RequestStream(this.#queue);
    this.#stream = stream;
    if (this.#lost === undefined) stream.arrived();
    else stream.fail(this.#lost());
    return stream.stream;
  }

  // What the exchange tells.

  /** A piece came. */
  received(data: Uint8Array, flowControlledLength: number, endStream: boolean): void {
    const collector = this.#collector;
    if (collector === undefined) {
      this.#queue.add(data, flowControlledLength, endStream);
      this.#stream?.arrived();
      return;
    }
    // What is gathered need not wait in the queue, which is empty.
    if (data.byteLength > 0) collector.pieces.push(data);
    if (flowControlledLength > 0) this.#exchange.dataConsumed(flowControlledLength);
    if (endStream) this.#complete(collector);
  }

  /** The body ended, by trailers. */
  ended(): void {
    this.#queue.end();
    if (this.#collector !== undefined) this.#complete(this.#collector);
    else this.#stream?.arrived();
  }

  /** It will not come whole. */
  fail(error: unknown): void {
    this.#lost ??= () => error;
    this.#stream?.fail(error);
    const collector = this.#collector;
    this.#collector = undefined;
    if (this.#stream === undefined) this.#queue.discard(true);
    collector?.failed(error);
  }

  /** The response is complete: a body that nobody has begun to read is let go, so that the connection can go on. */
  release(): void {
    if (this.#stream !== undefined) {
      this.#stream.release();
    } else if (this.#collector === undefined) {
      this.#lost ??= tooLate;
      this.#queue.discard(true);
    }
  }

  /** Nobody will read it. */
  discard(): void {
    this.#queue.discard(true);
  }

  /** A 100 was sent by the app itself. */
  continueSent(): void {
    this.#queue.continueSent();
  }

  /** Takes what has come before somebody asked for it. */
  #gather(collector: Collector): void {
    const { pieces } = collector;
    for (let piece = this.#queue.take(); piece !== undefined; piece = this.#queue.take()) pieces.push(piece);
    if (this.#queue.ended) this.#complete(collector);
  }

  #complete(collector: Collector): void {
    const { pieces } = collector;
    this.#collector = undefined;
    this.#lost = wasRead;
    collector.whole(pieces.length === 1 ? (pieces[0] as Uint8Array) : joinBytes(pieces));
  }
}

function tooLate(): TypeError {
  return new TypeError('the body can no longer be read: the response is complete');
}

function wasRead(): TypeError {
  return new TypeError('the body was read');
}
