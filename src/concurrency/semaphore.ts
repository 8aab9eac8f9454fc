/**
 * A bound on how many do something at once.
 *
 * Owns: the permits and the line of those who wait for one, first come first served, with a bound of its own. Made for
 * pools and for limits on work in parallel.
 *
 * Invariants: permits given out and permits free always add up to the number at the start; nobody waits while one is
 * free; nobody passes those who wait.
 *
 * @module
 */

import { ConfigurationError, LimitError } from '../common/index.ts';
import { Waiters } from './waiters.ts';

/** What a semaphore may be given. */
export interface SemaphoreOptions {
  /** How many permits there are; at least 1. */
  readonly permits: number;
  /** How many may wait for one. Default: without bound. */
  readonly maxWaiting?: number;
  /** The name under which `maxWaiting` stands in the user's options, for the error. Default `maxWaiting`. */
  readonly limit?: string;
}

/** A permit, held until it is released. */
export interface Permit extends Disposable {
  /** Gives the permit back. Only the first call has an effect. */
  release(): void;
  /** As {@link Permit.release}. */
  [Symbol.dispose](): void;
}

/**
 * A number of permits.
 */
export class Semaphore {
  readonly #maxWaiting: number;
  readonly #limit: string;
  readonly #waiters: Waiters<Permit>;
  #available: number;
  #closed: boolean;
  #error: unknown;

  constructor(options: SemaphoreOptions) {
    if (!(options.permits >= 1)) {
      throw new ConfigurationError(`a semaphore has at least 1 permit, not ${String(options.permits)}`);
    }
    this.#available = options.permits;
    this.#maxWaiting = options.maxWaiting ?? Infinity;
    this.#limit = options.limit ?? 'maxWaiting';
    this.#waiters = new Waiters();
    this.#closed = false;
    this.#error = undefined;
  }

  /** How many permits are free. */
  get available(): number {
    return this.#available;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** A permit if one is free; `undefined` if not, or when closed. */
  tryAcquire(): Permit | undefined {
    if (this.#closed || this.#available === 0) return undefined;
    this.#available -= 1;
    return this.#permit();
  }

  /**
   * A permit, waiting for one. Rejects when the signal aborts, with the error given to {@link close}, and with
   * `LimitError` when too many wait already.
   */
  acquire(signal?: AbortSignal): Promise<Permit> {
    if (this.#closed) return Promise.reject(this.#error);
    if (signal?.aborted !== true) {
      const permit = this.tryAcquire();
      if (permit !== undefined) return Promise.resolve(permit);
      if (this.#waiters.length >= this.#maxWaiting) return Promise.reject(this.#tooMany());
    }
    return this.#waiters.add(signal, undefined);
  }

  /** Runs work while holding a permit. */
  async run<T>(work: () => PromiseLike<T> | T, signal?: AbortSignal): Promise<T> {
    const permit = await this.acquire(signal);
    try {
      return await work();
    } finally {
      permit.release();
    }
  }

  /** Gives out no more permits: those who wait, and those who come, are refused with `error`. */
  close(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#waiters.rejectAll(error);
  }

  #permit(): Permit {
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      this.#release();
    };
    return { release, [Symbol.dispose]: release };
  }

  #release(): void {
    if (this.#waiters.length > 0) this.#waiters.resolveFirst(this.#permit());
    else this.#available += 1;
  }

  #tooMany(): LimitError {
    const value = this.#maxWaiting;
    return new LimitError(`${String(value)} wait already; ${this.#limit} allows no more`, {
      limit: this.#limit,
      value,
      initiator: 'application',
    });
  }
}
