/**
 * Character classes of HTTP's grammar, and numbers written in ASCII.
 *
 * Owns: RFC 9110 section 5.6.2 (`token`), section 5.5 (`field-value`), 1*DIGIT and 1*HEXDIG without overflow, and
 * optional whitespace (section 5.6.3). Does not own what a field means, nor which error follows.
 *
 * Text is latin1: one character, one octet. A character above U+00FF belongs to no class. All functions work on a
 * range, so that a caller who decoded a whole head once need not cut it first. Nothing throws.
 *
 * @module
 */

/** What {@link parseDecimal} and {@link parseHex} answer for an empty range or a character that is no digit. */
export const NOT_A_NUMBER = -1;
/** What they answer for digits whose value exceeds the given maximum. */
export const TOO_LARGE = -2;

const TOKEN = 1;
const FIELD_VALUE = 2;
const LOWERCASE_TOKEN = 4;
const VISIBLE = 8;

/** Every token character that is neither letter nor digit (RFC 9110 section 5.6.2). */
const TOKEN_MARKS = "!#$%&'*+-.^_`|~";

const CLASSES: Uint8Array = makeClasses();
const HEX_VALUES: Int8Array = makeHexValues();

/** Whether this octet may stand in a `token` (RFC 9110 section 5.6.2). */
export function isTokenByte(octet: number): boolean {
  return (CLASSES[octet]! & TOKEN) !== 0;
}

/** Whether this octet may stand in a `field-value`: VCHAR, obs-text, SP or HTAB (RFC 9110 section 5.5). */
export function isFieldValueByte(octet: number): boolean {
  return (CLASSES[octet]! & FIELD_VALUE) !== 0;
}

/** Whether this octet is VCHAR, %x21-7E (RFC 5234 appendix B.1). */
export function isVisibleByte(octet: number): boolean {
  return (CLASSES[octet]! & VISIBLE) !== 0;
}

/** Whether the range is a `token`: not empty, token characters only (RFC 9110 section 5.6.2). */
export function isToken(text: string, start = 0, end: number = text.length): boolean {
  return start < end && allOf(text, start, end, TOKEN);
}

/** Whether the range is a `token` without capital letters, as HTTP/2 and HTTP/3 want field names (RFC 9113 8.2.1). */
export function isLowercaseToken(text: string, start = 0, end: number = text.length): boolean {
  return start < end && allOf(text, start, end, LOWERCASE_TOKEN);
}

/**
 * Whether the range holds only what a `field-value` may hold (RFC 9110 section 5.5); an empty one does. Whitespace at
 * its ends is not judged: the HTTP/1 grammar takes it off, the others forbid it ({@link hasOuterWhitespace}).
 */
export function isFieldValue(text: string, start = 0, end: number = text.length): boolean {
  return allOf(text, start, end, FIELD_VALUE);
}

/** Whether the range is one or more VCHAR, as in a request-target (RFC 9112 section 3.2). */
export function isVisible(text: string, start = 0, end: number = text.length): boolean {
  return start < end && allOf(text, start, end, VISIBLE);
}

/** Whether the range begins or ends with SP or HTAB. */
export function hasOuterWhitespace(text: string, start = 0, end: number = text.length): boolean {
  return start < end && (isOws(text.charCodeAt(start)) || isOws(text.charCodeAt(end - 1)));
}

/** The range without the optional whitespace at its ends (RFC 9110 section 5.6.3). */
export function trimOws(text: string, start = 0, end: number = text.length): string {
  let from = start;
  let to = end;
  while (from < to && isOws(text.charCodeAt(from))) from += 1;
  while (to > from && isOws(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/**
 * The value of 1*DIGIT: no sign, no space, no other base. {@link NOT_A_NUMBER} for anything else and
 * {@link TOO_LARGE} above `max` (at most 2^53-1), however many digits there are.
 */
export function parseDecimal(
  text: string,
  start = 0,
  end: number = text.length,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (start >= end) return NOT_A_NUMBER;
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NOT_A_NUMBER;
    // A value beyond the maximum stays there: the digits that follow must still be digits.
    value = value > max ? value : value * 10 + digit;
  }
  return value > max ? TOO_LARGE : value;
}

/** The value of 1*HEXDIG in either case; otherwise as {@link parseDecimal}. */
export function parseHex(
  text: string,
  start = 0,
  end: number = text.length,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (start >= end) return NOT_A_NUMBER;
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = hexValue(text.charCodeAt(index));
    if (digit < 0) return NOT_A_NUMBER;
    value = value > max ? value : value * 16 + digit;
  }
  return value > max ? TOO_LARGE : value;
}

/** The value of one HEXDIG, -1 for any other character. */
export function hexValue(code: number): number {
  return code < 256 ? HEX_VALUES[code]! : -1;
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function allOf(text: string, start: number, end: number, wanted: number): boolean {
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    // charCodeAt past the end is NaN, which fails the comparison as it should.
    if (!(code < 256) || (CLASSES[code]! & wanted) === 0) return false;
  }
  return true;
}

function makeClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let octet = 0x21; octet <= 0xff; octet += 1) {
    if (octet !== 0x7f) classes[octet] = FIELD_VALUE | (octet < 0x7f ? VISIBLE : 0);
  }
  classes[0x20] = FIELD_VALUE;
  classes[0x09] = FIELD_VALUE;
  for (const mark of TOKEN_MARKS) classes[mark.charCodeAt(0)]! |= TOKEN | LOWERCASE_TOKEN;
  for (let octet = 0x30; octet <= 0x39; octet += 1) classes[octet]! |= TOKEN | LOWERCASE_TOKEN;
  for (let octet = 0x61; octet <= 0x7a; octet += 1) classes[octet]! |= TOKEN | LOWERCASE_TOKEN;
  for (let octet = 0x41; octet <= 0x5a; octet += 1) classes[octet]! |= TOKEN;
  return classes;
}

function makeHexValues(): Int8Array {
  const values = new Int8Array(256).fill(-1);
  for (let digit = 0; digit < 10; digit += 1) values[0x30 + digit] = digit;
  for (let digit = 10; digit < 16; digit += 1) {
    values[0x41 + digit - 10] = digit;
    values[0x61 + digit - 10] = digit;
  }
  return values;
}
