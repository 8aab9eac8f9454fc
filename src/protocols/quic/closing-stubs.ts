/**
 * What is left of connections that are over.
 *
 * Owns RFC 9000 section 10.2 for as long as it lasts after the connection itself has been let go: a stub repeats the
 * close, less and less often, or says nothing (draining). A stub holds one datagram, mostly of less than 100 bytes, and one
 * connection id.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import type { QuicRemains } from './connection-close.ts';
import type { HeapEntry } from './deadline-heap.ts';

/** A close that is longer is not repeated. In the middle of a handshake it says its reason at each level. */
const LONGEST_CLOSE = 512;
/** Stubs are forgotten by the batch, at multiples of so many milliseconds: a timer for each costs more than the stub. */
const GRAIN = 64;
/** RFC 9000 section 8.1. */
const AMPLIFICATION = 3;

/** One connection that is over. */
export class ClosingStub implements HeapEntry {
  readonly kind: 'stub';
  deadline: number;
  heapIndex: number;
  /** The id by which the peer called the connection last, as the endpoint's key. */
  readonly route: string;
  readonly #datagram: Uint8Array | undefined;
  readonly #path: NetworkPath;
  #received: number;
  /** How many bytes may be sent for those that came. */
  #allowance: number;

  constructor(remains: QuicRemains, route: string) {
    const { datagram } = remains;
    this.kind = 'stub';
    this.deadline = Math.ceil(remains.until / GRAIN) * GRAIN;
    this.heapIndex = -1;
    this.route = route;
    this.#datagram = datagram === undefined || datagram.length > LONGEST_CLOSE ? undefined : new Uint8Array(datagram);
    this.#path = remains.path;
    this.#received = 0;
    this.#allowance = 0;
  }

  get path(): NetworkPath {
    return this.#path;
  }

  /**
   * A datagram came for the connection.
   *
   * @param remote - where from: only where the connection was is told anything (section 10.2.1)
   * @param length - of the datagram: nobody is sent more than three times what came
   * @returns the close, after the first, second, fourth, eighth … datagram
   */
  datagramReceived(remote: string, length: number): Uint8Array | undefined {
    const close = this.#datagram;
    if (close === undefined || remote !== this.#path.remote) return undefined;
    this.#allowance += AMPLIFICATION * length;
    if (this.#allowance < close.length) return undefined;
    this.#received += 1;
    const isPowerOfTwo = (this.#received & (this.#received - 1)) === 0;
    if (!isPowerOfTwo) return undefined;
    this.#allowance -= close.length;
    return close;
  }
}
