/**
 * The simulations of QUIC, in parts that run beside each other.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import type { ScenarioResult } from './scenario.ts';
import { planOf, runScenario } from './scenario.ts';

/** How many seeds are run; more by hand. */
const SEEDS = Number(process.env['HFACE_SEEDS'] ?? 1_000);
const FIRST = Number(process.env['HFACE_FIRST_SEED'] ?? 1);
/** Seeds of one test, so that a machine under load is not taken for one that hangs. */
const CHUNK = 25;

/** Runs a seed; what is wrong names it. */
function run(seed: number): ScenarioResult {
  try {
    return runScenario(planOf(seed));
  } catch (error) {
    throw new Error(`seed ${String(seed)}: HFACE_FIRST_SEED=${String(seed)} HFACE_SEEDS=2`, { cause: error });
  }
}

/** What has to be so whatever the seed. */
function check({ plan, faults, endings, completed }: ScenarioResult): void {
  const told = `seed ${String(plan.seed)}: HFACE_FIRST_SEED=${String(plan.seed)} HFACE_SEEDS=2; ${endings.join('; ')}`;
  expect(faults, told).toEqual([]);
  // A network that only loses, delays, doubles and spoils does not keep a connection from its end.
  const bearable = plan.link.loss < 0.2 && plan.rebinds.length === 0;
  if (bearable) expect(completed, told).toBe(plan.connections);
}

/** Defines the tests of one part out of two. */
export function defineWeather(part: 0 | 1): void {
  const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index).filter((seed) => seed % 2 === part);
  describe('QUIC over a bad network', () => {
    let connections = 0;
    let completed = 0;
    for (let at = 0; at < seeds.length; at += CHUNK) {
      const chunk = seeds.slice(at, at + CHUNK);
      it(`delivers every byte once and in order, and ends: seeds ${String(chunk[0])} to ${String(chunk.at(-1))}`, () => {
        for (const seed of chunk) {
          const result = run(seed);
          check(result);
          connections += result.plan.connections;
          completed += result.completed;
        }
      }, 120_000);
    }

    it('is survived by nearly all connections, rebinding and 30% loss counted', () => {
      expect(completed).toBeGreaterThanOrEqual(Math.floor(connections * 0.9));
    });

    it('replays: ten seeds give the same datagrams and events twice', () => {
      for (const seed of seeds.slice(0, 10)) expect(run(seed).digest).toBe(run(seed).digest);
    }, 120_000);
  });
}
