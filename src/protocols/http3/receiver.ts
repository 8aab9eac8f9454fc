/**
 * The receiving side of messages: request streams, from frames to events.
 *
 * Theory of operation. The sequence of frames is judged when a frame begins, from its header alone: what may not come
 * ends the connection (RFC 9114 section 4.1), what makes the message malformed its stream (section 4.1.2). Content is
 * told in the pieces in which it comes. Trailers are told when the stream has ended behind them, for only then is the
 * message whole.
 *
 * Owns: HEADERS and DATA on request streams, the content ledger, trailers, ends, resets, and stream errors. Does not own
 * heads (server-receiver.ts, client-receiver.ts) nor other streams (incoming-streams.ts).
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { StreamResetError } from '../../common/index.ts';
import { detachedView } from '../../wire/index.ts';
import { dataReceived, trailersReceived } from '../events.ts';
import { Http3ErrorCode, trailersProblem, UNDECLARED } from '../semantics/index.ts';
import type { ClaimedStreams } from './claimed-streams.ts';
import type { Core } from './core.ts';
import { connectionFault, streamFault, toldByPeer } from './faults.ts';
import type { FrameSink, TakeKind } from './frame-reader.ts';
import { Take } from './frame-reader.ts';
import { FrameType, isForbiddenFrame } from './frame-types.ts';
import { QpackDecoder } from './qpack/index.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Tunnel } from './stream.ts';

const { H3_FRAME_ERROR, H3_FRAME_UNEXPECTED, H3_MESSAGE_ERROR, H3_REQUEST_REJECTED, QPACK_DECOMPRESSION_FAILED } =
  Http3ErrorCode;

/** Pieces smaller than this count as small. */
const SMALL_PIECE = 128;
const EMPTY: Uint8Array = new Uint8Array(0);

/** Reads messages. */
export abstract class Receiver implements FrameSink<Stream> {
  protected readonly core: Core;
  readonly #claimed: ClaimedStreams;
  readonly #decoder: QpackDecoder;

