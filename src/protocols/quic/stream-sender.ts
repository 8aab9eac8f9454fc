/**
 * The sending sides of streams.
 *
 * Owns what the application writes until it has arrived, what of it goes into a packet (RFC 9000 sections 3.1, 4.1 and
 * 13.3), and what becomes of the frames that a stream's receiver sends (sections 19.5 and 19.10).
 *
 * Memory: a stream's buffer is what was never sent, and is full at `sendBufferBytes`; all that is kept, unacknowledged
 * bytes included, at `maxUnsentBytes`. A write is taken whole: whoever writes content keeps to the capacity.
 *
 * @module
 */
import { LocalProtocolError } from '../../common/index.ts';
import { RingQueue } from '../../wire/index.ts';
import type { QuicEvent } from '../quic-transport.ts';
import { SendCredit } from './flow-control.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import { LONGEST_CONTROL_FRAME } from './owed-frames.ts';
import type { OwedFrames } from './owed-frames.ts';
import type { SendStream } from './send-stream.ts';
import type { SentFrame } from './sent-packets.ts';
import { quicStopSendingReceived, quicStreamWritable } from './stream-events.ts';
import { Lane, StreamScheduler } from './stream-scheduler.ts';
import type { Stream } from './stream-state.ts';
import { Owed, SendState } from './stream-state.ts';
import type { StreamTable } from './stream-table.ts';

/** What a frame's length takes two bytes for. */
const LONGEST_DATA = 16_383;
/** Less room than this is left empty, rather than filled with a head. */
const LEAST_ROOM = 16;

/** The sending sides of one connection's streams. */
export class StreamSender {
  readonly #table: StreamTable;
  readonly #owed: OwedFrames;
  readonly #emit: (event: QuicEvent) => void;
  readonly #bufferBytes: number;
  readonly #totalBytes: number;
  #credit: SendCredit;
  #scheduler: StreamScheduler;
  /** Bytes that are kept for all streams. */
  #kept: number;
  /** Streams that wait for room in all buffers together. */
  readonly #waiting: RingQueue<Stream>;

  constructor(
    table: StreamTable,
    owed: OwedFrames,
    limits: { readonly sendBufferBytes: number; readonly maxUnsentBytes: number },
    emit: (event: QuicEvent) => void,
  ) {
    this.#table = table;
    this.#owed = owed;
    this.#emit = emit;
    this.#bufferBytes = Math.max(1, limits.sendBufferBytes);
    this.#totalBytes = Math.max(1, limits.maxUnsentBytes);
    this.#credit = new SendCredit();
    this.#scheduler = new StreamScheduler();
    this.#kept = 0;
    this.#waiting = new RingQueue();
  }

  /** The peer's limit on all streams together. */
  get limit(): number {
    return this.#credit.limit;
  }

  /** Bytes that are kept for all streams. */
  get kept(): number {
    return this.#kept;
  }

  /** Whether a frame could be written now. */
  get hasPending(): boolean {
    return this.#scheduler.canSend(this.#credit.available > 0) || this.#isBlocked;
  }

  /** The limit on all streams rises: MAX_DATA, or a parameter. */
  raise(limit: number): void {
    this.#credit.raise(limit);
  }

  /** As if nothing had ever been sent. */
  restart(): void {
    this.#credit = new SendCredit();
    this.#scheduler = new StreamScheduler();
    this.#kept = 0;
    this.#waiting.clear();
  }

  // The application's side.

