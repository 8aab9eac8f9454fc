/**
 * The receiving sides of streams.
 *
 * Owns what becomes of the frames that a stream's sender sends (RFC 9000 sections 3.2, 4.1, 4.5, 19.4, 19.8 and 19.13),
 * and what its reader does. Bytes are counted when they come and given back when they are consumed or dropped; what is
 * given to the application is given once and in order.
 *
 * @module
 */
import { LocalProtocolError } from '../../common/index.ts';
import type { QuicEvent } from '../quic-transport.ts';
import { QuicError, QuicFault } from './error-codes.ts';
import type { ReceiveCredit } from './flow-control.ts';
import { streamLimit } from './flow-control.ts';
import { FrameType } from './frame-types.ts';
import type { OwedFrames } from './owed-frames.ts';
import type { ReceiveStream } from './receive-stream.ts';
import { quicStreamReceived, quicStreamResetReceived } from './stream-events.ts';
import type { Stream } from './stream-state.ts';
import { Owed, RecvState } from './stream-state.ts';
import type { StreamTable } from './stream-table.ts';

const EMPTY = new Uint8Array(0);

/** The receiving sides of one connection's streams. */
export class StreamReceiver {
  readonly #table: StreamTable;
  readonly #credit: ReceiveCredit;
  readonly #owed: OwedFrames;
  readonly #emit: (event: QuicEvent) => void;
  readonly #window: number;

  /** @param window - the initial window of each stream */
  constructor(
    table: StreamTable,
    credit: ReceiveCredit,
    owed: OwedFrames,
    window: number,
    emit: (event: QuicEvent) => void,
  ) {
    this.#table = table;
    this.#credit = credit;
    this.#owed = owed;
    this.#emit = emit;
    this.#window = window;
  }

  /** STREAM. */
  streamReceived(
    streamId: number,
    offset: number,
    data: Uint8Array,
    fin: boolean,
    early: boolean,
    frameType: number,
  ): void {
    const stream = this.#table.received(streamId, frameType);
    if (stream === undefined) {
      this.#table.finalSizes.check(streamId, offset + data.length, fin, frameType);
      return;
    }
    if (!early) stream.early = false;
    const recv = stream.recv as ReceiveStream;
    this.#checkLimit(stream, offset + data.length, frameType);
    const risen = recv.receive(offset, data, fin, frameType);
    this.#count(risen, frameType);
    if (!stream.isReceiving) return;
    if (stream.stopped) this.#credit.consume(risen);
    else this.#give(stream, recv, frameType);
    stream.dataReceived();
    if (stream.recvState !== RecvState.recv) this.#sizeKnown(stream);
  }

  /** RESET_STREAM. */
  resetReceived(streamId: number, errorCode: number, finalSize: number): void {
    const type = FrameType.resetStream;
    const stream = this.#table.received(streamId, type);
    if (stream === undefined) {
      this.#table.finalSizes.check(streamId, finalSize, true, type);
      return;
    }
    const recv = stream.recv as ReceiveStream;
    this.#checkLimit(stream, finalSize, type);
    const dropped = stream.stopped ? recv.highest : recv.consumed;
    this.#count(recv.reset(finalSize, type), type);
    // What was read to its end has no use for a reset (section 3.2).
    if (!stream.isReceiving) return;
    this.#credit.consume(finalSize - dropped);
    stream.resetReceived();
    if (!stream.stopped) this.#emit(quicStreamResetReceived(streamId, errorCode));
    this.#sizeKnown(stream);
  }

