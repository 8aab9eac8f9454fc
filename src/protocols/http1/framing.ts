/**
 * How the end of a message's content is found.
 *
 * Owns: RFC 9112 section 6.3, its eight rules in their order, each ambiguous case refused: Transfer-Encoding beside
 * Content-Length, any coding other than one final `chunked`, Transfer-Encoding in an HTTP/1.0 message. Does not own
 * the reading (body-reader.ts).
 *
 * @module
 */
import { hasNoContent, isSuccessfulStatus, quoted, UNDECLARED } from '../semantics/index.ts';
import { memberList } from './connection-options.ts';
import { fault } from './faults.ts';
import type { FieldSection } from './field-section.ts';

/** The ways in which content ends. */
export const Framing = {
  /** There is none. */
  none: 0,
  /** After as many octets as were declared. */
  length: 1,
  /** With the chunk of size zero. */
  chunked: 2,
  /** With the connection (responses only). */
  close: 3,
  /** Raw bytes until either side ends: no longer a message. */
  tunnel: 4,
} as const;

/** One of {@link Framing}. */
export type FramingKind = (typeof Framing)[keyof typeof Framing];

/** A request's framing (rules 3, 4, 5, 6 and 7). */
export function requestFraming(section: FieldSection, version: '1.0' | '1.1', method: string): FramingKind {
  const chunked = isChunked(section, version);
  if (method === 'CONNECT') {
    // RFC 9110 section 9.3.6: a CONNECT request has no content.
    if (chunked || section.contentLength > 0) throw fault('CONNECT with content');
    return Framing.none;
  }
  if (chunked) return Framing.chunked;
  return section.contentLength > 0 ? Framing.length : Framing.none;
}

/** A final response's framing. `method`: of the request that it answers. */
export function responseFraming(
  section: FieldSection,
  version: '1.0' | '1.1',
  status: number,
  method: string,
): FramingKind {
  // Rule 2: both fields are ignored.
  if (method === 'CONNECT' && isSuccessfulStatus(status)) return Framing.tunnel;
  const chunked = isChunked(section, version);
  // Rule 1.
  if (method === 'HEAD' || hasNoContent(status)) return Framing.none;
  if (chunked) return Framing.chunked;
  if (section.contentLength === UNDECLARED) return Framing.close;
  return section.contentLength > 0 ? Framing.length : Framing.none;
}

/** Whether the one transfer coding is there that is understood; every other one is refused. */
function isChunked(section: FieldSection, version: '1.0' | '1.1'): boolean {
  const codings = section.transferEncoding;
  if (codings === undefined) return false;
  // RFC 9112 section 6.1: the framing of such a message is faulty.
  if (version === '1.0') throw fault('Transfer-Encoding in an HTTP/1.0 message');
  if (section.contentLength !== UNDECLARED) throw fault('both Transfer-Encoding and Content-Length');
  if (codings.length === 7 && codings.toLowerCase() === 'chunked') return true;
  throw codingFault(codings);
}

/** RFC 9112 sections 6.1, 6.3 and 7: 501 for a coding that is merely not understood, 400 where no end can be found. */
function codingFault(codings: string): Error {
  const names = memberList(codings).map((coding) => coding.toLowerCase());
  const last = names.pop();
  if (last !== 'chunked') return fault(`the last transfer coding of ${quoted(codings)} is not chunked`);
  if (names.length === 0 || names.includes('chunked')) return fault(`chunked stands not once in ${quoted(codings)}`);
  return fault(`the transfer codings ${quoted(codings)} are not understood`, 501);
}
