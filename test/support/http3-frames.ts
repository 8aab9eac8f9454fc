/**
 * HTTP/3 on the wire, made and taken apart for tests.
 *
 * @module
 */
import type { HeaderList } from '../../src/common/index.ts';
import { QpackDecoder, QpackEncoder } from '../../src/protocols/http3/qpack/index.ts';
import { ByteReader, ByteWriter } from '../../src/wire/index.ts';

/** Frame types. */
export const Type = {
  DATA: 0x00,
  HEADERS: 0x01,
  CANCEL_PUSH: 0x03,
  SETTINGS: 0x04,
  PUSH_PROMISE: 0x05,
  GOAWAY: 0x07,
  MAX_PUSH_ID: 0x0d,
  PRIORITY_UPDATE: 0xf0700,
  PRIORITY_UPDATE_PUSH: 0xf0701,
  RESERVED: 0x21,
} as const;

/** A frame that was read. */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Bytes one behind the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Octets of a text. */
export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Variable-length integers one behind the other. */
export function varints(...values: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.writeVarint(value);
  return writer.finish();
}

/** A frame. */
export function frame(type: number, payload: Uint8Array | string = new Uint8Array(0)): Uint8Array {
  const bytes = typeof payload === 'string' ? octets(payload) : payload;
  return concat(varints(type, bytes.length), bytes);
}

/** DATA. */
export function data(payload: Uint8Array | string): Uint8Array {
  return frame(Type.DATA, payload);
}

/** SETTINGS of identifiers and values. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Uint8Array {
  return frame(Type.SETTINGS, varints(...pairs.flat()));
}

/** A field section. */
export function section(headers: HeaderList): Uint8Array {
  const writer = new ByteWriter();
  new QpackEncoder().encode(headers, writer);
  return writer.finish();
}

/** HEADERS. */
export function headers(list: HeaderList): Uint8Array {
  return frame(Type.HEADERS, section(list));
}

/** The frames of a stream's bytes, which must be whole. */
export function parseFrames(bytes: Uint8Array): Frame[] {
  const reader = new ByteReader(bytes);
  const frames: Frame[] = [];
  while (!reader.atEnd) {
    const type = reader.readVarint();
    const payload = reader.readBytes(reader.readVarint());
    if (payload === undefined) throw new Error('a frame is cut');
    frames.push({ type, payload });
  }
  return frames;
}

/** The fields of a HEADERS frame. */
export function fields({ payload }: Frame): HeaderList {
  const result = new QpackDecoder({ maxListSize: 1 << 20, maxFields: 1000 }).decode(payload);
  if (result.error !== undefined) throw new Error(result.error);
  return result.headers;
}
