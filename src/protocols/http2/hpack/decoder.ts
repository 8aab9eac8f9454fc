/**
 * Decoding of HPACK field blocks (RFC 7541 sections 3, 5 and 6; RFC 9113 section 4.3).
 *
 * Owns: the dynamic table that the peer's encoder fills, the limits on a decoded list, and every error of RFC 7541.
 * Does not own: putting a block together from frames, its encoded size, and what names and values may contain
 * (semantics/ judges it). Nothing throws, whatever the octets are.
 *
 * Invariants: a block is decoded to its end even when its list is too large, since the tables of both ends must stay in
 * step; a string is made only when it is needed, and then its length was held to a limit before. After an error the
 * tables are out of step for good: the decoder repeats the error for every further block.
 *
 * @module
 */
import type { HeaderList } from '../../../common/index.ts';
import { huffmanDecode, huffmanDecodedLength, latin1Text } from '../../../wire/index.ts';
import { DecodingTable, ENTRY_OVERHEAD } from './decoding-table.ts';
import { LONGEST_REPEATED, RepeatedBlocks } from './repeated-blocks.ts';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** The limits of an {@link HpackDecoder}. */
export interface HpackDecoderOptions {
  /**
   * The dynamic table's maximum size in octets when the connection begins: 4096 for HTTP/2, whatever SETTINGS we send
   * (RFC 9113 section 6.5.2); {@link HpackDecoder.setMaxTableSize} when the peer has acknowledged them.
   */
  readonly maxTableSize: number;
  /** The greatest size of a decoded list: octets of names and values and 32 for each field (RFC 9113 section 6.5.2). */
  readonly maxListSize: number;
  /** The greatest number of fields in a list, each cookie crumb counted (RFC 9113 section 8.2.3). */
  readonly maxFields: number;
}

/** What came of a block. */
export interface HpackDecodeResult {
  /** Names and values in wire order; never changed afterwards. Empty after an error; the fields before the limit when too large. */
  readonly headers: HeaderList;
  /** The size of the whole list by RFC 9113 section 6.5.2, dropped fields included. */
  readonly listSize: number;
  /** A limit was exceeded, so fields were dropped; the connection may go on. */
  readonly tooLarge: boolean;
  /** The names of fields that the peer marked never to be indexed, for who passes them on (RFC 7541 section 6.2.3). */
  readonly neverIndexed: readonly string[];
  /** Why the connection must end with COMPRESSION_ERROR (RFC 9113 section 4.3), or `undefined`. */
  readonly error: string | undefined;
}

interface MutableResult {
  headers: HeaderList;
  listSize: number;
  tooLarge: boolean;
  neverIndexed: readonly string[];
  error: string | undefined;
}

const NO_NAMES: readonly string[] = [];
const NO_FIELDS: HeaderList = [];
const NOTHING: Uint8Array = new Uint8Array(0);
const TRUNCATED = 'field block cut short';
const BAD_CODE = 'malformed Huffman code';
/** RFC 7541 section 5.1 leaves the limit on integers to us: 32 bits, and no more octets than those take. */
const MAX_INTEGER = 0xffff_ffff;
const MAX_CONTINUATION = 5;

/**
 * Decodes the field blocks of one direction of a connection, in order.
 */
export class HpackDecoder {
  readonly #table: DecodingTable;
  /** Made for the first block, and again after a rest. */
  #repeated: RepeatedBlocks | undefined;
  readonly #maxListSize: number;
  readonly #maxFields: number;
  /** What we allow the peer's encoder. */
  #limit: number;
  /** What the next block must reduce the table to before anything else, or -1 (RFC 7541 section 4.2). */
  #reduceTo: number;
  #error: string | undefined;
  readonly #result: MutableResult;
  /** The octets at hand, and where the next read begins. */
  #block: Uint8Array;
  #at: number;
  #length: number;
  /** The list at hand. */
  #headers: string[];
  #listSize: number;
  #tooLarge: boolean;
  #neverIndexed: string[] | undefined;
  /** The length of the string read last, and whether it was too long to be made. */
  #textLength: number;
  #dropped: boolean;

  constructor(options: HpackDecoderOptions) {
    this.#table = new DecodingTable(options.maxTableSize);
    this.#repeated = undefined;
    this.#maxListSize = options.maxListSize;
    this.#maxFields = options.maxFields;
    this.#limit = options.maxTableSize;
    this.#reduceTo = -1;
    this.#error = undefined;
    this.#result = { headers: [], listSize: 0, tooLarge: false, neverIndexed: NO_NAMES, error: undefined };
    this.#block = NOTHING;
    this.#at = 0;
    this.#length = 0;
    this.#headers = [];
    this.#listSize = 0;
    this.#tooLarge = false;
    this.#neverIndexed = undefined;
    this.#textLength = 0;
    this.#dropped = false;
  }

