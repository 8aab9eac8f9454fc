/**
 * The timers of one request: one for the phase it is in, one for the whole.
 *
 * Owns which of them is due. Both share one timer of the session's queue, which moves lazily: going from phase to
 * phase costs an assignment and a comparison. It is armed when there is something to wait for, and not before.
 *
 * @module
 */
import type { Clock } from '../common/index.ts';
import type { Timer, TimerQueue } from '../concurrency/index.ts';
import type { ClientTimeouts } from './limits.ts';

/** What a request can be waiting for. */
export type Phase = 'queue' | 'continue' | 'headers' | 'bodyIdle';

/** Who is told which one ran out; a phase that did is over. */
export interface RequestTimersOwner {
  expired(name: Phase | 'total'): void;
}

/** The timers of one request. */
export class RequestTimers {
  readonly #clock: Clock;
  readonly #timeouts: ClientTimeouts;
  readonly #owner: RequestTimersOwner;
  readonly #timer: Timer;
  readonly #totalAt: number;
  #phase: Phase | undefined;
  #phaseAt: number;

  /**
   * The total runs from `now`, unless it has run since before.
   *
   * @param now - the clock's time
   */
  constructor(
    queue: TimerQueue,
    clock: Clock,
    request: { readonly timeouts: ClientTimeouts; readonly totalAt: number | undefined },
    owner: RequestTimersOwner,
    now: number,
  ) {
    this.#clock = clock;
    this.#timeouts = request.timeouts;
    this.#totalAt = request.totalAt ?? now + request.timeouts.total;
    this.#phase = undefined;
    this.#phaseAt = Infinity;
    this.#owner = owner;
    this.#timer = queue.timer((at) => this.#due(at));
    if (this.#totalAt !== Infinity) this.#set();
  }

  /** The phase begins, or begins again. `now`: the clock's time, if it is known. */
  enter(phase: Phase, now: number = this.#clock.now()): void {
    this.#phase = phase;
    this.#phaseAt = now + this.#timeouts[phase];
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

  #due(now: number): void {
    const phase = this.#phase;
    this.#phase = undefined;
    this.#phaseAt = Infinity;
    this.#owner.expired(now < this.#totalAt && phase !== undefined ? phase : 'total');
  }

  #set(): void {
    this.#timer.set(Math.min(this.#phaseAt, this.#totalAt));
  }
}
