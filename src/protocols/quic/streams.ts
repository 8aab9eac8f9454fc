/**
 * The streams of a connection, and its datagrams.
 *
 * Owns what joins their parts: which frames there are to send and in which order they go into a packet, what of them was
 * lost, and the limits of both sides (RFC 9000 sections 2, 3, 4, 13.3 and 19.4 to 19.14, RFC 9221). Does not own packets,
 * time or the handshake.
 *
 * A packet is filled with limits first, then frames about single streams, then datagrams, then data by priority: what
 * unblocks the peer is small and worth most.
 *
 * Invariants:
 * - Work for each frame and each event is constant, or the logarithm of how many streams wait; nothing scans all streams.
 * - What the peer was promised and has not been consumed never exceeds `maxUnconsumedBytes`.
 * - A closed stream leaves nothing behind once the application has consumed what it was given and ended its own side.
 *
 * @module
 */
import type { QuicEvent } from '../quic-transport.ts';
import { DatagramQueue } from './datagram-queue.ts';
import { violation } from './error-codes.ts';
import { LARGEST_WINDOW, ReceiveCredit } from './flow-control.ts';
import type { FrameSource } from './frame-source.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { QuicLimitValues } from './limits.ts';
import { LimitFrames } from './limit-frames.ts';
import { OwedFrames } from './owed-frames.ts';
import type { SentFrame } from './sent-packets.ts';
import { quicDatagramReceived, quicStreamsAvailable } from './stream-events.ts';
import { StreamReceiver } from './stream-receiver.ts';
import { StreamSender } from './stream-sender.ts';
import { StreamTable } from './stream-table.ts';
import type { TransportParameters } from './transport-parameters.ts';

/** The limits that streams keep. */
export type QuicStreamLimits = Pick<
  QuicLimitValues,
  | 'maxStreamsBidi'
  | 'maxStreamsUni'
  | 'initialStreamWindow'
  | 'maxStreamWindow'
  | 'maxUnconsumedBytes'
  | 'maxSmallPieces'
  | 'sendBufferBytes'
  | 'maxUnsentBytes'
  | 'maxQueuedDatagrams'
  | 'maxDatagramFrameBytes'
>;

/** The transport parameters that are about streams and datagrams. */
export type StreamParameters = Pick<TransportParameters, `initialMax${string}` & keyof TransportParameters> &
  Pick<TransportParameters, 'maxDatagramFrameSize'>;

/** What must not shrink when 0-RTT was accepted (RFC 9000 section 7.4.1, RFC 9221 section 3). */
const REMEMBERED = [
  'activeConnectionIdLimit',
  'initialMaxData',
  'initialMaxStreamDataBidiLocal',
  'initialMaxStreamDataBidiRemote',
  'initialMaxStreamDataUni',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'maxDatagramFrameSize',
] as const;

/** The streams of one connection. */
export class QuicStreams implements FrameSource {
  /** Milliseconds, for windows that grow: set by the connection whenever it has a new estimate. 0: unknown. */
  roundTrip: number;
  readonly #limits: QuicStreamLimits;
  /** The first window of a stream. */
  readonly #window: number;
  readonly #emit: (event: QuicEvent) => void;
  readonly #credit: ReceiveCredit;
  readonly #owed: OwedFrames;
  readonly #limitFrames: LimitFrames;
  readonly #table: StreamTable;
  readonly #receiver: StreamReceiver;
  readonly #sender: StreamSender;
  readonly #datagrams: DatagramQueue;
  /** What was remembered, until the handshake says more. */
  #remembered: TransportParameters | undefined;
  #over: boolean;

