/**
 * The system's source of randomness.
 *
 * Invariant: no byte of it is given away twice.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../common/index.ts';

/** Draws of up to so many bytes come out of the pool. */
const LARGEST = 64;
/** Drawn ahead: a call of the generator takes longer than what it draws. */
const pool = new Uint8Array(4096);
let used = pool.length;

/** {@link Random} by the operating system's generator, fit for keys and tokens. */
export class SystemRandom implements Random {
  fill(target: Uint8Array): Uint8Array {
    const { length } = target;
    if (length > LARGEST) return randomFillSync(target);
    if (used + length > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    for (let at = 0; at < length; at += 1) {
      target[at] = pool[used + at] as number;
      // What was given away is nobody else's to read.
      pool[used + at] = 0;
    }
    used += length;
    return target;
  }
}
