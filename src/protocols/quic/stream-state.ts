/**
 * One stream: its state in both directions, its windows, and where it waits.
 *
 * Theory of operation. RFC 9000 section 3 has a machine for each direction:
 *
 *     sending:    ready ─▶ send ─▶ dataSent ─▶ dataRecvd      (section 3.1)
 *                   └───────┴────────┴───────▶ resetSent ─▶ resetRecvd
 *     receiving:  recv ─▶ sizeKnown ─▶ dataRead               (section 3.2)
 *                   └────────┴───────▶ resetRead
 *
 * What came in order is told to the application at once, and a reset too: so Data Recvd and Reset Recvd of the receiving
 * side are passed through without a stop. A direction that the stream lacks is `none`.
 *
 * When both are over the stream is `closed`, and the application has had its last event. The record is kept for as long
 * as something is owed: bytes that were given to the application and not consumed, or its own end of the sending side of a
 * stream that the peer opened. Until then the stream counts against the peer's limit, so that resets gain nobody more
 * streams than the application has done with.
 *
 * Owns: the fields, and the transitions. Every field is set here, so that all streams have one shape.
 *
 * @module
 */
import { DEFAULT_URGENCY } from '../send-order.ts';
import { ReceiveStream } from './receive-stream.ts';
import { SendStream } from './send-stream.ts';

/** States of the sending side (RFC 9000 section 3.1), final ones from {@link SendState.dataRecvd} on. */
export const SendState = {
  ready: 0,
  send: 1,
  dataSent: 2,
  resetSent: 3,
  dataRecvd: 4,
  resetRecvd: 5,
  none: 6,
} as const;
/** States of the receiving side (RFC 9000 section 3.2), final ones from {@link RecvState.dataRead} on. */
export const RecvState = { recv: 0, sizeKnown: 1, dataRead: 2, resetRead: 3, none: 4 } as const;
/** Frames that a stream owes, as bits. */
export const Owed = { reset: 1, stop: 2, window: 4, blocked: 8 } as const;

/** One of {@link SendState}. */
export type SendStateKind = (typeof SendState)[keyof typeof SendState];
/** One of {@link RecvState}. */
export type RecvStateKind = (typeof RecvState)[keyof typeof RecvState];

/** A stream of either side. */
export class Stream {
  readonly id: number;
  /** This side opened it. */
  readonly local: boolean;
  /** `undefined` for one that only the peer sends on. */
  readonly send: SendStream | undefined;
  /** `undefined` for one that only this side sends on. */
  readonly recv: ReceiveStream | undefined;
  sendState: SendStateKind;
  recvState: RecvStateKind;
  /** The last event was given. */
  closed: boolean;
  /** The application has written the end, or reset its side; of a stream that it cannot end, true. */
  settled: boolean;
  /** The application reads no more. */
  stopped: boolean;
  /** All that came of it came in 0-RTT packets. */
  early: boolean;
  /** What RESET_STREAM and STOP_SENDING say. */
  resetCode: number;
  stopCode: number;

  /** How far the peer lets this side send. */
  sendLimit: number;
  /** The limit that STREAM_DATA_BLOCKED was sent for, -1 before. */
  blockedAt: number;
  /** `sendCapacity` was 0, and the application waits. */
  full: boolean;
  /** In the queue of those that wait for room in all buffers together. */
  waiting: boolean;

  /** How far this side lets the peer send. */
  recvLimit: number;
  /** How large the window is to be. */
  window: number;
  /** When it was given last. */
  windowAt: number;
  /** Bytes that were given to the application and not consumed. */
  unconsumed: number;
  /** How many small pieces are among them. */
  smallPieces: number;

  /** Bits of {@link Owed}. */
  owed: number;
  /** In the queue of those that owe frames. */
  queued: boolean;

  // The scheduler's (stream-scheduler.ts, ../send-order.ts).
  urgency: number;
  incremental: boolean;
  /** Which lane it is in, 0 for none. */
  lane: number;
  heapIndex: number;
  next: Stream | undefined;
  previous: Stream | undefined;

  /**
   * @param window - the receive window at first; it was promised by the transport parameters
   * @param sendLimit - the peer's
   */
  constructor(id: number, local: boolean, window: number, sendLimit: number, now: number) {
    const bidirectional = (id & 2) === 0;
    this.id = id;
    this.local = local;
    this.send = bidirectional || local ? new SendStream() : undefined;
    this.recv = bidirectional || !local ? new ReceiveStream() : undefined;
    this.sendState = this.send === undefined ? SendState.none : SendState.ready;
    this.recvState = this.recv === undefined ? RecvState.none : RecvState.recv;
    this.closed = false;
    this.settled = local || this.send === undefined;
    this.stopped = false;
    this.early = true;
    this.resetCode = 0;
    this.stopCode = 0;
    this.sendLimit = sendLimit;
    this.blockedAt = -1;
    this.full = false;
    this.waiting = false;
    this.recvLimit = window;
    this.window = window;
    this.windowAt = now;
    this.unconsumed = 0;
    this.smallPieces = 0;
    this.owed = 0;
    this.queued = false;
    this.urgency = DEFAULT_URGENCY;
    this.incremental = false;
    this.lane = 0;
    this.heapIndex = -1;
    this.next = undefined;
    this.previous = undefined;
  }

  /** Whether bytes of it may still go out, for the first time or again. */
  get isSending(): boolean {
    return this.sendState <= SendState.dataSent;
  }

  /** Whether something of it may still come that matters. */
  get isReceiving(): boolean {
    return this.recvState <= RecvState.sizeKnown;
  }

  /** Whether both directions are in final states. */
  get isOver(): boolean {
    return this.sendState >= SendState.dataRecvd && this.recvState >= RecvState.dataRead;
  }

  /** Whether nothing is owed of a closed one. */
  get isForgettable(): boolean {
    return this.closed && this.settled && this.unconsumed === 0;
  }

  /** A STREAM frame was put in a packet. @param fin - with the end */
  dataSent(fin: boolean): void {
    if (fin) this.sendState = SendState.dataSent;
    else if (this.sendState === SendState.ready) this.sendState = SendState.send;
  }

  /** A STREAM frame was acknowledged. */
  dataAcknowledged(): void {
    if (this.isSending && this.send?.isComplete === true) this.sendState = SendState.dataRecvd;
  }

  /** RESET_STREAM goes out. */
  resetSent(errorCode: number): void {
    this.sendState = SendState.resetSent;
    this.resetCode = errorCode;
  }

  /** RESET_STREAM was acknowledged. */
  resetAcknowledged(): void {
    if (this.sendState === SendState.resetSent) this.sendState = SendState.resetRecvd;
  }

  /** Data came and was given, or dropped. */
  dataReceived(): void {
    if (this.recv?.isOver === true) this.recvState = RecvState.dataRead;
    else if (this.recv?.finalSize !== undefined) this.recvState = RecvState.sizeKnown;
  }

  /** RESET_STREAM came, before all data had. */
  resetReceived(): void {
    this.recvState = RecvState.resetRead;
  }

  /** The connection is over. */
  abandon(): void {
    if (this.isSending) this.sendState = SendState.resetRecvd;
    if (this.isReceiving) this.recvState = RecvState.resetRead;
    this.send?.discard();
    this.recv?.discard();
    this.owed = 0;
    this.full = false;
  }
}
