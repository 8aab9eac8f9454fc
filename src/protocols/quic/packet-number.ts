/**
 * Packet numbers on the wire.
 *
 * Owns their truncation and its reversal (RFC 9000 section 17.1 and appendix A). Numbers are exact up to 2^53-1, which
 * no connection reaches: AEAD limits end it long before.
 *
 * @module
 */

/** How many bytes a packet number takes, 1 to 4. @param largestAcked - the greatest that is acknowledged, -1 for none */
export function packetNumberLength(number: number, largestAcked: number): number {
  // Twice the distance must be represented (section 17.1).
  const range = (number - largestAcked) * 2;
  if (range < 0x100) return 1;
  if (range < 0x10000) return 2;
  return range < 0x1000000 ? 3 : 4;
}

/** The number that a truncated one stands for. @param largest - the greatest that was received, -1 for none */
export function decodePacketNumber(largest: number, truncated: number, length: number): number {
  const expected = largest + 1;
  const window = 2 ** (length * 8);
  const half = window / 2;
  const candidate = expected - (expected % window) + truncated;
  if (candidate <= expected - half && candidate < 2 ** 53 - window) return candidate + window;
  if (candidate > expected + half && candidate >= window) return candidate - window;
  return candidate;
}
