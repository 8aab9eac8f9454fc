import { describe, expect, it } from 'vitest';
import type { HpackDecodeResult, HpackDecoderOptions } from '../../../../../src/protocols/http2/hpack/index.ts';
import { HpackDecoder } from '../../../../../src/protocols/http2/hpack/index.ts';

function newDecoder(options: Partial<HpackDecoderOptions> = {}): HpackDecoder {
  return new HpackDecoder({ maxTableSize: 4096, maxListSize: 65536, maxFields: 100, ...options });
}

/** Hex, with spaces where they help. */
function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function decode(hex: string, decoder: HpackDecoder = newDecoder()): HpackDecodeResult {
  return { ...decoder.decode(octets(hex)) };
}

/** A string literal without Huffman codes. */
function text(value: string): string {
  const length = value.length.toString(16).padStart(2, '0');
  return length + Buffer.from(value, 'latin1').toString('hex');
}

describe('representations (RFC 7541 section 6)', () => {
  it('an empty block is an empty list', () => {
    expect(decode('')).toEqual({ headers: [], listSize: 0, tooLarge: false, neverIndexed: [], error: undefined });
  });

  it('6.1: an index of the dynamic table, the newest first', () => {
    const decoder = newDecoder();
    decode(`40 ${text('a')} ${text('1')} 40 ${text('b')} ${text('2')}`, decoder);
    expect(decode('be bf', decoder).headers).toEqual(['b', '2', 'a', '1']);
  });

  it('6.2.1: a literal with indexing is in the table, with a name of either table or a new one', () => {
    const decoder = newDecoder();
    expect(decode(`40 ${text('x')} ${text('1')} 7e ${text('2')} 5f ${text('t/h')}`, decoder).headers).toEqual([
      ...['x', '1'],
      ...['x', '2'],
      ...['content-type', 't/h'],
    ]);
    expect(decode('be bf c0', decoder).headers).toEqual(['content-type', 't/h', 'x', '2', 'x', '1']);
    expect(decoder.tableSize).toBe(34 + 34 + 47);
  });

  it('6.2.2: a literal without indexing leaves the table alone', () => {
    const decoder = newDecoder();
    expect(decode(`00 ${text('x')} ${text('1')} 0f 10 ${text('t/h')}`, decoder)).toMatchObject({
      headers: ['x', '1', 'content-type', 't/h'],
      neverIndexed: [],
    });
    expect(decoder.tableSize).toBe(0);
  });

  it('6.2.3: a literal never indexed leaves the table alone, and its name is told', () => {
    const decoder = newDecoder();
    expect(decode(`10 ${text('x')} ${text('1')} 1f 08 ${text('s')}`, decoder)).toMatchObject({
      headers: ['x', '1', 'authorization', 's'],
      neverIndexed: ['x', 'authorization'],
    });
    expect(decoder.tableSize).toBe(0);
  });

  it('2.3.2: the same field may be in the table twice', () => {
    const decoder = newDecoder();
    decode(`40 ${text('x')} ${text('1')} 40 ${text('x')} ${text('1')}`, decoder);
    expect(decoder.tableSize).toBe(68);
    expect(decode('be bf', decoder).headers).toEqual(['x', '1', 'x', '1']);
  });

  it('octets above 127 are latin1', () => {
    expect(decode(`00 ${text('x')} ${text('\xe9\xff')}`).headers).toEqual(['x', '\xe9\xff']);
  });

  it('5.2: empty strings, with and without Huffman codes', () => {
    expect(decode(`00 ${text('x')} 00 00 ${text('x')} 80`).headers).toEqual(['x', '', 'x', '']);
  });

  it('reads from a view into a larger buffer', () => {
    const memory = octets(`ffff 00 ${text('x')} ${text('1')} ffff`);
    expect(newDecoder().decode(memory.subarray(2, -2)).headers).toEqual(['x', '1']);
  });
});

