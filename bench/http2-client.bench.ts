/**
 * Clients over one HTTP/2 connection with many streams at once: ours at three heights beside node:http2, http2-wrapper,
 * undici, and a client that looks at nothing but frame headers (the bound), in clear and over TLS.
 *
 * The server is the one of canned frames and has a core of its own; what counts is what the client's process computes.
 * First the answers are compared, then the time. HFACE_BENCH_ROUNDS (default 5) and HFACE_BENCH_SECONDS (default 2) set
 * how long it takes; HFACE_BENCH_ONLY names contenders, HFACE_BENCH_SCENARIOS `clear` or `tls`, parted by semicolons;
 * HFACE_BENCH_STREAMS (default 100) how many at once.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { developmentTls } from '../src/certificates/index.ts';
import { TEXT } from './support/answers.ts';
import { expectedAnswer } from './support/canned.ts';
import { ClientContender } from './support/client-contender.ts';
import type { Traffic } from './support/client-contender.ts';
import { canPin, Contender, cores } from './support/contender.ts';
import { keepResults } from './support/results.ts';
import { compare, printResults } from './support/rounds.ts';

const names = [
  'node:http2',
  'http2-wrapper',
  'undici dispatch',
  'canned frames',
  'callback core',
  'session.dispatch',
  'session.fetch',
];
const server = new URL('./contenders/http2-server.js', import.meta.url);
const script = new URL('./contenders/http2-client.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const seconds = Number(process.env['HFACE_BENCH_SECONDS'] ?? '2');
const parallel = Number(process.env['HFACE_BENCH_STREAMS'] ?? '100');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const securities = (process.env['HFACE_BENCH_SCENARIOS'] ?? 'clear;tls').split(';');

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-bench-'));
const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(folder, name)) as [string, string];
try {
  const identity = await developmentTls({ directory: path.join(folder, 'ca') });
  writeFileSync(cert, String(identity.cert));
  writeFileSync(key, String(identity.key));
  for (const security of securities) await run(security);
} finally {
  rmSync(folder, { recursive: true });
}

async function run(security: string): Promise<void> {
  // http2-wrapper knows TLS alone.
  const able = names.filter((name) => security === 'tls' || name !== 'http2-wrapper');
  const chosen = able.filter((name) => only === undefined || only.includes(name));
  const answering = await Contender.start(server, 'canned frames', cores.load, ['hello', security, cert, key]);
  const clients = new Map<string, ClientContender>();
  try {
    const traffic: Traffic = { url: answering.url, body: undefined, parallel, connections: 1 };
    for (const each of chosen) clients.set(each, await ClientContender.start(script, each));
    for (const client of clients.values()) {
      const told = JSON.stringify(await client.check(traffic));
      if (told !== JSON.stringify(expectedAnswer(TEXT))) throw new Error(`${client.name} was told ${told}`);
    }
    // Warm: connected and compiled.
    for (const client of clients.values()) await client.measure(traffic, Math.min(1, seconds));
    const results = await compare(chosen, rounds, (each) =>
      (clients.get(each) as ClientContender).measure(traffic, seconds),
    );
    const pinned = canPin() ? 'server and client pinned to a core each' : 'nothing is pinned';
    const title =
      `Clients over HTTP/2, ${security}: Node ${process.versions.node}, one connection with ${String(parallel)} ` +
      `streams, ${String(rounds)} rounds of ${String(seconds)} s, ${pinned}`;
    console.log(title);
    printResults(results);
    keepResults(`http2-client-${security}`, title, results);
  } finally {
    await Promise.all([...clients.values()].map((client) => client.stop()));
    await answering.stop();
  }
}
