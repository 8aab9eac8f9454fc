/**
 * The system's source of randomness.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../common/index.ts';

/** {@link Random} by the operating system's generator, fit for keys and tokens. */
export class SystemRandom implements Random {
  fill(target: Uint8Array): Uint8Array {
    return randomFillSync(target);
  }
}