describe('decoding errors (RFC 7541, RFC 9113 section 4.3)', () => {
  const rows: [section: string, what: string, hex: string, error: RegExp][] = [
    ['6.1', 'index 0', '80', /index 0/],
    ['2.3.3', 'an index beyond the static table with an empty dynamic one', 'be', /index 62 beyond/],
    ['2.3.3', 'an index beyond both tables', `40 ${text('x')} ${text('1')} bf`, /index 63 beyond/],
    ['2.3.3', 'a great index', 'ff ff ff ff 07', /index 16777\d+ beyond/],
    ['2.3.3', 'a name index beyond the tables, with indexing', `7e ${text('1')}`, /index 62 beyond/],
    ['2.3.3', 'a name index beyond the tables, without indexing', `0f 2f ${text('1')}`, /index 62 beyond/],
    ['2.3.3', 'a name index beyond the tables, never indexed', `1f 2f ${text('1')}`, /index 62 beyond/],
    ['5.1', 'an integer of six octets behind the prefix', 'ff 80 80 80 80 80 00', /too many octets/],
    ['5.1', 'an integer of more than 32 bits', 'ff ff ff ff ff 7f', /more than 32 bits/],
    ['5.1', 'an endless integer', `ff${'ff'.repeat(40)}`, /too many octets/],
    ['5.1', 'an integer of leading zeros without end', `7f${'80'.repeat(40)}`, /too many octets/],
    ['5.1', 'a string length of more than 32 bits', '00 7f ff ff ff ff 7f', /more than 32 bits/],
    ['5.1', 'a name index of too many octets', '0f 80 80 80 80 80 01', /too many octets/],
    ['5.1', 'a table size of too many octets', '3f 80 80 80 80 80 01', /too many octets/],
    ['5.1', 'a block that ends in an index', 'ff', /cut short/],
    ['5.1', 'a block that ends within an integer', 'ff 80 80', /cut short/],
    ['5.1', 'a block that ends in a table size', '3f', /cut short/],
    ['5.2', 'a block that ends before the name', '40', /cut short/],
    ['5.2', 'a block that ends before the value', `40 ${text('x')}`, /cut short/],
    ['5.2', 'a block that ends before the value of a known name', '44', /cut short/],
    ['5.2', 'a block that ends within the name', '40 05 6161', /cut short/],
    ['5.2', 'a block that ends within the value', '44 05 6161', /cut short/],
    ['5.2', 'a string of four gigabytes less one', '44 7f 80 ff ff ff 0f', /cut short/],
    ['5.2', 'EOS in a name', `40 84 ffffffff ${text('1')}`, /Huffman/],
    ['5.2', 'EOS in a value', '44 84 ffffffff', /Huffman/],
    ['5.2', 'EOS behind a symbol', '44 85 1ffffffff7', /Huffman/],
    ['5.2', 'padding of eight bits', '44 82 1fff', /Huffman/],
    ['5.2', 'padding of eight bits alone', '44 81 ff', /Huffman/],
    ['5.2', 'padding with a bit that is not set', '44 81 18', /Huffman/],
    ['5.2', 'padding of zeros', '44 81 00', /Huffman/],
    ['4.2', 'a table size update behind a field', '82 20', /size update behind/],
    ['4.2', 'a table size update behind a field, by a cached prefix', `82 ${'82'.repeat(8)} 3f e1 1f`, /behind/],
    ['6.3', 'a table size above the limit', '3f e2 1f', /table size 4097 above the limit 4096/],
    ['6.3', 'a table size of 32 bits', '3f e0 ff ff ff 0f', /above the limit/],
  ];

  it.each(rows)('%s: %s', (_section, _what, hex, error) => {
    const result = decode(hex);
    expect(result.error).toMatch(error);
    expect(result.headers).toEqual([]);
  });

  it('5.2: padding of seven bits that are set is right', () => {
    // "0" is five bits that are not set: five of them leave seven. "o" is 00111, "&" 11111000.
    expect(decode('44 84 0000007f').headers).toEqual([':path', '00000']);
    expect(decode('44 81 3f').headers).toEqual([':path', 'o']);
    expect(decode('44 81 f8').headers).toEqual([':path', '&']);
  });

  it('5.1: an integer may have leading zeros within its five octets', () => {
    expect(decode('ff 80 80 80 80 00').error).toMatch(/index 127 beyond/);
  });

  it('says it again for every further block: the tables are out of step', () => {
    const decoder = newDecoder();
    expect(decode('80', decoder).error).toBe('index 0');
    expect(decode('82', decoder)).toMatchObject({ headers: [], error: 'index 0' });
  });

  it('names nothing of a block that fails behind good fields', () => {
    expect(decode(`82 87 10 ${text('x')} ${text('1')} 80`)).toMatchObject({ headers: [], error: 'index 0' });
  });
});

