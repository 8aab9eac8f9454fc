/** Faults and bounds of the QPACK decoder. */
import { describe, expect, it } from 'vitest';
import { QpackDecoder } from '../../../../../src/protocols/http3/qpack/index.ts';

function decode(hex: string, maxListSize = 65_536, maxFields = 100): ReturnType<QpackDecoder['decode']> {
  const result = new QpackDecoder({ maxListSize, maxFields }).decode(new Uint8Array(Buffer.from(hex, 'hex')));
  return { ...result };
}

describe('field sections without a dynamic table (RFC 9204 section 4.5)', () => {
  it.each([
    ['an indexed field (4.5.2)', '0000d1', [':method', 'GET']],
    ['the last of the static table (appendix A)', '0000ff23', ['x-frame-options', 'sameorigin']],
    ['a literal with a static name (4.5.4)', '0000500161', [':authority', 'a']],
    ['a literal with a literal name (4.5.6)', '0000' + '2378' + '797a0161', ['xyz', 'a']],
    ['an empty section (4.5.1)', '0000', []],
    ['any Base, which nothing refers to (4.5.1.2)', '0005d1', [':method', 'GET']],
    ['a Huffman-coded value (4.1.2)', '0000508cf1e3c2e5f23a6ba0ab90f4ff', [':authority', 'www.example.com']],
  ] as const)('%s', (_name, hex, headers) => {
    expect(decode(hex)).toMatchObject({ error: undefined, tooLarge: false, headers });
  });

  it.each([
    ['nothing at all', ''],
    ['a prefix cut short (4.5.1)', '00'],
    ['a Required Insert Count that no encoder may produce (4.5.1.1)', '0100'],
    ['a Required Insert Count of two octets (4.5.1.1)', 'ff0000'],
    ['a negative Base (4.5.1.2)', '0080'],
    ['an index beyond the static table (3.1)', '0000ff24'],
    ['a name beyond the static table (3.1)', '00005f5400'],
    ['a dynamic reference (4.5.2)', '000080'],
    ['a post-base reference (4.5.3)', '000010'],
    ['a literal with a dynamic name (4.5.4)', '00004000'],
    ['a literal with a post-base name (4.5.5)', '000000'],
    ['an index cut short', '0000ff'],
    ['a value cut short', '0000500561'],
    ['a value that is not there', '000050'],
    ['a name cut short', '00002761'],
    ['an integer of more than 62 bits (4.1.1)', '0000ff' + 'ff'.repeat(10) + '01'],
    ['a length beyond all numbers (4.1.1)', '0000507f' + 'ff'.repeat(8) + '7f'],
    ['a malformed Huffman code (RFC 7541 section 5.2)', '00005081' + '00'],
    ['a Huffman code of EOS (RFC 7541 section 5.2)', '00005084' + 'ffffffff'],
  ])('refuses %s', (_name, hex) => {
    const { error, headers } = decode(hex);
    expect(error).toBeDefined();
    expect(headers).toEqual([]);
  });

  it('tells which names are never to be indexed (section 7.1.3)', () => {
    const { neverIndexed, headers } = decode('0000' + '750161' + '33' + '78797a' + '0162' + 'd1');
    expect(headers).toEqual(['cookie', 'a', 'xyz', 'b', ':method', 'GET']);
    expect(neverIndexed).toEqual(['cookie', 'xyz']);
  });

  it('bounds the size of a list, 32 for each field added (RFC 9114 section 4.2.2)', () => {
    expect(decode('0000' + 'd1'.repeat(10), 42 * 10).headers).toHaveLength(20);
    expect(decode('0000' + 'd1'.repeat(11), 42 * 10)).toMatchObject({ headers: [], tooLarge: true, error: undefined });
  });

  it('bounds the number of fields', () => {
    expect(decode('0000' + 'd1'.repeat(3), 65_536, 3).tooLarge).toBe(false);
    expect(decode('0000' + 'd1'.repeat(4), 65_536, 3)).toMatchObject({ headers: [], tooLarge: true });
  });

  it('makes no string that is too long, literal or Huffman-coded', () => {
    const long = '0000507f' + '81' + '07' + '61'.repeat(1024);
    expect(decode(long, 500)).toMatchObject({ headers: [], tooLarge: true, error: undefined });
    // 31 times "1" in 5 bits each, 20 octets.
    expect(decode('000050' + '94' + '08421084210842108421084210842108421084'.slice(0, 40) + '21', 40)).toMatchObject({
      tooLarge: true,
      error: undefined,
    });
  });

  it('goes on behind a fault as if nothing had been', () => {
    const decoder = new QpackDecoder({ maxListSize: 1000, maxFields: 10 });
    expect(decoder.decode(Uint8Array.of(1, 0)).error).toBeDefined();
    expect(decoder.decode(Uint8Array.of(0, 0, 0xd1))).toMatchObject({ error: undefined, headers: [':method', 'GET'] });
  });
});
