/**
 * TLS's presentation language: numbers, and vectors behind their own lengths.
 *
 * Owns reading and writing of RFC 8446 section 3 on wire/'s reader and writer. Whatever does not fit is a
 * `decode_error`; lengths are checked against what is there before anything is made of them.
 *
 * @module
 */
import { ByteReader, NEED_MORE } from '../wire/index.ts';
import type { ByteWriter } from '../wire/index.ts';
import { decodeFault } from './alerts.ts';

/** How many bytes a vector's length takes. */
export type LengthSize = 1 | 2 | 3;

/** Reads one structure. Views belong to the bytes that it reads from. */
export class VectorReader {
  readonly #reader: ByteReader;
  readonly #what: string;

  /** @param what - the structure's name, for errors */
  constructor(bytes: Uint8Array, what: string) {
    this.#reader = new ByteReader(bytes);
    this.#what = what;
  }

  get atEnd(): boolean {
    return this.#reader.atEnd;
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#reader.position;
  }

  uint8(): number {
    return this.#number(this.#reader.readUint8());
  }

  uint16(): number {
    return this.#number(this.#reader.readUint16());
  }

  uint24(): number {
    return this.#number(this.#reader.readUint24());
  }

  uint32(): number {
    return this.#number(this.#reader.readUint32());
  }

  bytes(length: number): Uint8Array {
    const bytes = this.#reader.readBytes(length);
    if (bytes === undefined) throw decodeFault(this.#what);
    return bytes;
  }

  /** An opaque vector of `min` bytes at least and `max` at most. */
  vector(size: LengthSize, min = 0, max: number = Number.POSITIVE_INFINITY): Uint8Array {
    const length = size === 1 ? this.uint8() : size === 2 ? this.uint16() : this.uint24();
    if (length < min || length > max) throw decodeFault(this.#what);
    return this.bytes(length);
  }

  /** A vector of which each element is a structure. */
  structures(size: LengthSize, min = 0): VectorReader {
    return new VectorReader(this.vector(size, min), this.#what);
  }

  /** A vector of at least one 16-bit number. */
  uint16s(size: LengthSize): number[] {
    const inner = this.structures(size, 2);
    const numbers: number[] = [];
    while (!inner.atEnd) numbers.push(inner.uint16());
    return numbers;
  }

  /** Nothing may be left. */
  end(): void {
    if (!this.#reader.atEnd) throw decodeFault(this.#what);
  }

  #number(value: number): number {
    if (value === NEED_MORE) throw decodeFault(this.#what);
    return value;
  }
}

/** Writes a vector whose content `write` adds, and its length before it. */
export function writeVector(writer: ByteWriter, size: LengthSize, write: () => void): void {
  const at = writer.length;
  for (let index = 0; index < size; index += 1) writer.writeUint8(0);
  write();
  const length = writer.length - at - size;
  if (size === 1) writer.view()[at] = length;
  else if (size === 2) writer.setUint16(at, length);
  else writer.setUint24(at, length);
}

/** Writes bytes behind their length. */
export function writeOpaque(writer: ByteWriter, size: LengthSize, bytes: Uint8Array): void {
  if (size === 1) writer.writeUint8(bytes.length);
  else if (size === 2) writer.writeUint16(bytes.length);
  else writer.writeUint24(bytes.length);
  writer.writeBytes(bytes);
}

/** Writes 16-bit numbers behind their length in bytes. */
export function writeUint16s(writer: ByteWriter, size: LengthSize, numbers: readonly number[]): void {
  writeVector(writer, size, () => {
    for (const number of numbers) writer.writeUint16(number);
  });
}
