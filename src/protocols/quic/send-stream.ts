/**
 * The sending side of a stream.
 *
 * Owns the bytes until they are acknowledged, what of them is to be sent first or again, and the end (RFC 9000 sections
 * 2.2, 3.1 and 13.3). Chunks are kept as they were given and cut into views; small ones that follow each other are put
 * together, so that many writes of a few bytes cost what they weigh. CRYPTO streams use it too, without an end.
 *
 * @module
 */
import { RangeSet } from '../../wire/index.ts';

interface Chunk {
  readonly offset: number;
  data: Uint8Array;
}

/** A stretch to be sent. */
export interface SendSpan {
  readonly offset: number;
  readonly length: number;
  readonly fin: boolean;
}

/** A stretch to be sent that stands in one chunk, with its bytes. */
export interface SendPiece {
  readonly offset: number;
  readonly data: Uint8Array;
  readonly fin: boolean;
}

/** Chunks below this are put together. */
const SMALL = 512;
/** How much room small chunks are given, at first and at most: most streams have few. */
const FIRST_ARENA = 512;
const ARENA = 4_096;

/** Bytes of one stream, on their way. */
export class SendStream {
  readonly #chunks: Chunk[];
  /** The memory whose beginning is the last chunk, when that is one of small ones put together. */
  #arena: Uint8Array | undefined;
  #arenaLength: number;
  /** Offsets that are acknowledged. */
  readonly #acknowledged: RangeSet;
  /** Offsets that were lost and are to be sent again. */
  readonly #lost: RangeSet;
  #length: number;
  #sent: number;
  #ended: boolean;
  #finPending: boolean;
  #finAcknowledged: boolean;

  constructor() {
    this.#chunks = [];
    this.#arena = undefined;
    this.#arenaLength = FIRST_ARENA;
    this.#acknowledged = new RangeSet();
    this.#lost = new RangeSet();
    this.#length = 0;
    this.#sent = 0;
    this.#ended = false;
    this.#finPending = false;
    this.#finAcknowledged = false;
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** The greatest offset that was sent: what flow control counts. */
  get sent(): number {
    return this.#sent;
  }

  /** How many bytes are kept. */
  get buffered(): number {
    const first = this.#chunks[0];
    return first === undefined ? 0 : this.#length - first.offset;
  }

  /** Whether bytes wait that were never sent. */
  get hasUnsent(): boolean {
    return this.#sent < this.#length;
  }

  /** Whether there is anything to send, flow control apart. */
  get hasPending(): boolean {
    return this.#lost.length > 0 || this.#sent < this.#length || this.#finPending;
  }

  /** Whether there is something to send that flow control does not count: lost bytes, or an end without bytes. */
  get hasUncounted(): boolean {
    return this.#lost.length > 0 || (this.#finPending && this.#sent === this.#length);
  }

  /** Whether the end was written. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** Whether bytes or an end were written that did not arrive, as far as is known. */
  get hasUnacknowledged(): boolean {
    return !this.#arrived || (this.#ended && !this.#finAcknowledged);
  }

  /** Whether all of it, and the end, arrived. */
  get isComplete(): boolean {
    return this.#finAcknowledged && this.#arrived;
  }

  get #arrived(): boolean {
    return this.#length === 0 || (this.#acknowledged.start(0) === 0 && this.#acknowledged.end(0) === this.#length);
  }

  /** Where {@link span} begins. */
  get nextOffset(): number {
    return this.#lost.length > 0 ? this.#lost.start(0) : this.#sent;
  }

  /** Adds bytes, which belong to the stream from here on, and the end when `fin`. */
  write(data: Uint8Array, fin: boolean): void {
    if (data.length > 0) this.#append(data);
    if (fin && !this.#ended) {
      this.#ended = true;
      this.#finPending = true;
    }
  }

