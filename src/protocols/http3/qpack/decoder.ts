/**
 * Decoding of QPACK field sections (RFC 9204 sections 4.5 and 2.2) by a decoder whose dynamic table has no room.
 *
 * Theory of operation. This side advertises a capacity of 0 (section 3.2.3), so a section can refer to the static table
 * only, waits for nothing and changes nothing: what cannot have been produced under that capacity is a fault of the
 * peer's. A section of which a limit is exceeded need not be read on, since no state follows from it.
 *
 * Owns: the representations, the limits on a decoded list, and every fault of sections 2.2.3, 3.1 and 4.5. Does not own:
 * putting a section together, its encoded size, and what names and values may contain (semantics/ judges it). Nothing
 * throws, whatever the octets are; a string is made only when its length was held to a limit before.
 *
 * @module
 */
import type { HeaderList } from '../../../common/index.ts';
import { ByteReader, huffmanDecode, huffmanDecodedLength, latin1Text } from '../../../wire/index.ts';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** The limits of a {@link QpackDecoder}. */
export interface QpackDecoderOptions {
  /** The greatest size of a decoded list: octets of names and values and 32 for each field (RFC 9114 section 4.2.2). */
  readonly maxListSize: number;
  /** The greatest number of fields in a list, each cookie crumb counted. */
  readonly maxFields: number;
}

/** What came of a section. */
export interface QpackDecodeResult {
  /** Names and values in wire order; never changed afterwards. Empty after an error and when too large. */
  readonly headers: HeaderList;
  /** A limit was exceeded; the connection may go on. */
  readonly tooLarge: boolean;
  /** The names of fields that the peer marked never to be indexed, for who passes them on (RFC 9204 section 7.1.3). */
  readonly neverIndexed: readonly string[];
  /** Why the connection must end with QPACK_DECOMPRESSION_FAILED (RFC 9204 section 2.2), or `undefined`. */
  readonly error: string | undefined;
}

interface MutableResult {
  headers: HeaderList;
  tooLarge: boolean;
  neverIndexed: readonly string[];
  error: string | undefined;
}

const NO_NAMES: readonly string[] = [];
const NO_FIELDS: HeaderList = [];
const NOTHING: Uint8Array = new Uint8Array(0);
const TRUNCATED = 'field section cut short';
/** What each field counts besides its octets. */
const FIELD_OVERHEAD = 32;

/** Decodes the field sections of one direction of a connection, in any order. */
export class QpackDecoder {
  readonly #maxListSize: number;
  readonly #maxFields: number;
  readonly #reader: ByteReader;
  readonly #result: MutableResult;
  /** The octets at hand. */
  #section: Uint8Array;
  /** The list at hand. */
  #headers: string[];
  #listSize: number;
  #tooLarge: boolean;
  #neverIndexed: readonly string[];
  #error: string | undefined;

  constructor(options: QpackDecoderOptions) {
    this.#maxListSize = options.maxListSize;
    this.#maxFields = options.maxFields;
    this.#reader = new ByteReader(NOTHING);
    this.#result = { headers: NO_FIELDS, tooLarge: false, neverIndexed: NO_NAMES, error: undefined };
    this.#section = NOTHING;
    this.#headers = [];
    this.#listSize = 0;
    this.#tooLarge = false;
    this.#neverIndexed = NO_NAMES;
    this.#error = undefined;
  }

  /**
   * Decodes one field section.
   *
   * @returns one object for all calls, valid until the next one; its `headers` stays what it is
   */
  decode(section: Uint8Array): QpackDecodeResult {
    this.#section = section;
    this.#reader.reset(section);
    this.#headers = [];
    this.#listSize = 0;
    this.#tooLarge = false;
    this.#neverIndexed = NO_NAMES;
    this.#error = undefined;
    const good = this.#decodePrefix() && this.#decodeFields();
    const result = this.#result;
    result.headers = good ? this.#headers : NO_FIELDS;
    result.tooLarge = this.#tooLarge;
    result.neverIndexed = this.#neverIndexed;
    result.error = this.#error;
    this.#section = NOTHING;
    this.#reader.reset(NOTHING);
    this.#headers = [];
    return result;
  }

  /** RFC 9204 section 4.5.1. */
  #decodePrefix(): boolean {
    const insertCount = this.#integer(8);
    if (insertCount < 0) return false;
    // Section 4.5.1.1: with a capacity of 0 an encoder produces nothing but 0.
    if (insertCount !== 0) return this.#fail('a Required Insert Count without a dynamic table');
    const sign = this.#reader.peekUint8() & 0x80;
    if (this.#integer(7) < 0) return false;
    // Section 4.5.1.2: the Base would be negative.
    return sign === 0 || this.#fail('a negative Base');
  }

