/**
 * What a server's application still has in hand: handlers that run and content that was not consumed.
 *
 * Owns: the counts behind `maxLiveHandlers` and `maxUnconsumedBytes`. A handler counts from its request until
 * `submitHandlerEnd`, whatever became of its stream; content counts until `dataConsumed`, or until its handler has
 * ended, since nobody will read it then.
 *
 * @module
 */

/** The application's debts. */
export class HandlerBudget {
  /** The request whose handler began last and lives, 0 for none: mostly the only one, and then no map is touched. */
  #current: number;
  #currentBytes: number;
  /** Unconsumed bytes of each other request whose handler lives. */
  #others: Map<number, number> | undefined;
  #unconsumed: number;

  constructor() {
    this.#current = 0;
    this.#currentBytes = 0;
    this.#others = undefined;
    this.#unconsumed = 0;
  }

  /** How many handlers run. */
  get handlers(): number {
    return (this.#others?.size ?? 0) + (this.#current === 0 ? 0 : 1);
  }

  /** Whether the application has nothing in hand. */
  get empty(): boolean {
    return this.#current === 0 && this.#unconsumed === 0 && (this.#others?.size ?? 0) === 0;
  }

  /** How many bytes were given and not consumed. */
  get unconsumed(): number {
    return this.#unconsumed;
  }

  /** A request was surfaced. Ids count from 1. */
  begin(streamId: number): void {
    if (this.#current !== 0) {
      this.#others ??= new Map();
      this.#others.set(this.#current, this.#currentBytes);
    }
    this.#current = streamId;
    this.#currentBytes = 0;
  }

  /** Content was given out. */
  give(streamId: number, bytes: number): void {
    if (streamId !== this.#current) return;
    this.#currentBytes += bytes;
    this.#unconsumed += bytes;
  }

  /** The reader took content; more than was given counts as all. */
  consume(streamId: number, bytes: number): void {
    if (!(bytes > 0)) return;
    const before = streamId === this.#current ? this.#currentBytes : this.#others?.get(streamId);
    if (before === undefined) return;
    const taken = Math.min(before, bytes);
    if (streamId === this.#current) this.#currentBytes -= taken;
    else this.#others?.set(streamId, before - taken);
    this.#unconsumed -= taken;
  }

  /** A handler ended. False when it had before, or never began. */
  end(streamId: number): boolean {
    if (streamId === this.#current && streamId !== 0) {
      this.#unconsumed -= this.#currentBytes;
      this.#current = 0;
      this.#currentBytes = 0;
      return true;
    }
    const unconsumed = this.#others?.get(streamId);
    if (unconsumed === undefined) return false;
    this.#others?.delete(streamId);
    this.#unconsumed -= unconsumed;
    return true;
  }
}
