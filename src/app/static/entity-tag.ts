/**
 * Entity tags (RFC 9110 section 8.8.3).
 *
 * Owns the tag of a file, and the comparison with the tags in a condition. The tag is strong: it changes with the
 * file's size, its time of modification and its time of change, in nanoseconds. The time of change is the system's own
 * and cannot be set, so that files whose time of modification is fixed (reproducible builds) get new tags as well. Two
 * writes of the same length within one tick of the file system's clock would share a tag; a file that changes while it
 * is sent ends in a reset.
 *
 * @module
 */
import type { FileFacts } from '../file-source.ts';

/** The tag of a file, with its quotes. */
export function entityTag(facts: FileFacts): string {
  return `"${facts.size.toString(16)}-${facts.modified.toString(36)}-${facts.changed.toString(36)}"`;
}

/** One tag of a list. */
export interface EntityTag {
  readonly weak: boolean;
  /** With its quotes. */
  readonly opaque: string;
}

/** The tags of If-Match or If-None-Match; `'any'` for `*`, and what is malformed ends the list. */
export function parseEntityTags(text: string): 'any' | EntityTag[] {
  if (text.trim() === '*') return 'any';
  const tags: EntityTag[] = [];
  const pattern = /[ \t]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t,]*|$)/y;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    tags.push({ weak: match[1] !== undefined, opaque: match[2] as string });
    if (pattern.lastIndex >= text.length) break;
  }
  return tags;
}

/** Strong comparison (RFC 9110 section 8.8.3.2) with a tag that is strong. */
export function matchesStrongly(list: 'any' | readonly EntityTag[], tag: string): boolean {
  return list === 'any' || list.some((entry) => !entry.weak && entry.opaque === tag);
}

/** Weak comparison with a tag that is strong. */
export function matchesWeakly(list: 'any' | readonly EntityTag[], tag: string): boolean {
  return list === 'any' || list.some((entry) => entry.opaque === tag);
}
