/** RFC 7541 appendices A and C, in both directions. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HpackDecodeResult } from '../../../../../src/protocols/http2/hpack/index.ts';
import { HpackDecoder, HpackEncoder } from '../../../../../src/protocols/http2/hpack/index.ts';
import { ByteReader, ByteWriter } from '../../../../../src/wire/index.ts';

interface Example {
  readonly section: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly wire: string;
  readonly dynamic_table_after: readonly { readonly index: number; readonly name: string; readonly value: string }[];
  readonly table_size: number;
}

interface Examples {
  readonly integers: readonly { readonly value: number; readonly prefix_bits: number; readonly encoded: string }[];
  readonly groups: readonly {
    readonly section: string;
    readonly max_dynamic_table_size: number;
    readonly shared_context: boolean;
    readonly cases: readonly Example[];
  }[];
}

function readVector<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../vectors/rfc/${name}`, import.meta.url), 'utf8')) as T;
}

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function newDecoder(maxTableSize: number): HpackDecoder {
  return new HpackDecoder({ maxTableSize, maxListSize: 65536, maxFields: 100 });
}

const { integers, groups } = readVector<Examples>('rfc7541-hpack.json');
const { entries } = readVector<{ entries: [index: number, name: string, value: string][] }>(
  'rfc7541-static-table.json',
);

describe('RFC 7541 appendix A: the static table', () => {
  it('decodes every index', () => {
    expect(entries.length).toBe(61);
    const block = Uint8Array.from(entries, ([index]) => 0x80 | index);
    expect(newDecoder(4096).decode(block).headers).toEqual(entries.flatMap(([, name, value]) => [name, value]));
  });

  it('encodes every entry with a value as its index', () => {
    const encoder = new HpackEncoder();
    for (const [index, name, value] of entries.filter((entry) => entry[2] !== '')) {
      const writer = new ByteWriter();
      encoder.encode([name, value], writer);
      expect([...writer.finish()]).toEqual([0x80 | index]);
    }
    expect(encoder.tableSize).toBe(0);
  });

  it('encodes a name of the table as its index', () => {
    for (const [, name] of entries) {
      const writer = new ByteWriter();
      new HpackEncoder().encode([name, 'some other value that is long'], writer);
      const reader = new ByteReader(writer.finish());
      const indexes = entries.filter((entry) => entry[1] === name).map(([index]) => index);
      const prefix = reader.peekUint8() >= 0x40 ? 6 : 4;
      expect(indexes).toContain(reader.readPrefixedInteger(prefix));
    }
  });
});

describe('RFC 7541 appendix C.1: integers', () => {
  it.each(integers)('$value with a prefix of $prefix_bits bits', ({ value, prefix_bits: bits, encoded }) => {
    const writer = new ByteWriter();
    writer.writePrefixedInteger(value, bits);
    expect(Buffer.from(writer.finish()).toString('hex')).toBe(encoded);
    expect(new ByteReader(octets(encoded)).readPrefixedInteger(bits)).toBe(value);
  });
});

describe.each(groups)('RFC 7541 appendix $section', (group) => {
  it('decodes the blocks and keeps the table', () => {
    let decoder = newDecoder(group.max_dynamic_table_size);
    for (const example of group.cases) {
      if (!group.shared_context) decoder = newDecoder(group.max_dynamic_table_size);
      const { headers, error } = decoder.decode(octets(example.wire));
      expect({ section: example.section, headers, error }).toEqual({
        section: example.section,
        headers: example.headers.flat(),
        error: undefined,
      });
      expect(decoder.tableSize).toBe(example.table_size);
      expect(tableOf(decoder, example.dynamic_table_after.length)).toEqual(
        example.dynamic_table_after.flatMap(({ name, value }) => [name, value]),
      );
    }
  });

  it('encodes the lists so that they decode again, with the same table at both ends', () => {
    const encoder = new HpackEncoder({ maxTableSize: group.max_dynamic_table_size });
    const decoder = newDecoder(4096);
    for (const example of group.cases) {
      const writer = new ByteWriter();
      encoder.encode(example.headers.flat(), writer);
      const block = writer.finish();
      const { headers, error } = decoder.decode(block);
      expect({ headers, error }).toEqual({ headers: example.headers.flat(), error: undefined });
      expect(decoder.tableSize).toBe(encoder.tableSize);
      // C.4 is what an encoder with Huffman codes makes of it.
      if (group.section === 'C.4') expect(Buffer.from(block).toString('hex')).toBe(example.wire);
    }
  });
});

/** The entries, told by their indexes; the one behind the last must not be there. */
function tableOf(decoder: HpackDecoder, count: number): HpackDecodeResult['headers'] {
  const indexes = Uint8Array.from({ length: count }, (_, position) => 0x80 | (62 + position));
  const { headers, error } = decoder.decode(indexes);
  expect(error).toBeUndefined();
  return headers;
}
