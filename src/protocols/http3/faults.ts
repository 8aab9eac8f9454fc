/**
 * What the peer did wrong, as HTTP/3 tells it (RFC 9114 section 8). The faults themselves are those of all versions.
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LimitError, RemoteProtocolError, TimeoutError } from '../../common/index.ts';
import { Http3ErrorCode, http3ErrorCodes } from '../semantics/index.ts';

export { connectionFault, connectionOver, limitFault, streamFault } from '../faults.ts';

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
