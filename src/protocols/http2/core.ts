/**
 * What all parts of a connection share, and the one place where streams end.
 *
 * Theory of operation. A stream is in the table from its first HEADERS until nothing is owed for it any more. It is
 * closed when both directions have ended or either side reset it; then `StreamClosed` is told, its windows and queue are
 * given back, and it stays in the table only while the application owes `submitHandlerEnd` (server) or the consumption
 * of what it was given. So a stream that was reset costs its opener as long as it costs us (CVE-2023-44487).
 *
 * Owns: the table, the counts, closing and resetting. Does not own the reading of frames (control-frames.ts, the
 * receivers), submits (sender.ts) nor the connection's end (engine.ts).
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { LocalProtocolError, StreamResetError } from '../../common/index.ts';
import { ByteWriter, RingQueue, TokenBucket } from '../../wire/index.ts';
import type { HttpEvent, Processed } from '../events.ts';
import { streamClosed, streamResetReceived, streamResetSent } from '../events.ts';
import { SendOrder } from '../send-order.ts';
import { FieldJudge, Http2ErrorCode } from '../semantics/index.ts';
import { ClosedStreams } from './closed-streams.ts';
import { limitFault } from './faults.ts';
import { DEFAULT_WINDOW, FrameType } from './frame-types.ts';
import { FrameWriter } from './frame-writer.ts';
import { HpackDecoder, HpackEncoder } from './hpack/index.ts';
import type { Http2Limits } from './limits.ts';
import { ReceiveWindows } from './receive-windows.ts';
import { dropQueue } from './send-queue.ts';
import { PeerSettings } from './settings.ts';
import { StallWatch } from './stall-watch.ts';
import type { ClosedKind } from './stream.ts';
import { Closed, Recv, Send, Stream } from './stream.ts';

/** The table of connections that have no stream; nothing is ever put into it. */
const NO_STREAMS: Map<number, Stream> = new Map();

/** Where blocks are encoded before they are copied into frames: one for all connections, which do that in one step. */
let scratch = new ByteWriter();
/** It is kept up to this size. */
const SCRATCH = 65_536;

/** RFC 9113 section 6.5.2: what the peer's encoder may use before it has read our SETTINGS. */
const DEFAULT_TABLE_SIZE = 4096;

/** Who remembers messages, to judge the next ones faster. */
export interface Rememberer {
  /** Lets go of them. */
  forget(): void;
}

/** The state of one connection. */
export class Core {
  readonly role: 'client' | 'server';
  readonly limits: Http2Limits;
  readonly events: RingQueue<HttpEvent>;
  readonly writer: FrameWriter;
  readonly encoder: HpackEncoder;
  readonly decoder: HpackDecoder;
  readonly peer: PeerSettings;
  readonly windows: ReceiveWindows;
  readonly scheduler: SendOrder<Stream>;
  readonly closedStreams: ClosedStreams;
  /** Of what the application submits. */
  readonly sentJudge: FieldJudge;
  /** Of what comes. */
  rememberer: Rememberer | undefined;
  readonly stalls: StallWatch;
  /** Streams that are open, and closed ones for which something is owed. */
  streams: Map<number, Stream>;
  /** The time of the call that brought one last. */
  now: number;
  /** Streams that are not closed. */
  open: number;
  /** It has rested since the last stream. */
  resting: boolean;
  /** Server: requests whose `submitHandlerEnd` is due. */
  handlers: number;
  /** The highest id that was used: by the client for its requests. */
  highestId: number;
  /** Server: the highest id that is still accepted, once that was told by GOAWAY. */
  acceptedId: number;
  /** This side opens, or accepts, no further requests. */
  windingDown: boolean;
  /** The connection has ended: `ConnectionTerminated` was queued. */
  terminated: boolean;
  /** A header block has begun and not ended. */
  blockOpen: boolean;
  /** What the connection's send window has. */
  sendWindow: number;
  /** What all send buffers hold. */
  unsent: number;
  /** INITIAL_WINDOW_SIZE as the peer keeps to it: ours once it was acknowledged. */
  recvInitial: number;
  readonly #control: TokenBucket;
  /** Made at the first need, like the next two: most connections have none. */
  #resets: TokenBucket | undefined;
  #smallPieces: TokenBucket | undefined;
  /** Streams that wait for room in the buffers of all. */
  #waiting: RingQueue<Stream> | undefined;

