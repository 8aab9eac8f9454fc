/**
 * The receiving side of messages: field sections and content, from frames to events.
 *
 * Theory of operation. Content is told in the pieces in which it comes; a frame's checks and its windows are seen to
 * when the frame begins. What a frame means on a stream that is not open follows from how the stream ended (RFC 9113
 * section 5.1): behind this side's reset it is dropped, though content still counts for the connection's window and
 * field sections were decoded; behind the peer's reset it is a stream error, behind its end a connection error, and
 * where the stream never was, too.
 *
 * Owns: DATA (section 6.1), the content ledger (section 8.1.1), trailers, and stream errors. Does not own heads
 * (server-receiver.ts, client-receiver.ts) nor frames of the connection (control-frames.ts).
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { detachedView } from '../../wire/index.ts';
import { dataReceived, trailersReceived } from '../events.ts';
import { trailersProblem, UNDECLARED } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { Http2ErrorCode } from '../semantics/index.ts';
import { connectionFault, streamFault } from './faults.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Tunnel } from './stream.ts';

const { FLOW_CONTROL_ERROR, PROTOCOL_ERROR, STREAM_CLOSED } = Http2ErrorCode;

/** Pieces smaller than this count as small. */
const SMALL_PIECE = 128;
const EMPTY: Uint8Array = new Uint8Array(0);

/** Reads messages. */
export abstract class Receiver {
  protected readonly core: Core;
  /** The stream of the DATA frame at hand; `undefined`: it is dropped. */
  #stream: Stream | undefined;
  /** What of the frame is not content and has not been told yet. */
  #overhead: number;
  #contentLeft: number;
  #endStream: boolean;

  constructor(core: Core) {
    this.core = core;
    core.rememberer = this;
    this.#stream = undefined;
    this.#overhead = 0;
    this.#contentLeft = 0;
    this.#endStream = false;
  }

  /** A field section came. Throws connection faults. */
  sectionReceived(
    streamId: number,
    headers: HeaderList,
    tooLarge: boolean,
    endStream: boolean,
    selfDependent: boolean,
  ): void {
    const stream = this.core.find(streamId);
    if (stream === undefined) {
      this.sectionWithoutStream(streamId, headers, tooLarge, endStream, selfDependent);
    } else if (stream.recv === Recv.ended) {
      this.fail(stream, STREAM_CLOSED, 'HEADERS behind the end of the stream');
    } else if (selfDependent) {
      this.fail(stream, PROTOCOL_ERROR, 'a stream that depends on itself');
    } else if (stream.recv === Recv.head) {
      this.headReceived(stream, headers, tooLarge, endStream);
    } else {
      this.#trailersReceived(stream, headers, tooLarge, endStream);
    }
  }

