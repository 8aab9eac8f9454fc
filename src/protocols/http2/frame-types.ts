/**
 * The numbers of HTTP/2's frames: types, flags, settings, sizes.
 *
 * Owns: RFC 9113 sections 4.1, 6 and 6.5.2, RFC 7838 section 4, RFC 8336 section 2, RFC 8441 section 3, RFC 9218
 * sections 2.1 and 7.1.
 *
 * @module
 */

/** Frame types. Others are ignored (RFC 9113 section 4.1). */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
  altSvc: 0xa,
  origin: 0xc,
  priorityUpdate: 0x10,
} as const;

/** Flags; those that a type does not define are ignored. */
export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Identifiers of settings. Others are ignored (RFC 9113 section 6.5.2). */
export const SettingId = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  enableConnectProtocol: 0x8,
  noRfc7540Priorities: 0x9,
} as const;

/** The octets of a frame's header. */
export const FRAME_HEADER_LENGTH = 9;
/** SETTINGS_MAX_FRAME_SIZE as it is at first, its least value, and the one that this engine keeps for itself. */
export const DEFAULT_MAX_FRAME_SIZE = 16_384;
/** The greatest value of SETTINGS_MAX_FRAME_SIZE. */
export const LARGEST_MAX_FRAME_SIZE = 16_777_215;
/** Windows as they are at first (RFC 9113 section 6.9.2). */
export const DEFAULT_WINDOW = 65_535;
/** No window may be larger, and no stream's id. */
export const LARGEST_WINDOW = 0x7fff_ffff;
/** The highest stream id. */
export const LARGEST_STREAM_ID = 0x7fff_ffff;
/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
