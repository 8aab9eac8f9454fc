/**
 * What comes in one turn of the event loop: how many datagrams are taken, and when the last one was.
 *
 * `node:dgram` can neither be paused nor told to read less, and gives up to 32 datagrams per socket and turn. With many
 * sockets a flood would keep everything else from running; above the bound datagrams are dropped before anybody looks
 * at them, as a full receive buffer of the system drops them. Behind the last one each handler that had some is told,
 * so that it answers a burst as a whole.
 *
 * @module
 */
import type { UdpSocketHandler } from './networking.ts';

/** Datagrams of one turn, over all sockets together. */
export const DATAGRAMS_PER_TURN = 256;

/** The turn of all sockets of one networking object. */
export class DatagramTurn {
  readonly #maximum: number;
  readonly #handlers: Set<UdpSocketHandler>;
  readonly #end: () => void;
  #taken: number;
  #waiting: boolean;

  constructor(maximum: number = DATAGRAMS_PER_TURN) {
    this.#maximum = maximum;
    this.#handlers = new Set();
    this.#end = () => this.#ended();
    this.#taken = 0;
    this.#waiting = false;
  }

  /** Whether one more may be taken in this turn. The handler is told when the turn ends. */
  take(handler: UdpSocketHandler): boolean {
    if (!this.#waiting) {
      this.#waiting = true;
      // Immediates run once between two polls for input.
      setImmediate(this.#end);
    }
    if (this.#taken >= this.#maximum) return false;
    this.#taken += 1;
    this.#handlers.add(handler);
    return true;
  }

  #ended(): void {
    this.#taken = 0;
    this.#waiting = false;
    const handlers = [...this.#handlers];
    this.#handlers.clear();
    for (const handler of handlers) {
      try {
        handler.turnEnded();
      } catch {
        // It has been told.
      }
    }
  }
}
