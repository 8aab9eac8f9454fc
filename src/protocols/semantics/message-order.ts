/**
 * The order of a message's parts.
 *
 * Theory of operation. A message is, in one direction of one stream,
 *
 *     informational* final data* trailers?
 *
 * where `informational` occurs in responses only and the end may stand on `final`, on any `data` or on `trailers`
 * (RFC 9110 section 6, RFC 9113 section 8.1). A tunnel is a message whose data never become trailers. Three states do:
 *
 *     awaiting --informational--> awaiting
 *     awaiting --final---------> content, or ended with its end
 *     content  --data----------> content, or ended with its end
 *     content  --trailers------> ended
 *
 * Owns these transitions; nobody else assigns the state. It does not know which direction it watches, nor what an
 * error becomes. Each input answers `undefined` or, with the state unchanged, a sentence that says what is wrong.
 *
 * @module
 */

/** Where a message stands. */
export type MessagePhase = 'awaiting' | 'content' | 'ended';

/** Watches one message in one direction. */
export class MessageOrder {
  #phase: MessagePhase;
  #tunnel: boolean;

  constructor() {
    this.#phase = 'awaiting';
    this.#tunnel = false;
  }

  /** Where the message stands. */
  get phase(): MessagePhase {
    return this.#phase;
  }

  /** A 1xx response. */
  informational(): string | undefined {
    if (this.#phase === 'awaiting') return undefined;
    return 'an informational response cannot follow the final one';
  }

  /** The head of a request or of a final response. `tunnel`: raw bytes follow, and no trailers. */
  final(endStream: boolean, tunnel = false): string | undefined {
    if (this.#phase !== 'awaiting') return 'the head has already gone by';
    this.#phase = endStream ? 'ended' : 'content';
    this.#tunnel = tunnel;
    return undefined;
  }

  /** A piece of content. */
  data(endStream: boolean): string | undefined {
    if (this.#phase === 'awaiting') return 'content cannot come before the head';
    if (this.#phase === 'ended') return 'the message has already ended';
    if (endStream) this.#phase = 'ended';
    return undefined;
  }

  /** The trailer section. */
  trailers(): string | undefined {
    if (this.#phase === 'awaiting') return 'trailers cannot come before the head';
    if (this.#phase === 'ended') return 'the message has already ended';
    if (this.#tunnel) return 'a tunnel has no trailers';
    this.#phase = 'ended';
    return undefined;
  }
}
