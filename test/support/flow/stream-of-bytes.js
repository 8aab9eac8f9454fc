/**
 * A long stream of bytes of which every part can be told from every other, its digest, and reading at a given rate.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Pieces as applications make them: large, small, odd. */
const SIZES = [65_536, 16_384, 1_000, 32_768, 65_536, 40_001, 1, 65_536, 8_192];
const BLOCK = Buffer.alloc(65_536);
for (let index = 0, state = 1; index < BLOCK.length; index += 1) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  BLOCK[index] = state >>> 24;
}

/** Counts and digests one end of a transfer. */
export class Tally {
  constructor() {
    this.bytes = 0;
    this.digest = undefined;
    this.failure = undefined;
    this.hash = createHash('sha256');
  }

  add(chunk) {
    this.hash.update(chunk);
    this.bytes += chunk.length;
  }

  finish() {
    this.digest = this.hash.digest('hex');
  }

  get state() {
    return { bytes: this.bytes, digest: this.digest, failure: this.failure };
  }
}

/** The next piece of a stream of `total` bytes, new memory each time, or `undefined` at its end. */
export function nextPiece(tally, total, index) {
  const size = Math.min(SIZES[index % SIZES.length], total - tally.bytes);
  if (size === 0) {
    tally.finish();
    return undefined;
  }
  const piece = new Uint8Array(size);
  piece.set(BLOCK.subarray(0, size));
  if (size >= 8) new DataView(piece.buffer).setFloat64(0, tally.bytes);
  tally.add(piece);
  return piece;
}

/** The stream as pieces, as fast as they are asked for. */
export async function* pieces(tally, total) {
  for (let index = 0; ; index += 1) {
    const piece = nextPiece(tally, total, index);
    if (piece === undefined) return;
    yield piece;
  }
}

/** The stream as a web stream, as fast as it is asked for. */
export function pieceStream(tally, total) {
  let index = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = nextPiece(tally, total, index);
      index += 1;
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

/** Lets a reader go on when the bytes that it has had are due. */
export class Pace {
  /** @param {number | undefined} rate bytes a second; `undefined`: as fast as they come */
  constructor(rate) {
    this.rate = rate;
    this.start = performance.now();
  }

  async wait(bytes) {
    if (this.rate === undefined) return;
    const ahead = (bytes / this.rate) * 1000 - (performance.now() - this.start);
    if (ahead > 1) await sleep(ahead);
  }
}

/** Reads to the end at a pace. */
export async function readSlowly(chunks, tally, rate) {
  const pace = new Pace(rate);
  for await (const chunk of chunks) {
    tally.add(chunk);
    await pace.wait(tally.bytes);
  }
  tally.finish();
}
