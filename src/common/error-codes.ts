/**
 * What an application may mean by an error code, whatever the version.
 *
 * Owns the meaning; each engine brings the numbers of its own space as its `errorCodes`.
 *
 * @module
 */

/**
 * The error codes of one HTTP version by meaning. HTTP/2: RFC 9113 section 7, HTTP/3: RFC 9114 section 8.1. HTTP/1 has
 * none on the wire; its engine uses small numbers of its own and closes the connection.
 */
export interface ErrorCodes {
  /** A graceful end. */
  readonly noError: number;
  /** The peer broke a rule that has no code of its own. */
  readonly protocolError: number;
  /** This side failed. */
  readonly internalError: number;
  /** A request whose message is malformed (RFC 9114 section 4.1.2); HTTP/2 uses PROTOCOL_ERROR. */
  readonly messageError: number;
  /** The stream is no longer wanted. */
  readonly cancelled: number;
  /** The request was not acted upon and may be sent again. */
  readonly requestRejected: number;
  /** The tunnel's far side failed. */
  readonly connectError: number;
  /** The peer causes more work than is right. */
  readonly excessiveLoad: number;
  /** The request must come over HTTP/1.1. */
  readonly versionFallback: number;
  /** The name of a code, for messages and logs; unknown ones in hexadecimal. */
  name(code: number): string;
}
