/**
 * What the peer did wrong, as errors: thrown inside the engine and caught at its one boundary, where bytes come in.
 *
 * Owns the constructor functions. A fault always ends the connection: HTTP/1 has no way to go on behind a message
 * whose end is not known. The status is what a server answers, where it still can.
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LimitError, RemoteProtocolError } from '../../common/index.ts';

export { limitFault } from '../faults.ts';

/** The peer broke the grammar or a rule of framing. */
export function fault(message: string, status = 400): RemoteProtocolError {
  return new RemoteProtocolError(message, { scope: 'connection', wireCode: 0, statusHint: status });
}

/**
 * The peer ended the connection where a response was due, without a byte of it. It broke no rule: an idle connection
 * may close at any time (RFC 9112 section 9.5), so a client may send the request again.
 */
export function closedFault(message: string): RemoteProtocolError {
  return new RemoteProtocolError(message, { code: 'ERR_CONNECTION_CLOSED', scope: 'connection', wireCode: 0 });
}

/** The peer ended the connection inside a message (RFC 9112 section 8). */
export function truncatedFault(message: string, cause?: unknown): RemoteProtocolError {
  return new RemoteProtocolError(message, { code: 'ERR_TRUNCATED', scope: 'connection', wireCode: 0, cause });
}

/** What the server sends is no response of HTTP/1: another protocol speaks on that port (RFC 9112 section 4). */
export function notHttpFault(): RemoteProtocolError {
  const message = 'the server does not answer in HTTP/1';
  return new RemoteProtocolError(message, { code: 'ERR_NOT_HTTP', scope: 'connection', wireCode: 0 });
}

/**
 * A fault of a response as the client tells it: readers that both sides share name the status of a server, but what a
 * gateway answers when the server behind it is at fault is 502 (RFC 9110 section 15.6.3).
 */
export function responseFault(error: HfaceError): HfaceError {
  if (error instanceof RemoteProtocolError && error.statusHint !== 502) {
    const { code, scope, wireCode, cause } = error;
    return new RemoteProtocolError(error.message, { code, scope, wireCode, statusHint: 502, cause });
  }
  if (error instanceof LimitError && error.statusHint !== 502) {
    const { limit, value } = error;
    return new LimitError(error.message, { limit, value, statusHint: 502 });
  }
  return error;
}

/** What is wrong with bytes at a place in a head, with the octet that was not expected. */
export function syntaxFault(what: string, text: string, at: number): RemoteProtocolError {
  if (at >= text.length) return fault(`${what}: it ends too early`);
  const octet = text.charCodeAt(at);
  const hex = octet.toString(16).padStart(2, '0');
  return fault(`${what}: octet 0x${hex} at offset ${String(at)}`);
}
