import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  huffmanDecode,
  huffmanEncode,
  huffmanLength,
  isFieldValue,
  isToken,
  lowercaseFieldName,
  MALFORMED_INTEGER,
  NEED_MORE,
  NOT_A_NUMBER,
  OutputBuffer,
  parseDecimal,
  parseHex,
  RangeSet,
  RingQueue,
  TOO_LARGE,
  VARINT_SATURATED,
} from '../../src/wire/index.ts';

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)) });
/** Numbers spread evenly over their lengths. */
const natural = fc
  .tuple(fc.integer({ min: 0, max: 53 }), fc.maxSafeNat())
  .map(([bits, value]) => (bits === 53 ? value : value % 2 ** bits));

describe('integers (RFC 9000 section 16, RFC 7541 section 5.1)', () => {
  it('round trip, and every prefix of them asks for more', () => {
    fc.assert(
      fc.property(natural, fc.integer({ min: 1, max: 8 }), fc.nat(255), (value, prefixBits, above) => {
        const flags = (above << prefixBits) & 0xff;
        const writer = new ByteWriter(1);
        writer.writeVarint(value);
        const behindVarint = writer.length;
        writer.writePrefixedInteger(value, prefixBits, flags);
        const bytes = writer.finish();
        const reader = new ByteReader(bytes);
        expect(reader.readVarint()).toBe(value);
        expect(reader.position).toBe(behindVarint);
        expect(reader.peekUint8() >>> prefixBits).toBe(flags >>> prefixBits);
        expect(reader.readPrefixedInteger(prefixBits)).toBe(value);
        expect(reader.atEnd).toBe(true);
        for (let end = behindVarint; end < bytes.length; end += 1) {
          expect(new ByteReader(bytes, behindVarint, end).readPrefixedInteger(prefixBits)).toBe(NEED_MORE);
        }
        for (let end = 0; end < behindVarint; end += 1) {
          expect(new ByteReader(bytes, 0, end).readVarint()).toBe(NEED_MORE);
        }
      }),
    );
  });

  it('are read from any bytes without a throw, and exactly', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 14 }), fc.integer({ min: 1, max: 8 }), (bytes, prefixBits) => {
        const varint = new ByteReader(bytes).readVarint();
        const exact = naiveVarint(bytes);
        expect(varint).toBe(exact === undefined ? NEED_MORE : saturated(exact));
        const integer = new ByteReader(bytes).readPrefixedInteger(prefixBits);
        if (integer !== NEED_MORE && integer !== MALFORMED_INTEGER) {
          expect(integer).toBe(saturated(naivePrefixedInteger(bytes, prefixBits)));
        }
      }),
      { numRuns: 500 },
    );
  });
});

function saturated(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? VARINT_SATURATED : Number(value);
}

function naiveVarint(bytes: Uint8Array): bigint | undefined {
  const length = bytes.length === 0 ? 1 : 2 ** ((bytes[0] ?? 0) >>> 6);
  if (bytes.length < length) return undefined;
  let value = BigInt((bytes[0] ?? 0) & 0x3f);
  for (const octet of bytes.subarray(1, length)) value = value * 256n + BigInt(octet);
  return value;
}

function naivePrefixedInteger(bytes: Uint8Array, prefixBits: number): bigint {
  const mask = 2 ** prefixBits - 1;
  let value = BigInt((bytes[0] ?? 0) & mask);
  if (value < BigInt(mask)) return value;
  for (let index = 1, shift = 0n; index < bytes.length; index += 1, shift += 7n) {
    const octet = bytes[index] ?? 0;
    value += BigInt(octet & 0x7f) << shift;
    if (octet < 0x80) break;
  }
  return value;
}

