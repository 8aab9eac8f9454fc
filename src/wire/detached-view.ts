/**
 * Views that are given away for good.
 *
 * Owns: whether a piece is worth the memory that it keeps alive.
 *
 * @module
 */

import { PINNED_FACTOR, SMALL_MEMORY } from './receive-buffer.ts';

/** A view of its own, or a copy where the view would keep far more memory alive than it shows. */
export function detachedView(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const { byteLength } = bytes.buffer;
  if (byteLength <= SMALL_MEMORY || (end - start) * PINNED_FACTOR >= byteLength) return bytes.subarray(start, end);
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end), 0);
  return copy;
}