describe('the dynamic table (RFC 7541 section 4)', () => {
  it('4.1, 4.4: an entry counts 32 octets besides its own, and the oldest go when one comes', () => {
    const decoder = newDecoder({ maxTableSize: 68 });
    decode(`40 ${text('a')} ${text('1')} 40 ${text('b')} ${text('2')}`, decoder);
    expect(decoder.tableSize).toBe(68);
    decode(`40 ${text('c')} ${text('3')}`, decoder);
    expect(decoder.tableSize).toBe(68);
    expect(decode('be bf', decoder).headers).toEqual(['c', '3', 'b', '2']);
    expect(decode('c0', decoder).error).toMatch(/beyond/);
  });

  it('4.4: an entry larger than the table empties it, and is no error', () => {
    const decoder = newDecoder({ maxTableSize: 68 });
    decode(`40 ${text('a')} ${text('1')}`, decoder);
    expect(decode(`40 ${text('b')} ${text('2'.repeat(36))}`, decoder).headers).toEqual(['b', '2'.repeat(36)]);
    expect(decoder.tableSize).toBe(0);
    expect(decode('be', decoder).error).toMatch(/beyond/);
  });

  it('4.4: a name may be that of the entry that goes for it', () => {
    const decoder = newDecoder({ maxTableSize: 40 });
    decode(`40 ${text('name')} ${text('1')}`, decoder);
    expect(decode(`7e ${text('22')}`, decoder).headers).toEqual(['name', '22']);
    expect(decode('be', decoder).headers).toEqual(['name', '22']);
    expect(decoder.tableSize).toBe(38);
  });

  it('4.3: entries go when the table becomes smaller', () => {
    const decoder = newDecoder();
    decode(`40 ${text('a')} ${text('1')} 40 ${text('b')} ${text('2')}`, decoder);
    // 3f 0f: 31 + 15 = 46.
    expect(decode('3f 0f be', decoder).headers).toEqual(['b', '2']);
    expect(decoder.tableSize).toBe(34);
  });

  it('4.2: a table of size 0 holds nothing, and may be enlarged again in the same block', () => {
    const decoder = newDecoder();
    decode(`40 ${text('a')} ${text('1')}`, decoder);
    expect(decode(`20 3f e1 1f 40 ${text('b')} ${text('2')}`, decoder).headers).toEqual(['b', '2']);
    expect(decoder.tableSize).toBe(34);
    decode(`20 40 ${text('b')} ${text('2')}`, decoder);
    expect(decoder.tableSize).toBe(0);
  });

  it('keeps as many entries as fit, in order', () => {
    const decoder = newDecoder();
    const names = Array.from({ length: 110 }, (_, index) => String(index).padStart(2, 'x'));
    decode(names.map((name) => `40 ${text(name)} 00`).join(''), decoder);
    for (const [index, name] of [...names].reverse().entries()) {
      const position = 62 + index;
      const hex =
        position < 127 ? (0x80 | position).toString(16) : `ff${(position - 127).toString(16).padStart(2, '0')}`;
      expect(decode(hex, decoder).headers).toEqual([name, '']);
    }
  });
});

