/**
 * What a server's application has in hand: running handlers, and content that it has not consumed.
 *
 * Owns the two counts (CVE-2023-44487 on HTTP/1: what a pipelining client may have running at once).
 *
 * @module
 */

/** Counts handlers and content by stream. */
export class HandlerLedger {
  /** Content that was delivered and not consumed, of all streams whose handler lives. */
  unconsumed: number;
  readonly #streams: Map<number, number>;

  constructor() {
    this.unconsumed = 0;
    this.#streams = new Map();
  }

  /** How many handlers live. */
  get live(): number {
    return this.#streams.size;
  }

  /** A request was surfaced. */
  begin(streamId: number): void {
    this.#streams.set(streamId, 0);
  }

  /** Content was delivered. */
  give(streamId: number, length: number): void {
    const held = this.#streams.get(streamId);
    if (held === undefined) return;
    this.#streams.set(streamId, held + length);
    this.unconsumed += length;
  }

  /** Content was consumed. */
  consume(streamId: number, length: number): void {
    const held = this.#streams.get(streamId);
    if (held === undefined) return;
    const taken = Math.min(held, Math.max(0, length));
    this.#streams.set(streamId, held - taken);
    this.unconsumed -= taken;
  }

  /** A handler has ended; what it did not consume is consumed. False: it was not known. */
  end(streamId: number): boolean {
    const held = this.#streams.get(streamId);
    if (held === undefined) return false;
    this.unconsumed -= held;
    return this.#streams.delete(streamId);
  }
}
