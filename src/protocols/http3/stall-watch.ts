/**
 * Streams that do not get on.
 *
 * Theory of operation. A stream waits for the peer in two ways: for a head or content that its reader wants, and for the
 * windows that let it send. Each way has a budget of time; every octet that comes or goes earns some of it, at the rate
 * that the limits name, up to the whole. There is no timer per stream: streams that wait stand in one list, and each is
 * looked at when it comes to the head, a quarter of the shortest budget after it was put there. So a look costs constant
 * time, and a stream is found out no more than a quarter too late. Windows are the transport's: whether they hold a
 * stream up, and how far it got, is asked when it is looked at.
 *
 * Owns: the deadlines of streams and the list. Does not own what becomes of a stream that is found out.
 *
 * @module
 */
import type { QuicTransport } from '../quic-transport.ts';
import type { Http3Limits } from './limits.ts';
import type { Stream } from './stream.ts';
import { Recv } from './stream.ts';

/** What a stream waits for; made for the streams that ever do. */
export class Watch {
  readonly stream: Stream;
  /** When each way's budget is used up; `Infinity` while it is not waited in. */
  recvDeadline: number;
  sendDeadline: number;
  /** How many octets were sent when it was looked at last. */
  sent: number;
  /** When to look. */
  at: number;
  listed: boolean;
  next: Watch | undefined;
  previous: Watch | undefined;

  constructor(stream: Stream) {
    this.stream = stream;
    this.recvDeadline = Infinity;
    this.sendDeadline = Infinity;
    this.sent = 0;
    this.at = 0;
    this.listed = false;
    this.next = undefined;
    this.previous = undefined;
  }
}

/** Watches streams. */
export class StallWatch {
  readonly #transport: QuicTransport;
  readonly #limits: Http3Limits;
  readonly #every: number;
  #head: Watch | undefined;
  #tail: Watch | undefined;

  constructor(transport: QuicTransport, limits: Http3Limits) {
    this.#transport = transport;
    this.#limits = limits;
    this.#every = Math.max(1, Math.min(limits.headTimeout, limits.bodyTimeout, limits.writeTimeout) / 4);
    this.#head = undefined;
    this.#tail = undefined;
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

  /** Nothing is waited for: the message has ended, or nobody wants it. */
  inputRests(stream: Stream): void {
    const { watch } = stream;
    if (watch === undefined) return;
    watch.recvDeadline = Infinity;
    if (watch.sendDeadline === Infinity) this.#unlist(watch);
  }

  /** Something was submitted: that the peer lets it go is waited for from now on. */
  awaitSending(stream: Stream, now: number): void {
    const { writeTimeout } = this.#limits;
    if (writeTimeout === Infinity) return;
    const watch = (stream.watch ??= new Watch(stream));
    if (watch.sendDeadline !== Infinity) return;
    watch.sendDeadline = now + writeTimeout;
    watch.sent = this.#transport.sentBytes(stream.id);
    this.#list(watch, now);
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
      this.#look(watch, now);
      if (now >= watch.recvDeadline || now >= watch.sendDeadline) return watch;
      if (watch.recvDeadline !== Infinity || watch.sendDeadline !== Infinity) this.#list(watch, now);
    }
    return undefined;
  }

  #awaitInput(stream: Stream, now: number, budget: number): void {
    const watch = (stream.watch ??= new Watch(stream));
    watch.recvDeadline = now + budget;
    if (budget !== Infinity) this.#list(watch, now);
  }

  #look(watch: Watch, now: number): void {
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
  if (bytes === 0) return deadline;
  return rate === 0 ? latest : Math.min(latest, deadline + (bytes * 1000) / rate);
}
