/**
 * The sending side: what was submitted, from its checks to its frames.
 *
 * Theory of operation. Heads are encoded at once, so that blocks leave in the order in which the peer's HPACK table
 * follows them; content waits in its stream. An end that finds nothing queued is written at once too, since it needs no
 * window. {@link Sender.take} picks among the streams that wait, as late as possible: it fills one portion and no more,
 * so that what the socket cannot take stays undecided (RFC 9218 section 10).
 *
 * A writer that was held up by its full buffer is asked for more when half of it has gone, and answers a moment later. In
 * that moment less urgent streams do not pass: a portion ends where such a buffer is empty, so that the writer is asked
 * before they have their turn, and they wait for its answer, though not for long.
 *
 * Owns: the content ledger, the order of a message's parts as they are submitted, DATA frames and the send windows'
 * spending (RFC 9113 sections 5.2 and 6.9). A submit that throws has changed nothing. Does not own which heads are legal
 * (server.ts, client.ts).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { streamWritable } from '../events.ts';
import { checkLedger, checkOpen, trailersProblem } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { Flag, FrameType } from './frame-types.ts';
import { PortionSize } from '../portion-size.ts';
import { dequeue, enqueue } from './send-queue.ts';
import type { Stream } from './stream.ts';
import { Send, Tunnel } from './stream.ts';

/** Frames below this size are crumbs, unless there was no more to send. */
const SMALL_FRAME = 1024;
/** Frames are no larger than this, whatever the peer allows: others are to have their turn. */
const LARGEST_FRAME = 65_536;
/** Octets for which two control frames are allowed, in place of the frame that they once were. */
const EARNING_OCTETS = 16_384;
/** How many milliseconds less urgent streams wait for a writer that was asked for more. */
const ANSWER_TIME = 10;

/** Writes what the application submits. */
export class Sender {
  readonly #core: Core;
  readonly #portion: PortionSize;
  /** When the connection's window began to be waited for; `Infinity` while it is not. */
  windowAwaited: number;
  /** The most urgent stream whose writer was asked for more and has not answered, and how long that is waited for. */
  #asked: Stream | undefined;
  #askedUntil: number;

  constructor(core: Core, secure: boolean) {
    this.#core = core;
    this.#portion = new PortionSize(secure);
    this.windowAwaited = Infinity;
    this.#asked = undefined;
    this.#askedUntil = 0;
  }

  /** A message's head, which was judged. `silent`: the message has no content, its end goes with the head. */
  submitHead(stream: Stream, headers: HeaderList, contentLength: number, endStream: boolean, silent: boolean): void {
    stream.sendDeclared = contentLength;
    this.#core.writeHeaders(stream.id, headers, endStream || silent);
    if (endStream) stream.send = Send.ended;
    else stream.send = silent ? Send.silent : Send.content;
    this.#core.closeIfOver(stream);
  }

