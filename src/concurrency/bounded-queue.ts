/**
 * A queue between two parties of which the faster one must wait.
 *
 * Owns: the bound, the order, and both lines of waiters. What counts is the items' weight, one each unless a function
 * says otherwise (bytes, for instance). There is room while the weight is below the capacity: the last item may exceed
 * it, so that one heavier than the whole queue passes as well. The queue never holds more than its capacity and one
 * item.
 *
 * Invariants: items leave in the order in which they came, also past those who wait to put them; nobody waits to take
 * while an item is there; nobody waits to put while there is room; nothing that was accepted is lost, unless
 * {@link BoundedQueue.clear} hands it back.
 *
 * @module
 */

import { ConfigurationError, LocalProtocolError } from '../common/index.ts';
import { Waiters } from './waiters.ts';

/** What a queue can hold: anything but `undefined`, which stands for the end. */
export type QueueItem = object | string | number | bigint | boolean | symbol | null;

/** What bounds a queue. */
export interface BoundedQueueOptions<T> {
  /** The weight from which on it is full; at least 1. */
  readonly capacity: number;
  /** What an item weighs, not negative. Called at most once for each, when it is put. Default: every item 1. */
  readonly weigh?: (item: T) => number;
}

interface Entry<T> {
  readonly item: T;
  readonly weight: number;
  next: Entry<T> | undefined;
}

/**
 * A first-in first-out queue with a bound.
 */
export class BoundedQueue<T extends QueueItem> implements AsyncIterable<T> {
  /** The weight from which on it is full. */
  readonly capacity: number;
  readonly #weigh: ((item: T) => number) | undefined;
  #first: Entry<T> | undefined;
  #last: Entry<T> | undefined;
  #length: number;
  #weight: number;
  #closed: boolean;
  #error: unknown;
  #hasError: boolean;
  readonly #takers: Waiters<T | undefined>;
  readonly #putters: Waiters<void, Entry<T>>;

  constructor(options: BoundedQueueOptions<T>) {
    if (!(options.capacity >= 1)) {
      throw new ConfigurationError(`a queue's capacity is at least 1, not ${String(options.capacity)}`);
    }
    this.capacity = options.capacity;
    this.#weigh = options.weigh;
    this.#first = undefined;
    this.#last = undefined;
    this.#length = 0;
    this.#weight = 0;
    this.#closed = false;
    this.#error = undefined;
    this.#hasError = false;
    this.#takers = new Waiters();
    this.#putters = new Waiters();
  }

  /** How many items it holds. */
  get length(): number {
    return this.#length;
  }

  /** What they weigh together. */
  get weight(): number {
    return this.#weight;
  }

  /** Whether it takes no more items. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether {@link tryPush} would take an item now. */
  get hasRoom(): boolean {
    return !this.#closed && this.#weight < this.capacity && this.#putters.length === 0;
  }

  /** Puts an item at the end if there is room; false, and the item stays with the caller, if not or when closed. */
  tryPush(item: T): boolean {
    if (!this.hasRoom) return false;
    this.#accept(item);
    return true;
  }

  /**
   * Puts an item at the end, waiting for room. Rejects, and the item stays with the caller, when the signal aborts or
   * the queue is closed: with the error it was closed with, or `LocalProtocolError` `ERR_QUEUE_CLOSED`.
   */
  push(item: T, signal?: AbortSignal): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closingError());
    if (this.hasRoom && signal?.aborted !== true) {
      this.#accept(item);
      return Promise.resolve();
    }
    return this.#putters.add(signal, this.#weighed(item));
  }

  /** The first item; `undefined` when there is none now. */
  tryTake(): T | undefined {
    const entry = this.#first;
    if (entry === undefined) return undefined;
    this.#first = entry.next;
    if (this.#first === undefined) this.#last = undefined;
    this.#length -= 1;
    this.#weight = this.#length === 0 ? 0 : this.#weight - entry.weight;
    this.#letIn();
    return entry.item;
  }

  /**
   * The first item, waiting for one. `undefined` when the queue was closed and is empty. Rejects with the error it was
   * closed with, once it is empty, and when the signal aborts.
   */
  take(signal?: AbortSignal): Promise<T | undefined> {
    if (signal?.aborted === true) return this.#takers.add(signal, undefined);
    const item = this.tryTake();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#hasError) return Promise.reject(this.#error);
    if (this.#closed) return Promise.resolve(undefined);
    return this.#takers.add(signal, undefined);
  }

  /**
   * Takes no more items. What it holds can still be taken; then takers get `undefined`, or `error` if one is given.
   * Those who wait to put an item are refused. Only the first call has an effect.
   */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#hasError = error !== undefined;
    this.#putters.rejectAll(this.#closingError());
    if (this.#hasError) this.#takers.rejectAll(error);
    else this.#takers.resolveAll(undefined);
  }

  /** Drops what it holds and answers it, so that its owner can let go of it. Those who wait to put are let in. */
  clear(): T[] {
    const items: T[] = [];
    for (let entry = this.#first; entry !== undefined; entry = entry.next) items.push(entry.item);
    this.#first = undefined;
    this.#last = undefined;
    this.#length = 0;
    this.#weight = 0;
    this.#letIn();
    return items;
  }

  /** The items as they come, until the queue was closed and is empty. Leaving the loop leaves the queue as it is. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let item = await this.take(); item !== undefined; item = await this.take()) yield item;
  }

  #accept(item: T): void {
    if (!this.#takers.resolveFirst(item)) this.#append(this.#weighed(item));
  }

  #weighed(item: T): Entry<T> {
    return { item, weight: this.#weigh === undefined ? 1 : this.#weigh(item), next: undefined };
  }

  #append(entry: Entry<T>): void {
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#length += 1;
    this.#weight += entry.weight;
  }

  /** Takes over what those bring who wait to put, while there is room. */
  #letIn(): void {
    while (this.#weight < this.capacity) {
      const entry = this.#putters.peek();
      if (entry === undefined) return;
      this.#putters.resolveFirst();
      this.#append(entry);
    }
  }

  #closingError(): unknown {
    return this.#hasError ? this.#error : new LocalProtocolError('the queue is closed', 'ERR_QUEUE_CLOSED');
  }
}
