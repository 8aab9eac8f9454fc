/**
 * What a request costs as connections grow, from 100 to 5,000: as a ratio to a server that reads nothing, at the same
 * number of connections in the same round. HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_SECONDS (default 3),
 * HFACE_BENCH_ONLY as in http1-server.
 *
 * To take 5,000 connections costs as much as many thousand requests. So each measurement is the difference of two loads
 * of which one lasts twice as long as the other.
 *
 * @module
 */
import { canPin, Contender, cores } from './support/contender.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';
import { hasWrk, wrk } from './support/wrk.ts';

const script = new URL('./contenders/http1-server.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const seconds = Number(process.env['HFACE_BENCH_SECONDS'] ?? '3');
const COUNTS = [100, 1000, 5000] as const;
const BOUND = 'canned bytes';
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const names = [
  BOUND,
  ...['node:http', 'HttpConnection', 'exchanges', 'ASGI-style', 'Fetch-style, our Response'].filter(
    (name) => only === undefined || only.includes(name),
  ),
];

if (!hasWrk) console.log('wrk is missing: nothing was measured');
else {
  const contenders = new Map<string, Contender>();
  try {
    for (const name of names) contenders.set(name, await Contender.start(script, name, cores.server, ['hello']));
    const load = async (
      name: string,
      count: number,
      length: number,
    ): Promise<{ computed: number; requests: number }> => {
      const contender = contenders.get(name) as Contender;
      const before = await contender.computed();
      const { requests } = await wrk(contender.url, { connections: count, seconds: length });
      return { computed: (await contender.computed()) - before, requests };
    };
    const cost = async (name: string, count: number): Promise<number> => {
      const short = await load(name, count, seconds);
      const long = await load(name, count, 2 * seconds);
      return (long.computed - short.computed) / (long.requests - short.requests);
    };
    for (const name of names) await cost(name, COUNTS[0]);
    /** By name and count: the ratio in each round. */
    const ratios = new Map<string, number[][]>(names.map((name) => [name, COUNTS.map(() => [])]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, connections] of COUNTS.entries()) {
        const bound = await cost(BOUND, connections);
        for (const name of names) {
          const own = name === BOUND ? bound : await cost(name, connections);
          ratios.get(name)?.[index]?.push(own / bound);
        }
      }
    }
    const pinned = canPin() ? 'server and load pinned to a core each' : 'nothing is pinned';
    const title = `Cost of a request by connections, ratio to ${BOUND}: Node ${process.versions.node}, ${String(rounds)} rounds of ${String(seconds)} s, ${pinned}`;
    const head = ['', ...COUNTS.map(String), `${String(COUNTS.at(-1))} / ${String(COUNTS[0])}`];
    const rows = names.map((name) => {
      const medians = (ratios.get(name) ?? []).map(median);
      const growth = (medians.at(-1) ?? NaN) / (medians[0] ?? NaN);
      return [name, ...medians.map((ratio) => ratio.toFixed(2)), growth.toFixed(2)];
    });
    console.log(title);
    for (const cells of [head, ...rows]) {
      console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(28) : cell.padStart(11))).join(' '));
    }
    keepTable('http1-growth', title, head, rows);
  } finally {
    await Promise.all([...contenders.values()].map((contender) => contender.stop()));
  }
}
