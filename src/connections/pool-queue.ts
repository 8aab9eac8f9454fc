/**
 * Requests that wait for a connection, in the order in which they came.
 *
 * Owns the links in the requests: adding, taking the first and leaving the queue take constant time each.
 *
 * @module
 */
import type { PoolRequest } from './pool-request.ts';

/** A queue that its members may leave. */
export class PoolQueue {
  #first: PoolRequest | undefined;
  #last: PoolRequest | undefined;
  #length: number;

  constructor() {
    this.#first = undefined;
    this.#last = undefined;
    this.#length = 0;
  }

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** The one that waits the longest. */
  get first(): PoolRequest | undefined {
    return this.#first;
  }

  /** Adds a request at the end. */
  push(request: PoolRequest): void {
    request.before = this.#last;
    if (this.#last === undefined) this.#first = request;
    else this.#last.behind = request;
    this.#last = request;
    this.#length += 1;
  }

  /** Takes the first. */
  shift(): PoolRequest | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes all. */
  take(): PoolRequest[] {
    const requests: PoolRequest[] = [];
    for (let request = this.shift(); request !== undefined; request = this.shift()) requests.push(request);
    return requests;
  }

  /** Takes a request out; does nothing for one that is not in the queue. */
  remove(request: PoolRequest): void {
    if (request !== this.#first && request.before === undefined) return;
    if (request.before === undefined) this.#first = request.behind;
    else request.before.behind = request.behind;
    if (request.behind === undefined) this.#last = request.before;
    else request.behind.before = request.before;
    request.before = undefined;
    request.behind = undefined;
    this.#length -= 1;
  }
}
