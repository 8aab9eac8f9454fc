/**
 * What all parts of a connection share, and the one place where request streams end.
 *
 * Theory of operation. A stream is in the table from its first byte until the transport has forgotten it and nothing is
 * owed for it any more. For HTTP it is closed when both directions have ended, or either side gave it up; then
 * `StreamClosed` is told. A client needs no more than its response for that. A server's response has ended when the peer
 * has acknowledged it: what is closed can be cut off without harm, as by the connection's end. The stream stays in the
 * table while the application owes `submitHandlerEnd` (server) or the consumption of what it was given, so that one that
 * was reset costs its opener as long as it costs us (CVE-2023-44487).
 *
 * Owns: the table, the counts, the budgets, closing and resetting. Does not own the reading of frames (the receivers,
 * control-stream.ts), submits (sender.ts) nor the connection's end (engine.ts).
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LocalProtocolError, StreamResetError } from '../../common/index.ts';
import { RingQueue, TokenBucket } from '../../wire/index.ts';
import type { HttpEvent, Processed } from '../events.ts';
import { streamClosed, streamResetReceived, streamResetSent } from '../events.ts';
import type { QuicTransport } from '../quic-transport.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import { ClosedStreams } from './closed-streams.ts';
import { limitFault } from './faults.ts';
import type { FrameSink } from './frame-reader.ts';
import { isRequestStream } from './frame-types.ts';
import type { Http3Limits } from './limits.ts';
import { PeerSettings } from './settings.ts';
import { StallWatch } from './stall-watch.ts';
import type { ClosedKind } from './stream.ts';
import { Closed, Recv, Send, Stream } from './stream.ts';

const { H3_NO_ERROR, H3_REQUEST_CANCELLED } = Http3ErrorCode;

/** The state of one connection. */
export class Core {
  readonly role: 'client' | 'server';
  readonly limits: Http3Limits;
  readonly transport: QuicTransport;
  readonly events: RingQueue<HttpEvent>;
  readonly peer: PeerSettings;
  readonly stalls: StallWatch;
  /** Streams that are open, and closed ones for which something is owed. */
  readonly streams: Map<number, Stream>;
  /** The time of the call that brought one last. */
  now: number;
  /** Streams that are not closed. */
  open: number;
  /** Server: requests whose `submitHandlerEnd` is due. */
  handlers: number;
  /** The id behind the highest that was used for a request: what GOAWAY tells. */
  nextId: number;
  /** Server: ids from here on are not accepted, once that was told by GOAWAY. */
  acceptedBelow: number;
  /** This side opens, or accepts, no further requests. */
  windingDown: boolean;
  /** The connection has ended: `ConnectionTerminated` was queued. */
  terminated: boolean;
  readonly #closedStreams: ClosedStreams;
  readonly #control: TokenBucket;
  readonly #resets: TokenBucket;
  readonly #smallPieces: TokenBucket;
  /** What all streams keep of header blocks that have not come whole. */
  #partial: number;

  constructor(role: 'client' | 'server', limits: Http3Limits, transport: QuicTransport, now: number) {
    this.role = role;
    this.limits = limits;
    this.transport = transport;
    this.events = new RingQueue<HttpEvent>();
    this.peer = new PeerSettings();
    this.stalls = new StallWatch(transport, limits);
    this.streams = new Map();
    this.now = now;
    this.open = 0;
    this.handlers = 0;
    this.nextId = 0;
    this.acceptedBelow = Infinity;
    this.windingDown = false;
    this.terminated = false;
    this.#closedStreams = new ClosedStreams();
    this.#control = new TokenBucket(limits.maxControlFrames, limits.controlFrameRate, now);
    this.#resets = new TokenBucket(limits.maxResets, limits.resetRate, now);
    this.#smallPieces = new TokenBucket(limits.maxSmallPieces, 0, now);
    this.#partial = 0;
  }

  // Streams.

  /** Puts a new stream into the table. */
  openStream(streamId: number, sink: FrameSink<Stream>): Stream {
    const stream = new Stream(streamId, sink);
    this.streams.set(streamId, stream);
    this.open += 1;
    if (streamId >= this.nextId) this.nextId = streamId + 4;
    return stream;
  }

  /** The stream of an id, if it is open. */
  find(streamId: number): Stream | undefined {
    const stream = this.streams.get(streamId);
    return stream?.closed === Closed.no ? stream : undefined;
  }

