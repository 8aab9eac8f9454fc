/**
 * HTTP/2 frames as tests look at them: cut out of octets, and put into words.
 *
 * @module
 */
import { http2ErrorCodes } from '../../../src/protocols/http2/index.ts';
import { HpackDecoder } from '../../../src/protocols/http2/hpack/index.ts';

/** What a client sends first. */
export const PREFACE: Uint8Array = Uint8Array.from(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'));

const HEADER = 9;
const NAMES = [
  ...['DATA', 'HEADERS', 'PRIORITY', 'RST_STREAM', 'SETTINGS', 'PUSH_PROMISE', 'PING', 'GOAWAY', 'WINDOW_UPDATE'],
  'CONTINUATION',
];

/** A frame (RFC 9113 section 4.1). */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** The frames of octets without a preface; what is not whole at the end is left out. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER);
    const end = at + HEADER + (view.getUint32(0) >>> 8);
    if (end > bytes.length) break;
    frames.push({
      type: view.getUint8(3),
      flags: view.getUint8(4),
      streamId: view.getUint32(5) & 0x7fff_ffff,
      payload: bytes.slice(at + HEADER, end),
    });
    at = end;
  }
  return frames;
}

/** A frame in octets. */
export function frameBytes(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8);
  view.setUint8(3, type);
  view.setUint8(4, flags);
  view.setUint32(5, streamId);
  bytes.set(payload, HEADER);
  return bytes;
}

/** Cut where frames end, as they may have been sent: the preface, then each frame; what is not whole comes last. */
export function cutAtFrames(bytes: Uint8Array): Uint8Array[] {
  const chunks = bytes.length < PREFACE.length ? [] : [bytes.slice(0, PREFACE.length)];
  let at = chunks.length * PREFACE.length;
  for (const frame of framesOf(bytes.subarray(at))) {
    const end = at + HEADER + frame.payload.length;
    chunks.push(bytes.slice(at, end));
    at = end;
  }
  if (at < bytes.length) chunks.push(bytes.slice(at));
  return chunks;
}

/** Cuts octets into frames as they come. */
export class FrameCutter {
  #prefaceLeft: number;
  #header: Uint8Array;
  #payload: Uint8Array | undefined;
  #size: number;

  constructor(withPreface: boolean) {
    this.#prefaceLeft = withPreface ? PREFACE.length : 0;
    this.#header = new Uint8Array(HEADER);
    this.#payload = undefined;
    this.#size = 0;
  }

  /** The frames that these octets complete. */
  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let at = Math.min(this.#prefaceLeft, bytes.length);
    this.#prefaceLeft -= at;
    while (at < bytes.length) {
      const target: Uint8Array = this.#payload ?? this.#header;
      const count = Math.min(target.length - this.#size, bytes.length - at);
      target.set(bytes.subarray(at, at + count), this.#size);
      this.#size += count;
      at += count;
      if (this.#size === target.length) this.#step(frames);
    }
    return frames;
  }

  #step(frames: Frame[]): void {
    const view = new DataView(this.#header.buffer);
    this.#size = 0;
    if (this.#payload === undefined) {
      const length = view.getUint32(0) >>> 8;
      this.#payload = new Uint8Array(length);
      if (length > 0) return;
    }
    const payload = this.#payload;
    this.#payload = undefined;
    frames.push({
      type: view.getUint8(3),
      flags: view.getUint8(4),
      streamId: view.getUint32(5) & 0x7fff_ffff,
      payload,
    });
  }
}

/** Puts the frames of one direction into words: `RST_STREAM 1 STREAM_CLOSED`, `HEADERS 1 :status=200 END_STREAM`. */
export class FrameTeller {
  readonly #decoder: HpackDecoder;

  constructor() {
    this.#decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxFields: 1000 });
  }

  tell(frame: Frame): string {
    const { type, flags, streamId, payload } = frame;
    const name = NAMES[type] ?? `type ${String(type)}`;
    const stream = streamId === 0 ? '' : ` ${String(streamId)}`;
    const words = [name + stream];
    switch (type) {
      case 0:
        words.push(String(payload.length));
        break;
      case 1: {
        const { headers, error } = this.#decoder.decode(payload);
        words.push(error ?? `${headers[0] ?? ''}=${headers[1] ?? ''}`);
        break;
      }
      case 3:
        words.push(http2ErrorCodes.name(numberAt(payload, 0)));
        break;
      case 4:
      case 6:
        if ((flags & 1) !== 0) words.push('ACK');
        break;
      case 7:
        words.push(http2ErrorCodes.name(numberAt(payload, 4)), `last ${String(numberAt(payload, 0))}`);
        break;
      default:
    }
    if (type <= 1 && (flags & 1) !== 0) words.push('END_STREAM');
    return words.join(' ');
  }
}

function numberAt(payload: Uint8Array, at: number): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(at);
}