describe('SETTINGS_HEADER_TABLE_SIZE (RFC 7541 section 4.2, RFC 9113 section 4.3.1)', () => {
  it('a block behind a smaller one must begin with a size update', () => {
    const decoder = newDecoder();
    decoder.setMaxTableSize(100);
    expect(decode('82', decoder).error).toMatch(/no table size update to 100 or less/);
  });

  it('even an empty one', () => {
    const decoder = newDecoder();
    decoder.setMaxTableSize(100);
    expect(decode('', decoder).error).toMatch(/no table size update/);
  });

  it('also one that was repeated before', () => {
    const decoder = newDecoder();
    for (let times = 0; times < 4; times += 1) expect(decode('82 87', decoder).error).toBeUndefined();
    decoder.setMaxTableSize(100);
    expect(decode('82 87', decoder).error).toMatch(/no table size update/);
  });

  it('an update to the limit or less will do; the next block needs none', () => {
    for (const update of ['3f 45', '20', '3f 00']) {
      const decoder = newDecoder();
      decoder.setMaxTableSize(100);
      expect(decode(`${update} 82`, decoder).headers).toEqual([':method', 'GET']);
      expect(decode('82', decoder).error).toBeUndefined();
    }
  });

  it('one above the new limit will not', () => {
    const decoder = newDecoder();
    decoder.setMaxTableSize(100);
    expect(decode('3f 46 82', decoder).error).toMatch(/table size 101 above the limit 100/);
  });

  it('the least size of several counts, and the last one is the limit', () => {
    const changed = (): HpackDecoder => {
      const decoder = newDecoder();
      decoder.setMaxTableSize(100);
      decoder.setMaxTableSize(200);
      return decoder;
    };
    expect(decode('3f 45 82', changed()).error).toBeUndefined();
    expect(decode('3f 45 3f a9 01 82', changed()).error).toBeUndefined();
    expect(decode('3f a9 01 82', changed()).error).toMatch(/no table size update to 100 or less/);
    expect(decode('3f 45 3f aa 01 82', changed()).error).toMatch(/table size 201 above the limit 200/);
  });

  it('a greater limit asks for nothing, and may be used', () => {
    const decoder = newDecoder();
    decoder.setMaxTableSize(65536);
    expect(decode('82', decoder).error).toBeUndefined();
    expect(decode('3f e1 ff 03 82', decoder).error).toBeUndefined();
  });

  it('a limit below 4096 asks for nothing once the encoder is below it', () => {
    const decoder = newDecoder();
    decode('3f 45 82', decoder);
    decoder.setMaxTableSize(1000);
    expect(decode('82', decoder).error).toBeUndefined();
    expect(decode('3f ca 07', decoder).error).toMatch(/above the limit 1000/);
  });
});

describe('limits on the list (RFC 9113 section 6.5.2)', () => {
  it('counts names, values and 32 for each field', () => {
    expect(decode(`82 00 ${text('ab')} ${text('cde')}`).listSize).toBe(7 + 3 + 32 + 5 + 32);
  });

  it('takes a list of just the size and number, and none above', () => {
    expect(decode('82 82', newDecoder({ maxListSize: 84 })).tooLarge).toBe(false);
    expect(decode('82 82', newDecoder({ maxListSize: 83 }))).toMatchObject({
      headers: [':method', 'GET'],
      listSize: 84,
      tooLarge: true,
    });
    expect(decode('82 82', newDecoder({ maxFields: 2 })).tooLarge).toBe(false);
    expect(decode('82 82', newDecoder({ maxFields: 1 }))).toMatchObject({
      headers: [':method', 'GET'],
      tooLarge: true,
    });
  });

  it('drops all fields behind the limit, small ones too, and counts them', () => {
    const long = text('v'.repeat(100));
    const decoder = newDecoder({ maxListSize: 120 });
    expect(decode(`82 00 ${text('a')} ${long} 82`, decoder)).toMatchObject({
      headers: [':method', 'GET'],
      listSize: 42 + 133 + 42,
      tooLarge: true,
      error: undefined,
    });
    expect(decode('82', decoder)).toMatchObject({ tooLarge: false, headers: [':method', 'GET'] });
  });

  it('keeps the table in step behind the limit', () => {
    const decoder = newDecoder({ maxFields: 1 });
    const block = `82 40 ${text('a')} ${text('1')} 40 ${text('b')} 81 3f 7e ${text('2')}`;
    expect(decode(block, decoder)).toMatchObject({ tooLarge: true, error: undefined });
    expect(decoder.tableSize).toBe(3 * 34);
    expect(decode('be', decoder).headers).toEqual(['b', '2']);
    expect(decode('bf', decoder).headers).toEqual(['b', 'o']);
    expect(decode('c0', decoder).headers).toEqual(['a', '1']);
  });

  it('an entry too large for the table and the list empties the table', () => {
    for (const literal of [text('v'.repeat(100)), `ff1b${'1f'.repeat(154)}`]) {
      const decoder = newDecoder({ maxListSize: 100, maxTableSize: 100 });
      decode(`40 ${text('a')} ${text('1')}`, decoder);
      expect(decode(`40 ${text('b')} ${literal}`, decoder)).toMatchObject({
        headers: [],
        tooLarge: true,
        error: undefined,
      });
      expect(decoder.tableSize).toBe(0);
      decode(`40 ${text('a')} ${text('1')}`, decoder);
      expect(decode(`40 ${literal} ${text('b')}`, decoder)).toMatchObject({ headers: [], tooLarge: true });
      expect(decoder.tableSize).toBe(0);
    }
  });

  it('finds faults behind the limit', () => {
    const decoder = (): HpackDecoder => newDecoder({ maxFields: 0, maxTableSize: 0, maxListSize: 0 });
    expect(decode('82 44 81 00', decoder()).error).toMatch(/Huffman/);
    expect(decode('82 04 84 ffffffff', decoder()).error).toMatch(/Huffman/);
    expect(decode('82 04 81 18', decoder()).error).toMatch(/Huffman/);
    expect(decode('82 04 05', decoder()).error).toMatch(/cut short/);
    expect(decode('82 be', decoder()).error).toMatch(/beyond/);
    expect(decode('82 20', decoder()).error).toMatch(/behind a field/);
    expect(decode('82 04 81 3f', decoder())).toMatchObject({ error: undefined, listSize: 42 + 38 });
  });
});

