/**
 * Transport error codes of QUIC, and how a connection fails inside.
 *
 * Owns the numbers (RFC 9000 section 20.1) and {@link QuicFault}, which parts of quic/ throw for what ends the
 * connection and the connection's one boundary catches.
 *
 * @module
 */

/** Transport errors by meaning. */
export const QuicError = {
  noError: 0x00,
  internalError: 0x01,
  connectionRefused: 0x02,
  flowControlError: 0x03,
  streamLimitError: 0x04,
  streamStateError: 0x05,
  finalSizeError: 0x06,
  frameEncodingError: 0x07,
  transportParameterError: 0x08,
  connectionIdLimitError: 0x09,
  protocolViolation: 0x0a,
  invalidToken: 0x0b,
  applicationError: 0x0c,
  cryptoBufferExceeded: 0x0d,
  keyUpdateError: 0x0e,
  aeadLimitReached: 0x0f,
  noViablePath: 0x10,
} as const;

/** What a TLS alert is added to (RFC 9001 section 4.8). */
export const CRYPTO_ERROR = 0x0100;

/** The end of a connection by a transport error. */
export class QuicFault extends Error {
  /** One of {@link QuicError}, or an alert above {@link CRYPTO_ERROR}. */
  readonly code: number;
  /** The type of the frame that was at fault, 0 when it is not known. */
  readonly frameType: number;

  /**
   * @param code - what the peer is told
   * @param message - the reason phrase, for the peer's logs and ours
   * @param frameType - for CONNECTION_CLOSE
   */
  constructor(code: number, message: string, frameType = 0) {
    super(message);
    this.name = 'QuicFault';
    this.code = code;
    this.frameType = frameType;
  }
}

/** A fault that RFC 9000 calls PROTOCOL_VIOLATION. */
export function violation(message: string, frameType = 0): QuicFault {
  return new QuicFault(QuicError.protocolViolation, message, frameType);
}
