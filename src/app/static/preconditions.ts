/**
 * Conditional requests for a file that exists (RFC 9110 section 13).
 *
 * Owns the precedence of section 13.2.2 for GET and HEAD.
 *
 * @module
 */
import { matchesStrongly, matchesWeakly, parseEntityTags } from './entity-tag.ts';
import { parseHttpDate } from './http-date.ts';

/** What conditions are compared with. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly tag: string;
  /** Last-Modified in seconds since 1970. */
  readonly modified: number;
}

/** Whether to go on, or the status to answer with. */
export type Verdict = 'go-on' | 304 | 412;

/** Judges a request's conditions. */
export function judgeConditions(headers: Headers, { tag, modified }: Validators): Verdict {
  const ifMatch = headers.get('if-match');
  if (ifMatch !== null) {
    if (!matchesStrongly(parseEntityTags(ifMatch), tag)) return 412;
  } else {
    const unmodifiedSince = parseHttpDate(headers.get('if-unmodified-since'));
    if (unmodifiedSince !== undefined && modified > unmodifiedSince) return 412;
  }
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== null) return matchesWeakly(parseEntityTags(ifNoneMatch), tag) ? 304 : 'go-on';
  const modifiedSince = parseHttpDate(headers.get('if-modified-since'));
  return modifiedSince !== undefined && modified <= modifiedSince ? 304 : 'go-on';
}

/** Whether If-Range lets a range be served (RFC 9110 section 13.1.5). */
export function rangeIsCurrent(headers: Headers, { tag, modified }: Validators): boolean {
  const ifRange = headers.get('if-range');
  if (ifRange === null) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) return ifRange === tag;
  return parseHttpDate(ifRange) === modified;
}