  constructor(role: 'client' | 'server', limits: Http2Limits, now: number) {
    this.role = role;
    this.limits = limits;
    this.events = new RingQueue<HttpEvent>();
    this.writer = new FrameWriter();
    this.encoder = new HpackEncoder({ maxTableSize: limits.headerTableSize });
    this.decoder = new HpackDecoder({
      maxTableSize: DEFAULT_TABLE_SIZE,
      maxListSize: limits.maxHeaderBytes,
      maxFields: limits.maxHeaderCount,
    });
    this.peer = new PeerSettings(role);
    this.windows = new ReceiveWindows(limits);
    this.scheduler = new SendOrder();
    this.closedStreams = new ClosedStreams();
    this.sentJudge = new FieldJudge();
    this.rememberer = undefined;
    this.stalls = new StallWatch(limits);
    this.streams = NO_STREAMS;
    this.now = now;
    this.open = 0;
    this.resting = false;
    this.handlers = 0;
    this.highestId = 0;
    this.acceptedId = Infinity;
    this.windingDown = false;
    this.terminated = false;
    this.blockOpen = false;
    this.sendWindow = DEFAULT_WINDOW;
    this.unsent = 0;
    this.recvInitial = DEFAULT_WINDOW;
    this.#control = new TokenBucket(limits.maxControlFrames, limits.controlFrameRate, now);
    this.#resets = undefined;
    this.#smallPieces = undefined;
    this.#waiting = undefined;
  }

  // Streams.

  /** Puts a new stream into the table. */
  openStream(streamId: number): Stream {
    const stream = new Stream(streamId, this.recvInitial, this.limits.initialStreamWindow, this.peer.initialWindowSize);
    if (this.streams === NO_STREAMS) this.streams = new Map();
    this.streams.set(streamId, stream);
    this.open += 1;
    this.resting = false;
    return stream;
  }

  /** The stream of an id, if it is open. */
  find(streamId: number): Stream | undefined {
    const stream = this.streams.get(streamId);
    return stream?.closed === Closed.no ? stream : undefined;
  }

  /** How a stream that is not open was closed; `Closed.no`: unknown. */
  howClosed(streamId: number): ClosedKind {
    return this.streams.get(streamId)?.closed ?? this.closedStreams.find(streamId);
  }

  /**
   * The stream that a submit is about. `undefined`: it is to be ignored, since the stream was reset.
   *
   * @throws LocalProtocolError when there is no such stream, or it ended in good order
   */
  reach(streamId: number): Stream | undefined {
    const stream = this.streams.get(streamId);
    if (stream?.closed === Closed.no) return stream;
    if (this.terminated) return undefined;
    if (this.howClosed(streamId) === Closed.ended) {
      throw new LocalProtocolError(`stream ${String(streamId)} has ended`);
    }
    if (!this.used(streamId)) throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    return undefined;
  }

  /** Whether an id is of a stream that is, or was. */
  used(streamId: number): boolean {
    return streamId >= 1 && streamId <= this.highestId && streamId % 2 === 1;
  }

