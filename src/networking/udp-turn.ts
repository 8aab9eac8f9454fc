/**
 * How many datagrams are taken in one turn of the event loop.
 *
 * `node:dgram` can neither be paused nor told to read less, and gives up to 32 datagrams per socket and turn. With many
 * sockets a flood would keep everything else from running; above the bound datagrams are dropped before anybody looks
 * at them, as a full receive buffer of the system drops them.
 *
 * @module
 */

/** Datagrams of one turn, over all sockets together. */
export const DATAGRAMS_PER_TURN = 256;

/** The turn's budget of datagrams, shared by the sockets of one networking object. */
export class DatagramTurn {
  readonly #maximum: number;
  readonly #nextTurn: () => void;
  #taken: number;
  #waiting: boolean;

  constructor(maximum: number = DATAGRAMS_PER_TURN) {
    this.#maximum = maximum;
    this.#taken = 0;
    this.#waiting = false;
    this.#nextTurn = () => {
      this.#taken = 0;
      this.#waiting = false;
    };
  }

  /** Whether one more may be taken in this turn. */
  take(): boolean {
    if (!this.#waiting) {
      this.#waiting = true;
      // Immediates run once between two polls for input.
      setImmediate(this.#nextTurn);
    }
    if (this.#taken >= this.#maximum) return false;
    this.#taken += 1;
    return true;
  }
}
