import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  MALFORMED_INTEGER,
  NEED_MORE,
  readVarint,
  VARINT_MAX_EXACT,
  VARINT_SATURATED,
  varintLength,
  varintLengthOf,
  writeVarint,
} from '../../../src/wire/index.ts';

interface Vectors {
  readonly varint_decode: readonly { readonly bytes: string; readonly value: string; readonly note?: string }[];
  readonly varint_ranges: readonly { readonly length: number; readonly max: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/rfc/rfc9000-quic-transport.json', import.meta.url), 'utf8'),
) as Vectors;

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('variable-length integers (RFC 9000 section 16, appendix A.1)', () => {
  it('decodes the vectors', () => {
    for (const vector of vectors.varint_decode) {
      const reader = new ByteReader(fromHex(vector.bytes));
      const value = BigInt(vector.value);
      expect(reader.readVarint()).toBe(value > BigInt(VARINT_MAX_EXACT) ? VARINT_SATURATED : Number(value));
      expect(reader.atEnd).toBe(true);
    }
  });

  it('encodes the vectors that are exact and minimal', () => {
    const usable = vectors.varint_decode.filter(
      (vector) => vector.note === undefined && BigInt(vector.value) <= BigInt(VARINT_MAX_EXACT),
    );
    expect(usable.length).toBeGreaterThan(2);
    for (const vector of usable) {
      const writer = new ByteWriter();
      writer.writeVarint(Number(vector.value));
      expect(toHex(writer.finish())).toBe(vector.bytes);
    }
  });

  it('uses the shortest of the four lengths', () => {
    for (const range of vectors.varint_ranges) {
      if (range.length === 8) continue;
      expect(varintLength(Number(range.max))).toBe(range.length);
      expect(varintLength(Number(range.max) + 1)).toBe(range.length * 2);
    }
    expect(varintLength(VARINT_MAX_EXACT)).toBe(8);
  });

  it('round trips at every edge, in every length that fits', () => {
    const edges = [
      0,
      1,
      63,
      64,
      255,
      256,
      16_383,
      16_384,
      2 ** 30 - 1,
      2 ** 30,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 52,
      VARINT_MAX_EXACT,
    ];
    for (const value of edges) {
      for (const length of [1, 2, 4, 8]) {
        if (length < varintLength(value)) continue;
        const memory = new Uint8Array(10).fill(0xee);
        expect(writeVarint(memory, 1, value, length)).toBe(1 + length);
        expect(varintLengthOf(memory[1] ?? 0)).toBe(length);
        expect(readVarint(memory, 1)).toBe(value);
        expect(memory[0]).toBe(0xee);
        expect(memory[1 + length]).toBe(0xee);
      }
    }
  });

  it('saturates above 2^53-1', () => {
    expect(new ByteReader(fromHex('c01fffffffffffff')).readVarint()).toBe(VARINT_MAX_EXACT);
    expect(new ByteReader(fromHex('c020000000000000')).readVarint()).toBe(VARINT_SATURATED);
    expect(new ByteReader(fromHex('ffffffffffffffff')).readVarint()).toBe(VARINT_SATURATED);
    expect(VARINT_SATURATED).toBeGreaterThan(VARINT_MAX_EXACT);
  });

  it('asks for more at every prefix and stays where it was', () => {
    for (const hex of ['c2197c5eff14e88c', '9d7f3e7d', '7bbd', '25']) {
      const whole = fromHex(hex);
      for (let length = 0; length < whole.length; length += 1) {
        const reader = new ByteReader(whole, 0, length);
        expect(reader.readVarint()).toBe(NEED_MORE);
        expect(reader.position).toBe(0);
      }
    }
  });
});

describe('prefixed integers (RFC 7541 section 5.1)', () => {
  const examples: [number, number, string][] = [
    [10, 5, '0a'], // appendix C.1.1
    [1337, 5, '1f9a0a'], // appendix C.1.2
    [42, 8, '2a'], // appendix C.1.3
    [31, 5, '1f00'],
    [30, 5, '1e'],
    [0, 1, '00'],
    [1, 1, '0100'],
    [254, 8, 'fe'],
    [255, 8, 'ff00'],
    [VARINT_MAX_EXACT, 7, '7f80ffffffffffff0f'],
  ];

  it('encodes and decodes the examples', () => {
    for (const [value, prefixBits, hex] of examples) {
      const writer = new ByteWriter();
      writer.writePrefixedInteger(value, prefixBits);
      expect(toHex(writer.finish())).toBe(hex);
      expect(new ByteReader(fromHex(hex)).readPrefixedInteger(prefixBits)).toBe(value);
    }
  });

  it('leaves the bits above the prefix alone', () => {
    const writer = new ByteWriter();
    writer.writePrefixedInteger(10, 5, 0xe0);
    writer.writePrefixedInteger(1337, 5, 0xa0);
    const bytes = writer.finish();
    expect(toHex(bytes)).toBe('eabf9a0a');
    const reader = new ByteReader(bytes);
    expect(reader.peekUint8()).toBe(0xea);
    expect(reader.readPrefixedInteger(5)).toBe(10);
    expect(reader.peekUint8()).toBe(0xbf);
    expect(reader.readPrefixedInteger(5)).toBe(1337);
  });

  it('asks for more at every prefix and stays where it was', () => {
    for (const [, prefixBits, hex] of examples) {
      const whole = fromHex(hex);
      for (let length = 0; length < whole.length; length += 1) {
        const reader = new ByteReader(whole, 0, length);
        expect(reader.readPrefixedInteger(prefixBits)).toBe(NEED_MORE);
        expect(reader.position).toBe(0);
      }
    }
  });

  it('saturates above 2^53-1 and refuses what no value needs', () => {
    expect(new ByteReader(fromHex('ff80feffffffffff0f')).readPrefixedInteger(8)).toBe(VARINT_MAX_EXACT);
    expect(new ByteReader(fromHex('ff81feffffffffff0f')).readPrefixedInteger(8)).toBe(VARINT_SATURATED);
    expect(new ByteReader(fromHex('ff808080808080808001')).readPrefixedInteger(8)).toBe(VARINT_SATURATED);
    expect(new ByteReader(fromHex('ff80808080808080808001')).readPrefixedInteger(8)).toBe(MALFORMED_INTEGER);
    expect(new ByteReader(fromHex(`ff${'80'.repeat(8)}00`)).readPrefixedInteger(8)).toBe(255);
    expect(new ByteReader(fromHex(`ff${'ff'.repeat(1000)}`)).readPrefixedInteger(8)).toBe(MALFORMED_INTEGER);
  });
});
