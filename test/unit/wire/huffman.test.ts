import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../../src/wire/index.ts';

interface Vectors {
  readonly codes: readonly (readonly [symbol: number, code: string, bits: number])[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/rfc/rfc7541-huffman.json', import.meta.url), 'utf8'),
) as Vectors;

function encode(text: string): Uint8Array {
  const target = new Uint8Array(huffmanLength(text));
  expect(huffmanEncode(text, target, 0)).toBe(target.length);
  return target;
}

function fromBits(bits: string): Uint8Array {
  expect(bits.length % 8).toBe(0);
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (octet) => Number.parseInt(octet, 2));
}

/** The bits of a code, and of EOS, by the vectors. */
function bitsOf(symbol: number): string {
  const [, code, bits] = vectors.codes[symbol]!;
  return BigInt(`0x${code}`).toString(2).padStart(bits, '0');
}

function padded(bits: string): string {
  return bits + '1'.repeat((8 - (bits.length % 8)) % 8);
}

describe('Huffman code (RFC 7541 appendix B)', () => {
  it('encodes and decodes every symbol as the table says', () => {
    expect(vectors.codes.length).toBe(257);
    for (let symbol = 0; symbol < 256; symbol += 1) {
      const text = String.fromCharCode(symbol);
      const bytes = fromBits(padded(bitsOf(symbol)));
      expect(encode(text)).toEqual(bytes);
      expect(huffmanDecode(bytes)).toBe(text);
    }
  });

  it('encodes and decodes every pair of symbols', () => {
    let different = 0;
    for (let one = 0; one < 256; one += 1) {
      for (let two = 0; two < 256; two += 1) {
        const text = String.fromCharCode(one, two);
        if (huffmanDecode(encodeQuietly(text)) !== text) different += 1;
      }
    }
    expect(different).toBe(0);
  });

  it('encodes and decodes the examples of appendix C', () => {
    const examples: [string, string][] = [
      ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
      ['no-cache', 'a8eb10649cbf'],
      ['custom-key', '25a849e95ba97d7f'],
      ['custom-value', '25a849e95bb8e8b4bf'],
      ['302', '6402'],
      ['private', 'aec3771a4b'],
      ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
      ['https://www.example.com', '9d29ad171863c78f0b97c8e9ae82ae43d3'],
      [
        'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
        '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ],
    ];
    for (const [text, hex] of examples) {
      expect(Buffer.from(encode(text)).toString('hex')).toBe(hex);
      expect(huffmanDecode(Uint8Array.from(Buffer.from(hex, 'hex')))).toBe(text);
    }
  });

  it('writes where it is told and leaves the rest alone', () => {
    const target = new Uint8Array(10).fill(0xee);
    expect(huffmanEncode('302', target, 3)).toBe(5);
    expect(Buffer.from(target).toString('hex')).toBe('eeeeee6402eeeeeeeeee');
    expect(huffmanDecode(target, 3, 5)).toBe('302');
    expect(huffmanEncode('', target, 3)).toBe(3);
    expect(huffmanDecode(target, 3, 3)).toBe('');
    expect(huffmanLength('')).toBe(0);
  });

  it('decodes strings longer than its scratch memory', () => {
    const text = 'abcdefghij0123456789'.repeat(5000);
    expect(huffmanDecode(encode(text))).toBe(text);
  });
});

describe('Huffman padding (RFC 7541 section 5.2)', () => {
  it('may have up to seven bits, the first ones of EOS', () => {
    // 'a' has five bits, so that three more fill the octet; '0' eight times over has any number of them.
    for (let count = 1; count <= 8; count += 1) {
      const bits = bitsOf(0x30).repeat(count);
      expect(huffmanDecode(fromBits(padded(bits)))).toBe('0'.repeat(count));
    }
  });

  it('may not have eight bits or more', () => {
    expect(huffmanDecode(fromBits('11111111'))).toBeUndefined();
    expect(huffmanDecode(fromBits(`${bitsOf(0x61)}111${'1'.repeat(8)}`))).toBeUndefined();
    expect(huffmanDecode(fromBits('1'.repeat(24)))).toBeUndefined();
  });

  it('may not have a bit that is not set', () => {
    expect(huffmanDecode(fromBits(`${bitsOf(0x61)}110`))).toBeUndefined();
    expect(huffmanDecode(fromBits(`${bitsOf(0x61)}000`))).toBeUndefined();
    expect(huffmanDecode(fromBits(`${bitsOf(0x61)}011`))).toBeUndefined();
  });

  it('EOS may not stand in a string, at any place in an octet', () => {
    for (let before = 0; before < 8; before += 1) {
      const bits = bitsOf(0x30).repeat(before) + bitsOf(256);
      expect(huffmanDecode(fromBits(padded(bits)))).toBeUndefined();
      expect(huffmanDecode(fromBits(padded(bits + bitsOf(0x30))))).toBeUndefined();
    }
  });

  it('a code may not be cut short', () => {
    for (let symbol = 0; symbol < 256; symbol += 1) {
      const bits = bitsOf(symbol);
      const whole = fromBits(padded(bits));
      if (whole.length > 1) expect(huffmanDecode(whole, 0, whole.length - 1)).not.toBe(String.fromCharCode(symbol));
    }
  });
});

function encodeQuietly(text: string): Uint8Array {
  const target = new Uint8Array(8);
  return target.subarray(0, huffmanEncode(text, target, 0));
}
