/**
 * Those who wait until a stream takes data again.
 *
 * Owns the promises behind `HttpConnection.sendData`. One is made only when a sender really has to wait.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';

interface RoomWaiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

/** Promises of room, by stream. */
export class RoomWaiters {
  readonly #streams: Map<number, RoomWaiter[]>;

  constructor() {
    this.#streams = new Map();
  }

  /** Resolves at the stream's next room; rejects when the stream ends first or the signal says so. */
  wait(streamId: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = signal === undefined ? undefined : (): void => this.#abort(streamId, waiter);
      const waiter: RoomWaiter = { resolve, reject, signal, onAbort };
      const waiters = this.#streams.get(streamId);
      if (waiters === undefined) this.#streams.set(streamId, [waiter]);
      else waiters.push(waiter);
      if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Whether anybody waits for a stream. */
  waitsFor(streamId: number): boolean {
    return this.#streams.has(streamId);
  }

  /** There is room: all of the stream's waiters look again, in their order. */
  release(streamId: number): void {
    for (const waiter of this.#take(streamId)) waiter.resolve();
  }

  /** The stream takes nothing any more. */
  fail(streamId: number, error: HfaceError): void {
    for (const waiter of this.#take(streamId)) waiter.reject(error);
  }

  /** No stream takes anything any more. */
  failAll(error: HfaceError): void {
    for (const streamId of [...this.#streams.keys()]) this.fail(streamId, error);
  }

  #take(streamId: number): RoomWaiter[] {
    const waiters = this.#streams.get(streamId);
    if (waiters === undefined) return [];
    this.#streams.delete(streamId);
    for (const waiter of waiters) {
      if (waiter.onAbort !== undefined) waiter.signal?.removeEventListener('abort', waiter.onAbort);
    }
    return waiters;
  }

  #abort(streamId: number, waiter: RoomWaiter): void {
    const waiters = this.#streams.get(streamId)?.filter((other) => other !== waiter) ?? [];
    if (waiters.length === 0) this.#streams.delete(streamId);
    else this.#streams.set(streamId, waiters);
    waiter.reject(waiter.signal?.reason);
  }
}
