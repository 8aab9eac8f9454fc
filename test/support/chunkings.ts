/**
 * The ways in which the same bytes may arrive: whole, octet by octet, in two parts at every place, at random.
 *
 * A reader must come to the same result for all of them.
 *
 * @module
 */

/** One way: a name for messages, and the chunks, none of which shares memory with another. */
export interface Chunking {
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
}

const MOST_SPLITS = 200;

/** All ways of a text or bytes. Texts are latin1. */
export function chunkings(input: string | Uint8Array, randomOnes = 5): Chunking[] {
  const bytes = new Uint8Array(typeof input === 'string' ? Buffer.from(input, 'latin1') : input);
  const all: Chunking[] = [
    { name: 'whole', chunks: [bytes.slice()] },
    { name: 'octet by octet', chunks: Array.from(bytes, (octet) => Uint8Array.of(octet)) },
  ];
  const step = Math.max(1, Math.floor(bytes.length / MOST_SPLITS));
  for (let at = 1; at < bytes.length; at += step) {
    all.push({ name: `split at ${String(at)}`, chunks: [bytes.slice(0, at), bytes.slice(at)] });
  }
  for (let seed = 1; seed <= randomOnes; seed += 1) {
    all.push({ name: `random cuts of seed ${String(seed)}`, chunks: randomCuts(bytes, seed) });
  }
  return all;
}

/** Cuts at places that a seed draws; every octet is there once. */
export function randomCuts(bytes: Uint8Array, seed: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let state = (seed * 2_654_435_761) >>> 0;
  let at = 0;
  while (at < bytes.length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const length = 1 + ((state >>> 16) % 17);
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  return chunks;
}
