/**
 * Bounds on how long work may take, on a clock that is handed in.
 *
 * Owns: a signal that aborts at a time, and waiting for a time. Does not own timers of connections: those are many and
 * move often, and live in a timer queue (timer-queue.ts).
 *
 * @module
 */

import { TimeoutError } from '../common/index.ts';
import type { Clock, ScheduledCallback } from '../common/index.ts';
import { abortError, isCancellation, onAbort } from './abort.ts';

/** What bounds a piece of work. */
export interface DeadlineOptions {
  /** The timer's name as it stands in the options: `connect`, `head`, `total` … */
  readonly timer: string;
  /** How long, in milliseconds. `undefined` or `Infinity`: without bound. */
  readonly milliseconds: number | undefined;
  /** Cancels the work besides, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A signal that aborts with a `TimeoutError` at a time, or with another signal before it. */
export class Deadline implements Disposable {
  readonly #controller: AbortController;
  #scheduled: ScheduledCallback | undefined;
  #stopListening: (() => void) | undefined;
  #error: TimeoutError | undefined;

  /** The time runs from now. Dispose of it when the work has ended; until then it may keep the process alive. */
  constructor(clock: Clock, options: DeadlineOptions) {
    const { timer, milliseconds = Infinity } = options;
    this.#controller = new AbortController();
    this.#scheduled = undefined;
    this.#error = undefined;
    this.#stopListening = onAbort(options.signal, (reason) => {
      this.#release();
      this.#controller.abort(reason);
    });
    if (this.#controller.signal.aborted || milliseconds === Infinity) return;
    this.#scheduled = clock.schedule(clock.now() + milliseconds, () => {
      this.#error = new TimeoutError(timer, milliseconds);
      this.#release();
      this.#controller.abort(this.#error);
    });
  }

  /** Aborts at the deadline with the {@link error}, or with the signal given. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Set once the time has run out, unless the signal given came first. */
  get error(): TimeoutError | undefined {
    return this.#error;
  }

  /** Takes the timer back, and lets go of the signal given. The signal of the deadline changes no more. */
  [Symbol.dispose](): void {
    this.#release();
  }

  #release(): void {
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}

/**
 * Runs work that must end within a time. When the time has run out its signal aborts, and the call ends as soon as the
 * work does: nothing is left running. Work that does not heed its signal is therefore not cut off; give it
 * `raceAbort` inside. A value that comes in spite of the abort is answered, so that what it holds is not lost.
 *
 * @throws TimeoutError naming the timer, when the work ended by a rejection that the deadline caused; any other
 *   rejection of the work as it is.
 */
export async function withDeadline<T>(
  clock: Clock,
  options: DeadlineOptions,
  work: (signal: AbortSignal) => PromiseLike<T> | T,
): Promise<T> {
  const deadline = new Deadline(clock, options);
  try {
    return await work(deadline.signal);
  } catch (error) {
    throw deadline.error !== undefined && isCancellation(error, deadline.signal) ? deadline.error : error;
  } finally {
    deadline[Symbol.dispose]();
  }
}

/** Resolves after so many milliseconds on the clock; rejects with the signal's reason if that aborts before. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal.reason));
      return;
    }
    const scheduled = clock.schedule(clock.now() + milliseconds, () => {
      stopListening();
      resolve();
    });
    const stopListening = onAbort(signal, (reason) => {
      scheduled.cancel();
      reject(abortError(reason));
    });
  });
}
