/**
 * What a peer can do with HPACK alone: bombs of references, crumbs of cookies, games with the table's size, numbers
 * without end. RFC 7541 sections 4, 5.1 and 7.3; CVE-2016-6581, CVE-2026-49975, CVE-2026-47774, CVE-2025-59465.
 *
 * Blocks here are as large as the engine lets them become (maxHeaderBlockBytes). What counts is what one of them makes
 * us keep, and how many steps an octet of it costs: never more than a constant number.
 */
import { describe, expect, it } from 'vitest';
import { HpackDecoder, HpackEncoder } from '../../src/protocols/http2/hpack/index.ts';
import { ByteWriter } from '../../src/wire/index.ts';
import { MemoryWatch } from '../support/attack/memory.ts';

const KIB = 1024;
/** The bound on what a flood may leave: each would leave several times that if anything were kept of it. */
const MIB = 1024 * KIB;
const BLOCK = 64 * KIB;
const LIST = 32 * KIB;
const FIELDS = 128;

function newDecoder(maxTableSize = 4096): HpackDecoder {
  return new HpackDecoder({ maxTableSize, maxListSize: LIST, maxFields: FIELDS });
}

/** A literal with indexing and a new name. */
function entry(name: string, value: string): number[] {
  const writer = new ByteWriter();
  writer.writeUint8(0x40);
  writer.writePrefixedInteger(name.length, 7);
  writer.writeLatin1(name);
  writer.writePrefixedInteger(value.length, 7);
  writer.writeLatin1(value);
  return [...writer.finish()];
}

/** A block of these octets again and again. */
function blockOf(octets: readonly number[], head: readonly number[] = []): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(head);
  for (let at = head.length; at + octets.length <= BLOCK; at += octets.length) block.set(octets, at);
  const used = head.length + octets.length * Math.floor((BLOCK - head.length) / octets.length);
  return block.subarray(0, used);
}

describe('bombs of references (CVE-2016-6581, CVE-2026-49975)', () => {
  it('one octet stands for 4 KiB: 64 KiB would be 256 MiB, and 8 fields of it are kept', async () => {
    const decoder = newDecoder();
    decoder.decode(Uint8Array.from(entry('x', 'v'.repeat(4000))));
    const memory = new MemoryWatch();
    const { headers, listSize, tooLarge, error } = { ...decoder.decode(blockOf([0xbe])) };
    expect({ fields: headers.length / 2, tooLarge, error }).toEqual({ fields: 8, tooLarge: true, error: undefined });
    expect(listSize).toBe(BLOCK * 4033);
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
    expect(decoder.decode(Uint8Array.of(0x82)).headers).toEqual([':method', 'GET']);
  });

  it('the smallest field by reference: 128 are kept', () => {
    const { headers, tooLarge } = newDecoder().decode(blockOf([0x84]));
    expect({ fields: headers.length / 2, tooLarge }).toEqual({ fields: FIELDS, tooLarge: true });
  });

  it('cookie crumbs are counted as fields, with 32 octets each', () => {
    const decoder = newDecoder();
    decoder.decode(Uint8Array.from(entry('cookie', 'a')));
    const { headers, listSize, tooLarge } = decoder.decode(blockOf([0xbe]));
    expect({ fields: headers.length / 2, tooLarge }).toEqual({ fields: FIELDS, tooLarge: true });
    expect(listSize).toBe(BLOCK * 39);
    const small = new HpackDecoder({ maxTableSize: 4096, maxListSize: 390, maxFields: 1000 });
    small.decode(Uint8Array.from(entry('cookie', 'a')));
    expect(small.decode(blockOf([0xbe])).headers.length / 2).toBe(10);
  });

  it('empty cookie crumbs too', () => {
    // Index 32 is cookie with an empty value.
    const { headers, tooLarge } = newDecoder().decode(blockOf([0xa0]));
    expect({ fields: headers.length / 2, tooLarge }).toEqual({ fields: FIELDS, tooLarge: true });
  });

  it('fields of nothing by literals', () => {
    const { headers, tooLarge, error } = newDecoder().decode(blockOf([0x00, 0x00, 0x00]));
    expect({ fields: headers.length / 2, tooLarge, error }).toEqual({
      fields: FIELDS,
      tooLarge: true,
      error: undefined,
    });
  });

  it('two hundred bombs leave what one leaves', async () => {
    const decoder = newDecoder();
    const bomb = blockOf([0xbe], entry('x', 'v'.repeat(4000)));
    decoder.decode(bomb);
    const memory = new MemoryWatch();
    for (let times = 0; times < 200; times += 1) expect(decoder.decode(bomb).tooLarge).toBe(true);
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
    expect(decoder.tableSize).toBeLessThanOrEqual(4096);
  });
});

