/**
 * The credit of a connection, and of its count of streams.
 *
 * Theory of operation. The connection's receive window is a promise of memory: what was ever advertised, less what was
 * ever consumed, never exceeds `maxUnconsumedBytes`. Within that it is kept at half of it: as long as less than the other
 * half waits for its readers, credit is given back as soon as bytes come, so that no slow reader holds up the others;
 * beyond, only as bytes are consumed.
 *
 *     advertised = min(received + cap / 2, consumed + cap)
 *
 * A stream's window is given back as its reader consumes. It begins at `initialStreamWindow` and doubles each time that
 * half of it was consumed within two round trips while little waited, up to `maxStreamWindow` and as long as the budget
 * for growth, half of the cap, which all streams share, has room. What a stream took of it comes back when it ends.
 *
 * Owns: these counts (RFC 9000 sections 4.1, 4.2 and 4.6). Does not own what an overrun becomes, nor frames.
 *
 * @module
 */
import type { Stream } from './stream-state.ts';

/** No window needs more, and sums stay exact. */
export const LARGEST_WINDOW: number = 2 ** 40;
/** RFC 9000 section 4.6. */
const MOST_STREAMS = 2 ** 52;
/** Milliseconds: two round trips are not measured below this, since drivers gather packets for about so long. */
const LEAST_EPOCH = 10;
/** What counts as a small piece. */
const SMALL_PIECE = 128;

/** What the peer may send on all streams together. */
export class ReceiveCredit {
  readonly #cap: number;
  readonly #share: number;
  readonly #maxStreamWindow: number;
  #advertised: number;
  #received: number;
  #consumed: number;
  /** What streams may still grow by. */
  #growth: number;
  /** Small pieces that were given and not taken, of all streams. */
  #smallPieces: number;
  readonly #maxSmallPieces: number;
  /** The peer has said that it waits. */
  #wanted: boolean;

  constructor(limits: {
    readonly maxUnconsumedBytes: number;
    readonly maxStreamWindow: number;
    readonly maxSmallPieces: number;
  }) {
    this.#cap = Math.min(LARGEST_WINDOW, limits.maxUnconsumedBytes);
    this.#share = Math.ceil(this.#cap / 2);
    this.#maxStreamWindow = Math.min(LARGEST_WINDOW, limits.maxStreamWindow);
    this.#advertised = this.#share;
    this.#received = 0;
    this.#consumed = 0;
    this.#growth = this.#share;
    this.#smallPieces = 0;
    this.#maxSmallPieces = limits.maxSmallPieces;
    this.#wanted = false;
  }

  /** The limit that was advertised last. */
  get advertised(): number {
    return this.#advertised;
  }

  /** What was promised and not consumed: never more than the cap. */
  get outstanding(): number {
    return this.#advertised - this.#consumed;
  }

  /** Bytes came. False when the limit was overrun. */
  receive(length: number): boolean {
    this.#received += length;
    return this.#received <= this.#advertised;
  }

  /** Bytes were dropped that nobody was given. */
  consume(length: number): void {
    this.#consumed += length;
  }

  /** A stream's reader was given bytes; in a small piece, it counts. @returns whether there are not too many of those */
  give(stream: Stream, length: number): boolean {
    stream.unconsumed += length;
    if (length >= SMALL_PIECE) return true;
    stream.smallPieces += 1;
    this.#smallPieces += 1;
    return this.#smallPieces <= this.#maxSmallPieces;
  }

  /** A stream's reader took bytes; more than it was given counts as all. @returns how many it took */
  take(stream: Stream, length: number): number {
    const taken = Math.min(stream.unconsumed, length);
    // Not so when the length is no number.
    if (!(taken > 0)) return 0;
    stream.unconsumed -= taken;
    this.#consumed += taken;
    if (stream.unconsumed === 0) {
      this.#smallPieces -= stream.smallPieces;
      stream.smallPieces = 0;
    }
    return taken;
  }

  /** The peer waits at a limit. */
  blockedAt(limit: number): void {
    this.#wanted = limit >= this.#advertised;
  }

  /** Whether MAX_DATA is to be sent. */
  get isDue(): boolean {
    const due = this.#target() - this.#advertised;
    if (due <= 0) return false;
    const left = this.#advertised - this.#received;
    return this.#wanted || left <= 0 || due * 4 >= this.#share || (due * 32 >= this.#share && left * 2 <= this.#share);
  }

  /** The limit to advertise now. */
  advertise(): number {
    this.#advertised = Math.max(this.#advertised, this.#target());
    this.#wanted = false;
    return this.#advertised;
  }

