/**
 * A clock that a test moves by hand.
 *
 * @module
 */
import type { Clock, ScheduledCallback } from '../../src/common/index.ts';

interface Entry {
  readonly at: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/** {@link Clock} without time of its own. */
export class ManualClock implements Clock {
  readonly #entries = new Set<Entry>();
  #now = 1_000;
  #sequence = 0;

  /** How many callbacks wait. */
  get scheduled(): number {
    return this.#entries.size;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  schedule(at: number, callback: () => void): ScheduledCallback {
    this.#sequence += 1;
    const entry = { at, sequence: this.#sequence, callback };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  /** Moves time on, calling what becomes due in order. Promises settle between the calls. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settled();
      const next = [...this.#entries].sort((one, other) => one.at - other.at || one.sequence - other.sequence)[0];
      if (next === undefined || next.at > end) break;
      this.#entries.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}

/** Lets promises that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
