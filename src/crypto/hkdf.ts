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
/** Hashes of nothing: every handshake needs them. */
const emptyHashes: Partial<Record<HashName, Uint8Array>> = {};

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
  if (length <= step) {
    const only = new Uint8Array(info.length + 1);
    only.set(info);
    only[info.length] = 1;
    return firstBytes(crypto.hmac(hash, key, only), length);
  }
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
  if (length > HASH_LENGTH[hash]) {
    return hkdfExpand(crypto, hash, secret, hkdfLabel(label, context, length, 0), length);
  }
  // The only block there is: what is hashed is the label, and a counter that stands at 1.
  const info = context.length === 0 ? bareLabel(label, length) : hkdfLabel(label, context, length, 1);
  return firstBytes(crypto.hmac(hash, secret, info), length);
}

/** Labels without a context, which are few and come again in every handshake. */
const bareLabels = new Map<string, Uint8Array>();
const MOST_LABELS = 64;

function bareLabel(label: string, length: number): Uint8Array {
  const key = `${label} ${String(length)}`;
  const known = bareLabels.get(key);
  if (known !== undefined) return known;
  const info = hkdfLabel(label, EMPTY, length, 1);
  if (bareLabels.size < MOST_LABELS) bareLabels.set(key, info);
  return info;
}

/** A copy where that is less than all: a view of few bytes costs more than they. */
function firstBytes(block: Uint8Array, length: number): Uint8Array {
  if (length === block.length) return block;
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = block[index] as number;
  return bytes;
}

/** `Derive-Secret(secret, "derived", "")`: the step between the key schedule's stages (RFC 8446 section 7.1). */
export function hkdfDerived(crypto: CryptoProvider, hash: HashName, secret: Uint8Array): Uint8Array {
  const context = (emptyHashes[hash] ??= crypto.hash(hash, EMPTY));
  return hkdfExpandLabel(crypto, hash, secret, 'derived', context, HASH_LENGTH[hash]);
}

/**
 * The structure HkdfLabel: length, label and context, each of the two behind its own length.
 *
 * @param counter - what stands behind it, unless it is 0: the counter of HKDF-Expand
 */
function hkdfLabel(label: string, context: Uint8Array, length: number, counter: 0 | 1): Uint8Array {
  const name = PREFIX + label;
  if (name.length > 255 || context.length > 255) throw new RangeError('a label or context of more than 255 bytes');
  const bytes = new Uint8Array(4 + name.length + context.length + counter);
  bytes[0] = length >> 8;
  bytes[1] = length & 0xff;
  bytes[2] = name.length;
  for (let index = 0; index < name.length; index += 1) bytes[3 + index] = name.charCodeAt(index);
  bytes[3 + name.length] = context.length;
  bytes.set(context, 4 + name.length);
  if (counter === 1) bytes[bytes.length - 1] = counter;
  return bytes;
}
