/**
 * The pieces of a request's body between the engine and the app.
 *
 * Owns the queue and the credit: a piece is given back with `dataConsumed` when the app takes it, so what waits here
 * is bounded by the engine's window. Also 100-continue: it is sent when the app first asks for content that has not
 * come, never for an app that answers without reading (RFC 9110 section 10.1.1).
 *
 * @module
 */
import { headerValue } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';

/** Pieces that wait for the app. */
export class RequestQueue {
  readonly #exchange: ServerExchange;
  #pieces: (Uint8Array | undefined)[];
  #credits: number[];
  #head: number;
  #ended: boolean;
  #received: boolean;
  #continueOwed: boolean;
  #discarding: boolean;

  /** @param exchange - whose body it is */
  constructor(exchange: ServerExchange) {
    this.#exchange = exchange;
    this.#pieces = [];
    this.#credits = [];
    this.#head = 0;
    this.#ended = exchange.endStream;
    this.#received = false;
    this.#continueOwed = !exchange.endStream && expectsContinue(exchange);
    this.#discarding = false;
  }

  /** Whether the whole body has come; pieces of it may still wait. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether pieces wait. */
  get isEmpty(): boolean {
    return this.#head === this.#pieces.length;
  }

  /** A piece came. */
  add(data: Uint8Array, flowControlledLength: number, endStream: boolean): void {
    this.#received = true;
    if (endStream) this.#ended = true;
    if (this.#discarding) {
      this.#giveBack(flowControlledLength);
    } else if (data.byteLength === 0) {
      // Nothing for the app to take: padding, or the end alone.
      this.#giveBack(flowControlledLength);
    } else {
      this.#pieces.push(data);
      this.#credits.push(flowControlledLength);
    }
  }

  /** The body ended, by trailers. */
  end(): void {
    this.#ended = true;
  }

  /** The next piece, which is the app's from here on; `undefined` when none waits. */
  take(): Uint8Array | undefined {
    if (this.#head === this.#pieces.length) return undefined;
    const piece = this.#pieces[this.#head] as Uint8Array;
    const credit = this.#credits[this.#head] as number;
    this.#pieces[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#pieces.length) this.#clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#pieces.length) this.#compact();
    this.#giveBack(credit);
    return piece;
  }

  /** The app asks for content: a client that waits for 100 gets it. */
  wanted(): void {
    if (!this.#continueOwed) return;
    this.#continueOwed = false;
    if (this.#received || this.#exchange.headersSent || this.#exchange.abortedWith !== undefined) return;
    this.#exchange.sendInformational(100, NO_FIELDS);
  }

  /** A 100 was sent by the app itself. */
  continueSent(): void {
    this.#continueOwed = false;
  }

  /** The app has no use for what waits, nor (`andRest`) for what comes. */
  discard(andRest: boolean): void {
    if (andRest) this.#discarding = true;
    let credit = 0;
    for (let index = this.#head; index < this.#credits.length; index += 1) credit += this.#credits[index] as number;
    this.#clear();
    this.#giveBack(credit);
  }

  #giveBack(credit: number): void {
    if (credit > 0) this.#exchange.dataConsumed(credit);
  }

  #clear(): void {
    this.#pieces = [];
    this.#credits = [];
    this.#head = 0;
  }

  #compact(): void {
    this.#pieces = this.#pieces.slice(this.#head);
    this.#credits = this.#credits.slice(this.#head);
    this.#head = 0;
  }
}

/** Whether the client waits for 100 before it sends the body. An HTTP/1.0 client cannot (RFC 9110 section 10.1.1). */
function expectsContinue(exchange: ServerExchange): boolean {
  if (exchange.httpVersion === '1.0') return false;
  const expect = headerValue(exchange.headers, 'expect');
  return expect?.toLowerCase() === '100-continue';
}

const COMPACT_AT = 64;
const NO_FIELDS: readonly string[] = [];
