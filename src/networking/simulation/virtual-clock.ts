/**
 * Time that moves only when a simulation moves it.
 *
 * Owns the queue of callbacks by time. Who decides when time moves is simulation.ts.
 *
 * Invariants: callbacks of one time run in the order in which they were scheduled; time never goes back; nothing runs
 * from inside `schedule`.
 *
 * @module
 */
import type { Clock, ScheduledCallback } from '../../common/index.ts';

/** Where virtual time begins, in milliseconds: not at 0, which code may take for "not set". */
const ORIGIN = 1_000;

/** Options of a virtual clock. */
export interface VirtualClockOptions {
  /** What {@link Clock.wallTime} says at the beginning. Default 2026-01-01T00:00:00Z. */
  readonly wallStart?: number;
}

/** {@link Clock} for simulations. */
export class VirtualClock implements Clock {
  readonly #wallStart: number;
  readonly #heap: VirtualTimer[];
  #now: number;
  #sequence: number;
  #cancelled: number;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallStart = options.wallStart ?? Date.UTC(2026, 0, 1);
    this.#heap = [];
    this.#now = ORIGIN;
    this.#sequence = 0;
    this.#cancelled = 0;
  }

  /** How many callbacks wait. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Milliseconds since the simulation began. */
  get elapsed(): number {
    return this.#now - ORIGIN;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallStart + this.elapsed;
  }

  schedule(at: number, callback: () => void): ScheduledCallback {
    const timer = new VirtualTimer(Math.max(at, this.#now), (this.#sequence += 1), callback, () => {
      this.#cancelled += 1;
    });
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return timer;
  }

  /** The time of the next callback; `undefined` when there is none. */
  nextTime(): number | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.isWaiting) return first.at;
      this.#pop();
      this.#cancelled -= 1;
    }
    return undefined;
  }

  /** Moves time to the next callback and calls it; false when there is none. */
  step(): boolean {
    const next = this.nextTime();
    if (next === undefined) return false;
    this.#now = next;
    this.#pop()?.run();
    return true;
  }

  #pop(): VirtualTimer | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#heap[0] = last;
    this.#down(0);
    return first;
  }

  #up(start: number): void {
    let index = start;
    const timer = this.#heap[index] as VirtualTimer;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above] as VirtualTimer;
      if (!timer.isBefore(parent)) break;
      this.#heap[index] = parent;
      index = above;
    }
    this.#heap[index] = timer;
  }

  #down(start: number): void {
    let index = start;
    const timer = this.#heap[index] as VirtualTimer;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      if (left === undefined) break;
      const right = this.#heap[2 * index + 2];
      const useRight = right?.isBefore(left) === true;
      const child = useRight ? right : left;
      if (!child.isBefore(timer)) break;
      this.#heap[index] = child;
      index = 2 * index + (useRight ? 2 : 1);
    }
    this.#heap[index] = timer;
  }
}

/** A clock that counts what is scheduled through it, so that it can be told from what others wait for. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  #pending: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#pending = 0;
  }

  /** How many callbacks wait that were scheduled here. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#clock.now();
  }

  wallTime(): number {
    return this.#clock.wallTime();
  }

  schedule(at: number, callback: () => void): ScheduledCallback {
    let waiting = true;
    const ended = (): void => {
      if (waiting) this.#pending -= 1;
      waiting = false;
    };
    this.#pending += 1;
    const timer = this.#clock.schedule(at, () => {
      ended();
      callback();
    });
    return {
      cancel: () => {
        ended();
        timer.cancel();
      },
    };
  }
}

class VirtualTimer implements ScheduledCallback {
  readonly at: number;
  readonly #sequence: number;
  readonly #onCancel: () => void;
  #callback: (() => void) | undefined;

  constructor(at: number, sequence: number, callback: () => void, onCancel: () => void) {
    this.at = at;
    this.#sequence = sequence;
    this.#onCancel = onCancel;
    this.#callback = callback;
  }

  isBefore(other: VirtualTimer): boolean {
    return this.at < other.at || (this.at === other.at && this.#sequence < other.#sequence);
  }

  get isWaiting(): boolean {
    return this.#callback !== undefined;
  }

  run(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  cancel(): void {
    if (this.#callback === undefined) return;
    this.#callback = undefined;
    this.#onCancel();
  }
}