  /** A DATA frame begins. Throws connection faults. */
  dataBegins(streamId: number, length: number, contentLength: number, endStream: boolean): void {
    const { core } = this;
    if (!core.windows.receive(length)) {
      throw connectionFault(FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
    }
    const stream = core.find(streamId);
    const code =
      stream === undefined ? this.#withoutStream(streamId) : this.#accept(stream, length, contentLength, endStream);
    if (code === 0) {
      this.#stream = stream;
      this.#overhead = length - contentLength;
      this.#contentLeft = contentLength;
      this.#endStream = endStream;
      if (contentLength > 0) core.earnControl(1);
      else if (!endStream) core.chargeControl(1);
    } else {
      this.#stream = undefined;
      core.windows.consume(length);
    }
  }

  /** Content of the DATA frame at hand. */
  dataPiece(bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const { core } = this;
    const length = end - start;
    this.#contentLeft -= length;
    const counted = length + this.#overhead;
    this.#overhead = 0;
    if (stream.closed !== Closed.no) {
      // Reset by this side in the middle of the frame.
      core.windows.consume(counted);
      return;
    }
    const ends = this.#endStream && this.#contentLeft === 0;
    const piece = detachedView(bytes, start, end);
    core.given(stream, counted, length < SMALL_PIECE && !ends);
    core.stalls.contentCame(stream, length, core.now);
    if (stream.tunnel === Tunnel.asked) this.hold(stream, piece);
    else core.events.push(dataReceived(stream.id, piece, counted, ends, false));
    if (ends) this.#ends(stream);
  }

  /** The DATA frame at hand is over. */
  dataEnds(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    const { core } = this;
    if (this.#overhead > 0) {
      // Padding alone: nobody is told of it, so nobody gives it back.
      core.windows.consumeOf(stream, this.#overhead);
      this.#overhead = 0;
    }
    if (!this.#endStream || stream.closed !== Closed.no || stream.recv === Recv.ended) return;
    if (stream.tunnel !== Tunnel.asked) core.events.push(dataReceived(stream.id, EMPTY, 0, true, false));
    this.#ends(stream);
  }

  /** A stream error of the peer's doing, wherever the stream stands (RFC 9113 section 5.4.2). */
  streamError(streamId: number, code: number, message: string): void {
    const stream = this.core.find(streamId);
    if (stream !== undefined) this.fail(stream, code, message);
    // RST_STREAM cannot be sent for an idle stream (section 6.4).
    else if (!this.core.used(streamId)) throw connectionFault(code, message);
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

  /** See `Rememberer`. */
  abstract forget(): void;
  /** Content of a stream did not come in time. */
  abstract contentOverdue(stream: Stream): void;

  /** A limit was reached on an open stream. */
  protected abstract limitReached(stream: Stream, limit: string, value: number, status: number): void;
  /** A head came on an open stream whose head is due. */
  protected abstract headReceived(stream: Stream, headers: HeaderList, tooLarge: boolean, endStream: boolean): void;
  /** A field section came for a stream that is not open. */
  protected abstract sectionWithoutStream(
    streamId: number,
    headers: HeaderList,
    tooLarge: boolean,
    endStream: boolean,
    selfDependent: boolean,
  ): void;
  /** Bytes came for a tunnel that was not accepted yet. */
  protected abstract hold(stream: Stream, piece: Uint8Array): void;

  /** A frame came for a stream that is not open and not idle: nothing is left but to tell, or to drop it. */
  protected lateFrame(streamId: number): void {
    switch (this.core.howClosed(streamId)) {
      case Closed.byReset:
        return;
      case Closed.ended:
        throw connectionFault(STREAM_CLOSED, `a frame on stream ${String(streamId)}, which has ended`);
      default:
        this.core.refuse(streamId, STREAM_CLOSED);
        this.core.chargeReset();
    }
  }

  /** DATA for no open stream: answers that it is dropped, or throws. */
  #withoutStream(streamId: number): number {
    if (!this.core.used(streamId)) throw connectionFault(PROTOCOL_ERROR, `DATA on idle stream ${String(streamId)}`);
    this.lateFrame(streamId);
    return STREAM_CLOSED;
  }

  /** Checks a frame against its stream. 0: it is accepted; otherwise the stream was reset. */
  #accept(stream: Stream, length: number, contentLength: number, endStream: boolean): number {
    const { core } = this;
    if (stream.recv !== Recv.content) {
      const ended = stream.recv === Recv.ended;
      const code = ended ? STREAM_CLOSED : PROTOCOL_ERROR;
      this.fail(stream, code, ended ? 'DATA behind the end of the stream' : 'DATA before the response');
      return code;
    }
    if (length > stream.recvWindow) {
      this.fail(stream, FLOW_CONTROL_ERROR, "DATA beyond the stream's window");
      return FLOW_CONTROL_ERROR;
    }
    stream.recvWindow -= length;
    stream.recvCounted += contentLength;
    const problem = this.#ledgerProblem(stream, endStream);
    if (problem !== undefined) {
      this.fail(stream, PROTOCOL_ERROR, problem);
      return PROTOCOL_ERROR;
    }
    if (stream.recvCounted > core.limits.maxBodyBytes && stream.tunnel === Tunnel.none) {
      this.limitReached(stream, 'maxBodyBytes', core.limits.maxBodyBytes, 413);
      return PROTOCOL_ERROR;
    }
    // A closed window is not the peer's fault.
    if (stream.recvWindow <= 0) core.stalls.inputRests(stream);
    return 0;
  }

  /** RFC 9113 section 8.1.1. */
  #ledgerProblem(stream: Stream, endStream: boolean): string | undefined {
    if (stream.noContent && stream.recvCounted > 0) return 'content where there is none';
    const { recvDeclared: declared, recvCounted: counted } = stream;
    if (declared === UNDECLARED || stream.noContent) return undefined;
    if (counted > declared) return `more content than its content-length (${String(declared)})`;
    if (endStream && counted < declared) return `less content than its content-length (${String(declared)})`;
    return undefined;
  }

  #trailersReceived(stream: Stream, headers: HeaderList, tooLarge: boolean, endStream: boolean): void {
    const problem = this.#trailersProblem(stream, headers, endStream);
    if (tooLarge) {
      this.limitReached(stream, 'maxHeaderBytes', this.core.limits.maxHeaderBytes, 431);
    } else if (problem !== undefined) {
      this.fail(stream, PROTOCOL_ERROR, problem);
    } else {
      this.core.events.push(trailersReceived(stream.id, headers, undefined));
      this.#ends(stream);
    }
  }

  #trailersProblem(stream: Stream, headers: HeaderList, endStream: boolean): string | undefined {
    // Sections 8.1 and 8.5.
    if (stream.tunnel !== Tunnel.none) return 'HEADERS in a tunnel';
    if (!endStream) return 'trailers without the end of the stream';
    return this.#ledgerProblem(stream, true) ?? trailersProblem(headers);
  }

  #ends(stream: Stream): void {
    stream.recv = Recv.ended;
    this.core.stalls.inputRests(stream);
    this.core.closeIfOver(stream);
  }
}
