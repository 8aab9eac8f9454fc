import { describe, expect, it } from 'vitest';
import { ByteWriter, huffmanEncode, huffmanLength, latin1Text, putLatin1 } from '../../../src/wire/index.ts';

const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');

describe('latin1', () => {
  it('is one octet a character, both ways, for any length', () => {
    for (let length = 0; length <= 256; length += 1) {
      const text = all.slice(256 - length);
      const target = new Uint8Array(length + 2).fill(0xee);
      putLatin1(text, target, 1);
      expect(target[0]).toBe(0xee);
      expect(target[length + 1]).toBe(0xee);
      expect(latin1Text(target, 1, length + 1)).toBe(text);
    }
  });

  it('takes views for what they are', () => {
    const memory = Uint8Array.from(all, (character) => character.charCodeAt(0));
    const view = memory.subarray(65, 91);
    expect(latin1Text(view, 0, 26)).toBe('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
    putLatin1('abcdefghijklmnopqrstuvwxyz', view, 0);
    expect(latin1Text(memory, 64, 92)).toBe('@abcdefghijklmnopqrstuvwxyz[');
  });

  it('keeps to one octet for what is no latin1', () => {
    for (const length of [1, 100]) {
      const target = new Uint8Array(length + 1);
      putLatin1('\u0141'.repeat(length), target, 0);
      expect([...target]).toEqual([...new Array<number>(length).fill(0x41), 0]);
    }
  });
});

describe('ByteWriter.writeHuffman (RFC 7541 section 5.2)', () => {
  it('writes what huffmanEncode does, and grows for it', () => {
    for (const text of ['', 'www.example.com', all, all.repeat(10)]) {
      const length = huffmanLength(text);
      const expected = new Uint8Array(length);
      huffmanEncode(text, expected, 0);
      const writer = new ByteWriter(1);
      writer.writeUint8(1);
      writer.writeHuffman(text, length);
      writer.writeUint8(2);
      expect(writer.finish()).toEqual(Uint8Array.of(1, ...expected, 2));
    }
  });
});

describe('ByteWriter.copyTo', () => {
  it('copies what was written, few octets and many, and leaves the rest alone', () => {
    for (const length of [0, 1, 64, 65, 1000]) {
      const writer = new ByteWriter(1);
      const bytes = Uint8Array.from({ length }, (_, index) => index & 0xff);
      writer.writeBytes(bytes);
      const target = new Uint8Array(length + 2).fill(0xee);
      writer.copyTo(target, 1);
      expect(target).toEqual(Uint8Array.of(0xee, ...bytes, 0xee));
      expect(writer.length).toBe(length);
    }
  });
});
