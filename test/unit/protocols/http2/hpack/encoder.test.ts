import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../../../../src/common/index.ts';
import { HpackDecoder, HpackEncoder } from '../../../../../src/protocols/http2/hpack/index.ts';
import { ByteWriter } from '../../../../../src/wire/index.ts';

function encode(encoder: HpackEncoder, headers: HeaderList, neverIndexed?: readonly string[]): string {
  const writer = new ByteWriter();
  encoder.encode(headers, writer, neverIndexed);
  return Buffer.from(writer.finish()).toString('hex');
}

/** How a field is represented, by its first octet (RFC 7541 section 6). */
function formOf(hex: string): string {
  const octet = Number.parseInt(hex.slice(0, 2), 16);
  if (octet >= 0x80) return 'indexed';
  if (octet >= 0x40) return 'indexing';
  if (octet >= 0x20) return 'size';
  return octet >= 0x10 ? 'never' : 'plain';
}

/** The forms of one field that is sent several times on a connection. */
function formsOf(name: string, ...values: string[]): string[] {
  const encoder = new HpackEncoder();
  return values.map((value) => formOf(encode(encoder, [name, value])));
}

function newDecoder(): HpackDecoder {
  return new HpackDecoder({ maxTableSize: 4096, maxListSize: 65536, maxFields: 100 });
}

const LONG = 'a'.repeat(20);

describe('representations (RFC 7541 section 6)', () => {
  it('6.1: a field of the static table is its index', () => {
    expect(encode(new HpackEncoder(), [':method', 'GET', ':path', '/', ':status', '404'])).toBe('82848d');
  });

  it('6.2.1: a new field goes into the table, and is an index then', () => {
    const encoder = new HpackEncoder();
    expect(encode(encoder, ['server', 'x', 'x-a', 'b'])).toBe('760178' + '4003782d610162');
    expect(encoder.tableSize).toBe(39 + 36);
    expect(encode(encoder, ['server', 'x', 'x-a', 'b'])).toBe('bfbe');
    expect(encode(encoder, ['x-a', 'b', 'server', 'x'])).toBe('bebf');
  });

  it('a name that is in the dynamic table alone is an index too', () => {
    const encoder = new HpackEncoder();
    encode(encoder, ['x-custom', 'one']);
    expect(encode(encoder, ['x-custom', '~~']).slice(0, 2)).toBe('7e');
    expect(encode(encoder, ['x-custom', 'one'])).toBe('bf');
    expect(encode(encoder, ['x-custom', '~~'])).toBe('be');
  });

  it('5.2: a string is Huffman coded where that is shorter', () => {
    expect(encode(new HpackEncoder(), [':path', '/hello'])).toBe('048562' + '72d141ff');
    expect(encode(new HpackEncoder(), [':path', '\\\\'])).toBe('04025c5c');
    expect(encode(new HpackEncoder(), [':path', ''])).toBe('0400');
  });

  it('5.1: lengths and indexes of more than a prefix', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const list = Array.from({ length: 100 }, (_, index) => [`x-${String(index)}`, '~'.repeat(index)]).flat();
    for (let times = 0; times < 3; times += 1) {
      expect(decoder.decode(Buffer.from(encode(encoder, list), 'hex')).headers).toEqual(list);
      expect(encoder.tableSize).toBe(decoder.tableSize);
    }
  });

  it('an octet above 127 goes as it is', () => {
    const decoder = newDecoder();
    const list = ['x', '\xe9\xff\x80'];
    expect(decoder.decode(Buffer.from(encode(new HpackEncoder(), list), 'hex')).headers).toEqual(list);
  });

  it('an empty list is an empty block', () => {
    expect(encode(new HpackEncoder(), [])).toBe('');
  });
});

