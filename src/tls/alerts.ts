/**
 * Alerts of TLS 1.3, and how a handshake fails inside.
 *
 * Owns the numbers (RFC 8446 section 6) and {@link TlsFault}, which every part of tls/ throws and the handshake's one
 * boundary catches. QUIC adds 0x0100 and sends them in CONNECTION_CLOSE (RFC 9001 section 4.8).
 *
 * @module
 */

/** Alert descriptions by meaning. */
export const Alert = {
  unexpectedMessage: 10,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  illegalParameter: 47,
  unknownCa: 48,
  accessDenied: 49,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  insufficientSecurity: 71,
  internalError: 80,
  missingExtension: 109,
  unsupportedExtension: 110,
  unrecognizedName: 112,
  badCertificateStatusResponse: 113,
  unknownPskIdentity: 115,
  certificateRequired: 116,
  noApplicationProtocol: 120,
} as const;

/** The end of a handshake. */
export class TlsFault extends Error {
  /** What the peer is told, one of {@link Alert}; `undefined` for what QUIC calls PROTOCOL_VIOLATION. */
  readonly alert: number | undefined;

  /**
   * @param alert - one of {@link Alert}; `undefined` for PROTOCOL_VIOLATION
   * @param message - for this side's logs
   */
  constructor(alert: number | undefined, message: string) {
    super(message);
    this.name = 'TlsFault';
    this.alert = alert;
  }
}

/** What RFC 9001 makes a PROTOCOL_VIOLATION instead of an alert. */
export function violation(message: string): TlsFault {
  return new TlsFault(undefined, message);
}

/** A message that does not parse. */
export function decodeFault(what: string): TlsFault {
  return new TlsFault(Alert.decodeError, `malformed ${what}`);
}

/** A message that parses and says what it must not say. */
export function illegalFault(message: string): TlsFault {
  return new TlsFault(Alert.illegalParameter, message);
}
