/**
 * Servers over HTTP/2: ours at several heights beside node:http2, nghttpd, nginx, Caddy, and a server that reads nothing but
 * frame headers (the bound), in clear and over TLS. The programs serve the same octets as files. Scenarios: hello (14 bytes down), download (1 MiB down), upload (1 MiB up).
 *
 * First the answers are compared, then the time. HFACE_BENCH_ROUNDS (default 5) and HFACE_BENCH_SECONDS (default 3) set
 * how long it takes; HFACE_BENCH_ONLY names contenders, HFACE_BENCH_SCENARIOS scenarios (`hello clear`, `upload tls` …),
 * parted by semicolons.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { developmentTls } from '../src/certificates/index.ts';
import { BYTES_TYPE, DOWNLOAD, TEXT, TYPE } from './support/answers.ts';
import { canPin, Contender, cores } from './support/contender.ts';
import { h2load, hasH2load } from './support/h2load.ts';
import { freePort, ProgramContender } from './support/program-contender.ts';
import { fileServers } from './support/file-servers.ts';
import { keepResults } from './support/results.ts';
import { compare, printResults } from './support/rounds.ts';
import type { Measurement } from './support/rounds.ts';

const names = [
  'node:http2',
  'canned frames',
  'nghttpd',
  'nginx',
  'Caddy',
  'HttpConnection',
  'exchanges',
  'ASGI-style',
  'Fetch-style, our Response',
  'Fetch-style, native Response',
];
const script = new URL('./contenders/http2-server.js', import.meta.url);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const seconds = Number(process.env['HFACE_BENCH_SECONDS'] ?? '3');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const everything = 'hello clear;hello tls;download clear;download tls;upload clear;upload tls';
const scenarios = (process.env['HFACE_BENCH_SCENARIOS'] ?? everything).split(';');
const CONNECTIONS = 10;
const STREAMS = 32;

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-bench-'));
const [cert, key, upload, documents] = ['cert.pem', 'key.pem', 'upload.bin', 'documents'].map((name) =>
  path.join(folder, name),
) as [string, string, string, string];

try {
  if (!hasH2load) console.log('h2load is missing: nothing was measured');
  else {
    const identity = await developmentTls({ directory: path.join(folder, 'ca') });
    writeFileSync(cert, String(identity.cert));
    writeFileSync(key, String(identity.key));
    writeFileSync(upload, DOWNLOAD);
    mkdirSync(documents);
    writeFileSync(path.join(documents, 'index.html'), TEXT);
    writeFileSync(path.join(documents, 'download'), DOWNLOAD);
    for (const scenario of scenarios) {
      const [kind = 'hello', security = 'clear'] = scenario.split(' ');
      await measureScenario(kind, security);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

type Running = Contender | ProgramContender;

async function measureScenario(kind: string, security: string): Promise<void> {
  const contenders = new Map<string, Running>();
  // They serve files, and what is sent up they answer with an error; the exchange alone would be the same as
  // HttpConnection.
  const missing = [...fileServers].filter(([, { program }]) => !ProgramContender.has(program)).map(([name]) => name);
  const left = kind === 'upload' ? [...fileServers.keys(), 'exchanges'] : missing;
  const chosen = names.filter((name) => !left.includes(name) && (only === undefined || only.includes(name)));
  try {
    for (const name of chosen) contenders.set(name, await start(name, kind, security));
    for (const contender of contenders.values()) await checkAnswer(contender, kind);
    const counts = new Map<string, number>();
    const streams = kind === 'hello' ? STREAMS : 4;
    const measure = async (name: string): Promise<Measurement> => {
      const contender = contenders.get(name) as Running;
      const before = await contender.computed();
      const requests = counts.get(name) ?? CONNECTIONS * streams * 2;
      const sent = kind === 'upload' ? upload : undefined;
      const { rate } = await h2load(contender.url, { connections: CONNECTIONS, streams, requests, upload: sent });
      return { rate, cost: ((await contender.computed()) - before) / requests };
    };
    // Warm, and counted: the second time with as many requests as make half a round.
    for (const share of [0.5, 1]) {
      for (const name of chosen) {
        const { rate } = await measure(name);
        counts.set(name, Math.max(CONNECTIONS * streams, Math.ceil(rate * seconds * share)));
      }
    }
    const pinned = canPin() ? 'server and load pinned to a core each' : 'nothing is pinned';
    const title =
      `HTTP/2, ${kind}, ${security}: Node ${process.versions.node}, ${String(CONNECTIONS)} connections, ` +
      `${String(rounds)} rounds of ${String(seconds)} s, ${pinned}`;
    const results = await compare(chosen, rounds, measure);
    console.log(title);
    printResults(results);
    keepResults(`http2-server-${kind}-${security}`, title, results);
  } finally {
    await Promise.all([...contenders.values()].map((contender) => contender.stop()));
  }
}

async function start(name: string, kind: string, security: string): Promise<Running> {
  const program = fileServers.get(name);
  if (program === undefined) return Contender.start(script, name, cores.server, [kind, security, cert, key]);
  const port = await freePort();
  const secure = security === 'tls';
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${String(port)}/${kind === 'hello' ? '' : 'download'}`;
  const command = program.command({ port, folder, documents, tls: secure ? { cert, key } : undefined });
  return ProgramContender.start({ name, url, command });
}

/** Whether it says what all say. */
async function checkAnswer({ name, url }: Running, kind: string): Promise<void> {
  const session = http2.connect(url, { rejectUnauthorized: false });
  try {
    const up = kind === 'upload';
    const stream = session.request({ ':path': new URL(url).pathname, ':method': up ? 'POST' : 'GET' });
    if (up) stream.end(DOWNLOAD);
    const told = await new Promise<string>((resolve, reject) => {
      const pieces: Buffer[] = [];
      let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
      session.once('error', reject);
      stream.once('error', reject);
      stream.once('response', (headers) => (head = headers));
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.once('end', () => {
        // Types of files are a program's own.
        const type = fileServers.has(name) ? '' : (head['content-type'] ?? '');
        resolve(JSON.stringify([head[':status'], type, Buffer.concat(pieces).toString()]));
      });
    });
    const type = fileServers.has(name) ? '' : kind === 'download' ? BYTES_TYPE : TYPE;
    const expected = JSON.stringify([200, type, kind === 'download' ? DOWNLOAD.toString() : TEXT]);
    if (told !== expected) throw new Error(`${name} answers something else: ${told.slice(0, 300)}`);
  } finally {
    session.close();
  }
}