describe('repeated blocks', () => {
  it('give the very same list, frozen, and no other block does', () => {
    const decoder = newDecoder();
    const [first, second, third, fourth] = ['82 87', '82 87', '82 87', '82 86'].map((hex) => decode(hex, decoder));
    expect(first?.headers).toEqual([':method', 'GET', ':scheme', 'https']);
    expect(third?.headers).toBe(second?.headers);
    expect(Object.isFrozen(third?.headers)).toBe(true);
    expect(third).toEqual(first);
    expect(fourth?.headers).toEqual([':method', 'GET', ':scheme', 'http']);
  });

  it('mean something else once the table has changed', () => {
    const decoder = newDecoder();
    decode(`40 ${text('a')} ${text('1')}`, decoder);
    for (let times = 0; times < 3; times += 1) expect(decode('be', decoder).headers).toEqual(['a', '1']);
    decode(`40 ${text('b')} ${text('2')}`, decoder);
    for (let times = 0; times < 3; times += 1) expect(decode('be', decoder).headers).toEqual(['b', '2']);
    decode('20', decoder);
    expect(decode('be', decoder).error).toMatch(/beyond/);
  });

  it('add to the table each time', () => {
    const decoder = newDecoder();
    for (let times = 1; times < 5; times += 1) {
      expect(decode(`40 ${text('a')} ${text('1')}`, decoder).headers).toEqual(['a', '1']);
      expect(decoder.tableSize).toBe(34 * times);
    }
  });

  it('say again what was never indexed', () => {
    const decoder = newDecoder();
    for (let times = 0; times < 4; times += 1) {
      expect(decode(`10 ${text('x')} ${text('1')}`, decoder)).toMatchObject({
        headers: ['x', '1'],
        neverIndexed: ['x'],
      });
    }
  });

  it('are too large each time', () => {
    const decoder = newDecoder({ maxFields: 1 });
    for (let times = 0; times < 4; times += 1) {
      expect(decode('82 87', decoder)).toMatchObject({ headers: [':method', 'GET'], tooLarge: true });
    }
  });

  it('are told apart when their hashes are the same', () => {
    // The hash takes the octets before times 31: 2, 41 and 1, 60 are alike.
    const decoder = newDecoder();
    const one = '04 02 02 41';
    const two = '04 02 01 60';
    for (let times = 0; times < 3; times += 1) {
      expect(decode(one, decoder).headers).toEqual([':path', '\x02A']);
      expect(decode(two, decoder).headers).toEqual([':path', '\x01`']);
    }
  });

  it('of no octets are an empty list', () => {
    const decoder = newDecoder();
    for (let times = 0; times < 4; times += 1) expect(decode('', decoder).headers).toEqual([]);
  });
});
