/**
 * Streams that do not get on.
 *
 * Theory of operation. A stream waits for the peer in two ways: for what its reader wants, and for windows that let it
 * send. Each way has a budget of time; every octet that comes or goes earns some of it, at the rate that the limits
 * name, up to the whole. There is no timer per stream: streams that wait stand in one list, and each is looked at when it
 * comes to the head, a quarter of the shortest budget after it was put there. So a look costs constant time, a stream is
 * looked at a few times in its budget, and is found out no more than a quarter too late.
 *
 * Owns: the list, and the deadlines' arithmetic. Does not own what is waited for (stall-watch.ts of each engine) nor what
 * becomes of a stream that is found out.
 *
 * @module
 */

/** A stream as the list sees it. */
export interface Watched<S> {
  /** What is waited for. */
  watch: Watch<S> | undefined;
}

/** What a stream waits for; made for the streams that ever do. */
export class Watch<S> {
  readonly stream: S;
  /** When each way's budget is used up; `Infinity` while it is not waited in. */
  recvDeadline: number;
  sendDeadline: number;
  /** When to look. */
  at: number;
  listed: boolean;
  next: Watch<S> | undefined;
  previous: Watch<S> | undefined;
  /** How many octets were sent when it was looked at last; for an engine that has to ask. */
  sent: number;

  constructor(stream: S) {
    this.stream = stream;
    this.recvDeadline = Infinity;
    this.sendDeadline = Infinity;
    this.at = 0;
    this.listed = false;
    this.next = undefined;
    this.previous = undefined;
    this.sent = 0;
  }
}

/** The list. */
export abstract class StallList<S extends Watched<S>> {
  readonly #every: number;
  #head: Watch<S> | undefined;
  #tail: Watch<S> | undefined;

  /** @param shortest - the shortest budget, in milliseconds */
  constructor(shortest: number) {
    this.#every = Math.max(1, shortest / 4);
    this.#head = undefined;
    this.#tail = undefined;
  }

  /** Nothing is waited for: the message has ended, nobody wants it, or its reader holds it up. */
  inputRests(stream: S): void {
    const { watch } = stream;
    if (watch === undefined) return;
    watch.recvDeadline = Infinity;
    if (watch.sendDeadline === Infinity) this.unlist(watch);
  }

  /** The stream is closed. */
  forget(stream: S): void {
    if (stream.watch === undefined) return;
    this.unlist(stream.watch);
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
  overdue(now: number): Watch<S> | undefined {
    for (let watch = this.#head; watch !== undefined && watch.at <= now; watch = this.#head) {
      this.unlist(watch);
      this.look(watch, now);
      if (now >= watch.recvDeadline || now >= watch.sendDeadline) return watch;
      if (watch.recvDeadline !== Infinity || watch.sendDeadline !== Infinity) this.list(watch, now);
    }
    return undefined;
  }

  /** Brings the deadlines of a stream up to date, before they are judged. */
  protected look(_watch: Watch<S>, _now: number): void {
    // They are, where the engine sees every octet pass.
  }

  /** Puts a watch behind all others, if it is not in the list. */
  protected list(watch: Watch<S>, now: number): void {
    if (watch.listed) return;
    watch.listed = true;
    watch.at = now + this.#every;
    watch.previous = this.#tail;
    if (this.#tail === undefined) this.#head = watch;
    else this.#tail.next = watch;
    this.#tail = watch;
  }

  /** Takes a watch out of the list, if it is there. */
  protected unlist(watch: Watch<S>): void {
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

/**
 * A deadline after octets passed; none move nothing.
 *
 * @param rate - octets a second; 0: any octet earns all
 * @param whole - the budget, in milliseconds
 */
export function earned(deadline: number, octets: number, rate: number, whole: number, now: number): number {
  if (octets === 0) return deadline;
  const latest = now + whole;
  return rate === 0 ? latest : Math.min(latest, deadline + (octets * 1000) / rate);
}