describe('strings that grow (RFC 7541 section 5.2)', () => {
  it('a Huffman string above the limit is measured, not made', async () => {
    const decoder = newDecoder();
    const writer = new ByteWriter();
    writer.writeUint8(0x04);
    writer.writePrefixedInteger(60_000, 7, 0x80);
    // "0" has the shortest code, five bits that are not set: eight octets of them are "000000000000" and four bits more.
    const block = new Uint8Array(writer.length + 60_000);
    block.set(writer.finish());
    const memory = new MemoryWatch();
    const result = { ...decoder.decode(block) };
    expect(result).toMatchObject({ headers: [], tooLarge: true, error: undefined, listSize: 96_000 + 5 + 32 });
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
  });

  it('a string of a length that is not there takes no memory', () => {
    const { error } = newDecoder().decode(Uint8Array.of(0x04, 0x7f, 0x80, 0xff, 0xff, 0xff, 0x0f, 0x61));
    expect(error).toBe('field block cut short');
  });

  it('a thousand values behind the limit leave nothing', async () => {
    const decoder = new HpackDecoder({ maxTableSize: 0, maxListSize: 100, maxFields: 1 });
    const block = blockOf([0x04, 0x7f, 0x71, ...new Array<number>(240).fill(0x61)]);
    const memory = new MemoryWatch();
    for (let times = 0; times < 100; times += 1) {
      expect(decoder.decode(block)).toMatchObject({ headers: [], tooLarge: true, error: undefined });
    }
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
  });
});

describe("games with the table's size (RFC 7541 sections 4.2 and 6.3)", () => {
  it('above the limit ends the connection, however it is said', () => {
    for (const size of [4097, 65536, 0xffff_ffff]) {
      const writer = new ByteWriter();
      writer.writePrefixedInteger(size, 5, 0x20);
      expect(newDecoder().decode(writer.finish()).error).toMatch(/above the limit 4096/);
    }
  });

  it('a block of size updates alone is an empty list, and the table stays small', () => {
    const decoder = newDecoder();
    expect(decoder.decode(blockOf([0x20, 0x3f, 0xe1, 0x1f]))).toMatchObject({ headers: [], error: undefined });
    expect(decoder.tableSize).toBe(0);
  });

  it('to nothing and back, with entries between: never above the limit', async () => {
    const decoder = newDecoder();
    const memory = new MemoryWatch();
    for (let round = 0; round < 300; round += 1) {
      decoder.decode(Uint8Array.of(0x20));
      const head = [0x3f, 0xe1, 0x1f];
      expect(decoder.decode(blockOf(entry(`n${String(round)}`, 'v'.repeat(round)), head)).error).toBeUndefined();
      expect(decoder.tableSize).toBeLessThanOrEqual(4096);
    }
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
  });

  it('a table of the smallest entries holds as many as its size allows', () => {
    const decoder = newDecoder();
    decoder.decode(blockOf([0x40, 0x00, 0x00]));
    expect(decoder.tableSize).toBe(4096);
    expect(decoder.decode(Uint8Array.of(0xff, 62 + 127 - 127)).headers).toEqual(['', '']);
    expect(decoder.decode(Uint8Array.of(0xff, 62 + 128 - 127)).error).toMatch(/index 190 beyond/);
  });

  it('the peer that allows our encoder four gigabytes gets no more than we want to keep', () => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(0xffff_ffff);
    for (let index = 0; index < 1000; index += 1) {
      encoder.encode([`x-${String(index)}`, 'v'.repeat(100)], new ByteWriter());
      expect(encoder.tableSize).toBeLessThanOrEqual(4096);
    }
  });

  it('names that we are made to send are forgotten with their entries', async () => {
    const encoder = new HpackEncoder();
    const send = (from: number): void => {
      for (let index = from; index < from + 20_000; index += 1) {
        encoder.encode([`x-${String(index)}`, 'v', ':path', `/${String(index)}`], new ByteWriter());
      }
    };
    send(0);
    const memory = new MemoryWatch();
    send(20_000);
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
  });

  it('a peer that changes the size all the time has its updates in two numbers', () => {
    const encoder = new HpackEncoder();
    for (let size = 0; size < 10_000; size += 1) encoder.setMaxTableSize(size % 4096);
    const writer = new ByteWriter();
    encoder.encode([':method', 'GET'], writer);
    expect(Buffer.from(writer.finish()).toString('hex')).toBe('20' + '3ff00d' + '82');
  });
});

describe('numbers without end (RFC 7541 section 5.1)', () => {
  it.each([
    ['an index', [0xff]],
    ['a name index', [0x7f]],
    ['a string length', [0x04, 0x7f]],
    ['a Huffman string length', [0x04, 0xff]],
    ['a table size', [0x3f]],
  ])('%s of 64 KiB is given up after five octets', (_what, head) => {
    for (const octet of [0x80, 0xff]) {
      expect(newDecoder().decode(blockOf([octet], head)).error).toBe('integer of too many octets');
    }
  });

  it.each([
    ['2^32', [0x81, 0xff, 0xff, 0xff, 0x0f]],
    ['2^35', [0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('an index of %s is no small one', (_what, tail) => {
    expect(newDecoder().decode(Uint8Array.from([0xff, ...tail])).error).toBe('integer of more than 32 bits');
  });
});

describe('a broken block', () => {
  it('is told as an error, never thrown, and the decoder is done (CVE-2025-59465)', async () => {
    const decoder = newDecoder();
    const broken = decoder.decode(Uint8Array.of(0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    expect(broken).toMatchObject({ headers: [], error: 'integer of too many octets' });
    const memory = new MemoryWatch();
    for (let times = 0; times < 1000; times += 1) {
      expect(decoder.decode(blockOf(entry('x', 'v'))).error).toBe('integer of too many octets');
    }
    expect(decoder.tableSize).toBe(0);
    expect(await memory.retained(MIB)).toBeLessThan(MIB);
    memory.stop();
  });
});
