/**
 * The system's clock: the one place of the library that reads the time and sets Node's timers.
 *
 * Owns the mapping of {@link Clock} to `performance`, `Date` and `setTimeout`. A delay longer than a Node timer can
 * hold is waited for in steps; a background callback keeps no process alive.
 *
 * Invariant: after its callback ran or was cancelled, a scheduled callback holds no timer.
 *
 * @module
 */
import type { Clock, ScheduledCallback } from '../common/index.ts';

/** The longest delay of a Node timer, in milliseconds: anything above fires at once. */
const LONGEST_DELAY = 0x7fff_ffff;

/** {@link Clock} by the system's time and Node's timers. */
export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  schedule(at: number, callback: () => void, options?: { readonly background?: boolean }): ScheduledCallback {
    return new SystemTimer(at, callback, options?.background === true);
  }
}

/** One callback that waits for its time. */
class SystemTimer implements ScheduledCallback {
  readonly #at: number;
  readonly #background: boolean;
  #callback: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(at: number, callback: () => void, background: boolean) {
    this.#at = at;
    this.#background = background;
    this.#callback = callback;
    this.#timer = undefined;
    this.#arm();
  }

  cancel(): void {
    this.#callback = undefined;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    // Rounded up: a timer that fires early would find nothing due and be set again for a fraction of a millisecond.
    const delay = Math.ceil(Math.max(0, this.#at - performance.now()));
    this.#timer = setTimeout(() => this.#fire(), Math.min(delay, LONGEST_DELAY));
    if (this.#background) this.#timer.unref();
  }

  #fire(): void {
    const callback = this.#callback;
    if (callback === undefined) return;
    // A Node timer may fire up to a millisecond early, and a long delay is only a step on the way.
    if (this.#at - performance.now() >= 1) {
      this.#arm();
      return;
    }
    this.#callback = undefined;
    this.#timer = undefined;
    callback();
  }
}
