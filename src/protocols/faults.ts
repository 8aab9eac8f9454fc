/**
 * What the peer did wrong, as errors, and what becomes of streams when their connection ends.
 *
 * Owns the constructor functions that all versions share. A connection fault is thrown inside an engine and caught at its
 * one boundary, where input comes in; a stream fault is handed to whoever resets the stream, never thrown.
 *
 * @module
 */
import { LimitError, NetworkError, RemoteProtocolError, StreamResetError } from '../common/index.ts';
import type { HfaceError } from '../common/index.ts';
import type { Processed } from './events.ts';

/** The whole connection ends with this code (RFC 9113 section 5.4.1, RFC 9114 section 8). To be thrown. */
export function connectionFault(code: number, message: string): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'connection', wireCode: code });
}

/** One stream ends with this code (RFC 9113 section 5.4.2, RFC 9114 section 8). */
export function streamFault(code: number, message: string, statusHint?: number): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'stream', wireCode: code, statusHint });
}

/** The peer reached a limit. Thrown, it ends the connection. */
export function limitFault(limit: string, value: number, status?: number): LimitError {
  return new LimitError(`${limit} (${String(value)}) was exceeded`, { limit, value, statusHint: status });
}

/** What a stream is told whose connection ends without an error, while it is open. */
export function connectionOver(reason: string, errorCode: number, byPeer: boolean, processed: Processed): HfaceError {
  if (byPeer) return new NetworkError(reason, { phase: 'read' });
  return new StreamResetError(reason, { errorCode, initiator: 'application', processed });
}
