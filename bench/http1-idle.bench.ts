/**
 * What an idle keep-alive connection holds in the server's memory: after one request each, and a collection.
 * HFACE_BENCH_CONNECTIONS (default 5000), HFACE_BENCH_ROUNDS (default 3), each with a fresh process.
 *
 * @module
 */
import net from 'node:net';
import { Contender, cores } from './support/contender.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const script = new URL('./contenders/http1-server.js', import.meta.url);
const connections = Number(process.env['HFACE_BENCH_CONNECTIONS'] ?? '5000');
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '3');
const names = ['node:http', 'canned bytes', 'HttpConnection', 'exchanges', 'ASGI-style', 'Fetch-style, our Response'];

/** Opens connections, asks once on each, and answers when all were answered. */
async function connectAll(url: URL, count: number, path: (index: number) => string): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  for (let batch = 0; batch < count; batch += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - batch) }, (_unused, index) => {
        const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true });
        sockets.push(socket);
        return new Promise<void>((resolve, reject) => {
          socket.once('error', reject).once('data', () => resolve());
          socket.write(`GET ${path(batch + index)} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: idle/1\r\n\r\n`);
        });
      }),
    );
  }
  return sockets;
}

/** Bytes a connection, on the heap and with what lies beside it, and of resident memory. */
async function measure(name: string): Promise<{ heap: number; resident: number }> {
  const contender = await Contender.start(script, name, cores.server, ['hello']);
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

const measured = new Map<string, { heap: number; resident: number }[]>(names.map((name) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const name of names) measured.get(name)?.push(await measure(name));
}
const reference = median((measured.get('node:http') ?? []).map(({ heap }) => heap));
const title = `Memory of an idle connection in bytes: Node ${process.versions.node}, ${String(connections)} connections`;
const head = ['', 'heap', 'resident', 'heap / node:http'];
const rows = names.map((name) => {
  const all = measured.get(name) ?? [];
  const heap = median(all.map((one) => one.heap));
  const resident = median(all.map((one) => one.resident));
  return [name, heap.toFixed(0), resident.toFixed(0), (heap / reference).toFixed(2)];
});
console.log(title);
for (const cells of [head, ...rows]) {
  console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(28) : cell.padStart(16))).join(' '));
}
keepTable('http1-idle', title, head, rows);
