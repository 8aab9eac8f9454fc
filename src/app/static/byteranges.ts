/**
 * The body of a response with several ranges: multipart/byteranges (RFC 9110 section 14.6).
 *
 * Owns the parts and the boundary, which is drawn from the file's tag and the ranges, so that it is the same each time
 * and nobody who writes the file can foresee it without knowing when it is written.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { FilePart } from '../file-source.ts';
import { contentRange } from './ranges.ts';
import type { ByteRange } from './ranges.ts';

/** A multipart body. */
export interface MultipartRanges {
  readonly contentType: string;
  readonly parts: readonly FilePart[];
}

/** The body for some ranges of a file. */
export function multipartRanges(
  ranges: readonly ByteRange[],
  file: { readonly size: number; readonly tag: string; readonly contentType: string },
): MultipartRanges {
  const positions = ranges.map((range) => contentRange(range, file.size));
  const boundary = createHash('sha256')
    .update([file.tag, ...positions].join('\n'))
    .digest('hex')
    .slice(0, 40);
  const parts: FilePart[] = [];
  ranges.forEach((range, index) => {
    const head =
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\n` +
      `content-type: ${file.contentType}\r\n` +
      `content-range: ${positions[index] as string}\r\n\r\n`;
    parts.push(Buffer.from(head, 'latin1'), range);
  });
  parts.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'));
  return { contentType: `multipart/byteranges; boundary=${boundary}`, parts };
}