  /**
   * @param limits - this side's
   * @param emit - takes events, in order
   */
  constructor(role: 'client' | 'server', limits: QuicStreamLimits, emit: (event: QuicEvent) => void) {
    const window = Math.min(LARGEST_WINDOW, limits.initialStreamWindow);
    this.roundTrip = 0;
    this.#limits = limits;
    this.#window = window;
    // Not assigned where it is written: V8 would put it, and so the connection, into the old generation.
    const tell = (event: QuicEvent): void => {
      if (!this.#over) emit(event);
    };
    this.#emit = tell;
    this.#credit = new ReceiveCredit(limits);
    this.#owed = new OwedFrames();
    this.#table = new StreamTable(role, limits, window, this.#credit, this.#emit);
    this.#limitFrames = new LimitFrames(this.#credit, this.#table);
    this.#receiver = new StreamReceiver(this.#table, this.#credit, this.#owed, window, this.#emit);
    this.#sender = new StreamSender(this.#table, this.#owed, limits, this.#emit);
    this.#datagrams = new DatagramQueue(limits.maxQueuedDatagrams);
    this.#remembered = undefined;
    this.#over = false;
  }

  /** What this side's transport parameters say of streams and datagrams. */
  get localParameters(): StreamParameters {
    return {
      initialMaxData: this.#credit.advertised,
      initialMaxStreamDataBidiLocal: this.#window,
      initialMaxStreamDataBidiRemote: this.#window,
      initialMaxStreamDataUni: this.#window,
      initialMaxStreamsBidi: this.#table.peerStreams(true).advertised,
      initialMaxStreamsUni: this.#table.peerStreams(false).advertised,
      maxDatagramFrameSize: Math.min(LARGEST_WINDOW, this.#limits.maxDatagramFrameBytes),
    };
  }

  /** How many streams are kept: those that are open, and closed ones of which something is owed. */
  get size(): number {
    return this.#table.size;
  }

  /** What the peer was promised and the application has not consumed. At most `maxUnconsumedBytes`. */
  get outstanding(): number {
    return this.#credit.outstanding;
  }

  /** Bytes that are kept until they are acknowledged. */
  get unsentBytes(): number {
    return this.#sender.kept;
  }

  /**
   * The peer's limits are known.
   *
   * @param early - they are those remembered for 0-RTT. What comes later must not be less (RFC 9000 section 7.4.1),
   *   unless {@link rejectEarlyData} came between.
   * @throws QuicFault PROTOCOL_VIOLATION
   */
  applyPeerParameters(parameters: TransportParameters, early: boolean): void {
    const remembered = this.#remembered;
    if (remembered !== undefined) {
      for (const name of REMEMBERED) {
        if (parameters[name] < remembered[name]) throw violation(`${name} shrank although 0-RTT was accepted`);
      }
    }
    this.#remembered = early ? parameters : undefined;
    this.#table.applyPeerParameters(parameters);
    this.#sender.raise(parameters.initialMaxData);
    for (const stream of this.#table.values()) this.#sender.place(stream);
    const more = {
      bidi: this.#table.localStreams(true).raise(parameters.initialMaxStreamsBidi),
      uni: this.#table.localStreams(false).raise(parameters.initialMaxStreamsUni),
    };
    this.#datagrams.frameLimit = parameters.maxDatagramFrameSize;
    // The first limits are no more than before: HandshakeCompleted tells of them.
    if (remembered === undefined) return;
    if (more.bidi > 0) this.#emit(quicStreamsAvailable(true, more.bidi));
    if (more.uni > 0) this.#emit(quicStreamsAvailable(false, more.uni));
  }

  /** Forgets every stream and datagram that was sent early; to be called before the parameters of the handshake apply. */
  rejectEarlyData(): void {
    this.#remembered = undefined;
    this.#table.forgetLocal();
    this.#owed.clear();
    this.#sender.restart();
    this.#datagrams.clear();
    this.#datagrams.frameLimit = 0;
  }

  /** The connection is over: nothing is kept, sent or told any more. How much was sent can still be asked. */
  terminate(): void {
    this.#over = true;
    this.#table.abandon();
    this.#owed.clear();
    this.#sender.restart();
    this.#datagrams.clear();
    this.#datagrams.frameLimit = 0;
  }

  /** How many bytes of frames a packet of the application's holds at present: the bound of datagrams. */
  setPacketRoom(bytes: number): void {
    this.#datagrams.packetRoom = bytes;
  }

  // What a peer sends. Faults are thrown.

  /**
   * @param early - it came in a 0-RTT packet
   * @param frameType - 0x08 to 0x0f, for faults
   * @throws QuicFault STREAM_LIMIT_ERROR, STREAM_STATE_ERROR, FLOW_CONTROL_ERROR, FINAL_SIZE_ERROR; INTERNAL_ERROR for
   *   data in too many pieces
   */
  streamReceived(
    streamId: number,
    offset: number,
    data: Uint8Array,
    fin: boolean,
    early = false,
    frameType: number = FrameType.stream,
  ): void {
    this.#receiver.streamReceived(streamId, offset, data, fin, early, frameType);
  }

  /** @throws QuicFault as {@link streamReceived} */
  resetStreamReceived(streamId: number, errorCode: number, finalSize: number): void {
    this.#receiver.resetReceived(streamId, errorCode, finalSize);
  }

  /** @throws QuicFault STREAM_LIMIT_ERROR, STREAM_STATE_ERROR */
  stopSendingReceived(streamId: number, errorCode: number): void {
    this.#sender.stopReceived(streamId, errorCode);
  }

  /** Never throws. */
  maxDataReceived(maximum: number): void {
    this.#sender.raise(maximum);
  }

  /** @throws QuicFault STREAM_LIMIT_ERROR, STREAM_STATE_ERROR */
  maxStreamDataReceived(streamId: number, maximum: number): void {
    this.#sender.maxStreamDataReceived(streamId, maximum);
  }

  /** Never throws: numbers above 2^60 are the parser's to refuse. */
  maxStreamsReceived(bidirectional: boolean, maximum: number): void {
    const more = this.#table.localStreams(bidirectional).raise(maximum);
    if (more > 0) this.#emit(quicStreamsAvailable(bidirectional, more));
  }

  /** Never throws. */
  dataBlockedReceived(limit: number): void {
    this.#credit.blockedAt(limit);
  }

  /** @throws QuicFault STREAM_LIMIT_ERROR, STREAM_STATE_ERROR */
  streamDataBlockedReceived(streamId: number, limit: number): void {
    this.#receiver.blockedReceived(streamId, limit);
  }

  /** Never throws. */
  streamsBlockedReceived(bidirectional: boolean, limit: number): void {
    this.#table.peerStreams(bidirectional).blockedAt(limit);
  }

  /** @throws QuicFault PROTOCOL_VIOLATION for one that is longer than was allowed (RFC 9221 section 3) */
  datagramReceived(data: Uint8Array): void {
    if (1 + data.length > this.#limits.maxDatagramFrameBytes) {
      throw violation('a DATAGRAM frame that is longer than was allowed', FrameType.datagram);
    }
    this.#emit(quicDatagramReceived(data));
  }

  // What the application does: QuicTransport's members.

  availableStreams(bidirectional: boolean): number {
    return this.#over ? 0 : this.#table.localStreams(bidirectional).available;
  }

  /** Where there is none, the peer is told so by STREAMS_BLOCKED, once for each limit. */
  openStream(bidirectional: boolean): number {
    return this.#table.open(bidirectional, this.#over).id;
  }

  sendCapacity(streamId: number): number {
    const stream = this.#table.peek(streamId);
    return stream === undefined ? 0 : this.#sender.capacity(stream);
  }

  writeStream(streamId: number, data: Uint8Array, fin: boolean): void {
    this.#sender.write(streamId, data, fin);
  }

  hasUnacknowledged(streamId: number): boolean {
    const stream = this.#table.peek(streamId);
    return stream !== undefined && stream.isSending && stream.send?.hasUnacknowledged === true;
  }

  sentBytes(streamId: number): number {
    return this.#table.peek(streamId)?.send?.sent ?? 0;
  }

  isBlocked(streamId: number): boolean {
    return this.#sender.isBlocked(streamId);
  }

  resetStream(streamId: number, errorCode: number): void {
    this.#sender.reset(streamId, errorCode);
  }

  stopSending(streamId: number, errorCode: number): void {
    this.#receiver.stopSending(streamId, errorCode);
  }

  streamConsumed(streamId: number, length: number): void {
    this.#receiver.consumed(streamId, length);
  }

  setStreamPriority(streamId: number, urgency: number, incremental: boolean): void {
    this.#sender.setPriority(streamId, urgency, incremental);
  }

  get maxDatagramLength(): number {
    return this.#datagrams.maxLength;
  }

  sendDatagram(data: Uint8Array): boolean {
    return this.#datagrams.push(data);
  }

  // What packets take.

  get hasPending(): boolean {
    if (this.#over) return false;
    return (
      this.#sender.hasPending || this.#owed.hasPending || this.#datagrams.length > 0 || this.#limitFrames.hasPending
    );
  }

  write(writer: FrameWriter, sent: SentFrame[], kind: PacketKind, now: number): void {
    if (this.#over || (kind !== 'oneRtt' && kind !== 'zeroRtt')) return;
    this.#table.now = now;
    this.#limitFrames.write(writer, sent);
    this.#owed.write(writer, sent, this.#credit, now, this.roundTrip);
    this.#datagrams.write(writer, sent);
    this.#sender.writeFrames(writer, sent);
  }

  /** Frames of other kinds are passed over. */
  acknowledged(frame: SentFrame): void {
    if (frame.kind === 'stream') this.#sender.acknowledged(frame.streamId, frame.offset, frame.length, frame.fin);
    else if (frame.kind === 'resetStream') this.#sender.resetAcknowledged(frame.streamId);
  }

  /**
   * What was lost is sent again as long as it is true (RFC 9000 section 13.3): a limit only when it is the last that was
   * sent. Frames of other kinds are passed over.
   */
  lost(frame: SentFrame): void {
    switch (frame.kind) {
      case 'stream':
        this.#sender.lost(frame.streamId, frame.offset, frame.length, frame.fin);
        return;
      case 'resetStream':
        this.#sender.resetLost(frame.streamId);
        return;
      case 'stopSending':
        this.#receiver.stopLost(frame.streamId);
        return;
      case 'maxStreamData':
        this.#receiver.windowLost(frame.streamId, frame.maximum);
        return;
      case 'maxData':
      case 'maxStreams':
      case 'streamsBlocked':
        this.#limitFrames.lost(frame);
        return;
      case 'dataBlocked':
        this.#sender.blockedLost(frame.limit);
        return;
      case 'streamDataBlocked':
        this.#sender.streamBlockedLost(frame.streamId, frame.limit);
        return;
      default:
    }
  }
}
