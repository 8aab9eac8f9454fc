/**
 * The deadlines of one connection: of the phase that it is in, and of output that nobody takes.
 *
 * Owns the two times. A phase has a name; as long as the name stays, so does its deadline, unless it is granted anew.
 *
 * @module
 */

/** What is waited for, and for how long in milliseconds; `Infinity`: for ever. */
export interface Waiting {
  readonly phase: string;
  readonly duration: number;
}

/** Nothing is waited for. */
export const NOTHING: Waiting = { phase: '', duration: Infinity };

/** Keeps the deadlines. */
export class Deadlines {
  /** How long output may wait, in milliseconds. */
  readonly writeTimeout: number;
  #phase: string;
  #at: number;
  #writeAt: number;

  constructor(writeTimeout: number) {
    this.writeTimeout = writeTimeout;
    this.#phase = '';
    this.#at = Infinity;
    this.#writeAt = Infinity;
  }

  /** The next deadline. */
  next(): number | undefined {
    const at = Math.min(this.#at, this.#writeAt);
    return at === Infinity ? undefined : at;
  }

  /** The phase whose deadline has passed. */
  expired(now: number): string | undefined {
    return now >= this.#at ? this.#phase : undefined;
  }

  /** Whether output waits for too long. */
  writeExpired(now: number): boolean {
    return now >= this.#writeAt;
  }

  /** Names the phase. */
  wait({ phase, duration }: Waiting, now: number): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#at = now + duration;
  }

  /** Something of what is waited for has come: the deadline begins anew with the next {@link Deadlines.wait}. */
  restart(): void {
    this.#phase = '';
  }

  /** Says whether output waits, and whether some of it was just taken. */
  output(waits: boolean, taken: boolean, now: number): void {
    if (!waits) this.#writeAt = Infinity;
    else if (taken || this.#writeAt === Infinity) this.#writeAt = now + this.writeTimeout;
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#phase = '';
    this.#at = Infinity;
    this.#writeAt = Infinity;
  }
}
