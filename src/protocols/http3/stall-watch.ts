/**
 * Streams that do not get on, by what HTTP/3 sees: heads and content that come. Windows are the transport's: whether they
 * hold a stream up, and how far it got, is asked when the stream is looked at.
 *
 * Owns: the deadlines of streams; their list is that of stall-list.ts.
 *
 * @module
 */
import type { QuicTransport } from '../quic-transport.ts';
import { earned, StallList, Watch } from '../stall-list.ts';
import type { Http3Limits } from './limits.ts';
import type { Stream } from './stream.ts';
import { Recv } from './stream.ts';

/** Watches streams. */
export class StallWatch extends StallList<Stream> {
  readonly #transport: QuicTransport;
  readonly #limits: Http3Limits;

  constructor(transport: QuicTransport, limits: Http3Limits) {
    super(Math.min(limits.headTimeout, limits.bodyTimeout, limits.writeTimeout));
    this.#transport = transport;
    this.#limits = limits;
  }

  /** A request's head is waited for from now on. */
  awaitHead(stream: Stream, now: number): void {
    this.#awaitInput(stream, now, this.#limits.headTimeout);
  }

  /** Content is waited for from now on. */
  awaitContent(stream: Stream, now: number): void {
    this.#awaitInput(stream, now, this.#limits.bodyTimeout);
  }

  /** Content came. */
  contentCame(stream: Stream, bytes: number, now: number): void {
    const { watch } = stream;
    if (watch === undefined || watch.recvDeadline === Infinity) return;
    watch.recvDeadline = earned(watch.recvDeadline, bytes, this.#limits.minBodyRate, this.#limits.bodyTimeout, now);
  }

  /** Something was submitted: that the peer lets it go is waited for from now on. */
  awaitSending(stream: Stream, now: number): void {
    const { writeTimeout } = this.#limits;
    if (writeTimeout === Infinity) return;
    const watch = (stream.watch ??= new Watch(stream));
    if (watch.sendDeadline !== Infinity) return;
    watch.sendDeadline = now + writeTimeout;
    watch.sent = this.#transport.sentBytes(stream.id);
    this.list(watch, now);
  }

  protected override look(watch: Watch<Stream>, now: number): void {
    const { stream } = watch;
    const limits = this.#limits;
    // What its reader has not taken closes the window: no fault of the sender's.
    if (watch.recvDeadline !== Infinity && stream.unconsumed > 0 && stream.recv !== Recv.head) {
      watch.recvDeadline = now + limits.bodyTimeout;
    }
    if (watch.sendDeadline === Infinity) return;
    const sent = this.#transport.sentBytes(stream.id);
    if (!this.#transport.hasUnacknowledged(stream.id)) {
      watch.sendDeadline = Infinity;
    } else if (this.#transport.isBlocked(stream.id)) {
      watch.sendDeadline = earned(watch.sendDeadline, sent - watch.sent, limits.minSendRate, limits.writeTimeout, now);
    } else {
      watch.sendDeadline = now + limits.writeTimeout;
    }
    watch.sent = sent;
  }

  #awaitInput(stream: Stream, now: number, budget: number): void {
    const watch = (stream.watch ??= new Watch(stream));
    watch.recvDeadline = now + budget;
    if (budget !== Infinity) this.list(watch, now);
  }
}
