/**
 * Octets as they come in, cut into frames.
 *
 * Theory of operation. One pass over each chunk, by offsets. A frame that lies within a chunk is handed over where it
 * is. DATA is handed over in as many pieces as it comes in, so that content is never copied nor waited for; every other
 * frame that spans chunks is put together in memory that grows with what has come, never with what was announced.
 *
 *     preface -> (header -> payload)*          in DATA: header -> pad length? -> content* -> padding*
 *
 * Owns: the client's preface (RFC 9113 section 3.4), frame headers, SETTINGS_MAX_FRAME_SIZE (section 4.2), the padding
 * of DATA (section 6.1), and that the first frame is SETTINGS. Does not own what frames mean.
 *
 * A fault is thrown and ends the connection; after {@link FrameReader.stop} nothing is read.
 *
 * @module
 */
import { Http2ErrorCode } from '../semantics/index.ts';
import { connectionFault } from './faults.ts';
import { DEFAULT_MAX_FRAME_SIZE, Flag, FRAME_HEADER_LENGTH, FrameType, PREFACE } from './frame-types.ts';

/** Who is told of frames. */
export interface FrameHandler {
  /** A frame other than DATA, its payload from `start` to `end`. The bytes are not to be kept. */
  frameReceived(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
  /** DATA begins: `length` octets count for flow control, `contentLength` of them are content. */
  dataBegins(streamId: number, length: number, contentLength: number, endStream: boolean): void;
  /** A piece of the content; the receiver's for good. */
  dataPiece(bytes: Uint8Array, start: number, end: number): void;
  /** DATA has come to its end. */
  dataEnds(): void;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
const FIRST_HELD = 64;

/** Reads frames. */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** How many octets of the preface are still to come. */
  #prefaceLeft: number;
  /** The first frame has not come. */
  #first: boolean;
  #stopped: boolean;
  /** A frame, or its header, that is not there whole. */
  #held: Uint8Array;
  #heldSize: number;
  #type: number;
  #flags: number;
  #streamId: number;
  #length: number;
  /** Inside DATA; with its pad length still to come. */
  #inData: boolean;
  #padLengthDue: boolean;
  #contentLeft: number;
  #paddingLeft: number;

  /** @param withPreface - whether the peer is a client */
  constructor(handler: FrameHandler, withPreface: boolean) {
    this.#handler = handler;
    this.#prefaceLeft = withPreface ? PREFACE.length : 0;
    this.#first = true;
    this.#stopped = false;
    this.#held = NO_BYTES;
    this.#heldSize = 0;
    this.#type = 0;
    this.#flags = 0;
    this.#streamId = 0;
    this.#length = 0;
    this.#inData = false;
    this.#padLengthDue = false;
    this.#contentLeft = 0;
    this.#paddingLeft = 0;
  }

  /** Whether something other than content has begun and not ended: a preface or a frame. */
  get waiting(): boolean {
    return this.#first || this.#heldSize > 0 || this.#padLengthDue;
  }

  /** Whether the next octet belongs to a DATA frame that has begun. */
  get inData(): boolean {
    return this.#inData;
  }

  /** Whether the peer has shown to be one of this protocol. */
  get begun(): boolean {
    return !this.#first;
  }

  /** Reads nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#held = NO_BYTES;
    this.#heldSize = 0;
  }

  /** Reads a chunk, which is the reader's from now on. Throws the peer's faults. */
  read(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = this.#prefaceLeft > 0 ? this.#readPreface(chunk) : 0;
    while (at < end && !this.#stopped) {
      if (this.#inData) at = this.#readData(chunk, at);
      else if (this.#heldSize > 0) at = this.#fill(chunk, at);
      else if (end - at < FRAME_HEADER_LENGTH) at = this.#hold(chunk, at);
      else at = this.#readFrame(chunk, at);
    }
  }

  #readPreface(chunk: Uint8Array): number {
    const from = PREFACE.length - this.#prefaceLeft;
    const count = Math.min(this.#prefaceLeft, chunk.length);
    for (let index = 0; index < count; index += 1) {
      if (chunk[index] !== PREFACE.charCodeAt(from + index)) {
        throw connectionFault(Http2ErrorCode.PROTOCOL_ERROR, 'the connection preface is not that of HTTP/2');
      }
    }
    this.#prefaceLeft -= count;
    return count;
  }

  /** A frame whose header is in the chunk. Answers where the next begins. */
  #readFrame(chunk: Uint8Array, at: number): number {
    this.#readHeader(chunk, at);
    const start = at + FRAME_HEADER_LENGTH;
    if (this.#type === FrameType.data) {
      this.#beginData();
      return start;
    }
    const end = start + this.#length;
    if (end > chunk.length) return this.#hold(chunk, at);
    this.#handler.frameReceived(this.#type, this.#flags, this.#streamId, chunk, start, end);
    return end;
  }

  #readHeader(bytes: Uint8Array, at: number): void {
    this.#length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    this.#type = bytes[at + 3]!;
    this.#flags = bytes[at + 4]!;
    this.#streamId = ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
    if (this.#first) {
      if (this.#type !== FrameType.settings || (this.#flags & Flag.ack) !== 0) {
        throw connectionFault(Http2ErrorCode.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
      }
      this.#first = false;
    }
    if (this.#length > DEFAULT_MAX_FRAME_SIZE) {
      throw connectionFault(Http2ErrorCode.FRAME_SIZE_ERROR, `a frame of ${String(this.#length)} octets`);
    }
  }

  #hold(chunk: Uint8Array, at: number): number {
    const count = chunk.length - at;
    this.#held = new Uint8Array(Math.max(FIRST_HELD, count));
    this.#held.set(chunk.subarray(at), 0);
    this.#heldSize = count;
    return chunk.length;
  }

  /** Goes on with a frame that was not there whole. */
  #fill(chunk: Uint8Array, at: number): number {
    const headerDue = this.#heldSize < FRAME_HEADER_LENGTH;
    const needed = headerDue ? FRAME_HEADER_LENGTH : FRAME_HEADER_LENGTH + this.#length;
    const count = Math.min(needed - this.#heldSize, chunk.length - at);
    this.#append(chunk, at, count);
    if (this.#heldSize < needed) return at + count;
    const held = this.#held;
    if (headerDue) {
      this.#readHeader(held, 0);
      if (this.#type === FrameType.data) {
        this.#release();
        this.#beginData();
      } else if (this.#length === 0) {
        this.#release();
        this.#handler.frameReceived(this.#type, this.#flags, this.#streamId, held, 0, 0);
      }
    } else {
      this.#release();
      this.#handler.frameReceived(this.#type, this.#flags, this.#streamId, held, FRAME_HEADER_LENGTH, needed);
    }
    return at + count;
  }

  #append(chunk: Uint8Array, at: number, count: number): void {
    const size = this.#heldSize + count;
    if (size > this.#held.length) {
      const memory = new Uint8Array(Math.max(size, 2 * this.#held.length));
      memory.set(this.#held.subarray(0, this.#heldSize), 0);
      this.#held = memory;
    }
    this.#held.set(chunk.subarray(at, at + count), this.#heldSize);
    this.#heldSize = size;
  }

  #release(): void {
    this.#held = NO_BYTES;
    this.#heldSize = 0;
  }

  #beginData(): void {
    this.#inData = true;
    this.#paddingLeft = 0;
    this.#contentLeft = this.#length;
    if ((this.#flags & Flag.padded) !== 0) {
      // Section 6.1: a padded frame has at least the length of its padding.
      if (this.#length === 0) throw connectionFault(Http2ErrorCode.FRAME_SIZE_ERROR, 'padded DATA without pad length');
      this.#padLengthDue = true;
      return;
    }
    this.#announce();
  }

  /** Inside DATA: the pad length, content or padding. */
  #readData(chunk: Uint8Array, at: number): number {
    if (this.#padLengthDue) {
      this.#padLengthDue = false;
      this.#paddingLeft = chunk[at]!;
      this.#contentLeft = this.#length - 1 - this.#paddingLeft;
      if (this.#contentLeft < 0) {
        throw connectionFault(Http2ErrorCode.PROTOCOL_ERROR, 'DATA with more padding than payload');
      }
      this.#announce();
      return at + 1;
    }
    const content = Math.min(this.#contentLeft, chunk.length - at);
    if (content > 0) {
      this.#contentLeft -= content;
      this.#handler.dataPiece(chunk, at, at + content);
    }
    const padding = Math.min(this.#paddingLeft, chunk.length - at - content);
    this.#paddingLeft -= padding;
    this.#endDataIfOver();
    return at + content + padding;
  }

  #announce(): void {
    const endStream = (this.#flags & Flag.endStream) !== 0;
    this.#handler.dataBegins(this.#streamId, this.#length, this.#contentLeft, endStream);
    this.#endDataIfOver();
  }

  #endDataIfOver(): void {
    if (this.#contentLeft > 0 || this.#paddingLeft > 0 || !this.#inData) return;
    this.#inData = false;
    this.#handler.dataEnds();
  }
}
