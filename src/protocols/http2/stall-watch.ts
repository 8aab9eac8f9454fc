/**
 * Streams that do not get on, by what HTTP/2 sees: content that comes, and windows that let content go. The engine sees
 * each octet pass, so the deadlines are always true.
 *
 * Owns: the deadlines of streams; their list is that of stall-list.ts.
 *
 * @module
 */
import { earned, StallList, Watch } from '../stall-list.ts';
import type { Http2Limits } from './limits.ts';
import type { Stream } from './stream.ts';

/** Watches streams. */
export class StallWatch extends StallList<Stream> {
  readonly #bodyTimeout: number;
  readonly #bodyRate: number;
  readonly #writeTimeout: number;
  readonly #writeRate: number;

  constructor(limits: Http2Limits) {
    super(Math.min(limits.bodyTimeout, limits.writeTimeout));
    this.#bodyTimeout = limits.bodyTimeout;
    this.#bodyRate = limits.minBodyRate;
    this.#writeTimeout = limits.writeTimeout;
    this.#writeRate = limits.minSendRate;
  }

  /** Content is waited for from now on. */
  awaitContent(stream: Stream, now: number): void {
    if (this.#bodyTimeout === Infinity) return;
    const watch = (stream.watch ??= new Watch(stream));
    if (watch.recvDeadline !== Infinity) return;
    watch.recvDeadline = now + this.#bodyTimeout;
    this.list(watch, now);
  }

  /** Content came. */
  contentCame(stream: Stream, bytes: number, now: number): void {
    const { watch } = stream;
    if (watch === undefined || watch.recvDeadline === Infinity) return;
    watch.recvDeadline = earned(watch.recvDeadline, bytes, this.#bodyRate, this.#bodyTimeout, now);
  }

  /** A window is waited for from now on. */
  awaitWindow(stream: Stream, now: number): void {
    if (this.#writeTimeout === Infinity) return;
    const watch = (stream.watch ??= new Watch(stream));
    if (watch.sendDeadline !== Infinity) return;
    watch.sendDeadline = now + this.#writeTimeout;
    this.list(watch, now);
  }

  /** Content was sent; `more`: there is still more than the window took. */
  contentSent(stream: Stream, bytes: number, more: boolean, now: number): void {
    const { watch } = stream;
    if (watch === undefined || watch.sendDeadline === Infinity) return;
    if (more) {
      watch.sendDeadline = earned(watch.sendDeadline, bytes, this.#writeRate, this.#writeTimeout, now);
    } else {
      watch.sendDeadline = Infinity;
      if (watch.recvDeadline === Infinity) this.unlist(watch);
    }
  }
}
