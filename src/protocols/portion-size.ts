/**
 * How much output a driver is given at once.
 *
 * Owns: the size of one portion. It doubles while the driver asks again soon and falls back when it does not: bulk goes
 * out in large writes, while a slow peer leaves only little in the socket, where the engine's timers cannot see it and
 * its priorities come too late.
 *
 * @module
 */

const FIRST_PORTION = 65_536;
const LARGEST_PORTION = 1_048_576;
/** Asked again within this many milliseconds, the next portion is twice as large. */
const SOON = 500;

/** The sizes of portions, one after the other. */
export class PortionSize {
  #size: number;
  #lastTaken: number;

  constructor() {
    this.#size = FIRST_PORTION;
    this.#lastTaken = -Infinity;
  }

  /** The size of a portion that is taken now, in bytes. */
  next(now: number): number {
    this.#size = now - this.#lastTaken < SOON ? Math.min(this.#size * 2, LARGEST_PORTION) : FIRST_PORTION;
    this.#lastTaken = now;
    return this.#size;
  }
}