describe('what is indexed', () => {
  it.each([
    'authentication-info',
    'authorization',
    'proxy-authentication-info',
    'proxy-authorization',
    'set-cookie',
    'x-amz-security-token',
    'x-api-key',
    'x-auth-token',
    'x-csrf-token',
    'x-xsrf-token',
  ])('7.1.3: %s never', (name) => {
    expect(formsOf(name, 'secret', 'secret', LONG, LONG, '')).toEqual(Array.from({ length: 5 }, () => 'never'));
  });

  it('7.1.3: a short cookie never, a long one when it comes first', () => {
    expect(formsOf('cookie', 'a=1', 'a=1', 'a=1', LONG.slice(1))).toEqual(['never', 'never', 'never', 'never']);
    expect(formsOf('cookie', LONG, LONG)).toEqual(['indexing', 'indexed']);
  });

  it('7.1.3: an empty value of a secret is not the static entry', () => {
    expect(encode(new HpackEncoder(), ['authorization', ''])).toBe('1f0800');
  });

  it('6.2.3: what came as never to be indexed goes on so, even if it is in the table', () => {
    const encoder = new HpackEncoder();
    encode(encoder, ['x-a', LONG]);
    expect(formOf(encode(encoder, ['x-a', LONG], ['x-a']))).toBe('never');
    expect(formOf(encode(encoder, ['x-a', LONG], ['x-b']))).toBe('indexed');
    expect(formOf(encode(encoder, [':method', 'GET'], [':method']))).toBe('never');
    expect(formOf(encode(encoder, ['x-new', LONG], ['x-new']))).toBe('never');
    expect(encoder.tableSize).toBe(23 + 32);
  });

  it('a secret leaves no trace by which a later field would be another', () => {
    const encoder = new HpackEncoder();
    encode(encoder, ['x-a', 'secret'], ['x-a']);
    expect(formOf(encode(encoder, ['x-a', 'secret']))).toBe('indexing');
    const path = new HpackEncoder();
    encode(path, [':path', '/secret'], [':path']);
    expect(formOf(encode(path, [':path', '/secret']))).toBe('plain');
  });

  it.each([
    ':path',
    'age',
    'content-length',
    'etag',
    'if-modified-since',
    'if-none-match',
    'last-modified',
    'location',
  ])('%s when its value comes twice in a row', (name) => {
    expect(formsOf(name, '1~', '2~', '3~', '3~', '3~', '4~', '3~')).toEqual([
      ...['plain', 'plain', 'plain', 'indexing', 'indexed', 'plain', 'indexed'],
    ]);
  });

  it('other fields at once', () => {
    for (const name of ['date', 'server', 'content-type', 'user-agent', ':authority', 'x-anything']) {
      expect(formsOf(name, 'a', 'b', 'a', 'b')).toEqual(['indexing', 'indexing', 'indexed', 'indexed']);
    }
  });

  it('4.4: what is larger than the table not at all', () => {
    const encoder = new HpackEncoder();
    encode(encoder, ['x-a', 'b']);
    expect(formOf(encode(encoder, ['x-b', 'v'.repeat(4096 - 32 - 2)]))).toBe('plain');
    expect(encode(encoder, ['x-a', 'b'])).toBe('be');
    expect(formOf(encode(encoder, ['x-b', 'v'.repeat(4096 - 32 - 3)]))).toBe('indexing');
    expect(encoder.tableSize).toBe(4096);
    expect(formOf(encode(encoder, ['x-a', 'b']))).toBe('indexing');
  });
});

