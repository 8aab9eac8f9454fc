/**
 * What a request costs over HTTP/2 as streams on a connection grow, from 1 to 1,000, and as connections grow, from 100 to
 * 5,000 with a stream each; the latter as a ratio to a server that reads nothing but frame headers, at the same number of
 * connections in the same round.
 *
 * The cost is that of one request more: connecting does not count. On one connection h2load asks, and what a run of many
 * costs beyond a run of few is taken; over many connections they are open before it is measured.
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_REQUESTS (default 100,000 in the longer runs), HFACE_BENCH_ONLY and
 * HFACE_BENCH_SCENARIOS (`streams`, `connections`), parted by semicolons.
 *
 * @module
 */
import { canPin, Contender, cores } from './support/contender.ts';
import { h2load, hasH2load } from './support/h2load.ts';
import { ManyConnections } from './support/many-connections.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const script = new URL('./contenders/http2-server.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const most = Number(process.env['HFACE_BENCH_REQUESTS'] ?? '100000');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const scenarios = (process.env['HFACE_BENCH_SCENARIOS'] ?? 'streams;connections').split(';');
const STREAMS = [1, 10, 100, 1000] as const;
const CONNECTIONS = [100, 1000, 5000] as const;
const BOUND = 'canned frames';
const all = [BOUND, 'node:http2', 'HttpConnection', 'exchanges', 'Fetch-style, our Response'];
const names = all.filter((name) => name === BOUND || only === undefined || only.includes(name));

/** What a request costs with so many streams, or connections, in microseconds. */
type Cost = (contender: Contender, count: number) => Promise<number>;

const contenders = new Map<string, Contender>();
try {
  for (const name of names) {
    const words = ['hello', 'clear', '', '', String(STREAMS.at(-1))];
    contenders.set(name, await Contender.start(script, name, cores.server, words));
  }
  if (scenarios.includes('streams') && hasH2load) await byStreams();
  else if (!hasH2load) console.log('h2load is missing: streams were not measured');
  if (scenarios.includes('connections')) await byConnections();
} finally {
  await Promise.all([...contenders.values()].map((contender) => contender.stop()));
}

async function byStreams(): Promise<void> {
  const costs = await measure(STREAMS, costByStreams);
  const rows = names.map((name) => {
    const medians = (costs.get(name) ?? []).map(median);
    const least = Math.min(...medians);
    return [name, ...medians.map((cost) => cost.toFixed(2)), ((medians.at(-1) ?? NaN) / least).toFixed(2)];
  });
  tell('streams', 'Microseconds a request by streams on one connection', STREAMS, 'last / least', rows);
}

async function byConnections(): Promise<void> {
  const costs = await measure(CONNECTIONS, costByConnections);
  const rows = names.map((name) => {
    const ratios = CONNECTIONS.map((_count, at) => {
      const bound = costs.get(BOUND)?.[at] ?? [];
      return median((costs.get(name)?.[at] ?? []).map((cost, round) => cost / (bound[round] ?? NaN)));
    });
    const growth = (ratios.at(-1) ?? NaN) / (ratios[0] ?? NaN);
    return [name, ...ratios.map((ratio) => ratio.toFixed(2)), growth.toFixed(2)];
  });
  tell('connections', `Cost of a request by connections, ratio to ${BOUND}`, CONNECTIONS, 'last / first', rows);
}

/** Costs by name, count and round. */
async function measure(counts: readonly number[], costOf: Cost): Promise<ReadonlyMap<string, number[][]>> {
  const costs = new Map<string, number[][]>(names.map((name) => [name, counts.map(() => [])]));
  // The first round is to warm.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [at, count] of counts.entries()) {
      for (const [name, contender] of contenders) {
        const cost = await costOf(contender, count);
        if (round > 0) costs.get(name)?.[at]?.push(cost);
      }
    }
  }
  return costs;
}

async function costByStreams(contender: Contender, streams: number): Promise<number> {
  const many = Math.max(most, streams * 20);
  // One stream alone waits for the system most of the time.
  const longer = streams === 1 ? many / 5 : many;
  const shorter = longer / 5;
  const run = async (requests: number): Promise<number> => {
    const before = await contender.computed();
    await h2load(contender.url, { connections: 1, streams, requests });
    return (await contender.computed()) - before;
  };
  const less = await run(shorter);
  return ((await run(longer)) - less) / (longer - shorter);
}

async function costByConnections(contender: Contender, connections: number): Promise<number> {
  const times = Math.max(10, Math.ceil(most / connections));
  const many = await ManyConnections.open(contender.url, connections);
  try {
    const before = await contender.computed();
    await many.ask(times);
    return ((await contender.computed()) - before) / (times * connections);
  } finally {
    many.close();
  }
}

function tell(kind: string, what: string, counts: readonly number[], last: string, rows: readonly string[][]): void {
  const pinned = canPin() ? 'server and load pinned to a core each' : 'nothing is pinned';
  const title = `HTTP/2. ${what}: Node ${process.versions.node}, ${String(rounds)} rounds, ${pinned}`;
  const head = ['', ...counts.map(String), last];
  console.log(title);
  for (const cells of [head, ...rows]) {
    console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(28) : cell.padStart(12))).join(' '));
  }
  keepTable(`http2-growth-${kind}`, title, head, rows);
}
