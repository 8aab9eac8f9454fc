/**
 * Received bytes that no parser has taken yet.
 *
 * Owns: the list of chunks with the read position, the searches for CRLF and for the end of a head, and when bytes
 * are copied. Does not own limits: the engine gives one with each search, and pauses its driver by {@link
 * ReceiveBuffer.size}. RFC 9112 section 2.2 names the delimiters.
 *
 * When bytes are copied:
 * - A head within one chunk is parsed in place. Nothing is copied.
 * - A head that spans chunks is joined into memory of this buffer that doubles, and only as far as it reaches: the
 *   rest of the chunk in which it ends stays where it is. A search begins where the last one ended, so bytes that
 *   come one at a time cost constant time each.
 * - {@link ReceiveBuffer.take} gives a view, save when the view would keep alive memory more than
 *   {@link PINNED_FACTOR} times its own size and above {@link SMALL_MEMORY}; then it gives a copy. What is handed out
 *   therefore never holds more than that multiple of what it shows.
 * - Tiny chunks that pile up unread are joined, so that the list costs memory in proportion to the bytes.
 *
 * Invariants: a position is relative to the first unread byte; bytes handed out are never written again; a chunk
 * that was appended is never written at all.
 *
 * @module
 */

import { RingQueue } from './ring-queue.ts';

/** Views of less than one part in this many of the memory behind them are copied. */
export const PINNED_FACTOR = 16;
/** Memory up to this size, in bytes, may be pinned by any view. */
export const SMALL_MEMORY = 4096;

/** Unread chunks beyond this count are joined while they are small. */
const LOOSE_CHUNKS = 32;
/** Joining stops at this size, in bytes. */
const JOINED_CHUNK = 2048;
/** Chunks of at most this size, in bytes, are joined whole rather than searched in place. */
const SHORT_CHUNK = 64;
const FIRST_JOIN = 1024;

const CRLF = Buffer.from('\r\n', 'latin1');
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const NO_BYTES = Buffer.alloc(0);
const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * A list of received chunks that is read like one run of bytes.
 */
export class ReceiveBuffer {
  /** The memory that holds the first unread bytes, from #start to #end. Only memory of ours goes on behind #end. */
  #bytes: Buffer;
  #start: number;
  #end: number;
  /** The chunks behind those bytes, as they came. */
  readonly #later: RingQueue<Uint8Array>;
  /** How many bytes of the first later chunk were joined already. */
  #laterStart: number;
  #size: number;
  /** No CRLF, or end of a head, begins before this position. */
  #searchedForCrlf: number;
  #searchedForHeadEnd: number;

  constructor() {
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    this.#later = new RingQueue<Uint8Array>();
    this.#laterStart = 0;
    this.#size = 0;
    this.#searchedForCrlf = 0;
    this.#searchedForHeadEnd = 0;
  }

  /** How many bytes are unread. */
  get size(): number {
    return this.#size;
  }

