/**
 * Reading numbers and views from a run of bytes, with every bound checked.
 *
 * Owns: the position, and saying "more is needed" by value. Nothing throws; a read that does not fit leaves the
 * position where it was and answers {@link NEED_MORE} (numbers) or `undefined` (views). In a message whose length is
 * known that answer means that the message is cut short; in a stream, that more bytes have to come.
 *
 * @module
 */

import { readVarint, varintLengthOf, VARINT_SATURATED } from './varint.ts';

/** What a read of a number answers when the bytes end before it. */
export const NEED_MORE = -1;
/** What {@link ByteReader.readPrefixedInteger} answers for an encoding that is longer than any legal value. */
export const MALFORMED_INTEGER = -2;

/** RFC 9204 section 4.1.1 asks for 62 bits: nine octets of seven behind the prefix. */
const MAX_CONTINUATION = 9;

/**
 * A position in a run of bytes.
 */
export class ByteReader {
  #bytes: Uint8Array;
  #position: number;
  #end: number;

  /** Reads `bytes` from `start` up to, not including, `end`. The bytes are not copied. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#position = Math.min(start, bytes.length);
    this.#end = Math.min(end, bytes.length);
  }

  /** Begins anew with other bytes, so that one reader serves many messages. */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.#bytes = bytes;
    this.#position = Math.min(start, bytes.length);
    this.#end = Math.min(end, bytes.length);
  }

  /** Where the next read begins. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Whether nothing is left. */
  get atEnd(): boolean {
    return this.#position >= this.#end;
  }

  /** The next octet, left unread. */
  peekUint8(): number {
    return this.#position < this.#end ? this.#bytes[this.#position]! : NEED_MORE;
  }

  /** One octet. */
  readUint8(): number {
    if (this.#position >= this.#end) return NEED_MORE;
    const value = this.#bytes[this.#position]!;
    this.#position += 1;
    return value;
  }

  /** Two octets, the most significant first. */
  readUint16(): number {
    const at = this.#position;
    if (this.#end - at < 2) return NEED_MORE;
    this.#position = at + 2;
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  /** Three octets, the most significant first. */
  readUint24(): number {
    const at = this.#position;
    if (this.#end - at < 3) return NEED_MORE;
    this.#position = at + 3;
    return (this.#bytes[at]! << 16) | (this.#bytes[at + 1]! << 8) | this.#bytes[at + 2]!;
  }

  /** Four octets as an unsigned number, the most significant first. */
  readUint32(): number {
    const at = this.#position;
    if (this.#end - at < 4) return NEED_MORE;
    this.#position = at + 4;
    return (
      this.#bytes[at]! * 0x100_0000 +
      ((this.#bytes[at + 1]! << 16) | (this.#bytes[at + 2]! << 8) | this.#bytes[at + 3]!)
    );
  }

  /** A variable-length integer (RFC 9000 section 16); `VARINT_SATURATED` for one above 2^53-1. */
  readVarint(): number {
    const at = this.#position;
    if (at >= this.#end) return NEED_MORE;
    const length = varintLengthOf(this.#bytes[at]!);
    if (this.#end - at < length) return NEED_MORE;
    this.#position = at + length;
    return readVarint(this.#bytes, at);
  }

  /**
   * A prefixed integer (RFC 7541 section 5.1, RFC 9204 section 4.1.1). The prefix is the low `prefixBits` bits of the
   * next octet; what stands above them is the caller's ({@link peekUint8}). `VARINT_SATURATED` above 2^53-1,
   * {@link MALFORMED_INTEGER} when it takes more than nine octets behind the prefix.
   */
  readPrefixedInteger(prefixBits: number): number {
    let at = this.#position;
    if (at >= this.#end) return NEED_MORE;
    const mask = (1 << prefixBits) - 1;
    let value = this.#bytes[at]! & mask;
    at += 1;
    if (value < mask) {
      this.#position = at;
      return value;
    }
    // Multiplied, not shifted: shifts are of 32 bits.
    let unit = 1;
    for (let count = 0; count < MAX_CONTINUATION; count += 1) {
      if (at >= this.#end) return NEED_MORE;
      const octet = this.#bytes[at]!;
      at += 1;
      value += (octet & 0x7f) * unit;
      if (octet < 0x80) {
        this.#position = at;
        return value > Number.MAX_SAFE_INTEGER ? VARINT_SATURATED : value;
      }
      unit *= 128;
    }
    return MALFORMED_INTEGER;
  }

  /** A view of the next `length` bytes. */
  readBytes(length: number): Uint8Array | undefined {
    const at = this.#position;
    if (length > this.#end - at) return undefined;
    this.#position = at + length;
    return this.#bytes.subarray(at, at + length);
  }

  /** A view of all that is left. */
  readRest(): Uint8Array {
    const at = this.#position;
    this.#position = this.#end;
    return this.#bytes.subarray(at, this.#end);
  }

  /** Passes over `length` bytes and answers whether they were there. */
  skip(length: number): boolean {
    if (length > this.#end - this.#position) return false;
    this.#position += length;
    return true;
  }
}
