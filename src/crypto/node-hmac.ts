/**
 * HMAC on node:crypto's hash of what is at hand.
 *
 * Owns RFC 2104 for keys and texts of up to some hundred bytes, as a key schedule has them: forty in a handshake. Two
 * calls of `hash` cost half of what an `Hmac` does, and leave no object with memory outside of the heap to be collected.
 * Hashes come as text, since bytes would have such memory too.
 *
 * @module
 */
import { createHmac, hash as digest } from 'node:crypto';
import type { HashName } from './cipher-suites.ts';

/** Texts above it are rare; what they cost is hashing. */
const LONGEST_TEXT = 256;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** See CryptoProvider.hmac. */
export function hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const pads = name === 'sha256' ? sha256 : sha384;
  if (key.length > pads.blockLength || data.length > LONGEST_TEXT) return createHmac(name, key).update(data).digest();
  return pads.compute(key, data);
}

/** What is hashed, at the same place each time. */
class Pads {
  /** What the hash function takes at once (RFC 2104 section 2), in bytes. */
  readonly blockLength: number;
  readonly #name: HashName;
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;
  /** Views of `#inner` by the length of the text: most lengths come again. */
  readonly #views: (Uint8Array | undefined)[];
  #keyLength: number;

  constructor(name: HashName, blockLength: number, hashLength: number) {
    this.blockLength = blockLength;
    this.#name = name;
    this.#inner = new Uint8Array(blockLength + LONGEST_TEXT);
    this.#outer = new Uint8Array(blockLength + hashLength);
    this.#views = [];
    this.#keyLength = -1;
  }

  compute(key: Uint8Array, data: Uint8Array): Uint8Array {
    const inner = this.#inner;
    const outer = this.#outer;
    const block = this.blockLength;
    for (let index = 0; index < key.length; index += 1) {
      const byte = key[index] as number;
      inner[index] = byte ^ INNER_PAD;
      outer[index] = byte ^ OUTER_PAD;
    }
    // Behind a key of the length that the last one had the pads stand already.
    if (key.length !== this.#keyLength) {
      inner.fill(INNER_PAD, key.length, block);
      outer.fill(OUTER_PAD, key.length, block);
      this.#keyLength = key.length;
    }
    for (let index = 0; index < data.length; index += 1) inner[block + index] = data[index] as number;
    const text = (this.#views[data.length] ??= inner.subarray(0, block + data.length));
    putText(digest(this.#name, text, 'binary'), outer, block);
    const result = digest(this.#name, outer, 'binary');
    const bytes = new Uint8Array(result.length);
    putText(result, bytes, 0);
    return bytes;
  }
}

function putText(text: string, target: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index += 1) target[at + index] = text.charCodeAt(index);
}

const sha256 = new Pads('sha256', 64, 32);
const sha384 = new Pads('sha384', 128, 48);
