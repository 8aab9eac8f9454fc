/**
 * When content last came for each stream whose reader waits for some.
 *
 * Owns the order: the stream that has waited longest stands first, so that one look finds what is late (no scan, no
 * timer per stream).
 *
 * @module
 */
import type { Waiting } from '../deadlines.ts';
import { NOTHING } from '../deadlines.ts';
import type { SessionStream } from './session-stream.ts';

/** Streams by when content last came. */
export class ContentClock {
  readonly #since: Map<SessionStream, number>;
  readonly #timeout: number;

  /** `timeout`: how long content may stay away, in milliseconds. */
  constructor(timeout: number) {
    this.#since = new Map();
    this.#timeout = timeout;
  }

  /** The stream waits from now on. */
  begin(stream: SessionStream, now: number): void {
    this.#since.delete(stream);
    this.#since.set(stream, now);
  }

  /** The stream waits no more. */
  end(stream: SessionStream): void {
    this.#since.delete(stream);
  }

  /** What is late. */
  late(now: number): SessionStream[] {
    const late: SessionStream[] = [];
    for (const [stream, since] of this.#since) {
      if (since + this.#timeout > now) break;
      late.push(stream);
    }
    return late;
  }

  /** What is waited for, and since when. */
  waiting(now: number): { readonly waiting: Waiting; readonly since: number } {
    const [first] = this.#since;
    if (first === undefined) return { waiting: NOTHING, since: now };
    const [stream, since] = first;
    return { waiting: { phase: `body:${String(stream.id)}:${String(since)}`, duration: this.#timeout }, since };
  }
}