  /** Content, or a tunnel's bytes. @throws LocalProtocolError */
  submitData(stream: Stream, data: Uint8Array, endStream: boolean): void {
    const { length } = data;
    if (stream.send === Send.silent) {
      if (length > 0 && !stream.headRequest) throw new LocalProtocolError('this message has no content');
      if (endStream) this.#endSilent(stream);
      return;
    }
    const core = this.#core;
    checkOpen(stream);
    checkLedger(stream, length, endStream);
    if (length === 0) {
      if (!endStream) return;
      if (stream.queued > 0) {
        stream.send = Send.ending;
        return;
      }
      core.writer.writeHeader(0, FrameType.data, Flag.endStream, stream.id);
      stream.send = Send.ended;
      core.closeIfOver(stream);
      return;
    }
    if (core.room(stream) === 0) throw new LocalProtocolError('the send buffer is full');
    if (stream === this.#asked) this.#asked = undefined;
    stream.sendCounted += length;
    core.unsent += length;
    enqueue(stream, data);
    if (endStream) stream.send = Send.ending;
    else if (core.room(stream) === 0) core.block(stream);
    if (stream.sendWindow > 0) core.scheduler.add(stream);
    else core.stalls.awaitWindow(stream, core.now);
  }

  /** Trailers, and the message's end. @throws LocalProtocolError */
  submitTrailers(stream: Stream, headers: HeaderList): void {
    if (stream.tunnel === Tunnel.open) throw new LocalProtocolError('a tunnel has no trailers');
    if (stream.send !== Send.silent) checkOpen(stream);
    const problem = trailersProblem(headers);
    if (problem !== undefined) throw new LocalProtocolError(problem);
    if (stream.send === Send.silent) {
      this.#endSilent(stream);
      return;
    }
    checkLedger(stream, 0, true);
    if (stream.queued > 0) {
      stream.trailers = headers.slice();
      stream.send = Send.ending;
    } else {
      this.#writeTrailers(stream, headers);
    }
  }

  /** The free room of a stream's send buffer. Who is told 0 will be told of room. */
  capacity(stream: Stream): number {
    if (stream.send !== Send.content || stream.tunnel === Tunnel.asked) return 0;
    const room = this.#core.room(stream);
    if (room === 0) this.#core.block(stream);
    return room;
  }

  /** A stream's window opened by `count`, or closed. */
  windowChanged(stream: Stream): void {
    if (stream.queued === 0) return;
    const { scheduler } = this.#core;
    if (stream.sendWindow > 0) scheduler.add(stream);
    else scheduler.remove(stream);
  }

  /** Another urgency. */
  prioritise(stream: Stream, urgency: number, incremental: boolean): void {
    const { scheduler } = this.#core;
    const scheduled = scheduler.has(stream);
    if (scheduled) scheduler.remove(stream);
    stream.urgency = urgency;
    stream.incremental = incremental;
    if (scheduled) scheduler.add(stream);
  }

  /** Whether content could be sent now. */
  get ready(): boolean {
    return !this.#core.scheduler.empty && this.#core.sendWindow > 0;
  }

  /** When streams go on that wait for the answer of a more urgent one's writer; `Infinity` while none does. */
  get heldUntil(): number {
    if (this.#asked === undefined || this.#askedUntil <= this.#core.now) return Infinity;
    const next = this.#core.scheduler.peek();
    return next !== undefined && this.#waits(next) ? this.#askedUntil : Infinity;
  }

  /** The next portion, given away. */
  take(now: number): Uint8Array[] | undefined {
    const core = this.#core;
    const { writer, scheduler } = core;
    const before = writer.written;
    if (now >= this.#askedUntil) this.#asked = undefined;
    if (!scheduler.empty && core.sendWindow > 0) this.#fill(now);
    // The window of the connection holds up everybody alike: its own deadline.
    if (core.sendWindow > 0 || scheduler.empty) this.windowAwaited = Infinity;
    else if (this.windowAwaited === Infinity || writer.written > before) this.windowAwaited = now;
    for (let stream = core.nextWritable(); stream !== undefined; stream = core.nextWritable()) {
      core.events.push(streamWritable(stream.id));
      if (this.#asked === undefined || stream.urgency < this.#asked.urgency) {
        this.#asked = stream;
        this.#askedUntil = now + ANSWER_TIME;
      }
    }
    return writer.take();
  }

  /** Whether a stream that could send waits for the writer of a more urgent one. */
  #waits(stream: Stream): boolean {
    const asked = this.#asked;
    if (asked === undefined || asked.urgency >= stream.urgency) return false;
    return asked.send === Send.content && asked.queued === 0 && asked.sendWindow > 0;
  }

  #fill(now: number): void {
    const core = this.#core;
    const { writer, scheduler } = core;
    const portion = this.#portion.next(now);
    // A stream whose writer has to be asked first: the next portion is to begin with what it answers.
    let empty: Stream | undefined;
    while (writer.pending < portion && core.sendWindow > 0) {
      const stream = scheduler.peek();
      if (stream === undefined || this.#waits(stream)) return;
      if (empty !== undefined && empty.urgency < stream.urgency) return;
      this.#writeFrame(stream, now);
      if (stream.blocked && stream.queued === 0 && stream.sendWindow > 0) empty ??= stream;
    }
  }

  /** One DATA frame of a stream that has content and a window. */
  #writeFrame(stream: Stream, now: number): void {
    const core = this.#core;
    const largest = Math.min(core.peer.maxFrameSize, LARGEST_FRAME);
    const length = Math.min(stream.queued, stream.sendWindow, core.sendWindow, largest);
    const last = length === stream.queued;
    const ends = last && stream.send === Send.ending && stream.trailers === undefined;
    core.writer.writeDataHeader(length, ends, stream.id);
    dequeue(stream, length, core.writer);
    stream.sendWindow -= length;
    core.sendWindow -= length;
    core.unsent -= length;
    // The peer answers DATA with WINDOW_UPDATE, for the stream and for the connection. Crumbs that its windows force earn
    // it nothing.
    // Some readers give a window back for each few KiB, however large the frame was.
    if (last || length >= SMALL_FRAME) core.earnControl(2 * Math.ceil(length / EARNING_OCTETS));
    core.stalls.contentSent(stream, length, !last, now);
    if (last) {
      core.scheduler.remove(stream);
      this.#drained(stream, ends);
    } else if (stream.sendWindow <= 0) {
      core.scheduler.remove(stream);
      core.stalls.awaitWindow(stream, now);
    } else {
      core.scheduler.sent(stream);
    }
    if (stream.blocked && stream.queued * 2 <= core.limits.sendBufferBytes) core.awaitRoom(stream);
  }

  #drained(stream: Stream, ended: boolean): void {
    if (stream.trailers !== undefined) {
      this.#writeTrailers(stream, stream.trailers);
      stream.trailers = undefined;
    } else if (ended) {
      stream.send = Send.ended;
      this.#core.closeIfOver(stream);
    }
  }

  #writeTrailers(stream: Stream, headers: HeaderList): void {
    this.#core.writeHeaders(stream.id, headers, true);
    stream.send = Send.ended;
    this.#core.closeIfOver(stream);
  }

  #endSilent(stream: Stream): void {
    stream.send = Send.ended;
    this.#core.closeIfOver(stream);
  }
}
