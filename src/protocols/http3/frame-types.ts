/**
 * The numbers of HTTP/3: frames, streams, settings.
 *
 * Owns the registries of RFC 9114 section 11.2, with QPACK's (RFC 9204 section 8.1), priorities' (RFC 9218 section 11),
 * extended CONNECT's (RFC 9220) and datagrams' (RFC 9297), and what is reserved in them.
 *
 * @module
 */

/** Frame types (RFC 9114 section 7.2, RFC 9218 section 7.2). */
export const FrameType = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  maxPushId: 0x0d,
  priorityUpdate: 0xf0700,
  priorityUpdatePush: 0xf0701,
} as const;

/** Types of unidirectional streams (RFC 9114 section 6.2, RFC 9204 section 4.2). */
export const StreamType = { control: 0x00, push: 0x01, qpackEncoder: 0x02, qpackDecoder: 0x03 } as const;

/** Settings (RFC 9114 section 7.2.4.1 and the RFCs above). */
export const SettingId = {
  qpackMaxTableCapacity: 0x01,
  maxFieldSectionSize: 0x06,
  qpackBlockedStreams: 0x07,
  enableConnectProtocol: 0x08,
  h3Datagram: 0x33,
} as const;

/** Whether a frame type was HTTP/2's and has no counterpart: it must not come (RFC 9114 section 7.2.8). */
export function isForbiddenFrame(type: number): boolean {
  return type === 0x02 || type === 0x06 || type === 0x08 || type === 0x09;
}

/** Whether a setting was HTTP/2's and has no counterpart: it must not come (RFC 9114 section 7.2.4.1). */
export function isForbiddenSetting(id: number): boolean {
  return id === 0x00 || (id >= 0x02 && id <= 0x05);
}

/** A number of the form that is reserved to be ignored, in all registries (RFC 9114 section 7.2.8). */
export function reservedNumber(n: number): number {
  return 0x1f * n + 0x21;
}

/** Whether a stream is a request's: opened by the client, in both directions (RFC 9114 section 6.1). */
export function isRequestStream(streamId: number): boolean {
  return streamId % 4 === 0;
}

/** Whether a stream has one direction only (RFC 9000 section 2.1). */
export function isUnidirectional(streamId: number): boolean {
  return streamId % 4 >= 2;
}
