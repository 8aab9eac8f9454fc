/**
 * A pool of clients and a server over a simulated network: whatever the seed brings, the bytes that come out are those
 * that went in, every exchange ends, and nothing is left.
 */
import { describe, expect, it } from 'vitest';
import { runSimulation } from '../../src/networking/simulation/index.ts';
import type { LinkConditions, SimulationResult } from '../../src/networking/simulation/index.ts';
import type { TrafficResult } from './support/traffic.ts';
import { runTraffic } from './support/traffic.ts';
import { conditionsOf, expectEnded, expectReplays, seedsOf } from './support/troubled-runs.ts';

/** More by hand. */
const seeds = seedsOf(500);

/**
 * What one exchange may have under way in one direction. A send buffer takes 64 KiB and one overshoot, twice: in the
 * engine, and on top of a stream's queue that was just below its limit of 256 KiB. Then come the link's window, and at
 * the other end what was delivered and not consumed, 64 KiB and one chunk.
 */
const LARGEST_PIECE = 300_000;
const MOST_UNDER_WAY = 2 * (0x10000 + LARGEST_PIECE) + 0x40000 + 0x40000 + 2 * 0x10000;
/** Some bodies are far larger than that. */
const LARGE_BODY = 3_000_000;

/** How long the largest body may take, in seconds: below the engines' patience with slow peers. */
const LONGEST_BODY = 15;

function scaleOf(seed: number, conditions: LinkConditions): number {
  const { segmentSize, window, bandwidth, latency, jitter, loss } = conditions;
  // Where bytes travel singly there are few of them.
  if (Math.min(segmentSize, window) < 100) return 600;
  const roundTrip = 2 * latency + jitter + loss * 400 + 1;
  const rate = Math.min(bandwidth, (window / roundTrip) * 1_000);
  return Math.floor(Math.min(seed % 5 === 0 ? LARGE_BODY : 60_000, rate * LONGEST_BODY));
}

function run(seed: number, trouble: boolean): Promise<SimulationResult<TrafficResult>> {
  const conditions = conditionsOf(seed, trouble);
  const options = { requests: seed % 5 === 0 ? 6 : 20, scale: scaleOf(seed, conditions), trouble };
  return runSimulation(seed, (simulation) => runTraffic(simulation, options), { conditions });
}

describe('on a network where nothing breaks', () => {
  it.each(seeds)('seed %i', async (seed) => {
    const { value, leftovers } = await run(seed, false);
    expect(value.faults).toEqual([]);
    expect(leftovers).toEqual([]);
    expect(value.peak).toBeLessThan(MOST_UNDER_WAY);
    for (const one of value.asked) {
      expect(one.isClosed).toBe(true);
      // Whoever meets no fate of his own is answered, whatever befalls his neighbours.
      if (one.plan.fate === 'complete') {
        expect([one.plan.id, one.error, one.status]).toEqual([one.plan.id, undefined, one.plan.status]);
        expect(one.completed).toBe(true);
      }
    }
  });
});

describe('on a network where connections break', () => {
  expectEnded(seeds, run);
});

describe('a seed', () => {
  expectReplays(seeds.slice(0, 20), run);
});
