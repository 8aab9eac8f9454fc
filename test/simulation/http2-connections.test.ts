/**
 * A pool of HTTP/2 clients and a server over a bad network: slow readers, small windows that change, resets, GOAWAY at
 * any moment. Whatever the seed brings, the bytes that come out are those that went in, every exchange ends, windows
 * keep to their caps, and nothing is left.
 */
import { describe, expect, it } from 'vitest';
import { Http2ClientFactory, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import { runSimulation, SeededRandom } from '../../src/networking/simulation/index.ts';
import type { LinkConditions, SimulationResult } from '../../src/networking/simulation/index.ts';
import type { TrafficResult } from './support/traffic.ts';
import { runTraffic } from './support/traffic.ts';
import { conditionsOf, expectEnded, expectReplays, seedsOf } from './support/troubled-runs.ts';
import { watchedFactory } from './support/watched-factory.ts';

/** More by hand. */
const seeds = seedsOf(300);
/** Two runs in five are on a network where connections break. */
const troubled = seeds.slice(0, Math.ceil((seeds.length * 2) / 3));

/** How long the largest body may take, in seconds: below the engines' patience with slow peers. */
const LONGEST_BODY = 12;

/** Windows from tiny to generous, and buffers that fit. */
function limitsOf(random: SeededRandom, tiny: boolean): Record<string, number> {
  const maxConcurrentStreams = random.pick([1, 3, 8, 100]);
  const initialStreamWindow = tiny ? 65_535 : random.pick([1_000, 16_384, 65_535]);
  return {
    maxConcurrentStreams,
    initialStreamWindow,
    maxStreamWindow: Math.max(initialStreamWindow, random.pick([65_535, 1 << 20])),
    maxUnconsumedBytes: Math.max(initialStreamWindow * maxConcurrentStreams, random.pick([65_535, 200_000, 1 << 20])),
    sendBufferBytes: random.pick([1_000, 16_384, 65_536]),
    headerTableSize: random.pick([0, 100, 4_096]),
  };
}

function scaleOf(seed: number, conditions: LinkConditions, windows: readonly number[]): number {
  const { segmentSize, window, bandwidth, latency, jitter, loss } = conditions;
  // Where bytes travel singly there are few of them.
  if (Math.min(segmentSize, window) < 100) return 300;
  const roundTrip = 2 * latency + jitter + loss * 400 + 10;
  const rate = Math.min(bandwidth, (Math.min(window, ...windows) / roundTrip) * 1_000) / 4;
  return Math.floor(Math.min(seed % 5 === 0 ? 400_000 : 40_000, rate * LONGEST_BODY));
}

async function run(seed: number, trouble: boolean): Promise<SimulationResult<TrafficResult>> {
  const conditions = conditionsOf(seed, trouble);
  const random = new SeededRandom(seed).fork('http2');
  const tiny = Math.min(conditions.segmentSize, conditions.window) < 100;
  const limits = { server: limitsOf(random, tiny), client: limitsOf(random, tiny) };
  const faults: string[] = [];
  const complain = (fault: string): void => void faults.push(fault);
  const factories = {
    server: watchedFactory(
      new Http2ServerFactory({ limits: limits.server }),
      limits.server['maxUnconsumedBytes'] ?? 0,
      complain,
    ),
    client: watchedFactory(
      new Http2ClientFactory({ limits: limits.client }),
      limits.client['maxUnconsumedBytes'] ?? 0,
      complain,
    ),
  };
  const windows = [limits.server['initialStreamWindow'] ?? 0, limits.client['initialStreamWindow'] ?? 0];
  const shutdowns = Array.from({ length: random.integer(0, 3) }, () => ({
    at: random.integer(0, 3_000),
    by: random.pick(['server', 'server', 'client'] as const),
  }));
  const options = {
    requests: seed % 5 === 0 ? 6 : 20,
    scale: scaleOf(seed, conditions, windows),
    trouble,
    factories,
    shutdowns,
  };
  const result = await runSimulation(seed, (simulation) => runTraffic(simulation, options), { conditions });
  return { ...result, value: { ...result.value, faults: [...result.value.faults, ...faults] } };
}

describe('HTTP/2 on a network where nothing breaks', () => {
  it.each(seeds)('seed %i', async (seed) => {
    const { value, leftovers } = await run(seed, false);
    expect(value.faults).toEqual([]);
    expect(leftovers).toEqual([]);
    for (const one of value.asked) {
      expect(one.isClosed).toBe(true);
      if (one.plan.fate !== 'complete') continue;
      // A request that GOAWAY or the server's limit left out is not lost: it was not processed, and can be sent again.
      const seen = value.served.some((other) => other.plan.id === one.plan.id);
      if (one.error !== undefined) expect([one.plan.id, one.processed, seen]).toEqual([one.plan.id, 'no', false]);
      else expect([one.plan.id, one.completed, one.status]).toEqual([one.plan.id, true, one.plan.status]);
    }
  });
});

describe('HTTP/2 on a network where connections break', () => {
  expectEnded(troubled, run);
});

describe('a seed', () => {
  expectReplays(seeds.slice(0, 20), run);
});