  /** False: a fault, or a limit. */
  #decodeFields(): boolean {
    const reader = this.#reader;
    while (!reader.atEnd) {
      const octet = reader.peekUint8();
      let good: boolean;
      if (octet >= 0x80) good = this.#indexedField(octet);
      else if (octet >= 0x40) good = this.#namedLiteral(octet);
      else if (octet >= 0x20) good = this.#literal(octet);
      else good = this.#fail('a post-base reference without a dynamic table');
      if (!good) return false;
    }
    return true;
  }

  /** RFC 9204 section 4.5.2. */
  #indexedField(octet: number): boolean {
    const index = this.#staticIndex(6, (octet & 0x40) !== 0);
    if (index < 0) return false;
    return this.#take(STATIC_NAMES[index] as string, STATIC_VALUES[index] as string);
  }

  /** RFC 9204 section 4.5.4. */
  #namedLiteral(octet: number): boolean {
    const index = this.#staticIndex(4, (octet & 0x10) !== 0);
    if (index < 0) return false;
    const name = STATIC_NAMES[index] as string;
    const value = this.#string(7, 0x80, this.#room - name.length);
    if (value === undefined) return false;
    if ((octet & 0x20) !== 0) this.#never(name);
    return this.#take(name, value);
  }

  /** RFC 9204 section 4.5.6. */
  #literal(octet: number): boolean {
    const name = this.#string(3, 0x08, this.#room);
    if (name === undefined) return false;
    const value = this.#string(7, 0x80, this.#room - name.length);
    if (value === undefined) return false;
    if ((octet & 0x10) !== 0) this.#never(name);
    return this.#take(name, value);
  }

  /** An index of the static table; negative for a fault (RFC 9204 section 3.1). */
  #staticIndex(prefixBits: number, isStatic: boolean): number {
    const index = this.#integer(prefixBits);
    if (index < 0) return index;
    if (!isStatic) this.#fail('a reference to the dynamic table, which has no room');
    else if (index >= STATIC_ENTRIES) this.#fail(`index ${String(index)} beyond the static table`);
    else return index;
    return -1;
  }

  /** How long name and value of the next field may be together. */
  get #room(): number {
    return this.#maxListSize - this.#listSize - FIELD_OVERHEAD;
  }

  #never(name: string): void {
    this.#neverIndexed = [...this.#neverIndexed, name];
  }

  /** Puts a field into the list, if it may still grow. */
  #take(name: string, value: string): boolean {
    this.#listSize += name.length + value.length + FIELD_OVERHEAD;
    if (this.#listSize > this.#maxListSize || this.#headers.length >= 2 * this.#maxFields) {
      this.#tooLarge = true;
      return false;
    }
    this.#headers.push(name, value);
    return true;
  }

  /**
   * A string literal (RFC 9204 section 4.1.2). One that is longer than `most` is not made.
   *
   * @returns `undefined` for a fault, and for what is too large
   */
  #string(prefixBits: number, huffmanBit: number, most: number): string | undefined {
    const reader = this.#reader;
    if (reader.atEnd) return this.#noString(TRUNCATED);
    const huffman = (reader.peekUint8() & huffmanBit) !== 0;
    const length = this.#integer(prefixBits);
    if (length < 0) return undefined;
    const start = reader.position;
    if (!reader.skip(length)) return this.#noString(TRUNCATED);
    const end = start + length;
    // The shortest code has five bits; only what could be too long has to be measured first.
    const decoded = huffman && length * 8 > most * 5 ? huffmanDecodedLength(this.#section, start, end) : 0;
    if (decoded < 0) return this.#noString('malformed Huffman code');
    if ((huffman ? decoded : length) > most) {
      this.#tooLarge = true;
      return undefined;
    }
    if (!huffman) return latin1Text(this.#section, start, end);
    const text = huffmanDecode(this.#section, start, end);
    return text ?? this.#noString('malformed Huffman code');
  }

  /** A prefixed integer; negative for a fault. */
  #integer(prefixBits: number): number {
    const value = this.#reader.readPrefixedInteger(prefixBits);
    if (value < 0) this.#fail(this.#reader.atEnd ? TRUNCATED : 'integer cut short, or of more than 62 bits');
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
