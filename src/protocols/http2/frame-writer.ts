/**
 * Frames on their way out, packed.
 *
 * Owns: the memory that frame headers, small payloads and whole small frames are written into, one behind the other,
 * and the scatter list that large payloads join uncopied (RFC 9113 section 4.1). Does not own what may be sent when.
 *
 * Invariants: memory that {@link FrameWriter.take} gave away is never written again; between a `take` and the next frame
 * the writer holds no memory. A run of memory begins as large as the last flush needed, so that in the steady state one
 * flush is one allocation.
 *
 * @module
 */
import type { ByteWriter } from '../../wire/index.ts';
import { Flag, FRAME_HEADER_LENGTH, FrameType } from './frame-types.ts';

/** Payloads of up to this size are copied behind their header; larger ones pass as they are. */
const JOINED = 4096;
const FIRST_RUN = 512;
const LARGEST_RUN = 32_768;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Collects frames between two flushes. */
export class FrameWriter {
  #pieces: Uint8Array[];
  #piecesSize: number;
  #run: Uint8Array;
  /** Where in the run the piece begins that was not put into the list yet, and where the run ends. */
  #start: number;
  #used: number;
  /** How much the run should have from the beginning. */
  #expected: number;
  #taken: number;
  /** The header of a DATA frame that stands alone in the list, and may stand there again: that of which frame. */
  #repeated: Uint8Array | undefined;
  #repeatedLength: number;
  #repeatedStream: number;

  constructor() {
    this.#pieces = [];
    this.#piecesSize = 0;
    this.#run = NO_BYTES;
    this.#start = 0;
    this.#used = 0;
    this.#expected = FIRST_RUN;
    this.#taken = 0;
    this.#repeated = undefined;
    this.#repeatedLength = 0;
    this.#repeatedStream = 0;
  }

  /** How many bytes wait. */
  get pending(): number {
    return this.#piecesSize + this.#used - this.#start;
  }

  /** How many bytes were ever taken. */
  get taken(): number {
    return this.#taken;
  }

  /** The position of the next byte among all that were ever written. */
  get written(): number {
    return this.#taken + this.#piecesSize + this.#used - this.#start;
  }

  /** Octets outside of any frame: a client's preface. */
  writeText(text: string): void {
    let at = this.#reserve(text.length);
    for (let index = 0; index < text.length; index += 1) {
      this.#run[at] = text.charCodeAt(index);
      at += 1;
    }
  }

  /** A frame's header alone; its payload follows by {@link writePayload}. */
  writeHeader(length: number, type: number, flags: number, streamId: number): void {
    this.#header(this.#reserve(FRAME_HEADER_LENGTH), length, type, flags, streamId);
  }

  /**
   * The header of a DATA frame. Bulk is one such header over and over, so that one stands in the list as often: it costs
   * more to make a view of nine octets than to send them.
   */
  writeDataHeader(length: number, endStream: boolean, streamId: number): void {
    if (endStream || length <= JOINED) {
      this.writeHeader(length, FrameType.data, endStream ? Flag.endStream : 0, streamId);
      return;
    }
    const alone = this.#used === this.#start;
    if (this.#repeated !== undefined && length === this.#repeatedLength && streamId === this.#repeatedStream && alone) {
      this.#pieces.push(this.#repeated);
      this.#piecesSize += FRAME_HEADER_LENGTH;
      return;
    }
    this.writeHeader(length, FrameType.data, 0, streamId);
    if (!alone) return;
    this.#repeated = this.#endPiece();
    this.#repeatedLength = length;
    this.#repeatedStream = streamId;
  }

