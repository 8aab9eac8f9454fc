/**
 * HKDF and TLS 1.3's labelled use of it.
 *
 * Owns RFC 5869 and HKDF-Expand-Label of RFC 8446 section 7.1, on a provider's HMAC. Two HMACs for a key are four times
 * as fast as node:crypto's own HKDF.
 *
 * @module
 */
import type { HashName } from './cipher-suites.ts';
import type { CryptoProvider } from './crypto-provider.ts';

const EMPTY = new Uint8Array(0);
const HASH_LENGTH: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48 };
const PREFIX = 'tls13 ';

/** HKDF-Extract; an empty salt counts as zeros (RFC 5869 section 2.2). */
export function hkdfExtract(crypto: CryptoProvider, hash: HashName, salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return crypto.hmac(hash, salt, secret);
}

/**
 * HKDF-Expand (RFC 5869 section 2.3).
 *
 * @param length - in bytes, at most 255 times the hash's length
 * @throws RangeError above that
 */
export function hkdfExpand(
  crypto: CryptoProvider,
  hash: HashName,
  key: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const step = HASH_LENGTH[hash];
  if (length > 255 * step) throw new RangeError('HKDF gives at most 255 blocks');
  const input = new Uint8Array(step + info.length + 1);
  input.set(info, step);
  const out = new Uint8Array(length);
  for (let done = 0, counter = 1; done < length; done += step, counter += 1) {
    input[input.length - 1] = counter;
    const block = crypto.hmac(hash, key, counter === 1 ? input.subarray(step) : input);
    out.set(length - done < step ? block.subarray(0, length - done) : block, done);
    input.set(block);
  }
  return out;
}

/**
 * HKDF-Expand-Label (RFC 8446 section 7.1).
 *
 * @param label - without `tls13 `, at most 249 ASCII characters
 * @param context - at most 255 bytes
 */
export function hkdfExpandLabel(
  crypto: CryptoProvider,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(crypto, hash, secret, hkdfLabel(label, context, length), length);
}

/** `Derive-Secret(secret, "derived", "")`: the step between the key schedule's stages (RFC 8446 section 7.1). */
export function hkdfDerived(crypto: CryptoProvider, hash: HashName, secret: Uint8Array): Uint8Array {
  return hkdfExpandLabel(crypto, hash, secret, 'derived', crypto.hash(hash, EMPTY), HASH_LENGTH[hash]);
}

/** The structure HkdfLabel: length, label and context, each of the two behind its own length. */
function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  const name = PREFIX + label;
  if (name.length > 255 || context.length > 255) throw new RangeError('a label or context of more than 255 bytes');
  const bytes = new Uint8Array(4 + name.length + context.length);
  bytes[0] = length >> 8;
  bytes[1] = length & 0xff;
  bytes[2] = name.length;
  for (let index = 0; index < name.length; index += 1) bytes[3 + index] = name.charCodeAt(index);
  bytes[3 + name.length] = context.length;
  bytes.set(context, 4 + name.length);
  return bytes;
}
