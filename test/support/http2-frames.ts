/**
 * HTTP/2 frames as tests write and read them, rules or no rules.
 *
 * @module
 */
import { expect } from 'vitest';

/** Frame types by number (RFC 9113 section 6). */
export const Type = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  ALTSVC: 0xa,
  ORIGIN: 0xc,
  PRIORITY_UPDATE: 0x10,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

/** What a client sends first. */
export const preface: Uint8Array = latin1('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A frame that was sent by an engine. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Numbers of so many octets each. */
export function numbers(...list: readonly (readonly [value: number, octets: number])[]): Uint8Array {
  const bytes: number[] = [];
  for (const [value, octets] of list) {
    for (let index = octets - 1; index >= 0; index -= 1) bytes.push(Math.floor(value / 256 ** index) % 256);
  }
  return Uint8Array.from(bytes);
}

/** Any frame; `length` may lie. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
  length: number = payload.length,
): Uint8Array {
  return concat(numbers([length, 3], [type, 1], [flags, 1], [streamId, 4]), payload);
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = numbers(...pairs.flatMap(([id, value]) => [[id, 2] as const, [value, 4] as const]));
  return frame(Type.SETTINGS, 0, 0, payload);
}

export const settingsAck: Uint8Array = frame(Type.SETTINGS, ACK, 0);

export function data(streamId: number, content: Uint8Array | string, flags = 0): Uint8Array {
  return frame(Type.DATA, flags, streamId, typeof content === 'string' ? latin1(content) : content);
}

/** Content with padding (RFC 9113 section 6.1). */
export function paddedData(streamId: number, content: string, padding: number, flags = 0): Uint8Array {
  const payload = concat(numbers([padding, 1]), latin1(content), new Uint8Array(padding));
  return frame(Type.DATA, flags | PADDED, streamId, payload);
}

export function rstStream(streamId: number, code = 8): Uint8Array {
  return frame(Type.RST_STREAM, 0, streamId, numbers([code, 4]));
}

export function windowUpdate(streamId: number, increment: number): Uint8Array {
  return frame(Type.WINDOW_UPDATE, 0, streamId, numbers([increment, 4]));
}

export function ping(opaque = '12345678', flags = 0): Uint8Array {
  return frame(Type.PING, flags, 0, latin1(opaque));
}

export function goaway(lastStreamId: number, code = 0, debug = ''): Uint8Array {
  return frame(Type.GOAWAY, 0, 0, concat(numbers([lastStreamId, 4], [code, 4]), latin1(debug)));
}

export function priority(streamId: number, dependency = 0): Uint8Array {
  return frame(Type.PRIORITY, 0, streamId, numbers([dependency, 4], [15, 1]));
}

export function priorityUpdate(streamId: number, value: string): Uint8Array {
  return frame(Type.PRIORITY_UPDATE, 0, 0, concat(numbers([streamId, 4]), latin1(value)));
}

/** Cuts octets into frames; fails where they are none. */
export function parseFrames(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    expect(at + 9, 'a whole frame header').toBeLessThanOrEqual(bytes.length);
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const streamId = ((bytes[at + 5]! << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!) >>> 0;
    expect(at + 9 + length, 'a whole frame').toBeLessThanOrEqual(bytes.length);
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      streamId,
      payload: bytes.slice(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** The four octets of a payload at a position. */
export function number32(payload: Uint8Array, at = 0): number {
  return ((payload[at]! << 24) | (payload[at + 1]! << 16) | (payload[at + 2]! << 8) | payload[at + 3]!) >>> 0;
}
