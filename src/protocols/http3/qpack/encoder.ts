/**
 * Encoding of header lists as QPACK field sections (RFC 9204 section 4.5) without a dynamic table.
 *
 * Owns: the choice of representations: references to the static table, and literals in the shorter of their two forms.
 * What is a secret is marked never to be indexed (section 7.1.3), so that nobody on the way puts it into a table where
 * it could be guessed. Does not own: whether a list may be sent (semantics/ judges it).
 *
 * One message is much like the one before: the octets of the field that stood at a place are kept and used again while
 * the field stays the same.
 *
 * @module
 */
import type { HeaderList } from '../../../common/index.ts';
import type { ByteWriter } from '../../../wire/index.ts';
import { GUESSABLE_LENGTH, huffmanLength, SECRET_FIELDS } from '../../../wire/index.ts';
import { findStaticName } from './static-table.ts';

/** How many places of a list are remembered. */
const PLACES = 24;
/** Longer fields are not remembered. */
const LONGEST_KEPT = 256;
/** What each field counts besides its octets (RFC 9114 section 4.2.2). */
const FIELD_OVERHEAD = 32;

interface Kept {
  readonly name: string;
  readonly value: string;
  readonly marked: boolean;
  readonly octets: Uint8Array;
}

/** Encodes the field sections of one direction of a connection, in any order. */
export class QpackEncoder {
  readonly #kept: (Kept | undefined)[];

  constructor() {
    this.#kept = [];
  }

  /**
   * Writes a field section.
   *
   * @param headers - lowercase names, and values of characters up to U+00FF
   * @param neverIndexed - names whose fields the sender before us marked never to be indexed; an intermediary keeps that
   * @returns the size of the list as SETTINGS_MAX_FIELD_SECTION_SIZE counts it
   */
  encode(headers: HeaderList, writer: ByteWriter, neverIndexed?: readonly string[]): number {
    // Required Insert Count and Base are 0 (section 4.5.1).
    writer.writeUint16(0);
    let size = 0;
    for (let place = 0; 2 * place + 1 < headers.length; place += 1) {
      const name = headers[2 * place] as string;
      const value = headers[2 * place + 1] as string;
      size += name.length + value.length + FIELD_OVERHEAD;
      const marked = neverIndexed?.includes(name) === true;
      const kept = this.#kept[place];
      if (kept?.name === name && kept.value === value && kept.marked === marked) writer.writeBytes(kept.octets);
      else this.#encodeField(place, name, value, marked, writer);
    }
    return size;
  }

  #encodeField(place: number, name: string, value: string, marked: boolean, writer: ByteWriter): void {
    const start = writer.length;
    writeField(name, value, marked || isSecret(name, value), writer);
    if (place >= PLACES || writer.length - start > LONGEST_KEPT) return;
    this.#kept[place] = { name, value, marked, octets: writer.view().slice(start) };
  }
}

/** Whether a field is to be marked never to be indexed (RFC 9204 section 7.1.3). */
function isSecret(name: string, value: string): boolean {
  return SECRET_FIELDS.has(name) || (name === 'cookie' && value.length < GUESSABLE_LENGTH);
}

function writeField(name: string, value: string, secret: boolean, writer: ByteWriter): void {
  const known = findStaticName(name);
  const index = secret ? undefined : known?.values.get(value);
  if (index !== undefined) {
    // Section 4.5.2.
    writer.writePrefixedInteger(index, 6, 0xc0);
  } else if (known !== undefined) {
    // Section 4.5.4.
    writer.writePrefixedInteger(known.index, 4, secret ? 0x70 : 0x50);
    writeString(value, 7, 0x80, 0, writer);
  } else {
    // Section 4.5.6.
    writeString(name, 3, 0x08, secret ? 0x30 : 0x20, writer);
    writeString(value, 7, 0x80, 0, writer);
  }
}

/** A string literal, in the shorter of its two forms (RFC 9204 section 4.1.2). */
function writeString(text: string, prefixBits: number, huffmanBit: number, flags: number, writer: ByteWriter): void {
  const length = huffmanLength(text);
  if (length < text.length) {
    writer.writePrefixedInteger(length, prefixBits, flags | huffmanBit);
    writer.writeHuffman(text, length);
  } else {
    writer.writePrefixedInteger(text.length, prefixBits, flags);
    writer.writeLatin1(text);
  }
}