  /** Doubles the window of a stream whose reader keeps up. */
  grow(stream: Stream, now: number, roundTrip: number): void {
    const since = now - stream.windowAt;
    stream.windowAt = now;
    if (since > Math.max(2 * roundTrip, LEAST_EPOCH) || stream.unconsumed * 4 > stream.window) return;
    const more = Math.min(stream.window, this.#maxStreamWindow - stream.window, this.#growth);
    if (more <= 0) return;
    this.#growth -= more;
    stream.window += more;
  }

  /** A stream receives no more. */
  release(stream: Stream, initial: number): void {
    this.#growth += stream.window - initial;
    stream.window = initial;
  }

  #target(): number {
    return Math.min(this.#received + this.#share, this.#consumed + this.#cap);
  }
}

/** The limit for a stream's peer when its window is given anew. */
export function streamLimit(stream: Stream): number {
  return (stream.recv?.consumed ?? 0) - stream.unconsumed + stream.window;
}

/** What this side may send on all streams together. */
export class SendCredit {
  #limit: number;
  #used: number;
  /** The limit that DATA_BLOCKED was sent for. */
  #blockedAt: number;

  constructor() {
    this.#limit = 0;
    this.#used = 0;
    this.#blockedAt = -1;
  }

  get limit(): number {
    return this.#limit;
  }

  get available(): number {
    return this.#limit - this.#used;
  }

  /** Limits never shrink (RFC 9000 section 4.1). */
  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }

  use(length: number): void {
    this.#used += length;
  }

  /** Whether DATA_BLOCKED has not been sent for this limit. */
  get mayTell(): boolean {
    return this.available === 0 && this.#blockedAt < this.#limit;
  }

  /** DATA_BLOCKED was sent, or (`false`) lost. */
  told(sent: boolean): void {
    this.#blockedAt = sent ? this.#limit : -1;
  }
}

/** How many streams of one kind the peer may open. */
export class PeerStreams {
  readonly #most: number;
  #advertised: number;
  #opened: number;
  #released: number;
  #wanted: boolean;

  constructor(most: number) {
    this.#most = Math.min(MOST_STREAMS, most);
    this.#advertised = this.#most;
    this.#opened = 0;
    this.#released = 0;
    this.#wanted = false;
  }

  get advertised(): number {
    return this.#advertised;
  }

  /** How many were opened, those too that a later one opened (RFC 9000 section 3.2). */
  get opened(): number {
    return this.#opened;
  }

  /** How many of them are not done with. */
  get open(): number {
    return this.#opened - this.#released;
  }

  /** All up to, not including, an index are open. */
  openUpTo(index: number): void {
    this.#opened = index;
  }

  /** One is done with. */
  release(): void {
    this.#released += 1;
  }

  /** The peer waits at a limit. */
  blockedAt(limit: number): void {
    this.#wanted = limit >= this.#advertised;
  }

  /** Whether MAX_STREAMS is to be sent: an eighth of the limit is due, or the peer has none left. */
  get isDue(): boolean {
    const due = this.#released + this.#most - this.#advertised;
    return due > 0 && (this.#wanted || due * 8 >= this.#most || this.#opened === this.#advertised);
  }

  /** The limit to advertise now. */
  advertise(): number {
    this.#advertised = Math.min(MOST_STREAMS, this.#released + this.#most);
    this.#wanted = false;
    return this.#advertised;
  }
}

/** How many streams of one kind this side may open. */
export class LocalStreams {
  #limit: number;
  #opened: number;
  /** The limit that STREAMS_BLOCKED was sent for, -1 before. */
  #blockedAt: number;
  #wanted: boolean;

  constructor() {
    this.#limit = 0;
    this.#opened = 0;
    this.#blockedAt = -1;
    this.#wanted = false;
  }

  get limit(): number {
    return this.#limit;
  }

  get opened(): number {
    return this.#opened;
  }

  get available(): number {
    return this.#limit - this.#opened;
  }

  /** Opens one: its index. */
  open(): number {
    const index = this.#opened;
    this.#opened += 1;
    return index;
  }

  /** By how many the limit rose; it never shrinks (RFC 9000 section 4.6). */
  raise(limit: number): number {
    const more = Math.min(limit, MOST_STREAMS) - this.#limit;
    if (more <= 0) return 0;
    this.#limit += more;
    this.#wanted = false;
    return more;
  }

  /** The application wanted one and there was none. */
  want(): void {
    this.#wanted = true;
  }

  /** Whether STREAMS_BLOCKED is to be sent. */
  get mayTell(): boolean {
    return this.#wanted && this.available === 0 && this.#blockedAt < this.#limit;
  }

  /** STREAMS_BLOCKED was sent, or (`false`) lost. */
  told(sent: boolean): void {
    this.#blockedAt = sent ? this.#limit : -1;
  }
}
