/**
 * HTTP/3's error codes.
 *
 * Owns: the codes of RFC 9114 section 8.1, RFC 9204 section 6 and RFC 9297 section 5.2, and which of them an
 * application's meaning becomes.
 *
 * @module
 */
import type { ErrorCodes } from '../../common/index.ts';

/** The codes by the RFCs' names. */
export const Http3ErrorCode = {
  H3_DATAGRAM_ERROR: 0x33,
  H3_NO_ERROR: 0x100,
  H3_GENERAL_PROTOCOL_ERROR: 0x101,
  H3_INTERNAL_ERROR: 0x102,
  H3_STREAM_CREATION_ERROR: 0x103,
  H3_CLOSED_CRITICAL_STREAM: 0x104,
  H3_FRAME_UNEXPECTED: 0x105,
  H3_FRAME_ERROR: 0x106,
  H3_EXCESSIVE_LOAD: 0x107,
  H3_ID_ERROR: 0x108,
  H3_SETTINGS_ERROR: 0x109,
  H3_MISSING_SETTINGS: 0x10a,
  H3_REQUEST_REJECTED: 0x10b,
  H3_REQUEST_CANCELLED: 0x10c,
  H3_REQUEST_INCOMPLETE: 0x10d,
  H3_MESSAGE_ERROR: 0x10e,
  H3_CONNECT_ERROR: 0x10f,
  H3_VERSION_FALLBACK: 0x110,
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Http3ErrorCode).map(([name, code]): [number, string] => [code, name]),
);

/** The codes by meaning. */
export const http3ErrorCodes: ErrorCodes = {
  noError: Http3ErrorCode.H3_NO_ERROR,
  protocolError: Http3ErrorCode.H3_GENERAL_PROTOCOL_ERROR,
  internalError: Http3ErrorCode.H3_INTERNAL_ERROR,
  messageError: Http3ErrorCode.H3_MESSAGE_ERROR,
  cancelled: Http3ErrorCode.H3_REQUEST_CANCELLED,
  requestRejected: Http3ErrorCode.H3_REQUEST_REJECTED,
  connectError: Http3ErrorCode.H3_CONNECT_ERROR,
  excessiveLoad: Http3ErrorCode.H3_EXCESSIVE_LOAD,
  versionFallback: Http3ErrorCode.H3_VERSION_FALLBACK,
  name(code: number): string {
    return NAMES.get(code) ?? `0x${code.toString(16)}`;
  },
};
