/**
 * HTTP/2's error codes.
 *
 * Owns: the registry of RFC 9113 section 7, and which of them an application's meaning becomes.
 *
 * @module
 */
import type { ErrorCodes } from '../../common/index.ts';

/** The codes of RFC 9113 section 7 by the RFC's names. */
export const Http2ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

const NAMES: readonly string[] = Object.keys(Http2ErrorCode);

/** The codes by meaning. */
export const http2ErrorCodes: ErrorCodes = {
  noError: Http2ErrorCode.NO_ERROR,
  protocolError: Http2ErrorCode.PROTOCOL_ERROR,
  internalError: Http2ErrorCode.INTERNAL_ERROR,
  messageError: Http2ErrorCode.PROTOCOL_ERROR,
  cancelled: Http2ErrorCode.CANCEL,
  requestRejected: Http2ErrorCode.REFUSED_STREAM,
  connectError: Http2ErrorCode.CONNECT_ERROR,
  excessiveLoad: Http2ErrorCode.ENHANCE_YOUR_CALM,
  versionFallback: Http2ErrorCode.HTTP_1_1_REQUIRED,
  name(code: number): string {
    return NAMES[code] ?? `0x${code.toString(16)}`;
  },
};
