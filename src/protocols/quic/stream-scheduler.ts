/**
 * Which stream sends next.
 *
 * Theory of operation. A stream that has something to send is in one of two lanes: `again` when it has what flow control
 * does not count (lost bytes, or an end without bytes), `fresh` when it has new bytes and a window of its own for them.
 * Without credit of the connection only the first lane sends. Each lane is in the order of send-order.ts, and the more
 * urgent stream of the two goes first; at the same urgency, the one of `again`.
 *
 * Owns: the lanes.
 *
 * @module
 */
import { SendOrder } from '../send-order.ts';
import type { Stream } from './stream-state.ts';

/** Where a stream waits. */
export const Lane = { none: 0, again: 1, fresh: 2 } as const;
/** One of {@link Lane}. */
export type LaneKind = (typeof Lane)[keyof typeof Lane];

/** The streams that may send. */
export class StreamScheduler {
  readonly #again: SendOrder<Stream>;
  readonly #fresh: SendOrder<Stream>;

  constructor() {
    this.#again = new SendOrder();
    this.#fresh = new SendOrder();
  }

  /** Whether anybody waits in the lane that needs credit. */
  get hasFresh(): boolean {
    return !this.#fresh.empty;
  }

  /** Whether anybody may send. @param credit - the connection has credit */
  canSend(credit: boolean): boolean {
    return !this.#again.empty || (credit && this.hasFresh);
  }

  /** Puts a stream where it belongs; it stays where it is already. */
  place(stream: Stream, lane: LaneKind): void {
    if (stream.lane === lane) return;
    if (stream.lane !== Lane.none) this.#order(stream.lane).remove(stream);
    stream.lane = lane;
    if (lane !== Lane.none) this.#order(lane).add(stream);
  }

  /** Who sends next. @param credit - the connection has credit */
  next(credit: boolean): Stream | undefined {
    if (credit && this.#fresh.urgency < this.#again.urgency) return this.#fresh.peek();
    return this.#again.peek();
  }

  /** The stream has sent a frame: the next one has its turn. To be called before the stream is placed anew. */
  sent(stream: Stream): void {
    this.#order(stream.lane).sent(stream);
  }

  #order(lane: number): SendOrder<Stream> {
    return lane === Lane.again ? this.#again : this.#fresh;
  }
}
