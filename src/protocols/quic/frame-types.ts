/**
 * Frame types of QUIC, and the packets in which each may stand.
 *
 * Owns the numbers and the table of RFC 9000 section 12.4, with RFC 9221's DATAGRAM.
 *
 * @module
 */

/** Frame types. STREAM takes 0x08 to 0x0f, the low bits telling what follows. */
export const FrameType = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  ackEcn: 0x03,
  resetStream: 0x04,
  stopSending: 0x05,
  crypto: 0x06,
  newToken: 0x07,
  stream: 0x08,
  maxData: 0x10,
  maxStreamData: 0x11,
  maxStreamsBidi: 0x12,
  maxStreamsUni: 0x13,
  dataBlocked: 0x14,
  streamDataBlocked: 0x15,
  streamsBlockedBidi: 0x16,
  streamsBlockedUni: 0x17,
  newConnectionId: 0x18,
  retireConnectionId: 0x19,
  pathChallenge: 0x1a,
  pathResponse: 0x1b,
  connectionClose: 0x1c,
  applicationClose: 0x1d,
  handshakeDone: 0x1e,
  datagram: 0x30,
  datagramWithLength: 0x31,
} as const;

/** Bits of a STREAM frame's type. */
export const StreamBits = { fin: 0x01, length: 0x02, offset: 0x04 } as const;

/** The kinds of packet that carry frames. */
export type PacketKind = 'initial' | 'zeroRtt' | 'handshake' | 'oneRtt';

const T = FrameType;
const IN_HANDSHAKE: ReadonlySet<number> = new Set([T.padding, T.ping, T.ack, T.ackEcn, T.crypto, T.connectionClose]);
const NOT_IN_ZERO_RTT: ReadonlySet<number> = new Set([
  T.ack,
  T.ackEcn,
  T.crypto,
  T.newToken,
  T.pathResponse,
  T.retireConnectionId,
  T.handshakeDone,
]);

/** Whether a frame may stand in a packet (RFC 9000 section 12.4, table 3; section 12.5 for 0-RTT). */
export function mayCarry(kind: PacketKind, type: number): boolean {
  if (kind === 'oneRtt') return true;
  if (kind === 'zeroRtt') return !NOT_IN_ZERO_RTT.has(type);
  return IN_HANDSHAKE.has(type);
}

/** Whether a frame asks for an acknowledgement (RFC 9002 section 2): all but ACK, PADDING and CONNECTION_CLOSE. */
export function isAckEliciting(type: number): boolean {
  return !(type <= T.ackEcn && type !== T.ping) && type !== T.connectionClose && type !== T.applicationClose;
}

/** Whether a frame only probes a path (RFC 9000 section 9.1). */
export function isProbing(type: number): boolean {
  return type === T.padding || type === T.newConnectionId || type === T.pathChallenge || type === T.pathResponse;
}
