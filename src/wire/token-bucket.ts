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

  /** Spends some. False when there were too few: the budget is exceeded, and what is owed grows. */
  spend(count: number, now: number): boolean {
    this.#fill(now);
    this.#tokens -= count;
    return this.#tokens >= 0;
  }

  /** Takes some when there are enough of them. False, and nothing changed, when there are too few. */
  take(count: number, now: number): boolean {
    this.#fill(now);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Gives some back. */
  earn(count: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + count);
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#filledAt) * this.#perMillisecond);
    this.#filledAt = now;
  }
}