  /** Adds a chunk behind all others. It belongs to the buffer from now on and must not be written again. */
  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#size === 0) this.#adopt(chunk);
    else if (this.#later.length >= LOOSE_CHUNKS) this.#appendJoining(chunk);
    else this.#later.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The position of the first CRLF that lies wholly within the first `limit` bytes, -1 if there is none yet. What has
   * been searched is not searched again, and all of it is contiguous afterwards.
   */
  findCrlf(limit: number = Number.MAX_SAFE_INTEGER): number {
    const found = this.#find(CRLF, this.#searchedForCrlf, limit);
    this.#searchedForCrlf = found >= 0 ? found : searchedUpTo(Math.min(this.#size, limit), CRLF);
    return found;
  }

  /** The position of the first CRLFCRLF; otherwise as {@link findCrlf}. */
  findHeadEnd(limit: number = Number.MAX_SAFE_INTEGER): number {
    const found = this.#find(HEAD_END, this.#searchedForHeadEnd, limit);
    this.#searchedForHeadEnd = found >= 0 ? found : searchedUpTo(Math.min(this.#size, limit), HEAD_END);
    return found;
  }

  /** The position of an octet, at `from` or later, -1 if there is none. Joins nothing and remembers nothing. */
  indexOfByte(octet: number, from = 0): number {
    let passed = this.#end - this.#start;
    if (from < passed) {
      const at = this.#bytes.subarray(0, this.#end).indexOf(octet, this.#start + from);
      if (at >= 0) return at - this.#start;
    }
    let skip = this.#laterStart;
    for (let index = 0; index < this.#later.length; index += 1) {
      const chunk = this.#later.at(index)!;
      const length = chunk.length - skip;
      if (from < passed + length) {
        const at = chunk.indexOf(octet, skip + Math.max(0, from - passed));
        if (at >= 0) return passed + at - skip;
      }
      passed += length;
      skip = 0;
    }
    return -1;
  }

  /** The octet at a position, -1 behind the last one. */
  byteAt(position: number): number {
    if (position < 0 || position >= this.#size) return -1;
    let passed = this.#end - this.#start;
    if (position < passed) return this.#bytes[this.#start + position]!;
    let skip = this.#laterStart;
    for (let index = 0; index < this.#later.length; index += 1) {
      const chunk = this.#later.at(index)!;
      const length = chunk.length - skip;
      if (position < passed + length) return chunk[skip + position - passed]!;
      passed += length;
      skip = 0;
    }
    return -1;
  }

  /** The bytes of a range as text, one character an octet. The range must lie within {@link size}. */
  latin1(start: number, end: number): string {
    this.#join(end);
    return this.#bytes.toString('latin1', this.#start + start, this.#start + end);
  }

  /** Drops the first `count` bytes, or all when there are fewer. */
  skip(count: number): void {
    let left = Math.min(count, this.#size);
    while (left > 0) {
      if (this.#start === this.#end) this.#nextChunk();
      const step = Math.min(left, this.#end - this.#start);
      this.#consume(step);
      left -= step;
    }
  }

  /**
   * Takes up to `max` bytes from the front, as many as lie together: nothing is joined, so the answer may be shorter
   * than what is there. Empty only if `max` or {@link size} is 0.
   */
  take(max: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    if (this.#start === this.#end) this.#nextChunk();
    const length = Math.min(max, this.#end - this.#start);
    if (length <= 0) return EMPTY;
    const view = viewOf(this.#bytes, this.#start, length);
    this.#consume(length);
    return view;
  }

  /** Takes exactly `length` bytes as one piece, joined if need be; `undefined`, and nothing taken, if there are fewer. */
  takeExactly(length: number): Uint8Array | undefined {
    if (length > this.#size) return undefined;
    if (length === 0) return EMPTY;
    this.#join(length);
    return this.take(length);
  }

  /** Takes everything, in order, as views. */
  takeAll(): Uint8Array[] {
    const views: Uint8Array[] = [];
    while (this.#size > 0) views.push(this.take());
    return views;
  }

  /** Drops everything, and every memory. */
  clear(): void {
    this.#release();
    this.#later.clear();
    this.#laterStart = 0;
    this.#size = 0;
    this.#forgetSearches();
  }

  #find(pattern: Buffer, searched: number, limit: number): number {
    let from = searched;
    for (;;) {
      const held = this.#end - this.#start;
      const at = this.#bytes.indexOf(pattern, this.#start + from);
      // Joined memory has unwritten bytes behind #end, which may look like anything.
      if (at >= 0 && at + pattern.length <= this.#end) {
        const found = at - this.#start;
        return found + pattern.length <= limit ? found : -1;
      }
      if (held >= limit || this.#later.length === 0) return -1;
      from = Math.max(from, searchedUpTo(held, pattern));
      this.#joinFor(pattern, limit);
    }
  }

  /** Makes the next chunk searchable together with the bytes before it, copying no more of it than a head needs. */
  #joinFor(pattern: Buffer, limit: number): void {
    const held = this.#end - this.#start;
    if (held === 0) {
      this.#nextChunk();
      return;
    }
    const next = wrap(this.#later.peek()!);
    const start = this.#laterStart;
    let wanted = next.length - start;
    if (wanted > SHORT_CHUNK) {
      const overlap = this.#overlap(pattern, next, start);
      const at = overlap > 0 ? start + overlap - pattern.length : next.indexOf(pattern, start);
      if (overlap > 0 || at >= 0) wanted = at + pattern.length - start;
    }
    this.#joinNext(Math.min(wanted, limit - held));
  }

  /** How many bytes of the next chunk complete a pattern that begins in the bytes before it; 0 if none does. */
  #overlap(pattern: Buffer, next: Buffer, start: number): number {
    const held = this.#end - this.#start;
    for (let before = Math.min(pattern.length - 1, held); before > 0; before -= 1) {
      const after = pattern.length - before;
      if (
        this.#bytes.compare(pattern, 0, before, this.#end - before, this.#end) === 0 &&
        next.compare(pattern, before, pattern.length, start, start + after) === 0
      ) {
        return after;
      }
    }
    return 0;
  }

  /** Makes the first `length` bytes contiguous. */
  #join(length: number): void {
    while (this.#end - this.#start < length && this.#later.length > 0) {
      const held = this.#end - this.#start;
      if (held === 0) this.#nextChunk();
      else this.#joinNext(Math.min(length - held, this.#later.peek()!.length - this.#laterStart));
    }
  }

  /** Copies `count` bytes of the next chunk behind the first bytes. */
  #joinNext(count: number): void {
    const chunk = this.#later.peek()!;
    this.#makeRoom(count);
    this.#bytes.set(chunk.subarray(this.#laterStart, this.#laterStart + count), this.#end);
    this.#end += count;
    this.#laterStart += count;
    if (this.#laterStart < chunk.length) return;
    this.#later.shift();
    this.#laterStart = 0;
  }

  #makeRoom(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const held = this.#end - this.#start;
    const memory = Buffer.allocUnsafeSlow(Math.max(FIRST_JOIN, 2 * (held + count)));
    memory.set(this.#bytes.subarray(this.#start, this.#end), 0);
    this.#bytes = memory;
    this.#start = 0;
    this.#end = held;
  }

  /** Goes on to the next chunk; the bytes before it have all been taken. */
  #nextChunk(): void {
    const start = this.#laterStart;
    const chunk = this.#later.shift();
    this.#laterStart = 0;
    if (chunk === undefined) return;
    this.#adopt(chunk);
    this.#start = start;
  }

  #adopt(chunk: Uint8Array): void {
    this.#bytes = wrap(chunk);
    this.#start = 0;
    this.#end = chunk.length;
  }

  #consume(count: number): void {
    this.#start += count;
    this.#size -= count;
    this.#forgetSearches();
    if (this.#start === this.#end) this.#release();
  }

  #release(): void {
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
  }

  #forgetSearches(): void {
    this.#searchedForCrlf = 0;
    this.#searchedForHeadEnd = 0;
  }

  #appendJoining(chunk: Uint8Array): void {
    const last = this.#later.peekLast()!;
    if (last.length + chunk.length > JOINED_CHUNK) {
      this.#later.push(chunk);
      return;
    }
    const memory = new Uint8Array(last.length + chunk.length);
    memory.set(last, 0);
    memory.set(chunk, last.length);
    this.#later.pop();
    this.#later.push(memory);
  }
}

/** Behind how many bytes a search that found nothing in `length` bytes has to begin again. */
function searchedUpTo(length: number, pattern: Buffer): number {
  return Math.max(0, length - pattern.length + 1);
}

/** The same bytes with the native searches; copies nothing. */
function wrap(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function viewOf(bytes: Buffer, start: number, length: number): Uint8Array {
  const memory = bytes.buffer;
  const view = new Uint8Array(memory, bytes.byteOffset + start, length);
  return memory.byteLength > SMALL_MEMORY && length * PINNED_FACTOR < memory.byteLength ? view.slice() : view;
}
