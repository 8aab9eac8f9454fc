/**
 * Clients over kept-alive HTTP/1.1: ours at three heights beside undici's three, node:http, and a socket that is given
 * canned bytes, which is the bound.
 *
 * The server parses nothing and has a core of its own. First the answers are compared, then the time; each traffic by
 * itself. HFACE_BENCH_ROUNDS (default 7) and HFACE_BENCH_SECONDS (default 2) set how long it takes; HFACE_BENCH_ONLY
 * names contenders and HFACE_BENCH_TRAFFIC traffics, parted by commas.
 *
 * @module
 */
import { canned, expectedAnswer } from './support/canned.ts';
import { ClientContender } from './support/client-contender.ts';
import type { Traffic } from './support/client-contender.ts';
import { canPin, Contender, cores } from './support/contender.ts';
import { keepResults } from './support/results.ts';
import { compare, printResults } from './support/rounds.ts';

interface Kind {
  readonly name: string;
  readonly answer: string;
  readonly parallel: number;
  readonly connections: number;
}

const kinds: readonly Kind[] = [
  { name: 'small', answer: 'hello', parallel: 32, connections: 32 },
  { name: '16 KiB', answer: '16 KiB', parallel: 32, connections: 32 },
  { name: 'queued', answer: 'hello', parallel: 64, connections: 10 },
  { name: 'POST', answer: 'post', parallel: 32, connections: 32 },
];
const names = [
  'undici.request',
  'undici dispatch',
  'undici fetch',
  'node:http Agent',
  'canned bytes',
  'callback core',
  'session.dispatch',
  'session.fetch',
];
const server = new URL('./contenders/canned-server.js', import.meta.url);
const script = new URL('./contenders/http1-client.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '7');
const seconds = Number(process.env['HFACE_BENCH_SECONDS'] ?? '2');
const chosen = among(names, process.env['HFACE_BENCH_ONLY']);
const chosenKinds = among(
  kinds.map(({ name }) => name),
  process.env['HFACE_BENCH_TRAFFIC'],
);

const pinned = canPin() ? 'server and client pinned to a core each' : 'nothing is pinned';
console.log(`Node ${process.versions.node}, ${String(rounds)} rounds, ${pinned}`);
for (const kind of kinds) if (chosenKinds.includes(kind.name)) await run(kind);

async function run({ name, answer, parallel, connections }: Kind): Promise<void> {
  const { body, content } = canned[answer] as (typeof canned)[string];
  const answering = await Contender.start(server, answer, cores.load);
  const clients = new Map<string, ClientContender>();
  try {
    const traffic: Traffic = { url: answering.url, body, parallel, connections };
    for (const each of chosen) clients.set(each, await ClientContender.start(script, each));
    for (const client of clients.values()) {
      const told = JSON.stringify(await client.check(traffic));
      if (told !== JSON.stringify(expectedAnswer(content))) throw new Error(`${client.name} was told ${told}`);
    }
    // Warm: connected and compiled.
    for (const client of clients.values()) await client.measure(traffic, Math.min(1, seconds));
    const results = await compare(chosen, rounds, (each) =>
      (clients.get(each) as ClientContender).measure(traffic, seconds),
    );
    const title = `${name}: ${String(parallel)} at once over ${String(connections)} connections`;
    console.log(`\n${title}`);
    printResults(results);
    keepResults(`http1-client-${name.toLowerCase().replace(' ', '-')}`, `Clients over HTTP/1.1, ${title}`, results);
  } finally {
    await Promise.all([...clients.values()].map((client) => client.stop()));
    await answering.stop();
  }
}

function among(all: readonly string[], words: string | undefined): readonly string[] {
  const wanted = words?.split(',');
  return all.filter((each) => wanted === undefined || wanted.includes(each));
}
