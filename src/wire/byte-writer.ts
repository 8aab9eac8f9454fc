/**
 * Writing numbers and bytes one behind the other into one run of memory that grows.
 *
 * Owns: the memory until {@link ByteWriter.finish} gives it away, and its growth by doubling. For messages that are
 * built whole: handshake messages, settings, header blocks, packets. Output of a stream is collected by
 * `OutputBuffer` instead.
 *
 * @module
 */

import { huffmanEncode } from './huffman.ts';
import { putLatin1 } from './latin1.ts';
import { varintLength, writeVarint } from './varint.ts';

const FIRST_CAPACITY = 128;
/** Memory that serves one writer after another, and for how many at the same time, one inside the other. */
const SHARED_CAPACITY = 4_096;
const MOST_SPARE = 4;
const spare: Uint8Array[] = [];
/** Up to so many bytes are copied one by one. */
const FEW = 64;

const EMPTY = new Uint8Array(0);

/**
 * A growing run of bytes.
 */
export class ByteWriter {
  #memory: Uint8Array;
  #used: number;
  #shared: boolean;

  /** @param capacity - how many bytes to make room for at first; more comes by itself. */
  constructor(capacity: number = FIRST_CAPACITY) {
    this.#memory = new Uint8Array(capacity);
    this.#used = 0;
    this.#shared = false;
  }

  /**
   * A writer for a message that is finished at once, in memory that others have used: what {@link ByteWriter.finish} gives
   * away is a copy of its own size. Views of it are valid until then.
   */
  static brief(): ByteWriter {
    const writer = new ByteWriter(0);
    writer.#memory = spare.pop() ?? new Uint8Array(SHARED_CAPACITY);
    writer.#shared = true;
    return writer;
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#used;
  }

  /** One octet. */
  writeUint8(value: number): void {
    const at = this.#reserve(1);
    this.#memory[at] = value;
  }

  /** Two octets, the most significant first. */
  writeUint16(value: number): void {
    const at = this.#reserve(2);
    this.setUint16(at, value);
  }

  /** Three octets, the most significant first. */
  writeUint24(value: number): void {
    const at = this.#reserve(3);
    this.setUint24(at, value);
  }

  /** Four octets, the most significant first. */
  writeUint32(value: number): void {
    const at = this.#reserve(4);
    this.#memory[at] = value >>> 24;
    this.setUint24(at + 1, value);
  }

  /** A variable-length integer (RFC 9000 section 16) in its shortest form, or in `length` octets. */
  writeVarint(value: number, length: number = varintLength(value)): void {
    const at = this.#reserve(length);
    writeVarint(this.#memory, at, value, length);
  }

  /**
   * A prefixed integer (RFC 7541 section 5.1).
   *
   * @param flags - what stands above the prefix in the first octet.
   */
  writePrefixedInteger(value: number, prefixBits: number, flags = 0): void {
    const mask = (1 << prefixBits) - 1;
    if (value < mask) {
      this.writeUint8(flags | value);
      return;
    }
    this.writeUint8(flags | mask);
    let rest = value - mask;
    while (rest >= 128) {
      this.writeUint8(0x80 | (rest % 128));
      rest = Math.floor(rest / 128);
    }
    this.writeUint8(rest);
  }

  /** A copy of the bytes. */
  writeBytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#memory.set(bytes, at);
  }

  /** Text, one octet a character; characters up to U+00FF only. */
  writeLatin1(text: string): void {
    const at = this.#reserve(text.length);
    putLatin1(text, this.#memory, at);
  }

  /**
   * Text in the Huffman code of RFC 7541.
   *
   * @param length - what `huffmanLength` says of it
   */
  writeHuffman(text: string, length: number): void {
    const at = this.#reserve(length);
    huffmanEncode(text, this.#memory, at);
  }

  /** Room for `length` octets that the caller fills: a view, valid until the next write. */
  writeSpace(length: number): Uint8Array {
    const at = this.#reserve(length);
    return this.#memory.subarray(at, at + length);
  }

  /** Puts two octets over ones already written: a length that was not known before. */
  setUint16(position: number, value: number): void {
    this.#memory[position] = value >>> 8;
    this.#memory[position + 1] = value;
  }

  /** Puts three octets over ones already written. */
  setUint24(position: number, value: number): void {
    this.#memory[position] = value >>> 16;
    this.setUint16(position + 1, value);
  }

  /** The bytes written so far: a view, valid until the next write. */
  view(): Uint8Array {
    return this.#memory.subarray(0, this.#used);
  }

  /** Copies the bytes to where there is room for them; a view and `set` would take longer where they are few. */
  copyTo(target: Uint8Array, position: number): void {
    const used = this.#used;
    if (used > FEW) {
      target.set(this.view(), position);
      return;
    }
    const memory = this.#memory;
    for (let index = 0; index < used; index += 1) target[position + index] = memory[index]!;
  }

  /** The bytes, given away; the writer is empty afterwards. */
  finish(): Uint8Array {
    const memory = this.#memory;
    const bytes = this.#shared ? new Uint8Array(this.#used) : this.view();
    if (this.#shared) {
      this.copyTo(bytes, 0);
      if (memory.length === SHARED_CAPACITY && spare.length < MOST_SPARE) spare.push(memory);
      this.#shared = false;
    }
    this.#memory = EMPTY;
    this.#used = 0;
    return bytes;
  }

  /** Drops the bytes and keeps their memory for the next: views of them are valid no more. */
  clear(): void {
    this.#used = 0;
  }

  #reserve(count: number): number {
    const at = this.#used;
    this.#used = at + count;
    if (this.#used > this.#memory.length) {
      const memory = new Uint8Array(Math.max(this.#used, 2 * this.#memory.length, FIRST_CAPACITY));
      memory.set(this.#memory.subarray(0, at), 0);
      this.#memory = memory;
    }
    return at;
  }
}
