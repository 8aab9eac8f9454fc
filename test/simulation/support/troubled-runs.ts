/**
 * Seeds and what has to be true of the runs that they give, whatever version is spoken.
 *
 * @module
 */
import { expect, it } from 'vitest';
import { drawConditions, SeededRandom } from '../../../src/networking/simulation/index.ts';
import type { LinkConditions, SimulationResult } from '../../../src/networking/simulation/index.ts';
import type { TrafficResult } from './traffic.ts';

/** One run. `trouble`: connections break. */
export type Run = (seed: number, trouble: boolean) => Promise<SimulationResult<TrafficResult>>;

/** The seeds of a suite; HFACE_SEEDS and HFACE_FIRST_SEED say otherwise. */
export function seedsOf(count: number): readonly number[] {
  const length = Number(process.env['HFACE_SEEDS'] ?? count);
  const first = Number(process.env['HFACE_FIRST_SEED'] ?? 1);
  return Array.from({ length }, (_, index) => first + index);
}

/** A link as the seed draws it, and what breaks on it. */
export function conditionsOf(seed: number, trouble: boolean): LinkConditions {
  const drawn = drawConditions(new SeededRandom(seed).fork('link'));
  if (!trouble) return drawn;
  return { ...drawn, resetChance: 0.3, silenceChance: 0.15, refuseChance: 0.1, troubleWithin: 3_000 };
}

/** Where connections break everything ends all the same, and nothing is said that is not so. */
export function expectEnded(seeds: readonly number[], run: Run): void {
  it.each(seeds)('seed %i', async (seed) => {
    const { value, leftovers } = await run(seed, true);
    expect(value.faults).toEqual([]);
    expect(leftovers).toEqual([]);
    for (const one of value.asked) {
      expect(one.isClosed).toBe(true);
      expect(one.completed || one.error !== undefined || one.plan.fate !== 'complete').toBe(true);
      // What is said not to have been processed was never seen by the server's application.
      const seen = value.served.some((other) => other.plan.id === one.plan.id);
      if (one.processed === 'no') expect([one.plan.id, seen]).toEqual([one.plan.id, false]);
    }
  });
}

/** The same seed gives the same run, another one another. */
export function expectReplays(seeds: readonly number[], run: Run): void {
  it.each(seeds)('%i replays exactly', async (seed) => {
    const [one, other] = [await run(seed, true), await run(seed, true)];
    expect(one.digest).toBe(other.digest);
    expect(one.events).toBe(other.events);
  });

  it('gives another run than its neighbour', async () => {
    expect((await run(1, false)).digest).not.toBe((await run(2, false)).digest);
  });
}
