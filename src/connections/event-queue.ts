/**
 * Events that wait for `receiveEvent`, and those who wait for events.
 *
 * Owns the order between the two. Either there are events or there are waiters, never both. It is bounded by its
 * user, who pauses reading (reception.ts).
 *
 * @module
 */
import type { HttpEvent } from '../protocols/index.ts';

interface Waiter {
  readonly resolve: (event: HttpEvent | undefined) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

/** A queue of events with promises at its end. */
export class EventQueue {
  #events: HttpEvent[];
  #taken: number;
  #waiters: Waiter[];
  #notices: number;
  #ended: boolean;

  constructor() {
    this.#events = [];
    this.#taken = 0;
    this.#waiters = [];
    this.#notices = 0;
    this.#ended = false;
  }

  /** How many events wait. */
  get length(): number {
    return this.#events.length - this.#taken;
  }

  /** How many of them are no content: nothing else bounds those. */
  get notices(): number {
    return this.#notices;
  }

  /** Whether somebody waits for an event. */
  get awaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Adds an event, or hands it to who waits the longest. Returns whether it was handed over. */
  push(event: HttpEvent): boolean {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#events.push(event);
      if (event.type !== 'DataReceived') this.#notices += 1;
      return false;
    }
    settle(waiter);
    waiter.resolve(event);
    return true;
  }

  /** The next event at once, if there is one. */
  shift(): HttpEvent | undefined {
    const event = this.#events[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    if (event.type !== 'DataReceived') this.#notices -= 1;
    if (this.#taken === this.#events.length) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }

  /** The next event when it comes; `undefined` after the end. Rejects with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<HttpEvent | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = signal === undefined ? undefined : (): void => this.#abort(waiter);
      const waiter: Waiter = { resolve, reject, signal, onAbort };
      this.#waiters.push(waiter);
      if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** No event comes any more: who waits is told so. What is queued can still be taken. */
  end(): void {
    this.#ended = true;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      settle(waiter);
      waiter.resolve(undefined);
    }
  }

  #abort(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.reject(waiter.signal?.reason);
  }
}

function settle(waiter: Waiter): void {
  if (waiter.onAbort !== undefined) waiter.signal?.removeEventListener('abort', waiter.onAbort);
}
