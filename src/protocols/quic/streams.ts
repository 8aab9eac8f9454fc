/**
 * The streams of a connection, and its datagrams.
 *
 * Owns which streams there are and what becomes of the frames about them (RFC 9000 sections 2, 3, 4 and 19.4 to 19.14,
 * RFC 9221). Does not own packets, time or the handshake.
 *
 * @module
 */
import type { QuicEvent } from '../quic-transport.ts';
import type { FrameSource } from './frame-source.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { PacketKind } from './frame-types.ts';
import type { QuicLimitValues } from './limits.ts';
import type { SentFrame } from './sent-packets.ts';
import type { TransportParameters } from './transport-parameters.ts';

/** The limits that streams keep. */
export type QuicStreamLimits = Pick<
  QuicLimitValues,
  | 'maxStreamsBidi'
  | 'maxStreamsUni'
  | 'initialStreamWindow'
  | 'maxStreamWindow'
  | 'maxUnconsumedBytes'
  | 'sendBufferBytes'
  | 'maxUnsentBytes'
  | 'maxQueuedDatagrams'
  | 'maxDatagramFrameBytes'
>;

/** The streams of one connection. */
export class QuicStreams implements FrameSource {
  /** Milliseconds, for windows that grow: set by the connection whenever it has a new estimate. 0: unknown. */
  roundTrip: number;

  constructor(role: 'client' | 'server', limits: QuicStreamLimits, emit: (event: QuicEvent) => void) {
    this.roundTrip = 0;
    void role;
    void limits;
    void emit;
  }

  /** What this side's transport parameters say of streams and datagrams. */
  get localParameters(): Partial<TransportParameters> {
    return {};
  }

  /**
   * The peer's limits are known.
   *
   * @param early - they are those remembered for 0-RTT. What comes later must not be less (RFC 9000 section 7.4.1),
   *   unless {@link rejectEarlyData} came between.
   * @throws QuicFault PROTOCOL_VIOLATION
   */
  applyPeerParameters(parameters: TransportParameters, early: boolean): void {
    void parameters;
    void early;
  }

  /** Forgets every stream and datagram that was sent early; to be called before the parameters of the handshake apply. */
  rejectEarlyData(): void {}

  /** The connection is over: nothing is kept, sent or told any more. */
  terminate(): void {}

  /** How many bytes of frames a packet of the application's holds at present: the bound of datagrams. */
  setPacketRoom(bytes: number): void {
    void bytes;
  }

  // What a peer sends. Faults are thrown.

  /**
   * @param early - it came in a 0-RTT packet
   * @param frameType - 0x08 to 0x0f, for faults
   */
  streamReceived(
    streamId: number,
    offset: number,
    data: Uint8Array,
    fin: boolean,
    early: boolean = false,
    frameType: number = 0x08,
  ): void {
    void [streamId, offset, data, fin, early, frameType];
  }

  resetStreamReceived(streamId: number, errorCode: number, finalSize: number): void {
    void [streamId, errorCode, finalSize];
  }

  stopSendingReceived(streamId: number, errorCode: number): void {
    void [streamId, errorCode];
  }

  maxDataReceived(maximum: number): void {
    void maximum;
  }

  maxStreamDataReceived(streamId: number, maximum: number): void {
    void [streamId, maximum];
  }

  maxStreamsReceived(bidirectional: boolean, maximum: number): void {
    void [bidirectional, maximum];
  }

  dataBlockedReceived(limit: number): void {
    void limit;
  }

  streamDataBlockedReceived(streamId: number, limit: number): void {
    void [streamId, limit];
  }

  streamsBlockedReceived(bidirectional: boolean, limit: number): void {
    void [bidirectional, limit];
  }

  datagramReceived(data: Uint8Array): void {
    void data;
  }

  // What the application does: QuicTransport's members.

  availableStreams(bidirectional: boolean): number {
    return bidirectional ? 0 : 0;
  }

  openStream(bidirectional: boolean): number {
    return bidirectional ? 0 : 2;
  }

  sendCapacity(streamId: number): number {
    return streamId * 0;
  }

  writeStream(streamId: number, data: Uint8Array, fin: boolean): void {
    void [streamId, data, fin];
  }

  hasUnacknowledged(streamId: number): boolean {
    return streamId < 0;
  }

  resetStream(streamId: number, errorCode: number): void {
    void [streamId, errorCode];
  }

  stopSending(streamId: number, errorCode: number): void {
    void [streamId, errorCode];
  }

  streamConsumed(streamId: number, length: number): void {
    void [streamId, length];
  }

  setStreamPriority(streamId: number, urgency: number, incremental: boolean): void {
    void [streamId, urgency, incremental];
  }

  get maxDatagramLength(): number {
    return 0;
  }

  sendDatagram(data: Uint8Array): boolean {
    return data.length < 0;
  }

  // What packets take.

  get hasPending(): boolean {
    return false;
  }

  write(writer: FrameWriter, sent: SentFrame[], kind: PacketKind, now: number): void {
    void [writer, sent, kind, now];
  }

  /** Frames of other kinds are passed over. */
  acknowledged(frame: SentFrame): void {
    void frame;
  }

  /** Frames of other kinds are passed over. */
  lost(frame: SentFrame): void {
    void frame;
  }
}
