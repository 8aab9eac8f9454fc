/**
 * The frames of packets, told to those whose business they are.
 *
 * Owns the hand-out by kind of frame, what a packet's frames say of the packet (whether it asks for an acknowledgement,
 * whether it only probes), and the rules that follow from who sends a frame to whom (RFC 9000 sections 19.7 and 19.20).
 *
 * @module
 */
import { varintLength } from '../../wire/index.ts';
import type { ConnectionState } from './connection-state.ts';
import { EarlyRepeat } from './early-repeat.ts';
import { QuicError, QuicFault, violation } from './error-codes.ts';
import type { FrameHandler } from './frame-handler.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType, isAckEliciting, isProbing } from './frame-types.ts';
import type { PacketFates } from './packet-fates.ts';
import { spaceOf } from './packet-spaces.ts';
import type { Path } from './paths.ts';

/** The longest token that is kept: with the longest ids there are a hundred bytes left in a datagram of 1200. */
const MAX_TOKEN = 1_000;

/** What a CONNECTION_CLOSE frame said. */
export interface PeerClose {
  readonly errorCode: number;
  readonly application: boolean;
  readonly reason: Uint8Array;
}

/** Takes the frames of one packet after another. */
export class FrameDispatch implements FrameHandler {
  /** Whether the packet asks for an acknowledgement. */
  eliciting: boolean;
  /** Whether the packet has probing frames only (RFC 9000 section 9.1). */
  probing: boolean;
  /** Whether there were CRYPTO frames: TLS has something to do. */
  hasCrypto: boolean;
  /** The peer's CONNECTION_CLOSE. */
  close: PeerClose | undefined;
  readonly #state: ConnectionState;
  readonly #fates: PacketFates;
  readonly #repeat: EarlyRepeat;
  readonly #handshakeDone: () => void;
  #kind: PacketKind;
  #type: number;
  #destination: Uint8Array;
  #path: Path;

  /** @param handshakeDone - client: HANDSHAKE_DONE came */
  constructor(state: ConnectionState, fates: PacketFates, handshakeDone: () => void) {
    this.eliciting = false;
    this.probing = true;
    this.hasCrypto = false;
    this.close = undefined;
    this.#state = state;
    this.#fates = fates;
    this.#repeat = new EarlyRepeat(state, fates);
    this.#handshakeDone = handshakeDone;
    this.#kind = 'initial';
    this.#type = 0;
    this.#destination = state.sourceId;
    this.#path = state.paths.current;
  }

  /** A packet's frames follow. @param destination - its Destination Connection ID */
  begin(kind: PacketKind, destination: Uint8Array, path: Path): void {
    this.eliciting = false;
    this.probing = true;
    this.hasCrypto = false;
    this.#kind = kind;
    this.#destination = destination;
    this.#path = path;
  }

