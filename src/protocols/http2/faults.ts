/**
 * What the peer did wrong, as errors.
 *
 * Owns the constructor functions. A connection fault is thrown inside the engine and caught at its one boundary, where
 * bytes come in; a stream fault is handed to whoever resets the stream, never thrown (RFC 9113 section 5.4).
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LimitError, RemoteProtocolError, TimeoutError } from '../../common/index.ts';
import { http2ErrorCodes, Http2ErrorCode } from '../semantics/index.ts';

/** The whole connection ends with this code (RFC 9113 section 5.4.1). To be thrown. */
export function connectionFault(code: number, message: string): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'connection', wireCode: code });
}

/** One stream ends with this code (RFC 9113 section 5.4.2). */
export function streamFault(code: number, message: string, statusHint?: number): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'stream', wireCode: code, statusHint });
}

/** The peer reached a limit. Thrown, it ends the connection with ENHANCE_YOUR_CALM. */
export function limitFault(limit: string, value: number, status?: number): LimitError {
  return new LimitError(`${limit} (${String(value)}) was exceeded`, { limit, value, statusHint: status });
}

/** The code that tells the peer of an error which ends the connection. */
export function connectionCode(error: HfaceError): number {
  if (error instanceof RemoteProtocolError) return error.wireCode;
  if (error instanceof LimitError) return Http2ErrorCode.ENHANCE_YOUR_CALM;
  if (error instanceof TimeoutError) {
    return error.timer === 'settingsTimeout' ? Http2ErrorCode.SETTINGS_TIMEOUT : Http2ErrorCode.NO_ERROR;
  }
  return Http2ErrorCode.INTERNAL_ERROR;
}

/** What is reported for a code that the peer gave: `stream reset by the peer: CANCEL`. */
export function toldByPeer(what: string, code: number): string {
  return `${what}: ${http2ErrorCodes.name(code)}`;
}
