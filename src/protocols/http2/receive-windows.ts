/**
 * The windows that this side gives its peer.
 *
 * Theory of operation. The connection's window is a promise of memory: what was ever advertised, less what was ever
 * consumed, never exceeds `maxUnconsumedBytes`. Within that it is kept at half of it: as long as less than the other
 * half waits for its readers, credit is given back as soon as octets come, so that no slow reader holds up the others;
 * beyond, only as octets are consumed.
 *
 *     advertised = min(received + cap / 2, consumed + cap)
 *
 * A stream's window is given back as its reader consumes. It begins at `initialStreamWindow` and becomes four times as
 * large each time the reader has taken half a window's worth while little waited, up to `maxStreamWindow` and as long as
 * the budget for growth, half of the cap, which all streams share, has room; what a stream took of it comes back when it
 * ends. Where Content-Length says how much is to come, the window grows to that with the first octets that the reader
 * takes: small windows would have the sender serve streams in the order in which their windows open, whatever their
 * urgency. Of several streams the most urgent one grows first.
 *
 * WINDOW_UPDATE goes out when half of a window is due, at the next flush (RFC 9113 sections 5.2 and 6.9), and not for a
 * stream whose window takes all of the content that its Content-Length still announces.
 *
 * Owns: these counts. Does not own which octets are content, nor what an overrun becomes.
 *
 * @module
 */
import { UNDECLARED } from '../semantics/index.ts';
import { DEFAULT_WINDOW, FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { Http2Limits } from './limits.ts';
import type { StallWatch } from './stall-watch.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Tunnel } from './stream.ts';

/** How many times as large a window becomes. */
const FACTOR = 4;
/** With its length (RFC 9113 section 6.1). */
const MOST_PADDING = 256;

/** The receive windows of one connection. */
export class ReceiveWindows {
  readonly #cap: number;
  readonly #share: number;
  readonly #maxStreamWindow: number;
  #advertised: number;
  #received: number;
  #consumed: number;
  /** What streams may still grow by. */
  #growth: number;
  /** Streams to which credit is due. */
  #listed: Stream[];

  constructor(limits: Http2Limits) {
    this.#cap = limits.maxUnconsumedBytes;
    this.#share = Math.ceil(limits.maxUnconsumedBytes / 2);
    this.#maxStreamWindow = Math.max(limits.maxStreamWindow, limits.initialStreamWindow);
    this.#advertised = DEFAULT_WINDOW;
    this.#received = 0;
    this.#consumed = 0;
    this.#growth = this.#share;
    this.#listed = [];
  }

  /** What was promised and not consumed: never more than the cap, but for the 65,535 that RFC 9113 gives at once. */
  get outstanding(): number {
    return this.#advertised - this.#consumed;
  }

  /** How many octets the peer may still send. */
  get window(): number {
    return this.#advertised - this.#received;
  }

  /** Octets came. False when the window was overrun. */
  receive(length: number): boolean {
    if (length > this.window) return false;
    this.#received += length;
    return true;
  }

  /** Octets were taken by a reader, or dropped. */
  consume(length: number): void {
    this.#consumed += length;
  }

  /** A stream's reader took octets. */
  consumeOf(stream: Stream, length: number): void {
    this.#consumed += length;
    if (stream.recv === Recv.ended || stream.closed !== Closed.no) return;
    stream.recvDue += length;
    if (stream.recvListed) return;
    const lacking = lack(stream);
    if (lacking <= 0) return;
    const { recvTarget } = stream;
    const announced = lacking !== Infinity && lacking * 2 > recvTarget && this.#mayGrow(stream);
    if (announced || stream.recvDue * 2 >= recvTarget) {
      stream.recvListed = true;
      this.#listed.push(stream);
    }
  }

  /** A stream's window is needed no more. */
  release(stream: Stream, initial: number): void {
    if (stream.recvTarget > initial) this.#growth += stream.recvTarget - initial;
    stream.recvTarget = initial;
    stream.recvDue = 0;
  }

  /** Whether anything is to be written. */
  get due(): boolean {
    return this.#listed.length > 0 || this.#connectionDue() > 0;
  }

  /** Writes what is due. */
  flush(writer: FrameWriter, stalls: StallWatch, now: number): void {
    const due = this.#connectionDue();
    if (due > 0) {
      this.#advertised += due;
      writer.writeNumber(FrameType.windowUpdate, 0, due);
    }
    if (this.#listed.length === 0) return;
    const listed = this.#listed;
    this.#listed = [];
    if (listed.length > 1) listed.sort((one, other) => one.urgency - other.urgency);
    for (const stream of listed) {
      stream.recvListed = false;
      if (stream.recv === Recv.ended || stream.closed !== Closed.no || stream.recvDue === 0) continue;
      this.#grow(stream);
      stream.recvWindow += stream.recvDue;
      writer.writeNumber(FrameType.windowUpdate, stream.id, stream.recvDue);
      stream.recvDue = 0;
      // Content that the window kept back is waited for again.
      if (stream.tunnel === Tunnel.none && stream.recv === Recv.content) stalls.awaitContent(stream, now);
    }
  }

  /** What the connection's window lacks; 0 while that is less than half of it. */
  #connectionDue(): number {
    const target = Math.min(this.#received + this.#share, this.#consumed + this.#cap);
    const due = target - this.#advertised;
    return due * 2 >= this.#share || (due > 0 && this.window * 2 <= this.#share) ? due : 0;
  }

  /** Widens a window whose reader keeps up: to what is announced, or by its factor. */
  #grow(stream: Stream): void {
    if (!this.#mayGrow(stream)) return;
    const { recvTarget } = stream;
    const lacking = lack(stream);
    const wanted = lacking === Infinity ? recvTarget * (FACTOR - 1) : Math.max(0, lacking - stream.recvDue);
    const more = Math.min(wanted, this.#maxStreamWindow - recvTarget, this.#growth);
    this.#growth -= more;
    stream.recvTarget += more;
    stream.recvDue += more;
  }

  #mayGrow(stream: Stream): boolean {
    if (stream.unconsumed * 4 > stream.recvTarget) return false;
    return this.#growth > 0 && stream.recvTarget < this.#maxStreamWindow;
  }
}

/** What the window lacks to take all that is announced, in one frame with as much padding as there can be. */
function lack(stream: Stream): number {
  const { recvDeclared } = stream;
  if (recvDeclared === UNDECLARED) return Infinity;
  return recvDeclared - stream.recvCounted + MOST_PADDING - stream.recvWindow;
}