describe('Huffman code (RFC 7541 section 5.2)', () => {
  it('round trips every string', () => {
    fc.assert(
      fc.property(latin1, (text) => {
        const bytes = new Uint8Array(huffmanLength(text));
        expect(huffmanEncode(text, bytes, 0)).toBe(bytes.length);
        expect(huffmanDecode(bytes)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('decodes no bytes but those that it would encode', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const text = huffmanDecode(bytes);
        if (text === undefined) return;
        const again = new Uint8Array(huffmanLength(text));
        huffmanEncode(text, again, 0);
        expect(again).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('text', () => {
  it('numbers are digits and nothing else, exact or too large (RFC 9110 section 8.6)', () => {
    const almost = fc.string({
      unit: fc.constantFrom('0', '1', '9', 'a', 'F', '+', ' ', '_', '.', 'x'),
      maxLength: 24,
    });
    fc.assert(
      fc.property(fc.oneof(almost, natural.map(String), fc.bigInt({ min: 0n }).map(String), latin1), (text) => {
        const decimal = /^[0-9]+$/.test(text) ? BigInt(text) : undefined;
        const hex = /^[0-9a-fA-F]+$/.test(text) ? BigInt(`0x${text}`) : undefined;
        expect(parseDecimal(text)).toBe(expected(decimal));
        expect(parseHex(text)).toBe(expected(hex));
        expect(parseDecimal(`[${text}]`, 1, text.length + 1)).toBe(expected(decimal));
      }),
      { numRuns: 500 },
    );
  });

  it('tokens and field values are what the grammar says (RFC 9110 sections 5.5 and 5.6.2)', () => {
    fc.assert(
      fc.property(fc.oneof(latin1, fc.string()), (text) => {
        expect(isToken(text)).toBe(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text));
        expect(isFieldValue(text)).toBe(/^[\t\x20-\x7e\x80-\xff]*$/.test(text));
        expect(lowercaseFieldName(text)).toBe(text.toLowerCase());
      }),
      { numRuns: 500 },
    );
  });
});

function expected(value: bigint | undefined): number {
  if (value === undefined) return NOT_A_NUMBER;
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? TOO_LARGE : Number(value);
}

describe('OutputBuffer', () => {
  const write = fc.oneof(
    fc.tuple(fc.constant('text' as const), latin1),
    fc.tuple(fc.constant('long text' as const), fc.nat(40_000)),
    fc.tuple(fc.constant('chunk' as const), fc.oneof(fc.nat(40), fc.nat(20_000))),
    fc.tuple(fc.constant('number' as const), fc.nat()),
    fc.tuple(fc.constant('take' as const), fc.constant(0)),
  );

  it('yields what was written, in order, whatever it was', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
        const output = new OutputBuffer();
        const wanted: Uint8Array[] = [];
        const taken: Uint8Array[] = [];
        const copies: Uint8Array[] = [];
        let untaken = 0;
        const add = (bytes: Uint8Array): void => {
          wanted.push(bytes);
          untaken += bytes.length;
        };
        const take = (): void => {
          const pieces = output.take() ?? [];
          taken.push(...pieces);
          copies.push(...pieces.map((piece) => Uint8Array.from(piece)));
          untaken = 0;
        };
        for (const [kind, value] of writes) {
          if (kind === 'text') {
            output.writeLatin1(value);
            add(Buffer.from(value, 'latin1'));
          } else if (kind === 'long text') {
            output.writeLatin1('é'.repeat(value));
            add(Buffer.alloc(value, 0xe9));
          } else if (kind === 'chunk') {
            const chunk = new Uint8Array(value).fill(wanted.length);
            output.write(chunk);
            add(Uint8Array.from(chunk));
          } else if (kind === 'number') {
            output.writeUint8(value & 0xff);
            output.writeUint16(value & 0xffff);
            output.writeUint24(value & 0xffffff);
            output.writeUint32(value);
            const bytes = Buffer.alloc(10);
            bytes.writeUInt8(value & 0xff, 0);
            bytes.writeUInt16BE(value & 0xffff, 1);
            bytes.writeUIntBE(value & 0xffffff, 3, 3);
            bytes.writeUInt32BE(value, 6);
            add(bytes);
          } else {
            take();
          }
          expect(output.size).toBe(untaken);
        }
        take();
        expect(Buffer.concat(taken).equals(Buffer.concat(wanted))).toBe(true);
        expect(Buffer.concat(taken).equals(Buffer.concat(copies))).toBe(true);
        expect(taken.every((piece) => piece.length > 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('collections', () => {
  it('RingQueue behaves like an array', () => {
    const operation = fc.constantFrom('push', 'push', 'push', 'shift', 'shift', 'unshift', 'pop', 'clear', 'read');
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
        const queue = new RingQueue<number>();
        const model: number[] = [];
        for (const [index, name] of operations.entries()) {
          if (name === 'push') model.push((queue.push(index), index));
          else if (name === 'unshift') model.unshift((queue.unshift(index), index));
          else if (name === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (name === 'pop') expect(queue.pop()).toBe(model.pop());
          else if (name === 'read') expect([queue.peek(), queue.peekLast()]).toEqual([model[0], model.at(-1)]);
          else if (index % 7 === 0) model.splice(0, (queue.clear(), model.length));
          expect(queue.length).toBe(model.length);
        }
        expect(queue.toArray()).toEqual(model);
      }),
      { numRuns: 200 },
    );
  });

  it('RangeSet behaves like a set of numbers', () => {
    const operation = fc.tuple(
      fc.constantFrom('add', 'add', 'add', 'remove', 'shift', 'dropFirst'),
      fc.nat(60),
      fc.nat(12),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const set = new RangeSet();
        let model = new Set<number>();
        for (const [name, start, length] of operations) {
          const numbers = Array.from({ length }, (_, index) => start + index);
          if (name === 'add') {
            set.add(start, start + length);
            for (const value of numbers) model.add(value);
          } else if (name === 'remove') {
            set.remove(start, start + length);
            for (const value of numbers) model.delete(value);
          } else if (name === 'shift') {
            const range = set.shift();
            expect(range?.start).toBe(model.size === 0 ? undefined : Math.min(...model));
            if (range !== undefined) for (let value = range.start; value < range.end; value += 1) model.delete(value);
          } else {
            const kept = set.toArray().slice(Math.max(0, set.length - length));
            set.dropFirst(length);
            model = new Set(
              [...model].filter((value) => kept.some((range) => value >= range.start && value < range.end)),
            );
          }
          const ranges = set.toArray();
          for (let index = 0; index < ranges.length; index += 1) {
            expect(ranges[index]!.start).toBeLessThan(ranges[index]!.end);
            if (index > 0) expect(ranges[index]!.start).toBeGreaterThan(ranges[index - 1]!.end);
          }
          expect(set.size).toBe(model.size);
          for (let value = 0; value < 75; value += 1)
            if (set.has(value) !== model.has(value)) expect(value).toBe('wrong');
          expect(set.covers(start, start + length)).toBe(numbers.every((value) => model.has(value)));
          expect(set.max).toBe(model.size === 0 ? -1 : Math.max(...model));
        }
      }),
      { numRuns: 200 },
    );
  });
});