  /**
   * The stream that a submit is about. `undefined`: it is to be ignored, since the stream was reset.
   *
   * @throws LocalProtocolError when there is no such stream, or it ended in good order
   */
  reach(streamId: number): Stream | undefined {
    const stream = this.streams.get(streamId);
    if (stream?.closed === Closed.no && stream.told) return stream;
    if (this.terminated) return undefined;
    // Requests may come in another order than they were opened in: one below `nextId` may still be on its way.
    if (stream === undefined ? !this.#closedStreams.mayHold(streamId) : stream.closed === Closed.no) {
      throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    }
    if (this.howClosed(streamId) === Closed.ended) {
      throw new LocalProtocolError(`stream ${String(streamId)} has ended`);
    }
    return undefined;
  }

  /** How a stream that is not open was closed; `Closed.no`: unknown. */
  howClosed(streamId: number): ClosedKind {
    const stream = this.streams.get(streamId);
    return stream === undefined ? this.#closedStreams.find(streamId) : stream.closed;
  }

  /** Whether an id is of a request that is, or may have been. */
  used(streamId: number): boolean {
    return streamId >= 0 && streamId < this.nextId && isRequestStream(streamId);
  }

  /** Closes a stream both of whose directions have ended, or whose response has while nobody reads the rest. */
  closeIfOver(stream: Stream): void {
    if (stream.closed !== Closed.no || stream.send !== Send.ended) return;
    if (stream.recv === Recv.ended) {
      if (this.role === 'client' || stream.over)
        this.#close(stream, stream.stopped ? Closed.byPeerReset : Closed.ended);
    } else if (this.role === 'server' && !stream.handlerLive) {
      this.stopReading(stream);
    }
  }

  /** Reads no more of a request whose response stands (RFC 9114 section 4.1). */
  stopReading(stream: Stream): void {
    this.transport.stopSending(stream.id, H3_NO_ERROR);
    const reason = 'the response ended before the request';
    const error = new StreamResetError(reason, { errorCode: H3_NO_ERROR, initiator: 'application' });
    if (!stream.resetTold) this.events.push(streamResetSent(stream.id, H3_NO_ERROR, error));
    stream.resetTold = true;
    this.endInput(stream);
    this.release(stream);
    this.closeIfOver(stream);
  }

  /** Nothing more is read of a stream. */
  endInput(stream: Stream): void {
    stream.recv = Recv.ended;
    stream.reader.stop();
    this.noteHeld(stream);
    this.stalls.inputRests(stream);
  }

  /** The transport has forgotten a stream. */
  streamOver(stream: Stream): void {
    stream.over = true;
    if (stream.closed === Closed.no) this.#close(stream, stream.stopped ? Closed.byPeerReset : Closed.ended);
    else this.forgetIfSettled(stream);
  }

  /** Gives a stream up in both directions; a response that was submitted whole still goes out. */
  reset(stream: Stream, code: number, error: HfaceError): void {
    if (stream.closed !== Closed.no) return;
    if (stream.send !== Send.ended) this.transport.resetStream(stream.id, code);
    if (stream.recv !== Recv.ended) this.transport.stopSending(stream.id, code);
    if (stream.told && !stream.resetTold) this.events.push(streamResetSent(stream.id, code, error));
    this.#close(stream, Closed.byReset);
  }

  /** The application wants no more of a stream, not even what was submitted. */
  abort(stream: Stream, code: number): void {
    if (stream.closed !== Closed.no) return;
    this.transport.resetStream(stream.id, code);
    const reason = 'the application reset the stream';
    this.reset(stream, code, new StreamResetError(reason, { errorCode: code, initiator: 'application' }));
  }

  /** The peer gave a stream up. */
  wasReset(stream: Stream, code: number, processed: Processed, error: HfaceError): void {
    if (stream.closed !== Closed.no) return;
    if (stream.send !== Send.ended) this.transport.resetStream(stream.id, H3_REQUEST_CANCELLED);
    if (stream.recv !== Recv.ended) this.transport.stopSending(stream.id, H3_REQUEST_CANCELLED);
    if (stream.told && !stream.resetTold) this.events.push(streamResetReceived(stream.id, code, processed, error));
    this.#close(stream, Closed.byPeerReset);
  }

