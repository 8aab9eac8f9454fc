/**
 * The timers of one request: one for the phase it is in, one for the whole.
 *
 * Owns which of them is due. Both share one timer of the session's queue, which moves lazily: going from phase to
 * phase costs an assignment and a comparison.
 *
 * @module
 */
import type { Clock } from '../common/index.ts';
import type { Timer, TimerQueue } from '../concurrency/index.ts';
import type { ClientTimeouts } from './limits.ts';

/** What a request can be waiting for. */
export type Phase = 'queue' | 'continue' | 'headers' | 'bodyIdle';

/** The timers of one request. */
export class RequestTimers {
  readonly #clock: Clock;
  readonly #timeouts: ClientTimeouts;
  readonly #timer: Timer;
  readonly #totalAt: number;
  #phase: Phase | undefined;
  #phaseAt: number;

  /**
   * The total runs from now, unless it has run since before.
   *
   * @param expired - told which one ran out; a phase that did is over
   */
  constructor(
    queue: TimerQueue,
    clock: Clock,
    request: { readonly timeouts: ClientTimeouts; readonly totalAt: number | undefined },
    expired: (name: Phase | 'total') => void,
  ) {
    this.#clock = clock;
    this.#timeouts = request.timeouts;
    this.#totalAt = request.totalAt ?? clock.now() + request.timeouts.total;
    this.#phase = undefined;
    this.#phaseAt = Infinity;
    this.#timer = queue.timer((now) => {
      const phase = this.#phase;
      this.#phase = undefined;
      this.#phaseAt = Infinity;
      if (now < this.#totalAt && phase !== undefined) expired(phase);
      else expired('total');
    });
    this.#set();
  }

  /** The phase begins, or begins again. */
  enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseAt = this.#clock.now() + this.#timeouts[phase];
    this.#set();
  }

  /** Nobody but this side is waited for. */
  leave(): void {
    if (this.#phase === undefined) return;
    this.#phase = undefined;
    this.#phaseAt = Infinity;
    this.#set();
  }

  /** The request is over. */
  stop(): void {
    this.#timer.cancel();
  }

  #set(): void {
    this.#timer.set(Math.min(this.#phaseAt, this.#totalAt));
  }
}
