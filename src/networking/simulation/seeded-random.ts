/**
 * Randomness that replays from a seed.
 *
 * Owns the generator (sfc32, seeded by splitmix32): fast and even, and of no use for secrets. Parts of a simulation
 * draw from forks of their own, so that one more draw in one part changes nothing in another.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';

/** {@link Random} from a seed. */
export class SeededRandom implements Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #count: number;

  /** @param seed - an integer; its lower 32 bits count */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
    let state = this.#seed;
    const next = (): number => {
      state = (state + 0x9e37_79b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#count = 1;
  }

  /** A generator of its own for the part of that name. */
  fork(name: string): SeededRandom {
    let hash = 0x811c_9dc5 ^ this.#seed;
    for (let index = 0; index < name.length; index += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193) >>> 0;
    }
    return new SeededRandom(hash ^ (hash >>> 13));
  }

  /** An integer of 32 bits. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#count) >>> 0;
    this.#count = (this.#count + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  /** A number from 0 up to, not including, 1. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of several. */
  pick<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.integer(0, values.length - 1)] as Value;
  }

  fill(target: Uint8Array): Uint8Array {
    for (let index = 0; index < target.length; index += 1) target[index] = this.uint32() >>> 24;
    return target;
  }
}
