import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import { HpackDecoder, HpackEncoder } from '../../src/protocols/http2/hpack/index.ts';
import { ByteWriter, huffmanDecode, huffmanDecodedLength } from '../../src/wire/index.ts';

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)) });
/** Names of the static table, of the policy's lists, and a few others, so that names meet again. */
const name = fc.oneof(
  fc.constantFrom(':path', ':status', 'cookie', 'set-cookie', 'authorization', 'content-length', 'date', 'x', 'y', 'z'),
  fc.stringMatching(/^[a-z-]{1,12}$/),
);
const value = fc.oneof(fc.constantFrom('', '200', '/', 'a', 'b', 'a'.repeat(30), 'b'.repeat(500)), latin1);
const list: fc.Arbitrary<HeaderList> = fc.array(fc.tuple(name, value), { maxLength: 12 }).map((pairs) => pairs.flat());
const tableSize = fc.oneof(fc.constantFrom(0, 31, 32, 33, 100, 4096, 65536), fc.nat(10_000));

type Step =
  | { readonly kind: 'size'; readonly size: number }
  | {
      readonly kind: 'block';
      readonly headers: HeaderList;
      readonly marked: readonly string[];
      readonly times: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('size' as const), size: tableSize }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('block' as const),
      headers: list,
      marked: fc.subarray(['x', ':path', 'date', 'cookie']),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

describe('HPACK', () => {
  it('round trips under any changes of the table size, with both tables alike and within it (RFC 7541 section 4)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), tableSize, (steps, ownMaximum) => {
        const encoder = new HpackEncoder({ maxTableSize: ownMaximum });
        const decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxFields: 1000 });
        let allowed = 4096;
        for (const each of steps) {
          if (each.kind === 'size') {
            allowed = each.size;
            encoder.setMaxTableSize(allowed);
            decoder.setMaxTableSize(allowed);
            continue;
          }
          for (let times = 0; times < each.times; times += 1) {
            const writer = new ByteWriter();
            encoder.encode(each.headers, writer, each.marked);
            const result = decoder.decode(writer.finish());
            expect(result.error).toBeUndefined();
            expect(result.headers).toEqual(each.headers);
            expect(encoder.tableSize).toBe(decoder.tableSize);
            expect(decoder.tableSize).toBeLessThanOrEqual(Math.min(allowed, ownMaximum));
            for (const [index, text] of each.headers.entries()) {
              if (index % 2 === 0 && each.marked.includes(text)) expect(result.neverIndexed).toContain(text);
            }
          }
        }
      }),
    );
  });

  it('says the same of a block however often blocks came before: what is kept changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 6 }), { minLength: 1, maxLength: 6 }), (blocks) => {
        const one = new HpackDecoder({ maxTableSize: 256, maxListSize: 1000, maxFields: 8 });
        const prefix = Uint8Array.of(0x40, 1, 0x61, 1, 0x62, 0x40, 1, 0x63, 0);
        one.decode(prefix);
        const seen: string[] = [];
        for (let round = 0; round < 4; round += 1) {
          for (const block of blocks) {
            const other = new HpackDecoder({ maxTableSize: 256, maxListSize: 1000, maxFields: 8 });
            other.decode(prefix);
            for (const before of seen) other.decode(Buffer.from(before, 'hex'));
            expect(one.decode(block)).toEqual(other.decode(block));
            expect(one.tableSize).toBe(other.tableSize);
            seen.push(Buffer.from(block).toString('hex'));
          }
        }
      }),
    );
  });

  it('never throws and never grows, whatever the octets are', () => {
    // Octets that make sense now and then: short strings, small indexes, sizes.
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x01, 0x02, 0x10, 0x20, 0x3f, 0x40, 0x82, 0xbe, 0xc0));
    const block = fc.array(octet, { maxLength: 200 }).map((octets) => Uint8Array.from(octets));
    fc.assert(
      fc.property(fc.array(block, { maxLength: 10 }), (blocks) => {
        const decoder = new HpackDecoder({ maxTableSize: 200, maxListSize: 500, maxFields: 10 });
        for (const each of blocks) {
          const { headers, listSize, tooLarge, error } = decoder.decode(each);
          const size = headers.reduce((sum, text) => sum + text.length + 16, 0);
          expect(decoder.tableSize).toBeLessThanOrEqual(200);
          expect(headers.length).toBeLessThanOrEqual(20);
          expect(size).toBeLessThanOrEqual(500);
          if (error === undefined) expect(tooLarge).toBe(listSize > 500 || size < listSize);
          else expect(headers).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('measures a Huffman code as it decodes it (RFC 7541 section 5.2)', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .array(fc.constantFrom(0xff, 0x1f, 0x00, 0x07, 0xf8), { maxLength: 8 })
        .map((octets) => Uint8Array.from(octets)),
    );
    fc.assert(
      fc.property(bytes, (octets) => {
        expect(huffmanDecodedLength(octets)).toBe(huffmanDecode(octets)?.length ?? -1);
      }),
      { numRuns: 2000 },
    );
  });
});
