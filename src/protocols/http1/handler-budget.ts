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
  /** Unconsumed bytes of each request whose handler lives. */
  readonly #live: Map<number, number>;
  #unconsumed: number;

  constructor() {
    this.#live = new Map();
    this.#unconsumed = 0;
  }

  /** How many handlers run. */
  get handlers(): number {
    return this.#live.size;
  }

  /** How many bytes were given and not consumed. */
  get unconsumed(): number {
    return this.#unconsumed;
  }

  /** A request was surfaced. */
  begin(streamId: number): void {
    this.#live.set(streamId, 0);
  }

  /** Content was given out. */
  give(streamId: number, bytes: number): void {
    const before = this.#live.get(streamId);
    if (before === undefined) return;
    this.#live.set(streamId, before + bytes);
    this.#unconsumed += bytes;
  }

  /** The reader took content; more than was given counts as all. */
  consume(streamId: number, bytes: number): void {
    const before = this.#live.get(streamId);
    if (before === undefined || !(bytes > 0)) return;
    const taken = Math.min(before, bytes);
    this.#live.set(streamId, before - taken);
    this.#unconsumed -= taken;
  }

  /** A handler ended. False when it had before, or never began. */
  end(streamId: number): boolean {
    const unconsumed = this.#live.get(streamId);
    if (unconsumed === undefined) return false;
    this.#live.delete(streamId);
    this.#unconsumed -= unconsumed;
    return true;
  }
}
