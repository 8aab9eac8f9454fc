/**
 * Inputs that are nearly right: those of a corpus, changed in a few places.
 *
 * @module
 */
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';

const MOST_CHANGES = 6;
const LONGEST = 16_384;
/** Octets at the edges of fields and flags. */
const EDGES: readonly [number, ...number[]] = [0x00, 0x01, 0x04, 0x08, 0x0a, 0x0d, 0x20, 0x3a, 0x7f, 0x80, 0x82, 0xff];

/** One of a list that is not empty. */
export function pickOf<Value>(random: SeededRandom, values: readonly Value[]): Value {
  return values[random.integer(0, values.length - 1)] as Value;
}

/** Octets drawn evenly. */
export function randomBytes(random: SeededRandom, most: number): Uint8Array {
  return random.fill(new Uint8Array(random.integer(0, most)));
}

/** The chunks of an input, cut at random places; sometimes at none, sometimes octet by octet. */
export function cut(random: SeededRandom, bytes: Uint8Array): Uint8Array[] {
  // A great input octet by octet would take its time and show nothing new.
  const most = bytes.length > 4000 ? random.pick([1000, 1_000_000]) : random.pick([1, 3, 17, 200, 1_000_000]);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = random.integer(1, most);
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  return chunks;
}

/** An input of the corpus with some changes. `words` are put in now and then. */
export function mutate(
  random: SeededRandom,
  corpus: readonly Uint8Array[],
  words: readonly (string | Uint8Array)[] = [],
): Uint8Array {
  let bytes: Uint8Array = pickOf(random, corpus).slice(0, LONGEST);
  for (let changes = random.integer(0, MOST_CHANGES); changes > 0; changes -= 1) {
    bytes = change(random, bytes, corpus, words);
    if (bytes.length > LONGEST) bytes = bytes.slice(0, LONGEST);
  }
  return bytes;
}

function change(
  random: SeededRandom,
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
  words: readonly (string | Uint8Array)[],
): Uint8Array {
  const at = random.integer(0, bytes.length);
  const end = Math.min(bytes.length, at + random.integer(0, random.pick([1, 4, 40, 400])));
  switch (random.integer(0, 8)) {
    case 0:
      return withOctet(bytes, at, 1 << random.integer(0, 7), true);
    case 1:
      return withOctet(bytes, at, random.pick(EDGES), false);
    case 2:
      return withOctet(bytes, at, random.integer(0, 255), false);
    case 3:
      return splice(bytes, at, end, new Uint8Array(0));
    case 4:
      return splice(bytes, at, at, bytes.slice(at, end));
    case 5:
      return splice(bytes, at, at, randomBytes(random, 8));
    case 6: {
      const other = pickOf(random, corpus);
      const from = random.integer(0, other.length);
      return splice(bytes, at, random.chance(0.5) ? at : end, other.slice(from, from + random.integer(0, 400)));
    }
    case 7:
      return words.length === 0
        ? bytes
        : splice(bytes, at, random.chance(0.5) ? at : end, octets(pickOf(random, words)));
    default:
      return random.chance(0.1) ? bytes.slice(0, at) : splice(bytes, at, at, bytes.slice(0, at));
  }
}

function withOctet(bytes: Uint8Array, at: number, octet: number, flip: boolean): Uint8Array {
  if (at >= bytes.length) return bytes;
  const changed = bytes.slice();
  changed[at] = flip ? changed[at]! ^ octet : octet;
  return changed;
}

function splice(bytes: Uint8Array, from: number, to: number, middle: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]));
}

function octets(word: string | Uint8Array): Uint8Array {
  return typeof word === 'string' ? Uint8Array.from(Buffer.from(word, 'latin1')) : word;
}
