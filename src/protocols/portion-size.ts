/**
 * How much output a driver is given at once.
 *
 * Owns: the size of one portion. It doubles while the driver asks again soon and falls back when it does not: bulk goes
 * out in large writes, while a slow peer leaves only little in the socket, where the engine's timers cannot see it and
 * its priorities come too late. How large it may become depends on what is below: the system is given the chunks as they
 * are, so that few writes are best; TLS copies each write and seals it, so that a very large one pays no more.
 *
 * @module
 */

/** The size of the first portion, in bytes; no portion is smaller. */
export const FIRST_PORTION = 65_536;
/** The largest to TLS, and where nothing is said of what is below. */
const LARGEST_PORTION = 1_048_576;
/** The largest to the system itself. */
const LARGEST_CLEAR = 4_194_304;
/** Asked again within this many milliseconds, the next portion is twice as large. */
const SOON = 100;

/** The sizes of portions, one after the other. */
export class PortionSize {
  readonly #largest: number;
  #size: number;
  #lastTaken: number;

  /** @param secure - whether TLS is below; `undefined`: that is not known */
  constructor(secure?: boolean) {
    this.#largest = secure === false ? LARGEST_CLEAR : LARGEST_PORTION;
    this.#size = FIRST_PORTION;
    this.#lastTaken = -Infinity;
  }

  /** The size of a portion that is taken now, in bytes. */
  next(now: number): number {
    this.#size = now - this.#lastTaken < SOON ? Math.min(this.#size * 2, this.#largest) : FIRST_PORTION;
    this.#lastTaken = now;
    return this.#size;
  }
}