  /**
   * The next stretch to send: what was lost before what is new.
   *
   * @param room - how many bytes fit in the packet
   * @param limit - the greatest offset that flow control allows
   */
  next(room: number, limit: number): SendPiece | undefined {
    if (this.#lost.length > 0) {
      const offset = this.#lost.start(0);
      const end = this.#lost.end(0);
      return this.#piece(offset, Math.min(end - offset, room));
    }
    const end = Math.min(this.#length, limit);
    const fresh = Math.min(end - this.#sent, room);
    if (fresh > 0) return this.#piece(this.#sent, fresh);
    // An end without bytes; it counts nothing.
    if (this.#finPending && this.#sent === this.#length) {
      return { offset: this.#length, data: EMPTY, fin: true };
    }
    return undefined;
  }

  /** What {@link next} gave was put in a packet. */
  took(piece: SendPiece): void {
    this.tookSpan({ offset: piece.offset, length: piece.data.length, fin: piece.fin });
  }

  /** As {@link next}, however many chunks it takes; {@link copy} gives the bytes. */
  span(room: number, limit: number): SendSpan | undefined {
    let offset = this.#sent;
    let length = Math.min(this.#length, limit) - offset;
    if (this.#lost.length > 0) {
      offset = this.#lost.start(0);
      length = this.#lost.end(0) - offset;
    }
    length = Math.min(length, room);
    const fin = this.#ended && offset + Math.max(0, length) === this.#length;
    if (length > 0) return { offset, length, fin };
    return fin && this.#finPending ? { offset, length: 0, fin } : undefined;
  }

  /** Gives the bytes of a span to a writer, chunk by chunk. */
  copy(span: SendSpan, writer: { bytes(data: Uint8Array): void }): void {
    if (span.length === 0) return;
    const end = span.offset + span.length;
    let index = this.#indexAt(span.offset);
    for (let { offset } = span; offset < end; index += 1) {
      const chunk = this.#chunks[index] as Chunk;
      const from = offset - chunk.offset;
      const to = Math.min(chunk.data.length, end - chunk.offset);
      writer.bytes(from === 0 && to === chunk.data.length ? chunk.data : chunk.data.subarray(from, to));
      offset = chunk.offset + to;
    }
  }

  /** What {@link span} gave was put in a packet. */
  tookSpan(span: SendSpan): void {
    const end = span.offset + span.length;
    if (span.offset < this.#sent) this.#lost.remove(span.offset, Math.min(end, this.#sent));
    this.#sent = Math.max(this.#sent, end);
    if (span.fin) this.#finPending = false;
  }

  /** A stretch arrived. */
  acknowledged(offset: number, length: number, fin: boolean): void {
    if (fin) {
      this.#finAcknowledged = true;
      this.#finPending = false;
    }
    if (length === 0) return;
    this.#acknowledged.add(offset, offset + length);
    this.#lost.remove(offset, offset + length);
    this.#release();
  }

  /** A stretch was lost. */
  lost(offset: number, length: number, fin: boolean): void {
    if (fin && this.#ended && !this.#finAcknowledged) this.#finPending = true;
    const end = Math.min(offset + length, this.#sent);
    if (end <= offset) return;
    this.#lost.add(offset, end);
    // What arrived by another packet needs no second time.
    const arrived = this.#acknowledged;
    for (let index = firstEndingBehind(arrived, offset); index < arrived.length; index += 1) {
      const start = arrived.start(index);
      if (start >= end) break;
      this.#lost.remove(start, arrived.end(index));
    }
  }

  /** Everything is to be sent again from the beginning, as after a Retry. */
  restart(): void {
    this.#lost.clear();
    this.#acknowledged.clear();
    this.#sent = 0;
    this.#finPending = this.#ended;
  }

  /** Bytes that are of no use any more. */
  discard(): void {
    this.#chunks.length = 0;
    this.#arena = undefined;
    this.#lost.clear();
    this.#finPending = false;
  }

  #piece(offset: number, length: number): SendPiece {
    const chunk = this.#chunks[this.#indexAt(offset)] as Chunk;
    const from = offset - chunk.offset;
    const data = chunk.data.subarray(from, Math.min(from + length, chunk.data.length));
    return { offset, data, fin: this.#ended && offset + data.length === this.#length };
  }

  #append(data: Uint8Array): void {
    const last = this.#chunks[this.#chunks.length - 1];
    const small = data.length < SMALL;
    const used = last === undefined ? 0 : last.data.length;
    if (last !== undefined && small && this.#arena !== undefined && used + data.length <= this.#arena.length) {
      this.#arena.set(data, used);
      last.data = this.#arena.subarray(0, used + data.length);
    } else {
      // The first small chunk is kept as it is: most messages have one.
      this.#arena = small && last !== undefined && used < SMALL ? this.#newArena() : undefined;
      this.#arena?.set(data);
      this.#chunks.push({ offset: this.#length, data: this.#arena?.subarray(0, data.length) ?? data });
    }
    this.#length += data.length;
  }

  #newArena(): Uint8Array {
    const length = this.#arenaLength;
    this.#arenaLength = Math.min(2 * length, ARENA);
    return new Uint8Array(length);
  }

  /** The index of the chunk that holds an offset: by halves, since many may wait. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle] as Chunk).offset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Lets go of chunks that arrived whole, from the front. */
  #release(): void {
    if (this.#acknowledged.min !== 0) return;
    const upTo = this.#acknowledged.end(0);
    let count = 0;
    while (count < this.#chunks.length) {
      const chunk = this.#chunks[count] as Chunk;
      if (chunk.offset + chunk.data.length > upTo) break;
      count += 1;
    }
    if (count > 0) this.#chunks.splice(0, count);
  }
}

/** The index of the first range that ends behind an offset. */
function firstEndingBehind(ranges: RangeSet, offset: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges.end(middle) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

const EMPTY = new Uint8Array(0);
