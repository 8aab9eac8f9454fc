/**
 * A budget that fills up again by time.
 *
 * Owns: the count. What is charged and what follows when it is empty is its user's.
 *
 * @module
 */

/** Tokens that are spent and come back. */
export class TokenBucket {
  readonly #most: number;
  readonly #perMillisecond: number;
  #tokens: number;
  #filledAt: number;

  /** @param perSecond - how many come back each second */
  constructor(most: number, perSecond: number, now: number) {
    this.#most = most;
    this.#perMillisecond = perSecond / 1000;
    this.#tokens = most;
    this.#filledAt = now;
  }

  /** Spends some. False when there were too few: the budget is exceeded. */
  spend(count: number, now: number): boolean {
    const filled = Math.min(this.#most, this.#tokens + (now - this.#filledAt) * this.#perMillisecond);
    this.#filledAt = now;
    this.#tokens = filled - count;
    return this.#tokens >= 0;
  }

  /** Gives some back. */
  earn(count: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + count);
  }
}
