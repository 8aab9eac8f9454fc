/**
 * What a connection tells a log as it happens.
 *
 * Owns the hooks that a qlog writer implements (draft-ietf-quic-qlog-quic-events names the events). They are called
 * synchronously, get plain values, and must neither throw nor keep views. A connection without a trace computes nothing
 * for one.
 *
 * @module
 */
import type { PacketKind } from './frame-types.ts';
import type { PacketSpace } from './loss-recovery.ts';
import type { SentFrame } from './sent-packets.ts';
import type { TransportParameters } from './transport-parameters.ts';

/** Why a packet was not taken. */
export type DropReason =
  | 'not-a-packet'
  | 'unknown-connection-id'
  | 'keys-unavailable'
  | 'keys-discarded'
  | 'queue-full'
  | 'decryption-failed'
  | 'duplicate'
  | 'unexpected'
  | 'connection-closed';

/** Where a connection stands. */
export type ConnectionPhase = 'handshaking' | 'complete' | 'confirmed' | 'closing' | 'draining' | 'closed';

/** The congestion controller's and the round-trip estimator's figures; bytes and milliseconds. */
export interface RecoveryMetrics {
  readonly window: number;
  readonly slowStartThreshold: number;
  readonly bytesInFlight: number;
  readonly smoothedRtt: number;
  readonly latestRtt: number;
  readonly minRtt: number;
  readonly rttVariation: number;
  readonly probeCount: number;
}

/** A log of one connection. */
export interface QuicTrace {
  /** A packet was put into a datagram. `frames` are those that ask for an acknowledgement. */
  packetSent(now: number, kind: PacketKind, number: number, size: number, frames: readonly SentFrame[]): void;
  /** A packet was opened and its frames are about to be taken. `payload` is for reading the frames now, not for keeping. */
  packetReceived(now: number, kind: PacketKind, number: number, size: number, payload: Uint8Array): void;
  /** A packet was found to be lost. */
  packetLost(now: number, space: PacketSpace, number: number): void;
  /** What came was not taken. @param form - the kind of its header */
  packetDropped(now: number, form: string, size: number, reason: DropReason): void;
  /** Transport parameters are known. @param own - whether they are this side's */
  parametersSet(now: number, own: boolean, parameters: Partial<TransportParameters>): void;
  /** Figures of loss recovery and congestion control, which may be those of before. */
  metricsUpdated(now: number, metrics: RecoveryMetrics): void;
  /** 1-RTT keys have changed. @param initiator - who began; 0 is the generation that the handshake made */
  keyUpdated(now: number, generation: number, initiator: 'local' | 'remote'): void;
  /** The keys of a level are gone. */
  keysDiscarded(now: number, kind: PacketKind): void;
  /** Where the connection stands now. */
  phaseChanged(now: number, phase: ConnectionPhase): void;
  /** How large datagrams are from now on, in bytes. */
  datagramSizeChanged(now: number, size: number): void;
  /** The connection is over. @param initiator - whose doing it was */
  connectionClosed(now: number, initiator: string, errorCode: number, application: boolean, reason: string): void;
}
