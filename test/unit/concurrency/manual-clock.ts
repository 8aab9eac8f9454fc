import type { Clock, ScheduledCallback } from '../../../src/common/index.ts';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
  readonly background: boolean;
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = 1000;
  readonly #entries = new Set<Entry>();
  /** How often `schedule` was called. */
  scheduled = 0;

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now + 1_700_000_000_000;
  }

  schedule(at: number, callback: () => void, options?: { readonly background?: boolean }): ScheduledCallback {
    const entry = { at, callback, background: options?.background ?? false };
    this.#entries.add(entry);
    this.scheduled += 1;
    return {
      cancel: () => {
        this.#entries.delete(entry);
      },
    };
  }

  /** How many callbacks wait. */
  get pending(): number {
    return this.#entries.size;
  }

  /** The times of the callbacks that wait, ascending. */
  get times(): number[] {
    return [...this.#entries].map((entry) => entry.at).sort((one, other) => one - other);
  }

  /** Whether every callback that waits is a background one. */
  get allBackground(): boolean {
    return [...this.#entries].every((entry) => entry.background);
  }

  /** Goes on by so many milliseconds, running what falls due, and what that schedules, in order. */
  advance(milliseconds: number): void {
    const target = this.#now + milliseconds;
    for (let rounds = 0; rounds < 100_000; rounds += 1) {
      let next: Entry | undefined;
      for (const entry of this.#entries) {
        if (entry.at <= target && (next === undefined || entry.at < next.at)) next = entry;
      }
      if (next === undefined) {
        this.#now = target;
        return;
      }
      this.#entries.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    throw new Error('the clock runs in a circle');
  }

  /** Goes on by so many milliseconds at once and calls everything that waits, late or even too early. */
  jump(milliseconds: number): void {
    this.#now += milliseconds;
    for (const entry of [...this.#entries]) {
      this.#entries.delete(entry);
      entry.callback();
    }
  }
}
