/**
 * HTTP/1's error codes: numbers of our own, since the wire has none.
 *
 * Owns the numbers that events of every HTTP/1 engine carry. On the wire each of them is the connection's end.
 *
 * @module
 */
import type { ErrorCodes } from '../../common/index.ts';

const NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'MESSAGE_ERROR',
  'CANCELLED',
  'REQUEST_REJECTED',
  'CONNECT_ERROR',
  'EXCESSIVE_LOAD',
  'VERSION_FALLBACK',
];

/** The codes by meaning. */
export const http1ErrorCodes: ErrorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  messageError: 3,
  cancelled: 4,
  requestRejected: 5,
  connectError: 6,
  excessiveLoad: 7,
  versionFallback: 8,
  name(code: number): string {
    return NAMES[code] ?? `0x${code.toString(16)}`;
  },
};
