/**
 * The open connections of a listener or a pool, and how they end together.
 *
 * Owns the set and the two ways out: draining, where each finishes what runs, and closing. Both resolve only when the
 * set is empty, and both are bounded: what outlives the bound is aborted.
 *
 * It is an array, in which each connection knows its place. A `Set` that grows and shrinks all the time leaves tables
 * behind of which each refers to the next; one of them that has grown old keeps all behind it, and the connections in
 * them, from the quick collection: where each request has a connection of its own, that cost more than the request.
 *
 * Invariants: a connection is in one set at most; `placeOf` of the connection at index i is i.
 *
 * @module
 */
import type { Clock } from '../common/index.ts';
import { placeOf, setPlace } from './http-connection.ts';
import type { HttpConnection } from './http-connection.ts';
import type { DrainOptions } from './http-listener.ts';
import { timerOn } from './timers.ts';

/** How long `drain` waits when nothing else is said, in milliseconds. */
const DRAIN_TIMEOUT = 10_000;
/** How long closed connections may take to send their last output, in milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** Connections that end together. */
export class ConnectionSet {
  readonly #clock: Clock;
  readonly #connections: HttpConnection[];
  #whenEmpty: (() => void)[];
  /** The callback of the connection added last, and what it calls: mostly the same for all. */
  #released: ((connection: HttpConnection) => void) | undefined;
  #onClosed: ((connection: HttpConnection) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#connections = [];
    this.#whenEmpty = [];
    this.#released = undefined;
    this.#onClosed = undefined;
  }

  /** Those that are open now. */
  get connections(): ReadonlySet<HttpConnection> {
    return new Set(this.#connections);
  }

  /** Adds a connection until it is closed; `released` is called then. */
  add(connection: HttpConnection, released: (connection: HttpConnection) => void): void {
    setPlace(connection, this.#connections.push(connection) - 1);
    if (this.#onClosed === undefined || released !== this.#released) {
      this.#released = released;
      this.#onClosed = (closed) => this.#closed(closed, released);
    }
    connection.onClosed(this.#onClosed);
  }

  /** Resolves when no connection is left. */
  empty(): Promise<void> {
    if (this.#connections.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #closed(connection: HttpConnection, released: (connection: HttpConnection) => void): void {
    this.#remove(connection);
    released(connection);
    if (this.#connections.length > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /** The last one takes its place. */
  #remove(connection: HttpConnection): void {
    const last = this.#connections.pop() as HttpConnection;
    if (last === connection) return;
    const place = placeOf(connection);
    this.#connections[place] = last;
    setPlace(last, place);
  }

  /** Winds each down; after the bound closes what is left. */
  async drain(options: DrainOptions): Promise<void> {
    for (const connection of [...this.#connections]) void connection.shutdown();
    if (this.#connections.length === 0) return;
    const signal = options.signal;
    const overdue = (): void => void this.close();
    const deadline = timerOn(this.#clock, overdue);
    deadline.set(this.#clock.now() + (options.timeout ?? DRAIN_TIMEOUT));
    signal?.addEventListener('abort', overdue, { once: true });
    if (signal?.aborted === true) overdue();
    try {
      await this.empty();
    } finally {
      deadline.cancel();
      signal?.removeEventListener('abort', overdue);
    }
  }

  /** Closes each, and aborts what does not close in time. */
  async close(): Promise<void> {
    for (const connection of [...this.#connections]) void connection.close();
    if (this.#connections.length === 0) return;
    const deadline = timerOn(this.#clock, () => {
      for (const connection of [...this.#connections]) connection.abort();
    });
    deadline.set(this.#clock.now() + CLOSE_TIMEOUT);
    try {
      await this.empty();
    } finally {
      deadline.cancel();
    }
  }
}
