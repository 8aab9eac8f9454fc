import { describe, expect, it } from 'vitest';
import { PINNED_FACTOR, ReceiveBuffer, SMALL_MEMORY } from '../../../src/wire/index.ts';

/** Bytes with memory of their own, of exactly their size. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function text(chunk: Uint8Array): string {
  return Buffer.from(chunk).toString('latin1');
}

function filled(...chunks: string[]): ReceiveBuffer {
  const buffer = new ReceiveBuffer();
  for (const chunk of chunks) buffer.append(bytes(chunk));
  return buffer;
}

const HEAD = 'GET / HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n';

describe('ReceiveBuffer: searches (RFC 9112 section 2.2)', () => {
  it('finds the end of a head within one chunk', () => {
    const buffer = filled(`${HEAD}body`);
    expect(buffer.findHeadEnd()).toBe(HEAD.length - 4);
    expect(buffer.findCrlf()).toBe(14);
    expect(buffer.latin1(0, HEAD.length)).toBe(HEAD);
    expect(buffer.size).toBe(HEAD.length + 4);
  });

  it('finds it wherever two chunks part, and leaves what follows uncopied', () => {
    const body = 'x'.repeat(5000);
    for (let cut = 1; cut < HEAD.length; cut += 1) {
      const second = bytes(HEAD.slice(cut) + body);
      const buffer = new ReceiveBuffer();
      buffer.append(bytes(HEAD.slice(0, cut)));
      expect(buffer.findHeadEnd()).toBe(-1);
      buffer.append(second);
      expect(buffer.findHeadEnd()).toBe(HEAD.length - 4);
      expect(buffer.latin1(0, HEAD.length)).toBe(HEAD);
      buffer.skip(HEAD.length);
      const rest = buffer.take();
      expect(text(rest)).toBe(body);
      expect(rest.buffer).toBe(second.buffer);
      expect(buffer.size).toBe(0);
    }
  });

  it('finds it when every byte comes alone', () => {
    const buffer = new ReceiveBuffer();
    for (let index = 0; index < HEAD.length; index += 1) {
      expect(buffer.findHeadEnd()).toBe(-1);
      expect(buffer.findCrlf()).toBe(index < 16 ? -1 : 14);
      buffer.append(bytes(HEAD[index] ?? ''));
    }
    expect(buffer.findHeadEnd()).toBe(HEAD.length - 4);
  });

  it('finds it when the delimiter is spread over four chunks', () => {
    const buffer = filled('a\r', '\n', '\r', `\n${'b'.repeat(100)}`);
    expect(buffer.findHeadEnd()).toBe(1);
    expect(buffer.findCrlf()).toBe(1);
    buffer.skip(5);
    expect(text(buffer.take())).toBe('b'.repeat(100));
  });

  it('takes no false start for a match', () => {
    const buffer = filled('a\r\n\r', `\r\n\r\n${'b'.repeat(100)}`);
    expect(buffer.findHeadEnd()).toBe(4);
    const again = filled('a\r\n', `\rb${'c'.repeat(100)}\r\n\r\n`);
    expect(again.findHeadEnd()).toBe(105);
  });

  it('answers -1 when the match ends behind the limit, and finds it with a larger one', () => {
    const buffer = filled(HEAD.slice(0, 20), HEAD.slice(20) + 'b'.repeat(100));
    expect(buffer.findHeadEnd(HEAD.length - 1)).toBe(-1);
    expect(buffer.findHeadEnd(HEAD.length)).toBe(HEAD.length - 4);
    expect(buffer.findCrlf(15)).toBe(-1);
    expect(buffer.findCrlf(16)).toBe(14);
  });

  it('joins no more than the limit says', () => {
    const chunk = bytes('y'.repeat(60_000));
    const buffer = filled('x'.repeat(100));
    buffer.append(chunk);
    expect(buffer.findHeadEnd(1000)).toBe(-1);
    buffer.skip(1000);
    expect(buffer.take().buffer).toBe(chunk.buffer);
  });

  it('searches anew after bytes were taken', () => {
    const buffer = filled('one\r\ntwo', '\r\nthree');
    expect(buffer.findCrlf()).toBe(3);
    buffer.skip(5);
    expect(buffer.findCrlf()).toBe(3);
    buffer.skip(5);
    expect(buffer.findCrlf()).toBe(-1);
    expect(buffer.findHeadEnd()).toBe(-1);
    expect(buffer.latin1(0, 5)).toBe('three');
  });

  it('is not misled by what lies behind the joined bytes', () => {
    // Joined memory is allocated uninitialised; whatever stands there, only received bytes count.
    for (let round = 0; round < 50; round += 1) {
      const buffer = filled('ab', 'c\r');
      expect(buffer.findCrlf()).toBe(-1);
      expect(buffer.findHeadEnd()).toBe(-1);
      buffer.append(bytes('\n'));
      expect(buffer.findCrlf()).toBe(3);
    }
  });

  it('finds an octet from a position on, across chunks', () => {
    const buffer = filled('a\nb', 'c\nd', '\n');
    expect(buffer.indexOfByte(0x0a)).toBe(1);
    expect(buffer.indexOfByte(0x0a, 2)).toBe(4);
    expect(buffer.indexOfByte(0x0a, 4)).toBe(4);
    expect(buffer.indexOfByte(0x0a, 5)).toBe(6);
    expect(buffer.indexOfByte(0x0a, 7)).toBe(-1);
    expect(buffer.indexOfByte(0x7a)).toBe(-1);
    expect(new ReceiveBuffer().indexOfByte(0)).toBe(-1);
  });
});

describe('ReceiveBuffer: reading', () => {
  it('reads single octets across chunks', () => {
    const buffer = filled('ab', 'cd', 'e');
    expect([0, 1, 2, 3, 4].map((position) => buffer.byteAt(position))).toEqual([97, 98, 99, 100, 101]);
    expect(buffer.byteAt(5)).toBe(-1);
    expect(buffer.byteAt(-1)).toBe(-1);
    buffer.skip(3);
    expect(buffer.byteAt(0)).toBe(100);
    expect(buffer.byteAt(1)).toBe(101);
  });

  it('decodes every octet as one character', () => {
    const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);
    const buffer = new ReceiveBuffer();
    buffer.append(all.subarray(0, 100));
    buffer.append(all.subarray(100));
    const decoded = buffer.latin1(0, 256);
    expect(decoded.length).toBe(256);
    expect(Array.from(decoded, (character) => character.charCodeAt(0))).toEqual(Array.from(all));
  });

  it('takes what lies together, then the next chunk', () => {
    const buffer = filled('abc', 'defg');
    expect(text(buffer.take(2))).toBe('ab');
    expect(text(buffer.take(10))).toBe('c');
    expect(text(buffer.take(3))).toBe('def');
    expect(buffer.size).toBe(1);
    expect(text(buffer.take())).toBe('g');
    expect(buffer.take().length).toBe(0);
    expect(filled('abc').take(0).length).toBe(0);
  });

  it('takes exactly so many, joined, or nothing', () => {
    const buffer = filled('abc', 'defg', 'h');
    expect(buffer.takeExactly(9)).toBeUndefined();
    expect(buffer.size).toBe(8);
    expect(text(buffer.takeExactly(5)!)).toBe('abcde');
    expect(buffer.takeExactly(0)?.length).toBe(0);
    expect(text(buffer.takeExactly(3)!)).toBe('fgh');
    expect(buffer.size).toBe(0);
  });

  it('skips across chunks and past the end', () => {
    const buffer = filled('abc', 'def', 'ghi');
    buffer.skip(4);
    expect(buffer.latin1(0, buffer.size)).toBe('efghi');
    buffer.skip(100);
    expect(buffer.size).toBe(0);
    buffer.append(bytes('again'));
    expect(text(buffer.take())).toBe('again');
  });

  it('gives up everything in order', () => {
    const buffer = filled('abc', 'def');
    buffer.skip(1);
    expect(buffer.takeAll().map(text)).toEqual(['bc', 'def']);
    expect(buffer.takeAll()).toEqual([]);
  });

  it('ignores empty chunks and forgets all on clear', () => {
    const buffer = filled('', 'abc', '', 'def', '');
    expect(buffer.size).toBe(6);
    expect(buffer.findCrlf()).toBe(-1);
    buffer.clear();
    expect(buffer.size).toBe(0);
    buffer.append(bytes('\r\n'));
    expect(buffer.findCrlf()).toBe(0);
  });

  it('joins tiny chunks that pile up unread', () => {
    const buffer = new ReceiveBuffer();
    const expected: string[] = [];
    for (let index = 0; index < 10_000; index += 1) {
      const one = String.fromCharCode(index & 0x7f);
      expected.push(one);
      buffer.append(bytes(one));
    }
    expect(buffer.size).toBe(10_000);
    const views = buffer.takeAll();
    expect(views.map(text).join('')).toBe(expected.join(''));
    expect(views.length).toBeLessThan(50);
  });
});

describe('ReceiveBuffer: memory (the rule in its module comment)', () => {
  it('gives the very memory when the view is large enough', () => {
    const chunk = new Uint8Array(64 * 1024);
    const buffer = new ReceiveBuffer();
    buffer.append(chunk);
    expect(buffer.take(chunk.length / PINNED_FACTOR).buffer).toBe(chunk.buffer);
    expect(buffer.take().buffer).toBe(chunk.buffer);
  });

  it('copies a small view on a large chunk', () => {
    const chunk = new Uint8Array(64 * 1024).fill(7);
    const buffer = new ReceiveBuffer();
    buffer.append(chunk);
    const view = buffer.take(chunk.length / PINNED_FACTOR - 1);
    expect(view.buffer).not.toBe(chunk.buffer);
    expect(view.buffer.byteLength).toBe(view.length);
    expect(view.every((octet) => octet === 7)).toBe(true);
  });

  it('lets any view pin small memory', () => {
    const chunk = new Uint8Array(SMALL_MEMORY);
    const buffer = new ReceiveBuffer();
    buffer.append(chunk);
    expect(buffer.take(1).buffer).toBe(chunk.buffer);
  });

  it('hands out plain Uint8Arrays, also of a Buffer', () => {
    const buffer = new ReceiveBuffer();
    buffer.append(Buffer.from('abc'));
    const view = buffer.take();
    expect(Object.getPrototypeOf(view)).toBe(Uint8Array.prototype);
    expect(text(view)).toBe('abc');
  });

  it('never writes to what it handed out, nor to what it was given', () => {
    const first = bytes('abc');
    const second = bytes('def');
    const buffer = new ReceiveBuffer();
    buffer.append(first);
    buffer.append(second);
    buffer.latin1(0, 6);
    const view = buffer.take(4);
    for (let round = 0; round < 100; round += 1) {
      buffer.append(bytes('0123456789'));
      buffer.latin1(0, buffer.size);
    }
    expect(text(view)).toBe('abcd');
    expect(text(first)).toBe('abc');
    expect(text(second)).toBe('def');
    expect(buffer.latin1(0, 12)).toBe('ef0123456789');
  });
});
