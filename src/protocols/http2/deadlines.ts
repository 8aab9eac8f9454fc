/**
 * The connection's deadlines.
 *
 * Theory of operation. Each deadline follows from something that lasts: a SETTINGS without its acknowledgement, output
 * that nobody takes, a frame that is not there whole, a connection without streams, silence of the peer. After every call
 * that brings the time the engine says which of them last; one that begins is given its deadline, one that goes on
 * keeps it, one that is over loses it. Streams have theirs in stall-watch.ts.
 *
 * @module
 */

/** What a deadline is for. The order is that in which those that are due at once are acted upon. */
export const Due = {
  nothing: 0,
  /** Output was not taken: `writeTimeout`. */
  write: 1,
  /** The connection's window stayed closed: `writeTimeout`. */
  window: 2,
  /** The preface, a frame or a header block is not there whole: `headTimeout`. */
  head: 3,
  settings: 4,
  /** No stream: `keepAliveTimeout`. */
  idle: 5,
  /** The peer is silent: `pingInterval`. */
  silence: 6,
  /** The PING was not answered: `pingTimeout`. */
  ping: 7,
  /** The shutdown's PING was not answered: `shutdownTimeout`. */
  shutdown: 8,
  /** No stream for a moment: caches are let go. */
  rest: 9,
  /** Less urgent streams have waited long enough for a more urgent one's writer. */
  held: 10,
} as const;
/** One of {@link Due}. */
export type DueKind = (typeof Due)[keyof typeof Due];

const KINDS = 11;

/** Keeps the deadlines of one connection. */
export class Deadlines {
  /** By kind. An array of doubles takes a third of what a typed one does. */
  readonly #at: number[];

  constructor() {
    this.#at = new Array<number>(KINDS).fill(Infinity);
  }

  /** Says whether something lasts; `duration` counts from when it began. */
  during(kind: DueKind, lasts: boolean, duration: number, now: number): void {
    if (!lasts) this.#at[kind] = Infinity;
    else if (this.#at[kind] === Infinity) this.#at[kind] = now + duration;
  }

  /** Sets one; `Infinity` for none. */
  set(kind: DueKind, at: number): void {
    this.#at[kind] = at;
  }

  /** The earliest. */
  get next(): number {
    let earliest = Infinity;
    for (let kind = 1; kind < KINDS; kind += 1) if (this.#at[kind]! < earliest) earliest = this.#at[kind]!;
    return earliest;
  }

  /** One that has passed. */
  passed(now: number): DueKind {
    for (let kind = 1; kind < KINDS; kind += 1) if (now >= this.#at[kind]!) return kind as DueKind;
    return Due.nothing;
  }

  /** None any more. */
  stop(): void {
    this.#at.fill(Infinity);
  }
}
