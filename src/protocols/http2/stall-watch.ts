/**
 * Streams that do not get on.
 *
 * Theory of operation. A stream waits for the peer in two ways: for content that its reader wants, and for a window that
 * lets it send. Each way has a budget of time; every octet that comes or goes earns some of it, at the rate that the
 * limits name, up to the whole. There is no timer per stream: watched streams stand in one queue, and each is looked at
 * when it comes to the head, a quarter of the budget after it was put there. So a look costs constant time, a stream is
 * looked at a few times in its budget, and is found out no more than a quarter too late.
 *
 * Owns: the deadlines of streams and the queue. Does not own what becomes of a stream that is found out.
 *
 * @module
 */
import { RingQueue } from '../../wire/index.ts';
import type { Http2Limits } from './limits.ts';
import type { Stream } from './stream.ts';
import { Closed } from './stream.ts';

interface Look {
  readonly stream: Stream;
  readonly at: number;
}

/** Watches streams. */
export class StallWatch {
  readonly #bodyTimeout: number;
  readonly #bodyRate: number;
  readonly #writeTimeout: number;
  readonly #writeRate: number;
  readonly #every: number;
  readonly #queue: RingQueue<Look>;

  constructor(limits: Http2Limits) {
    this.#bodyTimeout = limits.bodyTimeout;
    this.#bodyRate = limits.minBodyRate;
    this.#writeTimeout = limits.writeTimeout;
    this.#writeRate = limits.minSendRate;
    this.#every = Math.max(1, Math.min(limits.bodyTimeout, limits.writeTimeout) / 4);
    this.#queue = new RingQueue<Look>();
  }

  /** Content is waited for from now on. */
  awaitContent(stream: Stream, now: number): void {
    if (stream.recvDeadline !== Infinity || this.#bodyTimeout === Infinity) return;
    stream.recvDeadline = now + this.#bodyTimeout;
    this.#watch(stream, now);
  }

  /** Content came. */
  contentCame(stream: Stream, bytes: number, now: number): void {
    if (stream.recvDeadline !== Infinity) {
      stream.recvDeadline = earned(stream.recvDeadline, bytes, this.#bodyRate, this.#bodyTimeout, now);
    }
  }

  /** A window is waited for from now on. */
  awaitWindow(stream: Stream, now: number): void {
    if (stream.sendDeadline !== Infinity || this.#writeTimeout === Infinity) return;
    stream.sendDeadline = now + this.#writeTimeout;
    this.#watch(stream, now);
  }

  /** Content was sent; `more`: there is still more than the window took. */
  contentSent(stream: Stream, bytes: number, more: boolean, now: number): void {
    if (stream.sendDeadline === Infinity) return;
    if (more) stream.sendDeadline = earned(stream.sendDeadline, bytes, this.#writeRate, this.#writeTimeout, now);
    else stream.sendDeadline = Infinity;
  }

  /** When to look next; `Infinity` for never. */
  get next(): number {
    return this.#queue.peek()?.at ?? Infinity;
  }

  /** The next stream that ran out of time; `undefined` when there is none now. */
  overdue(now: number): Stream | undefined {
    for (let look = this.#queue.peek(); look !== undefined && look.at <= now; look = this.#queue.peek()) {
      this.#queue.shift();
      const { stream } = look;
      stream.watched = false;
      if (stream.closed !== Closed.no) continue;
      if (now >= stream.recvDeadline || now >= stream.sendDeadline) return stream;
      if (stream.recvDeadline !== Infinity || stream.sendDeadline !== Infinity) this.#watch(stream, now);
    }
    return undefined;
  }

  /** Forgets all streams. */
  clear(): void {
    this.#queue.clear();
  }

  #watch(stream: Stream, now: number): void {
    if (stream.watched) return;
    stream.watched = true;
    this.#queue.push({ stream, at: now + this.#every });
  }
}

function earned(deadline: number, bytes: number, rate: number, whole: number, now: number): number {
  const latest = now + whole;
  return rate === 0 ? latest : Math.min(latest, deadline + (bytes * 1000) / rate);
}