  /** A payload, or a part of one. It belongs to the writer from now on. */
  writePayload(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > JOINED) {
      this.#endPiece();
      this.#pieces.push(bytes);
      this.#piecesSize += length;
      return;
    }
    const at = this.#reserve(length);
    this.#run.set(bytes, at);
  }

  /** A header block in HEADERS and, where one frame does not hold it, CONTINUATION frames. The block is copied. */
  writeHeaderBlock(streamId: number, block: ByteWriter, endStream: boolean, maxFrameSize: number): void {
    const { length } = block;
    const end = endStream ? Flag.endStream : 0;
    if (length <= maxFrameSize) {
      const at = this.#reserve(FRAME_HEADER_LENGTH + length);
      this.#header(at, length, FrameType.headers, end | Flag.endHeaders, streamId);
      block.copyTo(this.#run, at + FRAME_HEADER_LENGTH);
      return;
    }
    const bytes = block.view();
    for (let from = 0; from < length; from += maxFrameSize) {
      const part = bytes.subarray(from, from + maxFrameSize);
      const flags = (from === 0 ? end : 0) | (from + maxFrameSize >= length ? Flag.endHeaders : 0);
      const type = from === 0 ? FrameType.headers : FrameType.continuation;
      const at = this.#reserve(FRAME_HEADER_LENGTH + part.length);
      this.#header(at, part.length, type, flags, streamId);
      this.#run.set(part, at + FRAME_HEADER_LENGTH);
    }
  }

  /** RST_STREAM or WINDOW_UPDATE: a frame of one number. */
  writeNumber(type: number, streamId: number, value: number): void {
    const at = this.#reserve(FRAME_HEADER_LENGTH + 4);
    this.#header(at, 4, type, 0, streamId);
    this.#number(at + FRAME_HEADER_LENGTH, value);
  }

  /** GOAWAY (RFC 9113 section 6.8). */
  writeGoaway(lastStreamId: number, code: number): void {
    const at = this.#reserve(FRAME_HEADER_LENGTH + 8);
    this.#header(at, 8, FrameType.goaway, 0, 0);
    this.#number(at + FRAME_HEADER_LENGTH, lastStreamId);
    this.#number(at + FRAME_HEADER_LENGTH + 4, code);
  }

  /** PING with the opaque octets found at `from`. */
  writePing(ack: boolean, opaque: Uint8Array, from: number): void {
    const at = this.#reserve(FRAME_HEADER_LENGTH + 8);
    this.#header(at, 8, FrameType.ping, ack ? Flag.ack : 0, 0);
    for (let index = 0; index < 8; index += 1) this.#run[at + FRAME_HEADER_LENGTH + index] = opaque[from + index]!;
  }

  /** A frame whose payload was built whole. */
  writeBuilt(type: number, streamId: number, payload: ByteWriter): void {
    this.writeHeader(payload.length, type, 0, streamId);
    this.writePayload(payload.view().slice());
  }

  /** Everything written so far, given away; `undefined` if that is nothing. */
  take(): Uint8Array[] | undefined {
    const size = this.pending;
    if (size === 0) return undefined;
    const runSize = this.#used;
    this.#endPiece();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesSize = 0;
    this.#taken += size;
    this.#run = NO_BYTES;
    this.#start = 0;
    this.#used = 0;
    this.#repeated = undefined;
    this.#expected = Math.min(LARGEST_RUN, Math.max(FIRST_RUN, runSize + (runSize >> 3)));
    return pieces;
  }

  /** Drops everything written so far. */
  clear(): void {
    this.#pieces = [];
    this.#piecesSize = 0;
    this.#run = NO_BYTES;
    this.#start = 0;
    this.#used = 0;
    this.#repeated = undefined;
  }

  #header(at: number, length: number, type: number, flags: number, streamId: number): void {
    const run = this.#run;
    run[at] = length >>> 16;
    run[at + 1] = length >>> 8;
    run[at + 2] = length;
    run[at + 3] = type;
    run[at + 4] = flags;
    this.#number(at + 5, streamId);
  }

  #number(at: number, value: number): void {
    const run = this.#run;
    run[at] = value >>> 24;
    run[at + 1] = value >>> 16;
    run[at + 2] = value >>> 8;
    run[at + 3] = value;
  }

  /** Makes room for `count` bytes in one run, counts them as used, and answers where they begin. */
  #reserve(count: number): number {
    const at = this.#used;
    if (at + count <= this.#run.length) {
      this.#used = at + count;
      return at;
    }
    this.#endPiece();
    // What was begun small goes on large: a burst costs few runs.
    if (at > 0) this.#expected = Math.min(LARGEST_RUN, 2 * Math.max(this.#expected, at));
    this.#run = Buffer.allocUnsafe(Math.max(this.#expected, count));
    this.#start = 0;
    this.#used = count;
    return 0;
  }

  /** Puts what was written since the last piece into the list, if it is anything. */
  #endPiece(): Uint8Array | undefined {
    if (this.#used === this.#start) return undefined;
    const piece = this.#run.subarray(this.#start, this.#used);
    this.#pieces.push(piece);
    this.#piecesSize += this.#used - this.#start;
    this.#start = this.#used;
    return piece;
  }
}
