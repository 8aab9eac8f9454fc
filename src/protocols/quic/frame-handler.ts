/**
 * What a packet's frames are told to.
 *
 * Owns the interface between frame-parser.ts and the connection: one call for each frame, no object. Views belong to
 * the packet's payload, which is the connection's for good.
 *
 * @module
 */

/** Counts of ECN code points in an ACK frame (RFC 9000 section 19.3.2). */
export interface EcnCounts {
  readonly ect0: number;
  readonly ect1: number;
  readonly ce: number;
}

/** Takes the frames of one packet. What is wrong is thrown as QuicFault. */
export interface FrameHandler {
  /** Any frame has begun; told before it is taken. */
  frameReceived(type: number): void;
  /**
   * @param ranges - pairs of greatest and least acknowledged number, the greatest pair first
   * @param delay - as sent, in units of the peer's ack_delay_exponent
   */
  ackReceived(ranges: readonly number[], delay: number, ecn: EcnCounts | undefined): void;
  cryptoReceived(offset: number, data: Uint8Array): void;
  streamReceived(streamId: number, offset: number, data: Uint8Array, fin: boolean): void;
  resetStreamReceived(streamId: number, errorCode: number, finalSize: number): void;
  stopSendingReceived(streamId: number, errorCode: number): void;
  newTokenReceived(token: Uint8Array): void;
  maxDataReceived(maximum: number): void;
  maxStreamDataReceived(streamId: number, maximum: number): void;
  maxStreamsReceived(bidirectional: boolean, maximum: number): void;
  dataBlockedReceived(limit: number): void;
  streamDataBlockedReceived(streamId: number, limit: number): void;
  streamsBlockedReceived(bidirectional: boolean, limit: number): void;
  newConnectionIdReceived(sequence: number, retirePriorTo: number, id: Uint8Array, resetToken: Uint8Array): void;
  retireConnectionIdReceived(sequence: number): void;
  pathChallengeReceived(data: Uint8Array): void;
  pathResponseReceived(data: Uint8Array): void;
  /** @param frameType - `undefined` when the application closed */
  connectionCloseReceived(errorCode: number, frameType: number | undefined, reason: Uint8Array): void;
  handshakeDoneReceived(): void;
  datagramReceived(data: Uint8Array): void;
}