  /** Closes a stream both of whose directions have ended, or whose response has while nobody reads the rest. */
  closeIfOver(stream: Stream): void {
    if (stream.closed !== Closed.no || stream.send !== Send.ended) return;
    if (stream.recv === Recv.ended) {
      this.#close(stream, Closed.ended);
    } else if (this.role === 'server' && !stream.handlerLive) {
      // RFC 9113 section 8.1: the client may stop sending.
      const errorCode = Http2ErrorCode.NO_ERROR;
      const reason = 'the response ended before the request';
      this.reset(stream, errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }));
    }
  }

  /** Gives a stream up: RST_STREAM, and the events. */
  reset(stream: Stream, code: number, error: HfaceError): void {
    if (stream.closed !== Closed.no) return;
    this.writer.writeNumber(FrameType.rstStream, stream.id, code);
    this.events.push(streamResetSent(stream.id, code, error));
    this.#close(stream, Closed.byReset);
  }

  /** The peer gave a stream up. */
  wasReset(stream: Stream, code: number, processed: Processed, error: HfaceError): void {
    if (stream.closed !== Closed.no) return;
    this.events.push(streamResetReceived(stream.id, code, processed, error));
    this.#close(stream, Closed.byPeerReset);
  }

  /** The connection ends, and the stream with it: the events alone. */
  abandon(stream: Stream, code: number, byPeer: boolean, processed: Processed, error: HfaceError): void {
    this.events.push(
      byPeer ? streamResetReceived(stream.id, code, processed, error) : streamResetSent(stream.id, code, error),
    );
    this.#close(stream, byPeer ? Closed.byPeerReset : Closed.byReset);
  }

  /** Refuses a stream that nobody was told of, or that is closed: RST_STREAM alone. */
  refuse(streamId: number, code: number): void {
    this.writer.writeNumber(FrameType.rstStream, streamId, code);
    this.closedStreams.add(streamId, Closed.byReset);
  }

  /** Forgets a closed stream for which nothing is owed any more. */
  forgetIfSettled(stream: Stream): void {
    if (stream.closed !== Closed.no && !stream.handlerLive && stream.unconsumed === 0) this.streams.delete(stream.id);
  }

  /** Whether a request of which nothing may have reached the peer is safe to send again. */
  processed(stream: Stream): Processed {
    return this.role === 'client' && stream.position >= this.writer.taken ? 'no' : 'maybe';
  }

  // Content that came.

  /** The application was given a piece, or will be: `length` octets count. */
  given(stream: Stream, length: number, small: boolean): void {
    stream.unconsumed += length;
    if (!small) return;
    stream.smallPieces += 1;
    this.#smallPieces ??= new TokenBucket(this.limits.maxSmallPieces, 0, this.now);
    if (!this.#smallPieces.spend(1, this.now)) throw limitFault('maxSmallPieces', this.limits.maxSmallPieces);
  }

  /** The application took octets; more than it was given counts as all. */
  consumed(stream: Stream, length: number): void {
    const taken = Math.min(stream.unconsumed, length);
    if (!(taken > 0)) return;
    stream.unconsumed -= taken;
    this.windows.consumeOf(stream, taken);
    if (stream.unconsumed > 0) return;
    this.#earnPieces(stream);
    this.forgetIfSettled(stream);
  }

  /** The application will not take what is left. */
  release(stream: Stream): void {
    this.windows.consume(stream.unconsumed);
    stream.unconsumed = 0;
    this.#earnPieces(stream);
    this.forgetIfSettled(stream);
  }

  // Budgets. Exceeding one throws what ends the connection.

  /** A frame came that moves nothing. */
  chargeControl(cost: number): void {
    if (!this.#control.spend(cost, this.now)) throw limitFault('maxControlFrames', this.limits.maxControlFrames);
  }

  /** Something moved: that allows for some frames. */
  earnControl(count: number): void {
    this.#control.earn(count);
  }

  /** A stream was opened in vain, by the peer's doing. */
  chargeReset(): void {
    this.#resets ??= new TokenBucket(this.limits.maxResets, this.limits.resetRate, this.now);
    if (!this.#resets.spend(1, this.now)) throw limitFault('maxResets', this.limits.maxResets);
  }

  // Sending.

  /** Encodes and writes a field section. */
  writeHeaders(streamId: number, headers: HeaderList, endStream: boolean): void {
    scratch.clear();
    this.encoder.encode(headers, scratch);
    this.writer.writeHeaderBlock(streamId, scratch, endStream, this.peer.maxFrameSize);
    if (scratch.length > SCRATCH) scratch = new ByteWriter();
  }

  /** The room of a stream's send buffer that the buffers of all leave it. */
  room(stream: Stream): number {
    const own = this.limits.sendBufferBytes - stream.queued;
    if (own <= 0) return 0;
    const all = this.limits.maxUnsentBytes - this.unsent;
    return all <= 0 ? 0 : Math.min(own, all);
  }

  /** The room has run out: `StreamWritable` is owed. */
  block(stream: Stream): void {
    if (stream.blocked) return;
    stream.blocked = true;
    if (stream.queued * 2 <= this.limits.sendBufferBytes) this.awaitRoom(stream);
  }

  /** A blocked stream's buffer is half empty: the next one that waits for room in all of them, if there is any. */
  awaitRoom(stream: Stream): void {
    (this.#waiting ??= new RingQueue<Stream>()).push(stream);
  }

  /** The next stream that can be told of room; `undefined` while there is none, or nobody waits. */
  nextWritable(): Stream | undefined {
    const waiting = this.#waiting;
    while (waiting !== undefined && waiting.length > 0 && this.unsent < this.limits.maxUnsentBytes) {
      const stream = waiting.shift() as Stream;
      if (!stream.blocked || stream.closed !== Closed.no || stream.send !== Send.content) continue;
      if (stream.queued * 2 > this.limits.sendBufferBytes) continue;
      stream.blocked = false;
      return stream;
    }
    return undefined;
  }

  /** There has been no stream for a while: what only makes the next one cheaper is let go. */
  rest(): void {
    this.resting = true;
    this.encoder.rest();
    this.decoder.rest();
    this.scheduler.rest();
    this.closedStreams.clear();
    this.sentJudge.forget();
    this.rememberer?.forget();
    if (this.streams.size === 0) this.streams = NO_STREAMS;
    if (this.events.length === 0) this.events.clear();
    this.#waiting = undefined;
  }

  #earnPieces(stream: Stream): void {
    if (stream.smallPieces === 0) return;
    this.#smallPieces?.earn(stream.smallPieces);
    stream.smallPieces = 0;
  }

  #close(stream: Stream, how: ClosedKind): void {
    stream.closed = how;
    stream.recv = Recv.ended;
    stream.send = Send.ended;
    this.open -= 1;
    this.scheduler.remove(stream);
    if (stream.queued > 0) this.unsent -= dropQueue(stream);
    stream.trailers = undefined;
    stream.held = undefined;
    stream.blocked = false;
    this.windows.release(stream, this.limits.initialStreamWindow);
    this.stalls.forget(stream);
    this.closedStreams.add(stream.id, how);
    this.events.push(streamClosed(stream.id));
    // Nobody reads on behind a reset; a server's handler may.
    if (stream.unconsumed > 0 && !stream.handlerLive && (how !== Closed.ended || this.role === 'server')) {
      this.release(stream);
    }
    this.forgetIfSettled(stream);
  }
}