  constructor(core: Core, claimed: ClaimedStreams) {
    this.core = core;
    this.#claimed = claimed;
    this.#decoder = new QpackDecoder({
      maxListSize: core.limits.maxHeaderBytes,
      maxFields: core.limits.maxHeaderCount,
    });
  }

  /** Bytes of a request stream. Throws connection faults. */
  streamReceived(streamId: number, data: Uint8Array, fin: boolean, early: boolean): void {
    const { core } = this;
    const stream = core.streams.get(streamId) ?? this.streamOpened(streamId);
    if (stream === undefined || stream.recv === Recv.ended) {
      core.transport.streamConsumed(streamId, data.length);
      return;
    }
    if (!early && core.role === 'server' && stream.recv === Recv.head) stream.early = false;
    const overhead = stream.reader.read(data, fin);
    if (overhead > 0) core.transport.streamConsumed(streamId, overhead);
    core.noteHeld(stream);
    if (fin) this.#ended(stream);
  }

  /** The peer gave its sending side up. */
  resetReceived(streamId: number, code: number): void {
    const { core } = this;
    const stream = core.streams.get(streamId) ?? this.streamOpened(streamId);
    if (stream === undefined || stream.recv === Recv.ended) return;
    const processed = this.isUnprocessed(stream, code) ? 'no' : 'maybe';
    const message = toldByPeer('the stream was reset by the peer', code);
    const error = new StreamResetError(message, { errorCode: code, initiator: 'peer', processed });
    this.inputReset(stream, code, processed, error);
    if (core.role === 'server') core.chargeReset();
  }

  /** The peer will read no more of what this side sends; the transport has stopped sending it. */
  abstract stopReceived(stream: Stream, code: number): void;

  // What a reader tells: see FrameSink.

  lends(stream: Stream, type: number): boolean {
    if (!this.#claimed.lends(type)) return false;
    const { core } = this;
    // It is no request: HTTP forgets it.
    core.streams.delete(stream.id);
    core.open -= 1;
    core.stalls.forget(stream);
    stream.closed = Closed.byReset;
    this.#claimed.begin(stream.id, type, true);
    return true;
  }

  rawReceived(stream: Stream, bytes: Uint8Array): void {
    this.#claimed.received(stream.id, bytes, false);
  }

  frameBegins(stream: Stream, type: number, length: number): TakeKind {
    switch (type) {
      case FrameType.data:
        return this.#dataBegins(stream, length);
      case FrameType.headers:
        return this.#headersBegin(stream, length);
      case FrameType.pushPromise:
        this.pushPromised(length);
        return Take.skip;
      case FrameType.cancelPush:
      case FrameType.settings:
      case FrameType.goaway:
      case FrameType.maxPushId:
      case FrameType.priorityUpdate:
      case FrameType.priorityUpdatePush:
        throw connectionFault(H3_FRAME_UNEXPECTED, `frame 0x${type.toString(16)} on a request stream`);
      default:
        if (isForbiddenFrame(type))
          throw connectionFault(H3_FRAME_UNEXPECTED, `frame 0x${type.toString(16)} of HTTP/2`);
        this.core.chargeControl(1);
        return Take.skip;
    }
  }

  framePiece(stream: Stream, bytes: Uint8Array, start: number, end: number, last: boolean, ends: boolean): void {
    const { core } = this;
    const length = end - start;
    const ending = ends && last;
    const problem = ending ? this.#ledgerProblem(stream, true) : undefined;
    if (problem !== undefined) {
      core.transport.streamConsumed(stream.id, length);
      this.fail(stream, H3_MESSAGE_ERROR, problem);
      return;
    }
    const piece = detachedView(bytes, start, end);
    core.given(stream, length, length < SMALL_PIECE && !ends);
    core.stalls.contentCame(stream, length, core.now);
    if (length >= SMALL_PIECE) core.earnControl(1);
    if (stream.tunnel === Tunnel.asked) this.hold(stream, piece);
    else core.events.push(dataReceived(stream.id, piece, length, ending, false));
    if (ending) this.#inputEnds(stream);
  }

  frameReceived(stream: Stream, _type: number, bytes: Uint8Array, start: number, end: number, ends: boolean): void {
    const { error, headers, tooLarge } = this.#decoder.decode(bytes.subarray(start, end));
    if (error !== undefined) throw connectionFault(QPACK_DECOMPRESSION_FAILED, error);
    const { core } = this;
    core.earnControl(2);
    if (tooLarge) this.limitReached(stream, 'maxHeaderBytes', core.limits.maxHeaderBytes, 431);
    else if (stream.recv === Recv.head) this.headReceived(stream, headers, ends);
    else this.#trailersReceived(stream, headers);
  }

  /** Resets an open stream for what the peer did. Throws when it did so too often. */
  fail(stream: Stream, code: number, message: string): void {
    this.giveUp(stream, code, streamFault(code, message, this.core.role === 'client' ? 502 : 400));
  }

  /** Resets an open stream. A server charges the client for it. */
  giveUp(stream: Stream, code: number, error: HfaceError): void {
    this.core.reset(stream, code, error);
    if (this.core.role === 'server') this.core.chargeReset();
  }

  /** A head or content of a stream did not come in time. */
  abstract inputOverdue(stream: Stream): void;

  /** Bytes, or a reset, of a stream that was not there. */
  protected abstract streamOpened(streamId: number): Stream | undefined;
  /** A limit was reached on an open stream. */
  protected abstract limitReached(stream: Stream, limit: string, value: number, status: number): void;
  /** A head came on an open stream whose head is due. */
  protected abstract headReceived(stream: Stream, headers: HeaderList, ends: boolean): void;
  /** The stream ended where its head was due. */
  protected abstract headMissing(stream: Stream): void;
  /** The peer's sending side was reset before its end. */
  protected abstract inputReset(stream: Stream, code: number, processed: 'no' | 'maybe', error: HfaceError): void;
  /** PUSH_PROMISE came. */
  protected abstract pushPromised(length: number): void;
  /** Bytes came for a tunnel that was not accepted yet. */
  protected abstract hold(stream: Stream, piece: Uint8Array): void;

  /** RFC 9114 section 4.1.1: the server says so, of a request of whose answer nothing came. */
  protected isUnprocessed(stream: Stream, code: number): boolean {
    return this.core.role === 'client' && code === H3_REQUEST_REJECTED && stream.recv === Recv.head;
  }

  #headersBegin(stream: Stream, length: number): TakeKind {
    const { core } = this;
    if (stream.tunnel === Tunnel.open || (stream.tunnel === Tunnel.asked && core.role === 'server')) {
      // RFC 9114 section 4.4.
      throw connectionFault(H3_FRAME_UNEXPECTED, 'HEADERS in a tunnel');
    }
    if (stream.recv === Recv.trailed) throw connectionFault(H3_FRAME_UNEXPECTED, 'HEADERS behind the trailers');
    const { maxHeaderBlockBytes } = core.limits;
    if (length <= maxHeaderBlockBytes) return Take.whole;
    this.limitReached(stream, 'maxHeaderBlockBytes', maxHeaderBlockBytes, 431);
    return Take.skip;
  }

  /** Checks a frame against its stream. */
  #dataBegins(stream: Stream, length: number): TakeKind {
    const { core } = this;
    if (stream.recv === Recv.head) throw connectionFault(H3_FRAME_UNEXPECTED, 'DATA before HEADERS');
    if (stream.recv === Recv.trailed) throw connectionFault(H3_FRAME_UNEXPECTED, 'DATA behind the trailers');
    if (length === 0) core.chargeControl(1);
    stream.recvCounted += length;
    const problem = this.#ledgerProblem(stream, false);
    if (problem !== undefined) {
      this.fail(stream, H3_MESSAGE_ERROR, problem);
    } else if (stream.recvCounted > core.limits.maxBodyBytes && stream.tunnel === Tunnel.none) {
      this.limitReached(stream, 'maxBodyBytes', core.limits.maxBodyBytes, 413);
    }
    return Take.pieces;
  }

  /** RFC 9114 section 4.1.2. */
  #ledgerProblem(stream: Stream, ended: boolean): string | undefined {
    if (stream.noContent && stream.recvCounted > 0) return 'content where there is none';
    const { recvDeclared: declared, recvCounted: counted } = stream;
    if (declared === UNDECLARED || stream.noContent) return undefined;
    if (counted > declared) return `more content than its content-length (${String(declared)})`;
    if (ended && counted < declared) return `less content than its content-length (${String(declared)})`;
    return undefined;
  }

  #trailersReceived(stream: Stream, headers: HeaderList): void {
    const problem = this.#ledgerProblem(stream, true) ?? trailersProblem(headers);
    if (problem !== undefined) {
      this.fail(stream, H3_MESSAGE_ERROR, problem);
      return;
    }
    stream.recv = Recv.trailed;
    stream.trailers = headers;
  }

  /** The stream's receiving side is over. */
  #ended(stream: Stream): void {
    // Given up, lent, or told with the last frame.
    if (stream.closed !== Closed.no || stream.recv === Recv.ended) {
      this.#claimed.ended(stream.id);
      return;
    }
    // RFC 9114 section 7.1.
    if (!stream.reader.atBoundary) throw connectionFault(H3_FRAME_ERROR, 'a stream that ends within a frame');
    if (stream.recv === Recv.head) {
      this.headMissing(stream);
      return;
    }
    const { core } = this;
    if (stream.recv === Recv.trailed) {
      core.events.push(trailersReceived(stream.id, stream.trailers as HeaderList, undefined));
      stream.trailers = undefined;
    } else {
      const problem = this.#ledgerProblem(stream, true);
      if (problem !== undefined) {
        this.fail(stream, H3_MESSAGE_ERROR, problem);
        return;
      }
      if (stream.tunnel !== Tunnel.asked) core.events.push(dataReceived(stream.id, EMPTY, 0, true, false));
    }
    this.#inputEnds(stream);
  }

  #inputEnds(stream: Stream): void {
    this.core.endInput(stream);
    this.core.closeIfOver(stream);
  }
}
