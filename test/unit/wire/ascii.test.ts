import { describe, expect, it } from 'vitest';
import {
  NOT_A_NUMBER,
  TOO_LARGE,
  hasOuterWhitespace,
  hexValue,
  isFieldValue,
  isFieldValueByte,
  isLowercaseToken,
  isToken,
  isTokenByte,
  isVisible,
  isVisibleByte,
  lowercaseFieldName,
  parseDecimal,
  parseHex,
  trimOws,
} from '../../../src/wire/index.ts';

const TCHAR = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const octets = Array.from({ length: 256 }, (_, octet) => octet);

describe('character classes', () => {
  it('token: RFC 9110 section 5.6.2', () => {
    for (const octet of octets) {
      const character = String.fromCharCode(octet);
      expect(isTokenByte(octet), character).toBe(TCHAR.includes(character));
      expect(isToken(character), character).toBe(TCHAR.includes(character));
      expect(isLowercaseToken(character), character).toBe(TCHAR.includes(character) && !/[A-Z]/.test(character));
    }
    expect(isToken('')).toBe(false);
    expect(isToken('Content-Type')).toBe(true);
    expect(isToken('Content Type')).toBe(false);
    expect(isToken('a: b', 0, 1)).toBe(true);
    expect(isToken('a: b', 0, 2)).toBe(false);
    expect(isToken('a', 0, 2)).toBe(false);
    expect(isToken('\u0141')).toBe(false);
    expect(isTokenByte(-1)).toBe(false);
    expect(isTokenByte(256)).toBe(false);
  });

  it('field-value: RFC 9110 section 5.5', () => {
    for (const octet of octets) {
      const allowed = octet === 0x09 || (octet >= 0x20 && octet !== 0x7f);
      expect(isFieldValueByte(octet), String(octet)).toBe(allowed);
      expect(isFieldValue(String.fromCharCode(octet)), String(octet)).toBe(allowed);
    }
    expect(isFieldValue('')).toBe(true);
    expect(isFieldValue('a\r\nb')).toBe(false);
    expect(isFieldValue('\u0100')).toBe(false);
    expect(isFieldValue('a\r\nb', 0, 1)).toBe(true);
  });

  it('VCHAR: RFC 5234 appendix B.1', () => {
    for (const octet of octets) {
      const allowed = octet >= 0x21 && octet <= 0x7e;
      expect(isVisibleByte(octet)).toBe(allowed);
      expect(isVisible(String.fromCharCode(octet))).toBe(allowed);
    }
    expect(isVisible('')).toBe(false);
  });

  it('optional whitespace: RFC 9110 section 5.6.3', () => {
    expect(trimOws(' \t a b\t ')).toBe('a b');
    expect(trimOws(' \t ')).toBe('');
    expect(trimOws('x: \u00a0y ', 2)).toBe('\u00a0y');
    expect(hasOuterWhitespace(' a')).toBe(true);
    expect(hasOuterWhitespace('a\t')).toBe(true);
    expect(hasOuterWhitespace('a b')).toBe(false);
    expect(hasOuterWhitespace('')).toBe(false);
  });
});

describe('numbers', () => {
  it('1*DIGIT: RFC 9110 section 8.6', () => {
    expect(parseDecimal('0')).toBe(0);
    expect(parseDecimal('0042')).toBe(42);
    expect(parseDecimal('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseDecimal('9007199254740992')).toBe(TOO_LARGE);
    expect(parseDecimal('9'.repeat(400))).toBe(TOO_LARGE);
    expect(parseDecimal(`${'0'.repeat(400)}7`)).toBe(7);
    for (const bad of ['', ' 1', '1 ', '+1', '-1', '0x1', '1,1', '1.0', '1e1', '\u0661', `${'9'.repeat(40)}x`]) {
      expect(parseDecimal(bad), bad).toBe(NOT_A_NUMBER);
    }
    expect(parseDecimal('a12b', 1, 3)).toBe(12);
    expect(parseDecimal('12', 0, 3)).toBe(NOT_A_NUMBER);
    expect(parseDecimal('255', 0, 3, 255)).toBe(255);
    expect(parseDecimal('256', 0, 3, 255)).toBe(TOO_LARGE);
  });

  it('1*HEXDIG: RFC 9112 section 7.1', () => {
    expect(parseHex('0')).toBe(0);
    expect(parseHex('fF')).toBe(255);
    expect(parseHex('1fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseHex('20000000000000')).toBe(TOO_LARGE);
    expect(parseHex('f'.repeat(400))).toBe(TOO_LARGE);
    for (const bad of ['', ' 1', '0x1', '-1', '+1', '1_0', 'g', '1;', `${'f'.repeat(40)}g`]) {
      expect(parseHex(bad), bad).toBe(NOT_A_NUMBER);
    }
    expect(parseHex('x1F;', 1, 3)).toBe(31);
  });

  it('one HEXDIG', () => {
    for (const octet of octets) {
      const character = String.fromCharCode(octet);
      const expected = /[0-9a-fA-F]/.test(character) ? Number.parseInt(character, 16) : -1;
      expect(hexValue(octet)).toBe(expected);
    }
    expect(hexValue(0x130)).toBe(-1);
  });
});

describe('lowercaseFieldName', () => {
  it('maps any spelling to the lowercase name (RFC 9110 section 5.1)', () => {
    for (const spelling of ['ETag', 'Etag', 'ETAG', 'etag', 'eTaG']) expect(lowercaseFieldName(spelling)).toBe('etag');
    expect(lowercaseFieldName('WWW-Authenticate')).toBe('www-authenticate');
    expect(lowercaseFieldName('Www-Authenticate')).toBe('www-authenticate');
    expect(lowercaseFieldName('X-My-Own')).toBe('x-my-own');
    expect(lowercaseFieldName('constructor')).toBe('constructor');
    expect(lowercaseFieldName('__proto__')).toBe('__proto__');
  });
});
