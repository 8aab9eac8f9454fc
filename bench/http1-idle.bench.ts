/**
 * What an idle keep-alive connection holds in the server's memory: after one request each, and a collection.
 * In clear and over TLS. HFACE_BENCH_CONNECTIONS (default 5000; over TLS a quarter of it), HFACE_BENCH_ROUNDS (default 3),
 * each with a fresh process; HFACE_BENCH_ONLY as in http1-server.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { developmentTls } from '../src/certificates/index.ts';
import { Contender, cores } from './support/contender.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const script = new URL('./contenders/http1-server.js', import.meta.url);
const most = Number(process.env['HFACE_BENCH_CONNECTIONS'] ?? '5000');
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '3');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const REFERENCE = 'node:http';
const all = [REFERENCE, 'canned bytes', 'HttpConnection', 'exchanges', 'ASGI-style', 'Fetch-style, our Response'];
const chosen = all.filter((name) => name === REFERENCE || only === undefined || only.includes(name));

/** What a connection holds, in bytes: on the heap and what lies beside it, and of resident memory. */
interface Held {
  readonly heap: number;
  readonly resident: number;
}

/** Opens connections, asks once on each, and answers when all were answered. */
async function connectAll(url: URL, count: number, pathOf: (index: number) => string): Promise<net.Socket[]> {
  const { hostname: host, port } = url;
  const sockets: net.Socket[] = [];
  for (let batch = 0; batch < count; batch += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - batch) }, (_unused, index) => {
        const target = { host, port: Number(port) };
        const socket =
          url.protocol === 'https:'
            ? tls.connect({ ...target, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
            : net.connect(target);
        sockets.push(socket);
        return new Promise<void>((resolve, reject) => {
          socket.once('error', reject).once('data', () => resolve());
          socket.write(`GET ${pathOf(batch + index)} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: idle/1\r\n\r\n`);
        });
      }),
    );
  }
  return sockets;
}

async function measure(name: string, connections: number, files: readonly string[]): Promise<Held> {
  const contender = await Contender.start(script, name, cores.server, ['hello', ...files]);
  try {
    const url = new URL(contender.url);
    // Warm: what is compiled and kept once is no connection's.
    const warm = await connectAll(url, 200, () => '/');
    for (const socket of warm) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = await contender.memory();
    // Each asks for something else, as clients do.
    const sockets = await connectAll(url, connections, (index) => `/?page=${String(index)}`);
    const after = await contender.memory();
    for (const socket of sockets) socket.destroy();
    return {
      heap: (after.heap - before.heap) / connections,
      resident: (after.resident - before.resident) / connections,
    };
  } finally {
    await contender.stop();
  }
}

async function compareAll(
  security: string,
  names: readonly string[],
  connections: number,
  files: readonly string[],
): Promise<void> {
  const measured = new Map<string, Held[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) measured.get(name)?.push(await measure(name, connections, files));
  }
  const medians = (name: string): Held => ({
    heap: median((measured.get(name) ?? []).map(({ heap }) => heap)),
    resident: median((measured.get(name) ?? []).map(({ resident }) => resident)),
  });
  const reference = medians(REFERENCE);
  const node = process.versions.node;
  const title = `Memory of an idle connection in bytes, ${security}: Node ${node}, ${String(connections)} connections`;
  const head = ['', 'heap', 'resident', 'heap / node:http', 'resident / node:http'];
  const rows = names.map((name) => {
    const { heap, resident } = medians(name);
    const ratios = [heap / reference.heap, resident / reference.resident].map((ratio) => ratio.toFixed(2));
    return [name, heap.toFixed(0), resident.toFixed(0), ...ratios];
  });
  console.log(title);
  for (const cells of [head, ...rows]) {
    console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(28) : cell.padStart(21))).join(' '));
  }
  keepTable(`http1-idle-${security}`, title, head, rows);
}

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-bench-'));
try {
  await compareAll('clear', chosen, most, []);
  const identity = await developmentTls({ directory: path.join(folder, 'ca') });
  const files = ['cert.pem', 'key.pem'].map((name) => path.join(folder, name));
  writeFileSync(files[0] as string, String(identity.cert));
  writeFileSync(files[1] as string, String(identity.key));
  const secured = chosen.filter((name) => name !== 'canned bytes');
  await compareAll('tls', secured, Math.ceil(most / 4), files);
} finally {
  rmSync(folder, { recursive: true });
}