  /** The octets that the dynamic table counts now (RFC 7541 section 4.1); it never exceeds its maximum. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Sets our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it. If the table may be larger now, the next
   * block must begin by making it smaller (RFC 7541 section 4.2, RFC 9113 section 4.3.1).
   */
  setMaxTableSize(size: number): void {
    this.#limit = size;
    if (size < this.#table.maxSize && (this.#reduceTo < 0 || size < this.#reduceTo)) this.#reduceTo = size;
  }

  /** Lets go of what only makes the next block cheaper; the table stays as the peer has it. */
  rest(): void {
    this.#repeated = undefined;
    this.#result.headers = NO_FIELDS;
    this.#result.neverIndexed = NO_NAMES;
  }

  /**
   * Decodes one field block.
   *
   * @returns one object for all calls, valid until the next one; its `headers` stays what it is. A block that came
   * before, with the same table, may give the very same (then frozen) list: who has judged that need not do it again
   */
  decode(block: Uint8Array): HpackDecodeResult {
    const result = this.#result;
    const { version } = this.#table;
    const short = block.length <= LONGEST_REPEATED && this.#reduceTo < 0 && this.#error === undefined;
    const repeated = (this.#repeated ??= new RepeatedBlocks());
    if (short) {
      const same = repeated.find(block, version);
      if (same !== undefined) {
        result.headers = same.headers;
        result.listSize = same.listSize;
        result.tooLarge = false;
        result.neverIndexed = same.neverIndexed;
        return result;
      }
    }
    this.#begin(block);
    const good = this.#error === undefined && this.#decodeSizes() && this.#decodeFields();
    this.#block = NOTHING;
    result.headers = good ? this.#headers : [];
    result.listSize = this.#listSize;
    result.tooLarge = this.#tooLarge;
    result.neverIndexed = this.#neverIndexed ?? NO_NAMES;
    result.error = this.#error;
    if (short && good && !this.#tooLarge && this.#table.version === version) {
      repeated.note(block, version, this.#headers, this.#listSize, result.neverIndexed);
    }
    this.#headers = [];
    return result;
  }

  #begin(block: Uint8Array): void {
    this.#block = block;
    this.#at = 0;
    this.#length = block.length;
    this.#headers = [];
    this.#listSize = 0;
    this.#tooLarge = false;
    this.#neverIndexed = undefined;
  }

  /** Size updates, which stand before all fields (RFC 7541 section 4.2). */
  #decodeSizes(): boolean {
    while (this.#at < this.#length && (this.#block[this.#at]! & 0xe0) === 0x20) {
      const size = this.#integer(0x1f);
      if (size < 0) return false;
      // RFC 7541 section 6.3.
      if (size > this.#limit) return this.#fail(`table size ${String(size)} above the limit ${String(this.#limit)}`);
      this.#table.setMaxSize(size);
      if (size <= this.#reduceTo) this.#reduceTo = -1;
    }
    if (this.#reduceTo < 0) return true;
    return this.#fail(`no table size update to ${String(this.#reduceTo)} or less at the start of a field block`);
  }

  #decodeFields(): boolean {
    const block = this.#block;
    const length = this.#length;
    while (this.#at < length) {
      const octet = block[this.#at]!;
      let good: boolean;
      if (octet >= 0x80) good = this.#indexedField();
      else if (octet >= 0x40) good = this.#indexingLiteral();
      else if (octet >= 0x20) good = this.#fail('table size update behind a field');
      else good = this.#plainLiteral(octet >= 0x10);
      if (!good) return false;
    }
    return true;
  }

  /** RFC 7541 section 6.1. */
  #indexedField(): boolean {
    const index = this.#integer(0x7f);
    if (index < 0) return false;
    if (index === 0) return this.#fail('index 0');
    if (index <= STATIC_ENTRIES) {
      this.#take(STATIC_NAMES[index] as string, STATIC_VALUES[index] as string);
      return true;
    }
    const position = index - STATIC_ENTRIES;
    if (position > this.#table.count) return this.#fail(`index ${String(index)} beyond the tables`);
    this.#take(this.#table.name(position), this.#table.value(position));
    return true;
  }

  /** A literal with incremental indexing (RFC 7541 section 6.2.1). */
  #indexingLiteral(): boolean {
    const most = Math.max(this.#table.maxSize, this.#room());
    const name = this.#name(0x3f, most);
    if (name === undefined) return false;
    const nameLength = this.#textLength;
    const dropped = this.#dropped;
    const value = this.#string(most - nameLength);
    if (value === undefined) return false;
    if (dropped || this.#dropped) {
      // RFC 7541 section 4.4: an entry larger than the table empties it.
      this.#table.clear();
      this.#drop(nameLength + this.#textLength);
    } else {
      this.#table.add(name, value);
      this.#take(name, value);
    }
    return true;
  }

  /** A literal without indexing, or one never to be indexed (RFC 7541 sections 6.2.2 and 6.2.3). */
  #plainLiteral(never: boolean): boolean {
    const most = this.#room();
    const name = this.#name(0x0f, most);
    if (name === undefined) return false;
    const nameLength = this.#textLength;
    const dropped = this.#dropped;
    const value = this.#string(most - nameLength);
    if (value === undefined) return false;
    if (dropped || this.#dropped) {
      this.#drop(nameLength + this.#textLength);
    } else {
      if (never && !this.#tooLarge) (this.#neverIndexed ??= []).push(name);
      this.#take(name, value);
    }
    return true;
  }

  /** How long name and value of a field may be together to be in the list; negative if no field may. */
  #room(): number {
    return this.#tooLarge ? -1 : this.#maxListSize - this.#listSize - ENTRY_OVERHEAD;
  }

  /** Puts a field into the list, if it may still grow. */
  #take(name: string, value: string): void {
    const headers = this.#headers;
    this.#listSize += name.length + value.length + ENTRY_OVERHEAD;
    if (this.#listSize > this.#maxListSize || headers.length >= 2 * this.#maxFields) this.#tooLarge = true;
    if (!this.#tooLarge) headers.push(name, value);
  }

  /** Counts a field whose strings were not even made. */
  #drop(length: number): void {
    this.#listSize += length + ENTRY_OVERHEAD;
    this.#tooLarge = true;
  }

  /** The name of a literal: an index, or 0 and a string. */
  #name(mask: number, most: number): string | undefined {
    const index = this.#integer(mask);
    if (index < 0) return undefined;
    if (index === 0) return this.#string(most);
    const position = index - STATIC_ENTRIES;
    if (position > this.#table.count) return this.#noString(`index ${String(index)} beyond the tables`);
    const name = position <= 0 ? (STATIC_NAMES[index] as string) : this.#table.name(position);
    this.#textLength = name.length;
    this.#dropped = false;
    return name;
  }

  /**
   * A string literal (RFC 7541 section 5.2). One that is longer than `most` is checked and measured, not made.
   *
   * @returns `undefined` for a fault; #textLength and #dropped say the rest
   */
  #string(most: number): string | undefined {
    if (this.#at >= this.#length) return this.#noString(TRUNCATED);
    const huffman = this.#block[this.#at]! >= 0x80;
    const length = this.#integer(0x7f);
    if (length < 0) return undefined;
    const start = this.#at;
    const end = start + length;
    if (end > this.#length) return this.#noString(TRUNCATED);
    this.#at = end;
    this.#dropped = false;
    if (huffman) return this.#huffmanString(start, end, most);
    this.#textLength = length;
    if (length <= most) return latin1Text(this.#block, start, end);
    this.#dropped = true;
    return '';
  }

  #huffmanString(start: number, end: number, most: number): string | undefined {
    // The shortest code has five bits; only what could be too long has to be measured first.
    if ((end - start) * 8 > most * 5) {
      const length = huffmanDecodedLength(this.#block, start, end);
      if (length < 0) return this.#noString(BAD_CODE);
      this.#textLength = length;
      this.#dropped = length > most;
      if (this.#dropped) return '';
    }
    const text = huffmanDecode(this.#block, start, end);
    if (text === undefined) return this.#noString(BAD_CODE);
    this.#textLength = text.length;
    return text;
  }

  /** A prefixed integer at the position (RFC 7541 section 5.1); negative for a fault. */
  #integer(mask: number): number {
    const block = this.#block;
    let at = this.#at;
    let value = block[at]! & mask;
    at += 1;
    if (value === mask) {
      const last = Math.min(at + MAX_CONTINUATION, this.#length);
      let unit = 1;
      let octet = 0x80;
      for (; octet >= 0x80 && at < last; at += 1) {
        octet = block[at]!;
        // Multiplied, not shifted: shifts are of 32 bits.
        value += (octet & 0x7f) * unit;
        unit *= 128;
      }
      if (octet >= 0x80) {
        this.#fail(at >= this.#length ? TRUNCATED : 'integer of too many octets');
        return -1;
      }
      if (value > MAX_INTEGER) {
        this.#fail('integer of more than 32 bits');
        return -1;
      }
    }
    this.#at = at;
    return value;
  }

  #noString(reason: string): string | undefined {
    this.#error = reason;
    return undefined;
  }

  #fail(reason: string): false {
    this.#error = reason;
    return false;
  }
}