  /** The room for a stream's bytes; 0 for one that sends no more. */
  capacity(stream: Stream): number {
    const { send } = stream;
    if (send === undefined || !stream.isSending || send.isEnded) return 0;
    const room = Math.min(this.#bufferBytes - (send.length - send.sent), this.#totalBytes - this.#kept);
    if (room > 0) return room;
    this.#wait(stream);
    return 0;
  }

  write(streamId: number, data: Uint8Array, fin: boolean): void {
    const stream = this.#table.of(streamId);
    if (stream === undefined) return;
    const send = this.#sendingSide(stream);
    if (stream.isSending) {
      if (send.isEnded) throw new LocalProtocolError(`the end of stream ${String(streamId)} was written before`);
      send.write(data, fin);
      this.#kept += data.length;
      this.place(stream);
      // It has reached 0 although nobody asks.
      if (!fin) this.capacity(stream);
    }
    if (fin) this.#end(stream);
  }

  /** Gives a sending side up. */
  reset(streamId: number, errorCode: number): void {
    const stream = this.#table.of(streamId);
    if (stream === undefined) return;
    this.#sendingSide(stream);
    if (stream.isSending) this.#reset(stream, errorCode);
    this.#end(stream);
  }

  /** Whether new bytes wait that only the peer's limits hold back. */
  isBlocked(streamId: number): boolean {
    const stream = this.#table.peek(streamId);
    if (stream?.isSending !== true || stream.send?.hasUnsent !== true) return false;
    return stream.send.sent >= stream.sendLimit || this.#credit.available <= 0;
  }

  setPriority(streamId: number, urgency: number, incremental: boolean): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7) {
      throw new LocalProtocolError('an urgency is a whole number from 0 to 7');
    }
    const stream = this.#table.of(streamId);
    if (stream === undefined) return;
    this.#scheduler.place(stream, Lane.none);
    stream.urgency = urgency;
    stream.incremental = incremental;
    this.place(stream);
  }

  // Frames.

  /** STOP_SENDING is answered by RESET_STREAM with the same code (RFC 9000 section 3.5). */
  stopReceived(streamId: number, errorCode: number): void {
    const stream = this.#table.answered(streamId, FrameType.stopSending);
    if (stream?.isSending !== true) return;
    this.#reset(stream, errorCode);
    this.#emit(quicStopSendingReceived(streamId, errorCode));
  }

  /** MAX_STREAM_DATA. */
  maxStreamDataReceived(streamId: number, maximum: number): void {
    const stream = this.#table.answered(streamId, FrameType.maxStreamData);
    if (stream === undefined || maximum <= stream.sendLimit) return;
    stream.sendLimit = maximum;
    this.#owed.drop(stream, Owed.blocked);
    this.place(stream);
  }

  /** Fills a packet with data. */
  writeFrames(writer: FrameWriter, sent: SentFrame[]): void {
    for (;;) {
      const stream = this.#scheduler.next(this.#credit.available > 0);
      if (stream === undefined) break;
      if (!this.#writeFrame(stream, stream.send as SendStream, writer, sent)) return;
    }
    if (!this.#isBlocked || writer.room < LONGEST_CONTROL_FRAME) return;
    const { limit } = this.#credit;
    writer.numbers(FrameType.dataBlocked, limit);
    sent.push({ kind: 'dataBlocked', limit });
    this.#credit.told(true);
  }

  acknowledged(streamId: number, offset: number, length: number, fin: boolean): void {
    const stream = this.#table.peek(streamId);
    if (stream?.isSending !== true) return;
    const send = stream.send as SendStream;
    const before = send.buffered;
    send.acknowledged(offset, length, fin);
    stream.dataAcknowledged();
    this.place(stream);
    this.#table.settle(stream);
    this.#let(before - send.buffered);
  }

  resetAcknowledged(streamId: number): void {
    const stream = this.#table.peek(streamId);
    if (stream === undefined) return;
    stream.resetAcknowledged();
    this.#table.settle(stream);
  }

  lost(streamId: number, offset: number, length: number, fin: boolean): void {
    const stream = this.#table.peek(streamId);
    if (stream?.isSending !== true) return;
    (stream.send as SendStream).lost(offset, length, fin);
    this.place(stream);
  }

  resetLost(streamId: number): void {
    const stream = this.#table.peek(streamId);
    if (stream?.sendState === SendState.resetSent) this.#owed.owe(stream, Owed.reset);
  }

  /** DATA_BLOCKED was lost: it is sent again while it is true (RFC 9000 section 13.3). */
  blockedLost(limit: number): void {
    if (limit === this.#credit.limit) this.#credit.told(false);
  }

  /** STREAM_DATA_BLOCKED was lost. */
  streamBlockedLost(streamId: number, limit: number): void {
    const stream = this.#table.peek(streamId);
    if (stream?.sendLimit !== limit) return;
    stream.blockedAt = -1;
    this.place(stream);
  }

  /** Puts a stream where it belongs after any change. */
  place(stream: Stream): void {
    const { send } = stream;
    if (send === undefined || !stream.isSending) {
      this.#scheduler.place(stream, Lane.none);
      return;
    }
    const blocked = send.hasUnsent && send.sent >= stream.sendLimit;
    const fresh = send.hasUnsent && !blocked;
    this.#scheduler.place(stream, send.hasUncounted ? Lane.again : fresh ? Lane.fresh : Lane.none);
    if (blocked && stream.blockedAt < stream.sendLimit) this.#owed.owe(stream, Owed.blocked);
  }

  #writeFrame(stream: Stream, send: SendStream, writer: FrameWriter, sent: SentFrame[]): boolean {
    const room = writer.streamRoom(stream.id, send.nextOffset);
    if (room < LEAST_ROOM) return false;
    const before = send.sent;
    const limit = Math.min(stream.sendLimit, before + this.#credit.available);
    const span = send.span(Math.min(room, LONGEST_DATA), limit);
    if (span === undefined) {
      this.#scheduler.place(stream, Lane.none);
      return true;
    }
    const { offset, length, fin } = span;
    writer.streamHead(stream.id, offset, length, fin);
    send.copy(span, writer);
    send.tookSpan(span);
    sent.push({ kind: 'stream', streamId: stream.id, offset, length, fin });
    this.#credit.use(send.sent - before);
    stream.dataSent(fin);
    this.#scheduler.sent(stream);
    this.place(stream);
    if (stream.full) this.#tellRoom(stream, send);
    return true;
  }

  /** Data waits for the connection's credit alone, and the peer was not told. */
  get #isBlocked(): boolean {
    return this.#scheduler.hasFresh && this.#credit.mayTell;
  }

  #sendingSide(stream: Stream): SendStream {
    if (stream.send === undefined) throw new LocalProtocolError(`stream ${String(stream.id)} is only received on`);
    return stream.send;
  }

  /** The application has done with its sending side. */
  #end(stream: Stream): void {
    stream.settled = true;
    stream.full = false;
    this.#table.settle(stream);
  }

  #reset(stream: Stream, errorCode: number): void {
    const send = stream.send as SendStream;
    const { buffered } = send;
    stream.resetSent(errorCode);
    send.discard();
    stream.full = false;
    this.#scheduler.place(stream, Lane.none);
    this.#owed.drop(stream, Owed.blocked);
    this.#owed.owe(stream, Owed.reset);
    this.#let(buffered);
  }

  // Room.

  /** A stream found no room: it is told when there is some. */
  #wait(stream: Stream): void {
    stream.full = true;
    this.#tellRoom(stream, stream.send as SendStream);
  }

  /** Tells a stream of room, if its own buffer is half empty; what all buffers lack is waited for. */
  #tellRoom(stream: Stream, send: SendStream): void {
    if ((send.length - send.sent) * 2 > this.#bufferBytes) return;
    if (this.#kept < this.#totalBytes) {
      stream.full = false;
      this.#emit(quicStreamWritable(stream.id));
    } else if (!stream.waiting) {
      stream.waiting = true;
      this.#waiting.push(stream);
    }
  }

  /** Bytes are kept no more: those that wait for room are told once an eighth of all is free. */
  #let(bytes: number): void {
    this.#kept -= bytes;
    if (this.#waiting.length === 0 || this.#kept * 8 > this.#totalBytes * 7) return;
    for (let count = this.#waiting.length; count > 0; count -= 1) {
      const stream = this.#waiting.shift() as Stream;
      stream.waiting = false;
      if (stream.full && stream.isSending) this.#tellRoom(stream, stream.send as SendStream);
    }
  }
}
