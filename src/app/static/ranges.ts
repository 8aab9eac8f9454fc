/**
 * Range requests (RFC 9110 section 14).
 *
 * Owns reading Range and deciding what of it is served. What costs more than it is worth is answered with the whole
 * file, as section 14.2 allows: more ranges than the limit, ranges that overlap, and whatever is malformed
 * (CVE-2011-3192).
 *
 * @module
 */

/** A stretch of the file. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** The most ranges that one response is made of. */
export const maxRanges = 16;

/** The stretches to serve; `'whole'`: no range applies; `'unsatisfiable'`: none of them lies in the file (416). */
export function parseRanges(text: string | null, size: number): readonly ByteRange[] | 'whole' | 'unsatisfiable' {
  if (text === null || size === 0 || text.length > MAX_LENGTH) return 'whole';
  const unit = /^bytes=/i.exec(text);
  if (unit === null) return 'whole';
  const ranges: ByteRange[] = [];
  let count = 0;
  for (const part of text.slice(unit[0].length).split(',')) {
    const spec = part.trim();
    if (spec === '') continue;
    count += 1;
    if (count > maxRanges) return 'whole';
    const range = parseSpec(spec, size);
    if (range === 'malformed') return 'whole';
    if (range !== undefined) ranges.push(range);
  }
  if (count === 0) return 'whole';
  if (ranges.length === 0) return 'unsatisfiable';
  return overlap(ranges) ? 'whole' : ranges;
}

/** `bytes 0-99/1234` */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${String(range.start)}-${String(range.start + range.length - 1)}/${String(size)}`;
}

/** One range; `undefined` when it lies outside. */
function parseSpec(spec: string, size: number): ByteRange | 'malformed' | undefined {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (match === null) return 'malformed';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'malformed';
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? undefined : { start: size - suffix, length: suffix };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Number(last);
  if (end < start && last !== '') return 'malformed';
  if (start >= size) return undefined;
  return { start, length: Math.min(end, size - 1) - start + 1 };
}

function overlap(ranges: readonly ByteRange[]): boolean {
  if (ranges.length < 2) return false;
  const sorted = [...ranges].sort((one, other) => one.start - other.start);
  return sorted.some((range, index) => {
    const next = sorted[index + 1];
    return next !== undefined && range.start + range.length > next.start;
  });
}

const MAX_LENGTH = 4096;