  /** STREAM_DATA_BLOCKED: the peer waits, so that even a little window is worth a frame. */
  blockedReceived(streamId: number, limit: number): void {
    const stream = this.#table.received(streamId, FrameType.streamDataBlocked);
    if (stream === undefined || !this.#hasWindow(stream)) return;
    if (limit >= stream.recvLimit && streamLimit(stream) > stream.recvLimit) this.#owed.owe(stream, Owed.window);
  }

  /** STOP_SENDING was lost: it is sent again unless the peer has stopped (RFC 9000 section 13.3). */
  stopLost(streamId: number): void {
    const stream = this.#table.peek(streamId);
    if (stream?.stopped === true && stream.recvState === RecvState.recv) this.#owed.owe(stream, Owed.stop);
  }

  /** MAX_STREAM_DATA was lost: the last one is sent again, with what is true then (RFC 9000 section 13.3). */
  windowLost(streamId: number, maximum: number): void {
    const stream = this.#table.peek(streamId);
    if (stream !== undefined && this.#hasWindow(stream) && maximum === stream.recvLimit) {
      this.#owed.owe(stream, Owed.window);
    }
  }

  /** The reader took bytes; more than it was given counts as all. */
  consumed(streamId: number, length: number): void {
    const stream = this.#table.peek(streamId);
    if (stream === undefined || this.#credit.take(stream, length) === 0) return;
    if (this.#hasWindow(stream) && (streamLimit(stream) - stream.recvLimit) * 2 >= stream.window) {
      this.#owed.owe(stream, Owed.window);
    }
    if (stream.unconsumed === 0) this.#table.settle(stream);
  }

  /** The application reads no more. */
  stopSending(streamId: number, errorCode: number): void {
    const stream = this.#table.of(streamId);
    if (stream === undefined) return;
    if (stream.recv === undefined) throw new LocalProtocolError(`stream ${String(streamId)} is only sent on`);
    this.#credit.take(stream, Infinity);
    if (!stream.stopped && stream.isReceiving) this.#stop(stream, stream.recv, errorCode);
    this.#table.settle(stream);
  }

  #stop(stream: Stream, recv: ReceiveStream, errorCode: number): void {
    stream.stopped = true;
    this.#credit.consume(recv.highest - recv.consumed);
    recv.discard();
    this.#owed.drop(stream, Owed.window);
    if (stream.recvState === RecvState.recv) {
      stream.stopCode = errorCode;
      this.#owed.owe(stream, Owed.stop);
      return;
    }
    // All that can come is counted: there is nothing to ask for (RFC 9000 section 3.5).
    stream.dataReceived();
    this.#sizeKnown(stream);
  }

  /** Tells the application what is in order. */
  #give(stream: Stream, recv: ReceiveStream, frameType: number): void {
    let data = recv.read();
    if (data === undefined) {
      if (recv.isOver) this.#emit(quicStreamReceived(stream.id, EMPTY, true, stream.early));
      return;
    }
    while (data !== undefined) {
      const next = recv.read();
      if (!this.#credit.give(stream, data.length)) {
        throw new QuicFault(QuicError.internalError, 'too many small pieces of data wait to be read', frameType);
      }
      this.#emit(quicStreamReceived(stream.id, data, next === undefined && recv.isOver, stream.early));
      data = next;
    }
  }

  /** No window is needed any more. */
  #sizeKnown(stream: Stream): void {
    this.#owed.drop(stream, Owed.window | Owed.stop);
    if (stream.isReceiving) return;
    this.#credit.release(stream, this.#window);
    this.#table.settle(stream);
  }

  /** Whether a larger window would be of use to the peer. */
  #hasWindow(stream: Stream): boolean {
    return stream.recvState === RecvState.recv && !stream.stopped;
  }

  /** RFC 9000 section 4.1. */
  #checkLimit(stream: Stream, end: number, frameType: number): void {
    if (end > stream.recvLimit) throw flowFault('more data on a stream than was allowed', frameType);
  }

  #count(risen: number, frameType: number): void {
    if (!this.#credit.receive(risen)) throw flowFault('more data on the connection than was allowed', frameType);
  }
}

function flowFault(message: string, frameType: number): QuicFault {
  return new QuicFault(QuicError.flowControlError, message, frameType);
}