  /** The connection ends, and the stream with it: the events alone. */
  abandon(stream: Stream, code: number, byPeer: boolean, processed: Processed, error: HfaceError): void {
    if (stream.told && !stream.resetTold) {
      this.events.push(
        byPeer ? streamResetReceived(stream.id, code, processed, error) : streamResetSent(stream.id, code, error),
      );
    }
    this.#close(stream, byPeer ? Closed.byPeerReset : Closed.byReset);
  }

  /** The connection ends, and the stream had ended as far as HTTP is concerned. */
  settle(stream: Stream): void {
    this.#close(stream, Closed.ended);
  }

  /** Refuses a stream that nobody was told of. */
  refuse(stream: Stream, code: number): void {
    this.transport.resetStream(stream.id, code);
    this.transport.stopSending(stream.id, code);
    this.#close(stream, Closed.byReset);
  }

  /** A stream that nobody was told of was answered whole. */
  answered(stream: Stream): void {
    if (stream.recv !== Recv.ended) this.transport.stopSending(stream.id, H3_NO_ERROR);
    this.#close(stream, Closed.byReset);
  }

  /** Forgets a closed stream for which nothing is owed any more. */
  forgetIfSettled(stream: Stream): void {
    if (stream.closed === Closed.no || !stream.over || stream.handlerLive || stream.unconsumed > 0) return;
    this.streams.delete(stream.id);
    this.#closedStreams.add(stream.id, stream.closed);
  }

  /** 0-RTT was rejected: ids begin anew. */
  restart(): void {
    this.streams.clear();
    this.stalls.clear();
    this.#closedStreams.clear();
    this.open = 0;
    this.nextId = 0;
  }

  // Content that came.

  /** The application was given a piece, or will be. */
  given(stream: Stream, length: number, small: boolean): void {
    stream.unconsumed += length;
    if (!small) return;
    stream.smallPieces += 1;
    if (!this.#smallPieces.spend(1, this.now)) throw limitFault('maxSmallPieces', this.limits.maxSmallPieces);
  }

  /** The application took octets; more than it was given counts as all. */
  consumed(stream: Stream, length: number): void {
    const taken = Math.min(stream.unconsumed, length);
    if (!(taken > 0)) return;
    stream.unconsumed -= taken;
    this.transport.streamConsumed(stream.id, taken);
    if (stream.unconsumed > 0) return;
    this.#earnPieces(stream);
    this.forgetIfSettled(stream);
  }

  /** The application will not take what is left. */
  release(stream: Stream): void {
    if (stream.unconsumed > 0) this.transport.streamConsumed(stream.id, stream.unconsumed);
    stream.unconsumed = 0;
    this.#earnPieces(stream);
    this.forgetIfSettled(stream);
  }

  // Budgets. Exceeding one throws what ends the connection.

  /** Counts what a stream keeps of a header block now. */
  noteHeld(stream: Stream): void {
    const { held } = stream.reader;
    this.#partial += held - stream.partial;
    stream.partial = held;
    const { maxPartialHeaderBytes } = this.limits;
    if (held > 0 && this.#partial > maxPartialHeaderBytes) {
      throw limitFault('maxPartialHeaderBytes', maxPartialHeaderBytes);
    }
  }

  /** Something came that moves nothing. */
  chargeControl(cost: number): void {
    if (!this.#control.spend(cost, this.now)) throw limitFault('maxControlFrames', this.limits.maxControlFrames);
  }

  /** Something moved: that allows for some frames. */
  earnControl(count: number): void {
    this.#control.earn(count);
  }

  /** A stream was opened in vain, by the peer's doing. */
  chargeReset(): void {
    if (!this.#resets.spend(1, this.now)) throw limitFault('maxResets', this.limits.maxResets);
  }

  #earnPieces(stream: Stream): void {
    if (stream.smallPieces === 0) return;
    this.#smallPieces.earn(stream.smallPieces);
    stream.smallPieces = 0;
  }

  #close(stream: Stream, how: ClosedKind): void {
    stream.closed = how;
    stream.recv = Recv.ended;
    stream.send = Send.ended;
    stream.trailers = undefined;
    stream.held = undefined;
    stream.reader.stop();
    this.noteHeld(stream);
    this.open -= 1;
    this.stalls.forget(stream);
    if (stream.told) this.events.push(streamClosed(stream.id));
    // Nobody reads on behind a reset; a server's handler may.
    if (stream.unconsumed > 0 && !stream.handlerLive && (how !== Closed.ended || this.role === 'server')) {
      this.release(stream);
    }
    this.forgetIfSettled(stream);
  }
}