  /** A packet's frames were all taken. */
  end(): void {
    if (this.#kind === 'initial' && this.eliciting) this.#repeat.initialReceived();
  }

  frameReceived(type: number): void {
    this.#type = type;
    if (isAckEliciting(type)) this.eliciting = true;
    if (!isProbing(type)) this.probing = false;
  }

  ackReceived(ranges: readonly number[], delay: number): void {
    const state = this.#state;
    const space = spaceOf(this.#kind);
    state.spaces[space].checkAcknowledged(ranges);
    let waited = 0;
    if (space === 'application') {
      state.keys.oneRtt?.acknowledged(ranges[0] as number);
      waited = (delay * 2 ** state.peer.ackDelayExponent) / 1_000;
      // RFC 9002 section 5.3: what the peer promised bounds what it claims.
      if (state.confirmed) waited = Math.min(waited, state.peer.maxAckDelay);
    } else if (space === 'handshake') {
      state.peerValidated = true;
    }
    const { acknowledged, lost } = state.recovery.acknowledged(space, ranges, waited, state.now, state.peerValidated);
    this.#fates.acknowledged(space, acknowledged);
    this.#fates.lost(space, lost);
    state.streams.roundTrip = state.recovery.rtt.firstSampleAt === undefined ? 0 : state.recovery.rtt.smoothed;
    if (state.trace !== undefined) traceMetrics(state);
  }

  cryptoReceived(offset: number, data: Uint8Array): void {
    this.#state.crypto[spaceOf(this.#kind)].received(offset, data);
    this.hasCrypto = true;
  }

  streamReceived(streamId: number, offset: number, data: Uint8Array, fin: boolean): void {
    this.#state.streams.streamReceived(streamId, offset, data, fin, this.#kind === 'zeroRtt', this.#type);
  }

  resetStreamReceived(streamId: number, errorCode: number, finalSize: number): void {
    this.#state.streams.resetStreamReceived(streamId, errorCode, finalSize);
  }

  stopSendingReceived(streamId: number, errorCode: number): void {
    this.#state.streams.stopSendingReceived(streamId, errorCode);
  }

  newTokenReceived(token: Uint8Array): void {
    // Section 19.7.
    if (this.#state.role === 'server') throw violation('NEW_TOKEN of a client', FrameType.newToken);
    // What leaves no room for a ClientHello beside it would be in the way of the next connection.
    if (token.length <= MAX_TOKEN) this.#state.notice({ type: 'TokenReceived', token: token.slice() });
  }

  maxDataReceived(maximum: number): void {
    this.#state.streams.maxDataReceived(maximum);
  }

  maxStreamDataReceived(streamId: number, maximum: number): void {
    this.#state.streams.maxStreamDataReceived(streamId, maximum);
  }

  maxStreamsReceived(bidirectional: boolean, maximum: number): void {
    this.#state.streams.maxStreamsReceived(bidirectional, maximum);
  }

  dataBlockedReceived(limit: number): void {
    this.#state.streams.dataBlockedReceived(limit);
  }

  streamDataBlockedReceived(streamId: number, limit: number): void {
    this.#state.streams.streamDataBlockedReceived(streamId, limit);
  }

  streamsBlockedReceived(bidirectional: boolean, limit: number): void {
    this.#state.streams.streamsBlockedReceived(bidirectional, limit);
  }

  newConnectionIdReceived(sequence: number, retirePriorTo: number, id: Uint8Array, resetToken: Uint8Array): void {
    const { peerIds, paths } = this.#state;
    const before = peerIds.destination(paths.current.id)?.length;
    peerIds.newConnectionIdReceived(sequence, retirePriorTo, id.slice(), resetToken.slice());
    // A longer id leaves packets less room.
    if (peerIds.destination(paths.current.id)?.length !== before) this.#fates.sizeChanged();
  }

  retireConnectionIdReceived(sequence: number): void {
    this.#state.localIds.retireConnectionIdReceived(sequence, this.#destination);
  }

  pathChallengeReceived(data: Uint8Array): void {
    this.#state.paths.pathChallengeReceived(this.#path, data, this.#state.now);
  }

  pathResponseReceived(data: Uint8Array): void {
    this.#state.paths.pathResponseReceived(data, this.#state.now);
  }

  connectionCloseReceived(errorCode: number, frameType: number | undefined, reason: Uint8Array): void {
    this.close ??= { errorCode, application: frameType === undefined, reason };
  }

  handshakeDoneReceived(): void {
    // Section 19.20.
    if (this.#state.role === 'server') throw violation('HANDSHAKE_DONE of a client', FrameType.handshakeDone);
    this.#handshakeDone();
  }

  datagramReceived(data: Uint8Array): void {
    const maximum = this.#state.config.limits.maxDatagramFrameBytes;
    // RFC 9221 section 3: larger than announced, type and length counted.
    const head = this.#type === FrameType.datagram ? 1 : 1 + varintLength(data.length);
    if (head + data.length > maximum) {
      throw new QuicFault(QuicError.protocolViolation, 'a DATAGRAM frame longer than announced', this.#type);
    }
    this.#state.streams.datagramReceived(data);
  }
}

/** Tells a log the figures of recovery. */
export function traceMetrics(state: ConnectionState): void {
  const { rtt, controller, bytesInFlight, probeCount } = state.recovery;
  state.trace?.metricsUpdated(state.now, {
    window: controller.window,
    slowStartThreshold: controller.slowStartThreshold,
    bytesInFlight,
    smoothedRtt: rtt.smoothed,
    latestRtt: rtt.latest,
    minRtt: rtt.min,
    rttVariation: rtt.variation,
    probeCount,
  });
}
