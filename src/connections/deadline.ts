/**
 * One moment that moves: the next timer of a connection, an idle connection's end, a waiting request's patience.
 *
 * Owns the lazy re-arming. A deadline that moves later costs a comparison: what is armed fires at the old time, sees
 * that there is time left, and is armed again. All deadlines of one clock share one timer below.
 *
 * Invariants: the callback is never called from inside `set`; never after `stop`; at most once for each time set.
 *
 * @module
 */
import type { Clock, ScheduledCallback } from '../common/index.ts';

/** A moment that may be moved and taken back. */
export class Deadline {
  readonly #clock: Clock;
  readonly #callback: (now: number) => void;
  readonly #fire: () => void;
  #at: number | undefined;
  #armedAt: number;
  #armed: ScheduledCallback | undefined;

  /**
   * @param clock - whose time it is
   * @param callback - called with the time once the deadline has passed
   */
  constructor(clock: Clock, callback: (now: number) => void) {
    this.#clock = clock;
    this.#callback = callback;
    this.#fire = () => this.#fired();
    this.#at = undefined;
    this.#armedAt = 0;
    this.#armed = undefined;
  }

  /** Moves the deadline to an absolute time, or takes it back. */
  set(at: number | undefined): void {
    this.#at = at;
    if (at === undefined || at === Infinity) return;
    if (this.#armed !== undefined) {
      if (this.#armedAt <= at) return;
      this.#armed.cancel();
    }
    this.#arm(at);
  }

  /** Takes it back and lets go of what is armed. It may be set again. */
  stop(): void {
    this.#at = undefined;
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #arm(at: number): void {
    this.#armedAt = at;
    this.#armed = this.#clock.schedule(at, this.#fire, BACKGROUND);
  }

  #fired(): void {
    this.#armed = undefined;
    const at = this.#at;
    if (at === undefined || at === Infinity) return;
    const now = this.#clock.now();
    if (at > now) {
      this.#arm(at);
      return;
    }
    this.#at = undefined;
    this.#callback(now);
  }
}

/** A connection's socket keeps the process alive, not its timers. */
const BACKGROUND = { background: true } as const;