describe('SETTINGS_HEADER_TABLE_SIZE (RFC 7541 section 4.2)', () => {
  const field = ['x', '~'];
  const first = '400178017e';

  it('nothing is said while it stays at 4096, or goes above what we use', () => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(4096);
    expect(encode(encoder, field)).toBe(first);
    encoder.setMaxTableSize(65536);
    expect(encode(encoder, field)).toBe('be');
  });

  it('a smaller size is said at the start of the next block, once', () => {
    const encoder = new HpackEncoder();
    encode(encoder, field);
    encoder.setMaxTableSize(0);
    expect(encode(encoder, field)).toBe('20' + '000178017e');
    expect(encode(encoder, field)).toBe('000178017e');
    expect(encoder.tableSize).toBe(0);
  });

  it('a smaller size evicts at both ends alike', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const list = ['x-1', LONG, 'x-2', LONG, 'x-3', LONG];
    decoder.decode(Buffer.from(encode(encoder, list), 'hex'));
    encoder.setMaxTableSize(111);
    decoder.setMaxTableSize(111);
    const block = encode(encoder, ['x-3', LONG, 'x-2', LONG]);
    expect(block).toBe('3f50' + 'bebf');
    expect(decoder.decode(Buffer.from(block, 'hex')).headers).toEqual(['x-3', LONG, 'x-2', LONG]);
    expect(encoder.tableSize).toBe(110);
    expect(decoder.tableSize).toBe(110);
  });

  it('the least of several sizes comes first, then the last one', () => {
    const encoder = new HpackEncoder();
    encode(encoder, field);
    encoder.setMaxTableSize(1000);
    encoder.setMaxTableSize(0);
    encoder.setMaxTableSize(2000);
    expect(encode(encoder, field)).toBe('20' + '3fb10f' + first);
  });

  it('down and up to the same size is said too, since the peer has forgotten', () => {
    const encoder = new HpackEncoder();
    encode(encoder, field);
    encoder.setMaxTableSize(0);
    encoder.setMaxTableSize(4096);
    expect(encode(encoder, field)).toBe('20' + '3fe11f' + first);
    expect(encode(encoder, field)).toBe('be');
  });

  it('a size that is again less, in a later block, is said again', () => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(100);
    encode(encoder, field);
    encoder.setMaxTableSize(200);
    expect(encode(encoder, field)).toBe('3fa901' + 'be');
    encoder.setMaxTableSize(100);
    expect(encode(encoder, field)).toBe('3f45' + 'be');
  });

  it('our own maximum holds, whatever the peer allows', () => {
    const small = new HpackEncoder({ maxTableSize: 100 });
    expect(encode(small, field)).toBe('3f45' + first);
    small.setMaxTableSize(4096);
    expect(encode(small, field)).toBe('be');
    const large = new HpackEncoder({ maxTableSize: 8192 });
    expect(encode(large, field)).toBe(first);
    large.setMaxTableSize(1 << 20);
    expect(encode(large, field)).toBe('3fe13f' + 'be');
    const none = new HpackEncoder({ maxTableSize: 0 });
    expect(encode(none, field)).toBe('20' + '000178017e');
  });

  it('4.2: a decoder takes what is said', () => {
    const encoder = new HpackEncoder({ maxTableSize: 65536 });
    const decoder = newDecoder();
    for (const size of [0, 4096, 100, 65536, 31, 32, 33, 40, 20, 10000]) {
      encoder.setMaxTableSize(size);
      decoder.setMaxTableSize(size);
      for (let times = 0; times < 2; times += 1) {
        const { error, headers } = decoder.decode(Buffer.from(encode(encoder, field), 'hex'));
        expect({ size, error, headers }).toEqual({ size, error: undefined, headers: field });
        expect(encoder.tableSize).toBe(decoder.tableSize);
      }
    }
  });
});

describe('eviction', () => {
  it('forgets fields and names, so that no index points to another', () => {
    const encoder = new HpackEncoder({ maxTableSize: 100 });
    const decoder = newDecoder();
    const names = ['x-a', 'x-b', 'x-c', 'x-d', 'server'];
    let different = 0;
    for (let round = 0; round < 400; round += 1) {
      const list = [names[(round * 7) % 5] as string, `~${String((round * 3) % 4)}`, names[round % 3] as string, '~0'];
      const { headers } = decoder.decode(Buffer.from(encode(encoder, list), 'hex'));
      if (headers.join() !== list.join()) different += 1;
      if (encoder.tableSize !== decoder.tableSize) different += 1;
    }
    expect(different).toBe(0);
  });

  it('an entry that evicts the one it names is whole at both ends', () => {
    const encoder = new HpackEncoder({ maxTableSize: 60 });
    const decoder = newDecoder();
    for (const value of ['one~', 'two~', 'one~', 'three~~', 'three~~']) {
      const { headers } = decoder.decode(Buffer.from(encode(encoder, ['x-name', value]), 'hex'));
      expect(headers).toEqual(['x-name', value]);
    }
  });
});
