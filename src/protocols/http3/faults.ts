/**
 * What the peer did wrong, as errors.
 *
 * Owns the constructor functions. A connection fault is thrown inside the engine and caught at its one boundary, where
 * the transport's events are taken; a stream fault is handed to whoever resets the stream, never thrown (RFC 9114
 * section 8).
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LimitError, RemoteProtocolError, TimeoutError } from '../../common/index.ts';
import { Http3ErrorCode, http3ErrorCodes } from '../semantics/index.ts';

/** The whole connection ends with this code. To be thrown. */
export function connectionFault(code: number, message: string): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'connection', wireCode: code });
}

/** One stream ends with this code. */
export function streamFault(code: number, message: string, statusHint?: number): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'stream', wireCode: code, statusHint });
}

/** The peer reached a limit. Thrown, it ends the connection with H3_EXCESSIVE_LOAD. */
export function limitFault(limit: string, value: number, status?: number): LimitError {
  return new LimitError(`${limit} (${String(value)}) was exceeded`, { limit, value, statusHint: status });
}

/** The code that tells the peer of an error which ends the connection. */
export function connectionCode(error: HfaceError): number {
  if (error instanceof RemoteProtocolError) return error.wireCode;
  if (error instanceof LimitError) return Http3ErrorCode.H3_EXCESSIVE_LOAD;
  if (error instanceof TimeoutError) return Http3ErrorCode.H3_NO_ERROR;
  return Http3ErrorCode.H3_INTERNAL_ERROR;
}

/** What is reported for a code that the peer gave: `the stream was reset by the peer: H3_REQUEST_CANCELLED`. */
export function toldByPeer(what: string, code: number): string {
  return `${what}: ${http3ErrorCodes.name(code)}`;
}
