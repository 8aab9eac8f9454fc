/**
 * Encoding of header lists as HPACK field blocks (RFC 7541 sections 3, 5 and 6).
 *
 * Owns: the dynamic table that the peer's decoder follows, the choice of representations, and size updates. Does not
 * own: whether a list may be sent (semantics/ judges it), splitting a block over frames.
 *
 * Invariants: whatever is encoded must be sent, in order, on the connection: the peer's table follows from it. A name
 * or value that must not be indexed (indexing-policy.ts) is never compared with the table's values.
 *
 * @module
 */
import type { HeaderList } from '../../../common/index.ts';
import type { ByteWriter } from '../../../wire/index.ts';
import { GUESSABLE_LENGTH, huffmanLength } from '../../../wire/index.ts';
import type { NameRecord } from './encoding-table.ts';
import { EncodingTable } from './encoding-table.ts';
import { Indexing } from './indexing-policy.ts';
import { RecentFields } from './recent-fields.ts';

/** What an {@link HpackEncoder} may be told. */
export interface HpackEncoderOptions {
  /** The most octets that the dynamic table may count, however many the peer allows; 4096 by default. */
  readonly maxTableSize?: number;
}

/** RFC 9113 section 6.5.2: the initial SETTINGS_HEADER_TABLE_SIZE. */
const INITIAL_TABLE_SIZE = 4096;

/**
 * Encodes the field blocks of one direction of a connection, in order.
 */
export class HpackEncoder {
  readonly #table: EncodingTable;
  /** Made for the first block, and again after a rest. */
  #recent: RecentFields | undefined;
  readonly #maxTableSize: number;
  /** The least size that was set since the last block, and the one that holds now (RFC 7541 section 4.2). */
  #leastSize: number;
  #nextSize: number;

  constructor(options: HpackEncoderOptions = {}) {
    this.#maxTableSize = options.maxTableSize ?? INITIAL_TABLE_SIZE;
    this.#table = new EncodingTable(INITIAL_TABLE_SIZE);
    this.#recent = undefined;
    const size = Math.min(this.#maxTableSize, INITIAL_TABLE_SIZE);
    this.#leastSize = size;
    this.#nextSize = size;
  }

  /** The octets that the dynamic table counts now (RFC 7541 section 4.1). */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Sets the peer's SETTINGS_HEADER_TABLE_SIZE. The next block begins by saying what is made of it: the least size since
   * the block before, if that is less than the table's, then the last one (RFC 7541 section 4.2).
   */
  setMaxTableSize(size: number): void {
    this.#nextSize = Math.min(size, this.#maxTableSize);
    if (this.#nextSize < this.#leastSize) this.#leastSize = this.#nextSize;
  }

  /** Lets go of what only makes the next block cheaper; the table stays as the peer has it. */
  rest(): void {
    this.#recent = undefined;
    this.#table.rest();
  }

  /**
   * Writes a field block.
   *
   * @param headers - lowercase names, and values of characters up to U+00FF
   * @param neverIndexed - names whose fields the sender before us marked never to be indexed; an intermediary keeps that
   * (RFC 7541 section 6.2.3)
   */
  encode(headers: HeaderList, writer: ByteWriter, neverIndexed?: readonly string[]): void {
    const table = this.#table;
    if (this.#nextSize !== table.maxSize || this.#leastSize < table.maxSize) this.#writeSizes(writer);
    const fields = (this.#recent ??= new RecentFields());
    for (let place = 0; 2 * place + 1 < headers.length; place += 1) {
      const name = headers[2 * place] as string;
      const value = headers[2 * place + 1] as string;
      const secret = neverIndexed?.includes(name) === true;
      const recent = secret ? 0 : fields.index(place, name, value, table.version);
      if (recent > 0) writer.writePrefixedInteger(recent, 7, 0x80);
      else this.#encodeField(place, name, value, secret, fields, writer);
    }
  }

  #encodeField(
    place: number,
    name: string,
    value: string,
    marked: boolean,
    fields: RecentFields,
    writer: ByteWriter,
  ): void {
    const table = this.#table;
    const record = table.record(name);
    const secret = marked || isSecret(record, value);
    const found = secret ? 0 : table.find(record, value);
    if (found > 0) {
      writer.writePrefixedInteger(found, 7, 0x80);
      fields.note(place, name, value, table.version, found);
    } else {
      this.#writeLiteral(record, value, secret, writer);
    }
  }

  #writeSizes(writer: ByteWriter): void {
    const table = this.#table;
    if (this.#leastSize < table.maxSize && this.#leastSize < this.#nextSize) {
      table.setMaxSize(this.#leastSize);
      writer.writePrefixedInteger(this.#leastSize, 5, 0x20);
    }
    table.setMaxSize(this.#nextSize);
    writer.writePrefixedInteger(this.#nextSize, 5, 0x20);
    this.#leastSize = this.#nextSize;
  }

  #writeLiteral(record: NameRecord, value: string, secret: boolean, writer: ByteWriter): void {
    const table = this.#table;
    const name = table.findName(record);
    const adds = !secret && wants(record, value) && table.takes(record, value);
    if (adds) writer.writePrefixedInteger(name, 6, 0x40);
    else writer.writePrefixedInteger(name, 4, secret ? 0x10 : 0);
    if (name === 0) writeString(record.name, writer);
    writeString(value, writer);
    if (adds) table.add(record, value);
    else if (!secret) table.remember(record, value);
  }
}

function isSecret(record: NameRecord, value: string): boolean {
  const { policy } = record;
  return policy === Indexing.never || (policy === Indexing.long && value.length < GUESSABLE_LENGTH);
}

/** Whether a field that is in no table should be put there. */
function wants(record: NameRecord, value: string): boolean {
  return record.policy !== Indexing.repeated || record.lastValue === value;
}

/** A string literal, in the shorter of its two forms (RFC 7541 section 5.2). */
function writeString(text: string, writer: ByteWriter): void {
  const length = huffmanLength(text);
  if (length < text.length) {
    writer.writePrefixedInteger(length, 7, 0x80);
    writer.writeHuffman(text, length);
  } else {
    writer.writePrefixedInteger(text.length, 7);
    writer.writeLatin1(text);
  }
}
