/**
 * What an idle HTTP/2 connection, and what an open stream that waits for its answer, hold in the server's memory: beside
 * node:http2's, after a collection, each with a fresh process. An idle connection has had one request.
 *
 * The young generation has one size in all of them: it would grow by up to 16 MiB while connections come, in one process
 * sooner than in another, and be taken for what they hold.
 *
 * HFACE_BENCH_CONNECTIONS (default 2000), HFACE_BENCH_STREAMS (default 1000, on each of ten connections),
 * HFACE_BENCH_ROUNDS (default 3), HFACE_BENCH_ONLY parted by semicolons.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Contender, cores } from './support/contender.ts';
import { RawFrames } from './support/raw-frames.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

process.env['HFACE_BENCH_FLAGS'] ??= '--min-semi-space-size=16 --max-semi-space-size=16';

interface Held {
  readonly heap: number;
  readonly resident: number;
}

const script = new URL('./contenders/http2-server.js', import.meta.url);
const connections = Number(process.env['HFACE_BENCH_CONNECTIONS'] ?? '2000');
const streams = Number(process.env['HFACE_BENCH_STREAMS'] ?? '1000');
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '3');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const REFERENCE = 'node:http2';
const BUSY = 10;
const all = [REFERENCE, 'HttpConnection', 'exchanges', 'ASGI-style', 'Fetch-style, our Response'];
const names = all.filter((name) => name === REFERENCE || only === undefined || only.includes(name));

await compare('idle', `an idle connection: ${String(connections)} connections`, idleConnections);
await compare(
  'stream',
  `an open stream: ${String(BUSY)} connections with ${String(streams)} streams each`,
  openStreams,
);

async function compare(kind: string, what: string, measure: (name: string) => Promise<Held>): Promise<void> {
  const measured = new Map<string, Held[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) measured.get(name)?.push(await measure(name));
  }
  const reference = median((measured.get(REFERENCE) ?? []).map(({ heap }) => heap));
  const title = `Memory in bytes of ${what}, HTTP/2 in clear: Node ${process.versions.node}`;
  const head = ['', 'heap', 'resident', `heap / ${REFERENCE}`];
  const rows = names.map((name) => {
    const own = measured.get(name) ?? [];
    const heap = median(own.map((one) => one.heap));
    const resident = median(own.map((one) => one.resident));
    return [name, heap.toFixed(0), resident.toFixed(0), (heap / reference).toFixed(2)];
  });
  console.log(title);
  for (const cells of [head, ...rows]) {
    console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(28) : cell.padStart(18))).join(' '));
  }
  keepTable(`http2-memory-${kind}`, title, head, rows);
}

async function idleConnections(name: string): Promise<Held> {
  const contender = await Contender.start(script, name, cores.server, ['hello', 'clear', '', '', String(streams)]);
  try {
    const url = new URL(contender.url);
    // Warm: what is compiled and kept once is no connection's.
    const warm = await connectAll(url, 200);
    await sleep(2_000);
    for (const { socket } of warm) socket.destroy();
    await sleep(300);
    const before = await contender.memory();
    const opened = await connectAll(url, connections);
    // Idle is who has been so for a moment.
    await sleep(2_000);
    const after = await contender.memory();
    for (const { socket } of opened) socket.destroy();
    return difference(before, after, connections);
  } finally {
    await contender.stop();
  }
}

/** Each asks once, for something else, as clients do. */
async function connectAll(url: URL, count: number): Promise<RawFrames[]> {
  const opened: RawFrames[] = [];
  for (let batch = 0; batch < count; batch += 100) {
    const some = await Promise.all(
      Array.from({ length: Math.min(100, count - batch) }, async (_unused, index) => {
        const raw = await RawFrames.connect(url);
        raw.get(1, `/?page=${String(batch + index)}`);
        await raw.answers(1);
        return raw;
      }),
    );
    opened.push(...some);
  }
  return opened;
}

async function openStreams(name: string): Promise<Held> {
  const contender = await Contender.start(script, name, cores.server, ['hold', 'clear', '', '', String(streams)]);
  try {
    const url = new URL(contender.url);
    const open = async (each: RawFrames): Promise<void> => {
      for (let index = 0; index < streams; index += 1) each.get(2 * index + 1, `/?page=${String(index)}`);
      await each.roundTrip();
    };
    const warm = await RawFrames.connect(url);
    await open(warm);
    warm.socket.destroy();
    const opened = await Promise.all(Array.from({ length: BUSY }, () => RawFrames.connect(url)));
    for (const each of opened) await each.roundTrip();
    await sleep(300);
    const before = await contender.memory();
    await Promise.all(opened.map(open));
    await sleep(300);
    const after = await contender.memory();
    for (const { socket } of opened) socket.destroy();
    return difference(before, after, BUSY * streams);
  } finally {
    await contender.stop();
  }
}

function difference(before: Held, after: Held, count: number): Held {
  return { heap: (after.heap - before.heap) / count, resident: (after.resident - before.resident) / count };
}
