/**
 * Accepted connections that wait for `for await`.
 *
 * Owns their order and bound. They are not started, so a waiting connection costs its objects only.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';
import type { HttpConnection } from './http-connection.ts';

interface Taker {
  readonly resolve: (result: IteratorResult<HttpConnection, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

const DONE: IteratorResult<HttpConnection, undefined> = { done: true, value: undefined };

/** A bounded queue of connections with an async iterator at its end. */
export class WaitingConnections {
  readonly #maximum: number;
  #connections: HttpConnection[];
  #takers: Taker[];
  #ended: boolean;
  #error: HfaceError | undefined;

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#connections = [];
    this.#takers = [];
    this.#ended = false;
    this.#error = undefined;
  }

  /** Whether no further connection can wait. */
  get full(): boolean {
    return this.#connections.length >= this.#maximum;
  }

  /** Hands a connection over, or lets it wait. */
  push(connection: HttpConnection): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#connections.push(connection);
    else taker.resolve({ done: false, value: connection });
  }

  /** No more come; those that wait can still be taken. */
  end(): void {
    this.#ended = true;
    const takers = this.#takers;
    this.#takers = [];
    for (const taker of takers) taker.resolve(DONE);
  }

  /** Accepting failed: who waits is told, and who asks later. */
  fail(error: HfaceError): void {
    this.#error = error;
    const takers = this.#takers;
    this.#takers = [];
    for (const taker of takers) taker.reject(error);
  }

  /** An iterator; several may share the queue. Leaving the loop leaves the listener open. */
  iterator(): AsyncIterator<HttpConnection, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<HttpConnection, undefined>> {
    let connection = this.#connections.shift();
    while (connection?.isClosed === true) connection = this.#connections.shift();
    if (connection !== undefined) return Promise.resolve({ done: false, value: connection });
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
    });
  }
}
