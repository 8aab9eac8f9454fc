/**
 * Streams that do not get on.
 *
 * Theory of operation. A stream waits for the peer in two ways: for content that its reader wants, and for a window that
 * lets it send. Each way has a budget of time; every octet that comes or goes earns some of it, at the rate that the
 * limits name, up to the whole. There is no timer per stream: streams that wait stand in one list, and each is looked at
 * when it comes to the head, a quarter of the budget after it was put there. So a look costs constant time, a stream is
 * looked at a few times in its budget, and is found out no more than a quarter too late. A stream that waits for nothing
 * any more, or is closed, leaves the list at once.
 *
 * Owns: the deadlines of streams and the list. Does not own what becomes of a stream that is found out.
 *
 * @module
 */
import type { Http2Limits } from './limits.ts';
import type { Stream } from './stream.ts';

/** What a stream waits for; made for the streams that ever do. */
export class Watch {
  readonly stream: Stream;
  /** When each way's budget is used up; `Infinity` while it is not waited in. */
  recvDeadline: number;
  sendDeadline: number;
  /** When to look. */
  at: number;
  listed: boolean;
  next: Watch | undefined;
  previous: Watch | undefined;

  constructor(stream: Stream) {
    this.stream = stream;
    this.recvDeadline = Infinity;
    this.sendDeadline = Infinity;
    this.at = 0;
    this.listed = false;
    this.next = undefined;
    this.previous = undefined;
  }
}

/** Watches streams. */
export class StallWatch {
  readonly #bodyTimeout: number;
  readonly #bodyRate: number;
  readonly #writeTimeout: number;
  readonly #writeRate: number;
  readonly #every: number;
  #head: Watch | undefined;
  #tail: Watch | undefined;

  constructor(limits: Http2Limits) {
    this.#bodyTimeout = limits.bodyTimeout;
    this.#bodyRate = limits.minBodyRate;
    this.#writeTimeout = limits.writeTimeout;
    this.#writeRate = limits.minSendRate;
    this.#every = Math.max(1, Math.min(limits.bodyTimeout, limits.writeTimeout) / 4);
    this.#head = undefined;
    this.#tail = undefined;
  }

  /** Content is waited for from now on. */
  awaitContent(stream: Stream, now: number): void {
    if (this.#bodyTimeout === Infinity) return;
    const watch = (stream.watch ??= new Watch(stream));
    if (watch.recvDeadline !== Infinity) return;
    watch.recvDeadline = now + this.#bodyTimeout;
    this.#list(watch, now);
  }

  /** Content came. */
  contentCame(stream: Stream, bytes: number, now: number): void {
    const { watch } = stream;
    if (watch === undefined || watch.recvDeadline === Infinity) return;
    watch.recvDeadline = earned(watch.recvDeadline, bytes, this.#bodyRate, this.#bodyTimeout, now);
  }

  /** Content is not waited for: it has ended, or its reader holds it up. */
  contentRests(stream: Stream): void {
    const { watch } = stream;
    if (watch === undefined) return;
    watch.recvDeadline = Infinity;
    if (watch.sendDeadline === Infinity) this.#unlist(watch);
  }

  /** A window is waited for from now on. */
  awaitWindow(stream: Stream, now: number): void {
    if (this.#writeTimeout === Infinity) return;
    const watch = (stream.watch ??= new Watch(stream));
    if (watch.sendDeadline !== Infinity) return;
    watch.sendDeadline = now + this.#writeTimeout;
    this.#list(watch, now);
  }

  /** Content was sent; `more`: there is still more than the window took. */
  contentSent(stream: Stream, bytes: number, more: boolean, now: number): void {
    const { watch } = stream;
    if (watch === undefined || watch.sendDeadline === Infinity) return;
    if (more) {
      watch.sendDeadline = earned(watch.sendDeadline, bytes, this.#writeRate, this.#writeTimeout, now);
    } else {
      watch.sendDeadline = Infinity;
      if (watch.recvDeadline === Infinity) this.#unlist(watch);
    }
  }

  /** The stream is closed. */
  forget(stream: Stream): void {
    if (stream.watch === undefined) return;
    this.#unlist(stream.watch);
    stream.watch = undefined;
  }

  /** No stream is watched any more. */
  clear(): void {
    this.#head = undefined;
    this.#tail = undefined;
  }

  /** When to look next; `Infinity` for never. */
  get next(): number {
    return this.#head === undefined ? Infinity : this.#head.at;
  }

  /** The next stream that ran out of time, out of the list; `undefined` when there is none now. */
  overdue(now: number): Watch | undefined {
    for (let watch = this.#head; watch !== undefined && watch.at <= now; watch = this.#head) {
      this.#unlist(watch);
      if (now >= watch.recvDeadline || now >= watch.sendDeadline) return watch;
      this.#list(watch, now);
    }
    return undefined;
  }

  #list(watch: Watch, now: number): void {
    if (watch.listed) return;
    watch.listed = true;
    watch.at = now + this.#every;
    watch.previous = this.#tail;
    if (this.#tail === undefined) this.#head = watch;
    else this.#tail.next = watch;
    this.#tail = watch;
  }

  #unlist(watch: Watch): void {
    if (!watch.listed) return;
    const { previous, next } = watch;
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    watch.listed = false;
    watch.next = undefined;
    watch.previous = undefined;
  }
}

function earned(deadline: number, bytes: number, rate: number, whole: number, now: number): number {
  const latest = now + whole;
  return rate === 0 ? latest : Math.min(latest, deadline + (bytes * 1000) / rate);
}
