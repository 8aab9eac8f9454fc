/**
 * Comparing octets that are no secret.
 *
 * Owns nothing else: what must not tell by its time where two differ is compared by the crypto provider.
 *
 * @module
 */

/** Whether two runs of octets are the same. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}
