/**
 * Waiting for something to happen: once (a latch), or to be so (a gate).
 *
 * Owns: the state and those who wait for it. A promise is made for each who waits and for nobody else, so that a
 * connection which nobody waits for costs none, and a failure that nobody waits for is no unhandled rejection.
 *
 * @module
 */

import { Waiters } from './waiters.ts';

/**
 * Something that happens at most once, with a value or a failure.
 */
export class Latch<T = void> {
  readonly #waiters: Waiters<T>;
  #state: 'waiting' | 'open' | 'failed';
  #outcome: unknown;

  constructor() {
    this.#waiters = new Waiters();
    this.#state = 'waiting';
    this.#outcome = undefined;
  }

  /** Whether it has happened, one way or the other. */
  get settled(): boolean {
    return this.#state !== 'waiting';
  }

  /** It has happened. Only the first call of this and {@link fail} has an effect. */
  open(value: T): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'open';
    this.#outcome = value;
    this.#waiters.resolveAll(value);
  }

  /** It will not happen, for this reason. */
  fail(error: unknown): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'failed';
    this.#outcome = error;
    this.#waiters.rejectAll(error);
  }

  /** Resolves when it has happened, rejects when it failed or the signal aborts before. */
  wait(signal?: AbortSignal): Promise<T> {
    switch (this.#state) {
      case 'open':
        return Promise.resolve(this.#outcome as T);
      case 'failed':
        return Promise.reject(this.#outcome);
      case 'waiting':
        return this.#waiters.add(signal, undefined);
    }
  }
}

/**
 * Something that is so or is not, and changes: room in a buffer, for instance.
 */
export class Gate {
  readonly #waiters: Waiters<void>;
  #open: boolean;
  #failed: boolean;
  #error: unknown;

  /** @param open - whether it is open at first. */
  constructor(open = false) {
    this.#waiters = new Waiters();
    this.#open = open;
    this.#failed = false;
    this.#error = undefined;
  }

  /** Whether it is open. */
  get isOpen(): boolean {
    return this.#open && !this.#failed;
  }

  /** Lets through everybody who waits now and, until it is closed, everybody who comes. */
  open(): void {
    if (this.#failed) return;
    this.#open = true;
    this.#waiters.resolveAll();
  }

  /** From now on who comes has to wait. */
  close(): void {
    this.#open = false;
  }

  /** Refuses everybody from now on. Only the first call has an effect. */
  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#error = error;
    this.#waiters.rejectAll(error);
  }

  /**
   * Resolves when it is open. Who was let through runs a microtask later and has to look whether it still is. Rejects
   * when it failed or the signal aborts before.
   */
  wait(signal?: AbortSignal): Promise<void> {
    if (this.#failed) return Promise.reject(this.#error);
    return this.#open ? Promise.resolve() : this.#waiters.add(signal, undefined);
  }
}
