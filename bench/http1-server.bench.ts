/**
 * The smallest answer over HTTP/1.1: ours at three heights beside node:http, and beside a server that reads nothing.
 *
 * First the answers are compared, then the time. Rates say what a client sees while the server's core is full; costs are
 * what the server computes for a request, and are the steadier figure where others use the machine.
 * HFACE_BENCH_ROUNDS (default 7) and HFACE_BENCH_SECONDS (default 3) set how long it takes; HFACE_BENCH_ONLY names
 * contenders, parted by commas.
 *
 * @module
 */
import { canPin, Contender } from './support/contender.ts';
import { compare, printResults } from './support/rounds.ts';
import type { Measurement } from './support/rounds.ts';
import { hasWrk, wrk } from './support/wrk.ts';

const names = ['node:http', 'canned bytes', 'exchanges', 'ASGI-style', 'Fetch-style'];
const script = new URL('./contenders/http1-hello.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '7');
const seconds = Number(process.env['HFACE_BENCH_SECONDS'] ?? '3');
const only = process.env['HFACE_BENCH_ONLY']?.split(',');
const chosen = names.filter((name) => only === undefined || only.includes(name));
const CONNECTIONS = 32;

if (!hasWrk) console.log('wrk is missing: nothing was measured');
else {
  const contenders = new Map<string, Contender>();
  try {
    for (const name of chosen) contenders.set(name, await Contender.start(script, name));
    for (const contender of contenders.values()) await checkAnswer(contender);
    const measure = async (name: string): Promise<Measurement> => {
      const contender = contenders.get(name) as Contender;
      const before = await contender.computed();
      const { requests, rate } = await wrk(contender.url, { connections: CONNECTIONS, seconds });
      return { rate, cost: ((await contender.computed()) - before) / requests };
    };
    // Warm: compiled, and with its heap grown.
    for (const name of chosen) await measure(name);
    const pinned = canPin() ? 'server and load pinned to a core each' : 'nothing is pinned';
    console.log(
      `Node ${process.versions.node}, ${String(CONNECTIONS)} connections, ${String(rounds)} rounds, ${pinned}`,
    );
    printResults(await compare(chosen, rounds, measure));
  } finally {
    await Promise.all([...contenders.values()].map((contender) => contender.stop()));
  }
}

/** Whether it says what all say. */
async function checkAnswer({ name, url }: Contender): Promise<void> {
  const response = await fetch(url);
  const { status, headers } = response;
  const told = {
    status,
    type: headers.get('content-type'),
    length: headers.get('content-length'),
    date: headers.has('date'),
    body: await response.text(),
  };
  const expected = { status: 200, type: 'text/plain', length: '14', date: true, body: 'Hello, world!\n' };
  if (JSON.stringify(told) === JSON.stringify(expected)) return;
  throw new Error(`${name} answers something else: ${JSON.stringify(told)}`);
}
