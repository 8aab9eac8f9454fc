/** Representations that the QPACK encoder chooses. */
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../../../../src/common/index.ts';
import { QpackDecoder, QpackEncoder } from '../../../../../src/protocols/http3/qpack/index.ts';
import { ByteWriter } from '../../../../../src/wire/index.ts';

function encode(encoder: QpackEncoder, headers: HeaderList, neverIndexed?: readonly string[]): string {
  const writer = new ByteWriter();
  encoder.encode(headers, writer, neverIndexed);
  return Buffer.from(writer.finish()).toString('hex');
}

const once = (headers: HeaderList, neverIndexed?: readonly string[]): string =>
  encode(new QpackEncoder(), headers, neverIndexed);

describe('field sections (RFC 9204 section 4.5)', () => {
  it('begin with a Required Insert Count and a Base of 0 (4.5.1)', () => {
    expect(once([])).toBe('0000');
  });

  it('refer to the static table for name and value (4.5.2), or for the name (4.5.4)', () => {
    expect(once([':method', 'GET', ':status', '200'])).toBe('0000d1d9');
    expect(once([':path', '~'])).toBe('000051017e');
  });

  it('hold literals, Huffman-coded where that is shorter (4.5.6, 4.1.2)', () => {
    expect(once(['~', '~'])).toBe('0000' + '217e' + '017e');
    expect(once(['aaaaa', 'aaaaaaaa'])).toMatch(/^00002c/);
  });

  it('mark secrets, short cookies among them, never to be indexed (7.1.3)', () => {
    for (const [name, first] of [
      ['authorization', 0x7f],
      ['set-cookie', 0x7e],
      ['cookie', 0x75],
    ] as const) {
      expect(Buffer.from(once([name, 'x']), 'hex')[2]).toBe(first);
    }
    expect(Buffer.from(once(['cookie', 'x'.repeat(40)]), 'hex')[2]).toBe(0x55);
    // Not by reference either, though the table has an empty one.
    expect(Buffer.from(once(['authorization', '']), 'hex')[2]).toBe(0x7f);
    expect(Buffer.from(once(['x-api-key', 'k']), 'hex')[2]! & 0xf0).toBe(0x30);
  });

  it('keep the mark of whoever sent the field before', () => {
    expect(once(['accept', '*/*'])).toBe('0000dd');
    expect(Buffer.from(once(['accept', '*/*'], ['accept']), 'hex')[2]).toBe(0x7f);
  });

  it('come out alike when a list is sent again, or changes in one place', () => {
    const encoder = new QpackEncoder();
    const lists = [
      ['x-one', 'a', 'x-two', 'b', 'cookie', 'c'],
      ['x-one', 'a', 'x-two', 'b', 'cookie', 'c'],
      ['x-one', 'a', 'x-two', 'B', 'cookie', 'c'],
      ['x-one', 'a', 'x-one', 'a', 'x-two', 'B'],
    ];
    for (const list of lists) expect(encode(encoder, list)).toBe(once(list));
    expect(encode(encoder, lists[0]!, ['x-one'])).toBe(once(lists[0]!, ['x-one']));
    expect(encode(encoder, lists[0]!)).toBe(once(lists[0]!));
  });

  it('say their size as SETTINGS_MAX_FIELD_SECTION_SIZE counts it (RFC 9114 section 4.2.2)', () => {
    expect(new QpackEncoder().encode([':method', 'GET', 'ab', 'c'], new ByteWriter())).toBe(10 + 3 + 64);
  });

  it('pass any octet', () => {
    const value = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));
    const section = new Uint8Array(Buffer.from(once(['x', value, 'y', value.repeat(5)]), 'hex'));
    const { headers } = new QpackDecoder({ maxListSize: 1 << 20, maxFields: 10 }).decode(section);
    expect(headers).toEqual(['x', value, 'y', value.repeat(5)]);
  });
});
