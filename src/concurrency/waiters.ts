/**
 * Those who wait for one thing, in the order in which they came.
 *
 * Owns: the promise of each, and leaving the line in constant time when its signal aborts. Internal: queue, semaphore,
 * latch and gate are built on it.
 *
 * Invariant: whoever is in the line has neither been answered nor aborted; leaving it takes the abort listener off.
 *
 * @module
 */

import { abortError, onAbort } from './abort.ts';

interface Waiter<T, P> {
  readonly payload: P;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  stopListening: (() => void) | undefined;
  before: Waiter<T, P> | undefined;
  behind: Waiter<T, P> | undefined;
}

/**
 * A line of waiters for values of type `T`; each may bring something along.
 */
export class Waiters<T, P = undefined> {
  #first: Waiter<T, P> | undefined;
  #last: Waiter<T, P> | undefined;
  #length: number;

  constructor() {
    this.#first = undefined;
    this.#last = undefined;
    this.#length = 0;
  }

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Stands at the end of the line. Rejects, and leaves the line, when the signal aborts; at once if it has. */
  add(signal: AbortSignal | undefined, payload: P): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(abortError(signal.reason));
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter<T, P> = {
        payload,
        resolve,
        reject,
        stopListening: undefined,
        before: this.#last,
        behind: undefined,
      };
      if (this.#last === undefined) this.#first = waiter;
      else this.#last.behind = waiter;
      this.#last = waiter;
      this.#length += 1;
      waiter.stopListening = onAbort(signal, (reason) => {
        this.#remove(waiter);
        reject(abortError(reason));
      });
    });
  }

  /** What the first one brought along; `undefined` if nobody waits. */
  peek(): P | undefined {
    return this.#first?.payload;
  }

  /** Answers the first one; false if nobody waits. */
  resolveFirst(value: T): boolean {
    const waiter = this.#first;
    if (waiter === undefined) return false;
    this.#remove(waiter);
    waiter.resolve(value);
    return true;
  }

  /** Answers everybody who waits now. */
  resolveAll(value: T): void {
    while (this.resolveFirst(value));
  }

  /** Refuses everybody who waits now. */
  rejectAll(error: unknown): void {
    for (let waiter = this.#first; waiter !== undefined; waiter = this.#first) {
      this.#remove(waiter);
      waiter.reject(error);
    }
  }

  #remove(waiter: Waiter<T, P>): void {
    waiter.stopListening?.();
    if (waiter.before === undefined) this.#first = waiter.behind;
    else waiter.before.behind = waiter.behind;
    if (waiter.behind === undefined) this.#last = waiter.before;
    else waiter.behind.before = waiter.before;
    this.#length -= 1;
  }
}
