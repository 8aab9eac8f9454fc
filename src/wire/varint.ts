/**
 * Variable-length integers of QUIC (RFC 9000 section 16).
 *
 * Owns: their length, encoding and decoding as JavaScript numbers. The wire has 62 bits, a number 53. A value above
 * 2^53-1 decodes to {@link VARINT_SATURATED}; what that means is the caller's: credit counts as boundless, an unknown
 * type or setting is ignored, a length of that size is the RFC's error, an identifier that is echoed keeps its bytes.
 *
 * @module
 */

/** The decoded form of every value above 2^53-1; greater than any that is exact. */
export const VARINT_SATURATED: number = 2 ** 53;
/** The greatest value that can be encoded from a number, 2^53-1. */
export const VARINT_MAX_EXACT: number = Number.MAX_SAFE_INTEGER;

/** How many octets the shortest encoding takes: 1, 2, 4 or 8. */
export function varintLength(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x4000_0000 ? 4 : 8;
}

/** How many octets an encoding takes that begins with this one. */
export function varintLengthOf(firstOctet: number): number {
  return 1 << (firstOctet >>> 6);
}

/**
 * Writes a value and answers the position behind it.
 *
 * @param value - an integer from 0 to 2^53-1.
 * @param length - how many octets to use; at least {@link varintLength} of the value.
 */
export function writeVarint(
  target: Uint8Array,
  position: number,
  value: number,
  length: number = varintLength(value),
): number {
  if (length === 1) {
    target[position] = value;
  } else if (length === 2) {
    target[position] = 0x40 | (value >>> 8);
    target[position + 1] = value;
  } else if (length === 4) {
    writeWord(target, position, 0x80, value);
  } else {
    writeWord(target, position, 0xc0, Math.floor(value / 0x1_0000_0000));
    writeWord(target, position + 4, 0, value);
  }
  return position + length;
}

/**
 * Reads a value whose octets are known to be there: `position + varintLengthOf(bytes[position])` must not exceed the
 * bytes that may be read.
 */
export function readVarint(bytes: Uint8Array, position: number): number {
  const first = bytes[position]!;
  if (first < 0x40) return first;
  if (first < 0x80) return ((first & 0x3f) << 8) | bytes[position + 1]!;
  const high = readUint32(bytes, position) & 0x3fff_ffff;
  if (first < 0xc0) return high;
  if (high > 0x1f_ffff) return VARINT_SATURATED;
  return high * 0x1_0000_0000 + readUint32(bytes, position + 4);
}

/** Four octets as an unsigned number, the most significant first. */
function readUint32(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position]! << 24) | (bytes[position + 1]! << 16) | (bytes[position + 2]! << 8) | bytes[position + 3]!) >>> 0
  );
}

/** The low 32 bits of a value, most significant octet first, with `mark` set in that one. */
function writeWord(target: Uint8Array, position: number, mark: number, value: number): void {
  target[position] = mark | (value >>> 24);
  target[position + 1] = value >>> 16;
  target[position + 2] = value >>> 8;
  target[position + 3] = value;
}
