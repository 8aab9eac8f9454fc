/**
 * The parts of a target URI as they stand in a request: authority, path, scheme, method.
 *
 * Owns their syntax (RFC 9110 sections 4.2, 7.1 and 9.1, RFC 3986 sections 3.1 to 3.3). Does not own the four forms
 * of HTTP/1's request-target nor pseudo-header fields. Nothing throws and nothing is normalised.
 *
 * @module
 */
import { hexValue, isToken, isVisible } from '../../wire/index.ts';

/** Whether a text is a method: a token (RFC 9110 section 9.1). */
export function isMethod(text: string): boolean {
  return isToken(text);
}

/** Whether a text is a URI scheme (RFC 3986 section 3.1). */
export function isScheme(text: string): boolean {
  if (!isLetter(text.charCodeAt(0))) return false;
  for (let index = 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (!isLetter(code) && !isDigit(code) && code !== 0x2b && code !== 0x2d && code !== 0x2e) return false;
  }
  return true;
}

/**
 * Whether a text is an absolute path with an optional query: begins with `/`, printable ASCII without `#`. Characters
 * that RFC 3986 would have percent-encoded but browsers send as they are (`|`, `{`, `[`, `"` …) pass.
 */
export function isPathAndQuery(text: string): boolean {
  return text.charCodeAt(0) === 0x2f && isVisible(text) && !text.includes('#');
}

/**
 * Whether a text is `uri-host [ ":" port ]` without userinfo (RFC 9110 sections 4.2.4 and 7.2). The host may be
 * empty only where `text` is empty altogether; a port may be (`host:`).
 */
export function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true;
  if (authorityParts(text) === BAD_AUTHORITY) return false;
  lastAuthority = text;
  return true;
}

/** One that was found good: it is mostly asked for again. */
let lastAuthority = '';

/** Whether a text is `uri-host ":" port` with a port from 1 to 65535, as CONNECT wants it (RFC 9112 section 3.2.3). */
export function isHostAndPort(text: string): boolean {
  const colon = authorityParts(text);
  return colon > 0 && colon < text.length - 1 && Number(text.slice(colon + 1)) > 0;
}

const BAD_AUTHORITY = -1;

/** The position of the port's colon, the length if there is none, {@link BAD_AUTHORITY} if the text is no authority. */
function authorityParts(text: string): number {
  let colon: number;
  if (text.charCodeAt(0) === 0x5b) {
    const close = text.indexOf(']');
    if (close < 0 || !isIpLiteral(text, 1, close)) return BAD_AUTHORITY;
    colon = close + 1;
  } else {
    colon = endOfRegisteredName(text);
    if (colon === 0 && text.length > 0) return BAD_AUTHORITY;
  }
  if (colon === text.length) return colon;
  if (colon < 0 || text.charCodeAt(colon) !== 0x3a || !isPort(text, colon + 1)) return BAD_AUTHORITY;
  return colon;
}

/** Where a `reg-name` ends (RFC 3986 section 3.2.2); {@link BAD_AUTHORITY} at an incomplete percent-encoding. */
function endOfRegisteredName(text: string): number {
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x25) {
      if (hexAt(text, index + 1) < 0 || hexAt(text, index + 2) < 0) return BAD_AUTHORITY;
      index += 3;
    } else if (code < 128 && NAME_CHARACTERS[code] === 1) {
      index += 1;
    } else {
      return index;
    }
  }
  return index;
}

function hexAt(text: string, index: number): number {
  return index < text.length ? hexValue(text.charCodeAt(index)) : -1;
}

/** What stands between brackets: hexadecimal digits, colons and dots, or `v` HEXDIG `.` anything (IPvFuture). */
function isIpLiteral(text: string, start: number, end: number): boolean {
  if (end - start < 2) return false;
  const first = text.charCodeAt(start) | 0x20;
  if (first === 0x76) return isFutureLiteral(text, start + 1, end);
  let colons = 0;
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x3a) colons += 1;
    else if (code !== 0x2e && hexValue(code) < 0) return false;
  }
  return colons >= 2 && end - start <= 45;
}

function isFutureLiteral(text: string, start: number, end: number): boolean {
  const dot = text.indexOf('.', start);
  if (dot <= start || dot + 1 >= end) return false;
  for (let index = start; index < dot; index += 1) if (hexAt(text, index) < 0) return false;
  for (let index = dot + 1; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code !== 0x3a && !(code < 128 && NAME_CHARACTERS[code] === 1)) return false;
  }
  return true;
}

function isPort(text: string, start: number): boolean {
  let value = 0;
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return false;
    value = value * 10 + code - 0x30;
    if (value > 65_535) return false;
  }
  return true;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** `unreserved` and `sub-delims` of RFC 3986. */
const NAME_CHARACTERS: Uint8Array = makeNameCharacters();

function makeNameCharacters(): Uint8Array {
  const table = new Uint8Array(128);
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const character of `${letters}${letters.toUpperCase()}0123456789-._~!$&'()*+,;=`) {
    table[character.charCodeAt(0)] = 1;
  }
  return table;
}
