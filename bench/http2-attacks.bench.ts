/**
 * What attacks over HTTP/2 cost the server, beside what they cost who attacks: the time that either process computes for
 * one connection of it, from connecting until the server has ended it (or, where an attack is answered and not ended,
 * until all of it is answered). The first row is a connection with one honest request.
 *
 * The attacker sends octets that stand ready, so its figure is close to the least that an attack costs in JavaScript; one
 * in C would pay little more than the system's part.
 *
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_CONNECTIONS (default 20, of each attack in a round), HFACE_BENCH_ONLY parted
 * by semicolons.
 *
 * @module
 */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { canPin, Contender, cores } from './support/contender.ts';
import { http2Attacks } from './support/http2-attacks.ts';
import type { Http2Attack } from './support/http2-attacks.ts';
import { FrameType, http2Frame } from './support/raw-frames.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

interface Cost {
  readonly attacker: number;
  readonly own: number;
}

const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const connections = Number(process.env['HFACE_BENCH_CONNECTIONS'] ?? '20');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');
const script = new URL('./contenders/http2-server.js', import.meta.url);
/** Milliseconds between attacks. */
const REST = 500;
const HEADER_LENGTH = 9;
const END_STREAM = 1;
const ACK = 1;
const GREETING = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  http2Frame(FrameType.settings, 0, 0, []),
  http2Frame(FrameType.settings, ACK, 0, []),
]);
const PING = http2Frame(FrameType.ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
/** The names of the codes that end an attack (RFC 9113 section 7). */
const CODES: ReadonlyMap<number, string> = new Map([
  [0, 'NO_ERROR'],
  [1, 'PROTOCOL_ERROR'],
  [5, 'STREAM_CLOSED'],
  [11, 'ENHANCE_YOUR_CALM'],
]);
const honest: Http2Attack = {
  name: 'one request',
  known: '',
  octets: http2Frame(FrameType.headers, END_STREAM | 4, 1, [0x82, 0x86, 0x84, 0x01, 1, 0x61]),
  isEnded: false,
};

/** Plays one connection; how it ended. */
async function play(url: URL, attack: Http2Attack): Promise<string> {
  const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  const received: Buffer[] = [];
  const outcome = { isThrough: false };
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    // The acknowledgement of the PING behind it is the last that comes.
    if (attack.isEnded || !Buffer.concat(received).includes(PING.subarray(HEADER_LENGTH))) return;
    outcome.isThrough = true;
    socket.destroy();
  });
  await once(socket, 'connect');
  socket.write(GREETING);
  socket.write(attack.octets);
  if (!attack.isEnded) socket.write(PING);
  await new Promise((resolve) => socket.once('close', resolve));
  return outcome.isThrough ? 'answered' : goaway(Buffer.concat(received));
}

/** The code of the GOAWAY among what came. */
function goaway(bytes: Buffer): string {
  let told = 'closed';
  for (let at = 0; at + HEADER_LENGTH <= bytes.length; at += HEADER_LENGTH + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] !== FrameType.goaway || at + HEADER_LENGTH + 8 > bytes.length) continue;
    const code = bytes.readUInt32BE(at + HEADER_LENGTH + 4);
    told = CODES.get(code) ?? String(code);
  }
  return told;
}

function computed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const server = await Contender.start(script, 'Fetch-style, our Response', cores.server, ['hello', 'clear']);
try {
  const url = new URL(server.url);
  const attacks = [honest, ...http2Attacks()].filter(({ name }) => only === undefined || only.includes(name));
  const costs = new Map<string, Cost[]>(attacks.map(({ name }) => [name, []]));
  const ends = new Map<string, string>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const attack of attacks) {
      // What the attack before has left behind is not this one's.
      await sleep(REST);
      const [before, own] = [computed(), await server.computed()];
      for (let count = 0; count < connections; count += 1) {
        const end = await play(url, attack);
        const known = ends.get(attack.name) ?? end;
        ends.set(attack.name, known.includes(end) ? known : `${known}, ${end}`);
      }
      const spent = { own: (await server.computed()) - own, attacker: computed() - before };
      // The first round warms up.
      if (round > 0)
        costs.get(attack.name)?.push({ own: spent.own / connections, attacker: spent.attacker / connections });
    }
  }
  const title =
    `Attacks over HTTP/2 on a Fetch-style app, by connection: Node ${process.versions.node}, ` +
    `${String(rounds)} rounds of ${String(connections)} connections, ${canPin() ? 'the server pinned to a core' : 'nothing pinned'}`;
  const head = ['', 'known as', 'KiB sent', 'attacker, µs', 'ours, µs', 'ours / attacker', 'end'];
  const rows = attacks.map(({ name, known, octets }) => {
    const measured = costs.get(name) ?? [];
    const attacker = median(measured.map((cost) => cost.attacker));
    const own = median(measured.map((cost) => cost.own));
    const ratio = median(measured.map((cost) => cost.own / cost.attacker));
    const size = (octets.length / 1024).toFixed(1);
    return [name, known, size, attacker.toFixed(0), own.toFixed(0), ratio.toFixed(2), ends.get(name) ?? ''];
  });
  console.log(title);
  for (const cells of [head, ...rows]) {
    console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(36) : cell.padStart(18))).join(' '));
  }
  keepTable('http2-attacks', title, head, rows);
} finally {
  await server.stop();
}
