/**
 * HTTP/2's error codes (RFC 9113 section 7) by meaning.
 *
 * @module
 */
import type { ErrorCodes } from '../../common/index.ts';

const NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** The codes. */
export const errorCodes: ErrorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  messageError: 1,
  cancelled: 8,
  requestRejected: 7,
  connectError: 10,
  excessiveLoad: 11,
  versionFallback: 13,
  name(code: number): string {
    return NAMES[code] ?? `0x${code.toString(16)}`;
  },
};
