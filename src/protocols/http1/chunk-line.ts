/**
 * The line before each chunk: its size and its extensions.
 *
 * Owns: RFC 9112 sections 7.1 and 7.1.1. The size is 1*HEXDIG of at most {@link MAX_SIZE_DIGITS} digits; extensions are
 * held to their grammar and then ignored; the line ends with CRLF and nothing else (CVE-2025-55315, CVE-2025-22871).
 * Does not own the budget of extensions, which is the message's (body-reader.ts).
 *
 * @module
 */
import type { ReceiveBuffer } from '../../wire/index.ts';
import { hexValue, isFieldValueByte, isTokenByte } from '../../wire/index.ts';
import { quoted } from '../semantics/index.ts';
import { fault, limitFault } from './faults.ts';

/** Digits beyond this are refused, leading zeros included: 2^52 is more than any message (RFC 9112 section 7.1). */
const MAX_SIZE_DIGITS = 13;

/** The line is not complete. */
export const LINE_INCOMPLETE = -1;

/** Reads chunk lines; one instance serves a connection. */
export class ChunkLine {
  /** The length of the extensions of the line read last. */
  extensionLength: number;
  /** How far an incomplete line's extensions were looked at, so that no octet is looked at twice; 0 for none. */
  #looked: number;

  constructor() {
    this.extensionLength = 0;
    this.#looked = 0;
  }

  /**
   * Takes one line off the buffer and answers the size it tells, or {@link LINE_INCOMPLETE}.
   *
   * @param maxLine - the limit `maxChunkLineBytes`
   * @throws RemoteProtocolError, LimitError
   */
  read(buffer: ReceiveBuffer, maxLine: number): number {
    let size = 0;
    let at = 0;
    for (;;) {
      const octet = buffer.byteAt(at);
      const digit = octet < 0 ? -1 : hexValue(octet);
      if (digit < 0) break;
      size = size * 16 + digit;
      at += 1;
      if (at > MAX_SIZE_DIGITS) throw fault('a chunk size with too many digits');
    }
    const next = buffer.byteAt(at);
    if (next === 0x0d) {
      const last = buffer.byteAt(at + 1);
      if (last < 0) return LINE_INCOMPLETE;
      if (last !== 0x0a || at === 0) throw lineFault(last !== 0x0a);
      this.extensionLength = 0;
      buffer.skip(at + 2);
      return size;
    }
    if (next < 0) return LINE_INCOMPLETE;
    // BWS may stand before the semicolon, and is no end of the line.
    if (at === 0 || (next !== 0x3b && next !== 0x20 && next !== 0x09)) throw lineFault(false);
    return this.#readExtensions(buffer, at, size, maxLine);
  }

  #readExtensions(buffer: ReceiveBuffer, start: number, size: number, maxLine: number): number {
    let at = Math.max(start, this.#looked);
    let octet = buffer.byteAt(at);
    while (octet >= 0 && isFieldValueByte(octet) && at < maxLine) octet = buffer.byteAt(++at);
    if (at >= maxLine) throw limitFault('maxChunkLineBytes', maxLine, 413);
    this.#looked = at;
    if (octet < 0) return LINE_INCOMPLETE;
    if (octet !== 0x0d) throw lineFault(octet === 0x0a);
    const last = buffer.byteAt(at + 1);
    if (last < 0) return LINE_INCOMPLETE;
    if (last !== 0x0a) throw lineFault(true);
    const text = buffer.latin1(start, at);
    if (!areExtensions(text)) throw fault(`malformed chunk extensions ${quoted(text)}`);
    this.extensionLength = at - start;
    this.#looked = 0;
    buffer.skip(at + 2);
    return size;
  }
}

function lineFault(end: boolean): Error {
  return fault(end ? 'a chunk line that does not end with CRLF' : 'a chunk size that is not 1*HEXDIG');
}

/** `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )` */
function areExtensions(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    at = skipBws(text, at);
    if (text.charCodeAt(at) !== 0x3b) return false;
    at = skipBws(text, at + 1);
    let end = skipToken(text, at);
    if (end === at) return false;
    at = skipBws(text, end);
    if (text.charCodeAt(at) !== 0x3d) {
      at = end;
      continue;
    }
    at = skipBws(text, at + 1);
    end = text.charCodeAt(at) === 0x22 ? skipQuoted(text, at) : skipToken(text, at);
    if (end <= at) return false;
    at = end;
  }
  return true;
}

function skipBws(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at += 1;
  return at;
}

function skipToken(text: string, start: number): number {
  let at = start;
  while (at < text.length && isTokenByte(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind the closing quote; -1 without one. What it may hold was checked octet by octet. */
function skipQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at += 1;
  }
  return -1;
}
