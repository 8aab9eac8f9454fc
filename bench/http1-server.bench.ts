/**
 * Servers over HTTP/1.1: ours at several heights beside node:http, beside others that are built on it, and beside a server
 * that reads nothing (the bound). Three scenarios: hello (14 bytes down), echo (4 KiB up and down), download (1 MiB down).
 *
 * First the answers are compared, then the time. Rates say what a client sees while the server's core is full; costs are
 * what the server computes for a request, and are the steadier figure where others use the machine.
 * HFACE_BENCH_ROUNDS (default 7) and HFACE_BENCH_SECONDS (default 3) set how long it takes; HFACE_BENCH_ONLY names
 * contenders and HFACE_BENCH_SCENARIOS scenarios, parted by semicolons.
 *
 * @module
 */
import { BYTES_TYPE, DOWNLOAD, ECHO, TEXT, TYPE } from './support/answers.ts';
import type { Scenario } from './support/answers.ts';
import { canPin, Contender, cores } from './support/contender.ts';
import { keepResults } from './support/results.ts';
import { compare, printResults } from './support/rounds.ts';
import type { Measurement } from './support/rounds.ts';
import { hasWrk, wrk } from './support/wrk.ts';

const names = [
  'node:http',
  'canned bytes',
  'HttpConnection',
  'exchanges',
  'ASGI-style',
  'Fetch-style, our Response',
  'Fetch-style, native Response',
  'fastify',
  'hono',
  'srvx',
  'srvx, its own Response',
];
const script = new URL('./contenders/http1-server.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '7');
const seconds = Number(process.env['HFACE_BENCH_SECONDS'] ?? '3');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const scenarios = (process.env['HFACE_BENCH_SCENARIOS'] ?? 'hello;echo;download').split(';') as Scenario[];
const chosen = names.filter((name) => only === undefined || only.includes(name));
/** Reads the content by arrayBuffer(), where all others of the Fetch style read it by text(). */
const BYTES_ECHO = 'Fetch-style, our Response, arrayBuffer';
const CONNECTIONS = 32;

if (!hasWrk) console.log('wrk is missing: nothing was measured');
else for (const scenario of scenarios) await measureScenario(scenario);

async function measureScenario(scenario: Scenario): Promise<void> {
  const taking = scenario === 'echo' && only === undefined ? [...chosen, BYTES_ECHO] : chosen;
  const contenders = new Map<string, Contender>();
  try {
    for (const name of taking) contenders.set(name, await Contender.start(script, name, cores.server, [scenario]));
    for (const contender of contenders.values()) await checkAnswer(contender, scenario);
    const lua = scenario === 'echo' ? 'echo.lua' : undefined;
    const measure = async (name: string): Promise<Measurement> => {
      const contender = contenders.get(name) as Contender;
      const before = await contender.computed();
      const { requests, rate } = await wrk(contender.url, { connections: CONNECTIONS, seconds, script: lua });
      return { rate, cost: ((await contender.computed()) - before) / requests };
    };
    // Warm: compiled, and with its heap grown.
    for (const name of taking) await measure(name);
    const pinned = canPin() ? 'server and load pinned to a core each' : 'nothing is pinned';
    const title =
      `${scenario}: Node ${process.versions.node}, ${String(CONNECTIONS)} connections, ` +
      `${String(rounds)} rounds of ${String(seconds)} s, ${pinned}`;
    const results = await compare(taking, rounds, measure);
    console.log(title);
    printResults(results);
    keepResults(`http1-server-${scenario}`, title, results);
  } finally {
    await Promise.all([...contenders.values()].map((contender) => contender.stop()));
  }
}

/** Whether it says what all say. */
async function checkAnswer({ name, url }: Contender, scenario: Scenario): Promise<void> {
  const init =
    scenario === 'echo' ? { method: 'POST', body: ECHO, headers: { 'content-type': BYTES_TYPE } } : undefined;
  const response = await fetch(url, init);
  const { status, headers } = response;
  const body = { hello: TEXT, echo: ECHO, download: DOWNLOAD.toString() }[scenario];
  const told = {
    status,
    type: headers.get('content-type'),
    // Others may send it in chunks.
    length: headers.get('content-length') ?? String(body.length),
    body: await response.text(),
  };
  const type = scenario === 'hello' ? TYPE : BYTES_TYPE;
  const expected = { status: 200, type, length: String(body.length), body };
  if (JSON.stringify(told) !== JSON.stringify(expected)) {
    throw new Error(`${name} answers something else: ${JSON.stringify(told).slice(0, 300)}`);
  }
  if (!headers.has('date')) throw new Error(`${name} sends no Date`);
}
