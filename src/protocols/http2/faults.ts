/**
 * What the peer did wrong, as HTTP/2 tells it (RFC 9113 section 5.4). The faults themselves are those of all versions.
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LimitError, RemoteProtocolError, TimeoutError } from '../../common/index.ts';
import { http2ErrorCodes, Http2ErrorCode } from '../semantics/index.ts';

export { connectionFault, connectionOver, limitFault, streamFault } from '../faults.ts';

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
