/**
 * Stateless resets.
 *
 * Owns RFC 9000 section 10.3: the token of a connection id, which is made from a key and not kept (section 10.3.2), and
 * the packet that carries one. How often one is sent is the endpoint's; finding the peer's tokens is
 * peer-connection-ids.ts'.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';

/** The length of a token, in bytes. */
export const RESET_TOKEN_LENGTH = 16;
/** What is shorter is not answered: nothing that is shorter still could be a reset (section 10.3: 21 bytes). */
export const LEAST_RESET_TRIGGER = 22;
/** Longer ones are answered by at least this, so that the answer looks like any packet. */
const COMMON_LENGTH = 42;
/** Resets have lengths up to this, so that they look like other packets. */
const LONGEST = 64;
const FIXED = 0x40;

/** The token of an id. Whoever has the key can end every connection. @param key - 32 bytes */
export function statelessResetToken(crypto: CryptoProvider, key: Uint8Array, id: Uint8Array): Uint8Array {
  return crypto.hmac('sha256', key, id).slice(0, RESET_TOKEN_LENGTH);
}

/**
 * The packet that tells the peer that there is no such connection.
 *
 * @param trigger - the length of the datagram that it answers: it is always shorter, so that two endpoints that answer
 * each other come to an end (section 10.3.3)
 * @returns `undefined` when the datagram was too short to be answered
 */
export function statelessReset(random: Random, trigger: number, token: Uint8Array): Uint8Array | undefined {
  if (trigger < LEAST_RESET_TRIGGER) return undefined;
  const longest = Math.min(trigger - 1, LONGEST);
  // Section 10.3: in answer to a short packet, one byte less.
  const shortest = Math.min(trigger - 1, COMMON_LENGTH);
  const packet = random.fill(new Uint8Array(longest));
  const length = shortest + ((packet[0] as number) % (longest - shortest + 1));
  const reset = packet.subarray(0, length);
  // A short header's first byte: the fixed bit, and six bits that mean nothing without keys.
  reset[0] = FIXED | ((packet[1] as number) & 0x3f);
  reset.set(token, length - RESET_TOKEN_LENGTH);
  return reset;
}
