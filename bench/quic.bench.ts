/**
 * HTTP/3 over sockets: bulk beside what the cryptography and the system calls of the same packets cost, handshakes beside
 * node:tls's with the same certificate, both checked by the client. What counts is the time that the server computes;
 * the client's is told as well. Alternating, in one run.
 *
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_MIB (default 32), HFACE_BENCH_HANDSHAKES (default 500).
 *
 * @module
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { openDevelopmentCa } from '../src/certificates/index.ts';
import { Client } from '../src/client/index.ts';
import { aes128GcmSha256, nodeCryptoProvider, TAG_LENGTH } from '../src/crypto/index.ts';
import { PacketKeys } from '../src/protocols/quic/packet-protection.ts';
import { canPin, cores } from './support/contender.ts';
import { HEADER_LENGTH, NUMBER_LENGTH, SECRET } from './support/quic-messages.ts';
import type { QuicServerAnswer, QuicServerQuestion, Sizes } from './support/quic-messages.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const bytes = Number(process.env['HFACE_BENCH_MIB'] ?? '32') << 20;
const handshakes = Number(process.env['HFACE_BENCH_HANDSHAKES'] ?? '500');
/** Acknowledgements of the bound are spread over so many turns, so that few are lost. */
const PER_TURN = 16;

function next(child: ChildProcess): Promise<QuicServerAnswer> {
  return new Promise((resolve) => child.once('message', (answer) => resolve(answer as QuicServerAnswer)));
}

function ask(child: ChildProcess, question: QuicServerQuestion): Promise<QuicServerAnswer> {
  const answer = next(child);
  child.send(question);
  return answer;
}

async function computed(child: ChildProcess): Promise<number> {
  return (await ask(child, 'computed')).computed ?? 0;
}

function own(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const datagrams = (sizes: Sizes): number => sizes.reduce((sum, [, times]) => sum + times, 0);

/** The bound's other end: takes what comes and sends what a client would have. */
async function playBound(child: ChildProcess, down: Sizes, up: Sizes): Promise<number> {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.on('message', () => undefined);
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const keys = new PacketKeys(nodeCryptoProvider, aes128GcmSha256, SECRET);
  const ready = await ask(child, { down, up, sink: socket.address().port });
  const done = next(child);
  let number = 0;
  for (const [size, times] of up) {
    const least = Math.max(size, HEADER_LENGTH + TAG_LENGTH + 4);
    for (let at = 0; at < times; at += 1) {
      const packet = new Uint8Array(least);
      packet[0] = 0x41;
      keys.seal(packet, HEADER_LENGTH, number, NUMBER_LENGTH);
      number += 1;
      socket.send(packet, ready.port ?? 0, '127.0.0.1');
      if (number % PER_TURN === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  const cost = (await done).computed ?? 0;
  socket.close();
  return cost;
}

function shakeByTls(port: number, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['h3'], minVersion: 'TLSv1.3' });
    socket.resume();
    socket.once('close', resolve);
    socket.once('error', reject);
  });
}

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-bench-'));
const authority = await openDevelopmentCa({ ephemeral: true });
const leaf = await authority.issue();
const ca = authority.certificatePem;
writeFileSync(path.join(folder, 'cert.pem'), leaf.certPem);
writeFileSync(path.join(folder, 'key.pem'), leaf.keyPem);
const words = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem'), String(bytes)];
const script = new URL('./contenders/quic-server.js', import.meta.url);
const pinned = canPin() ? { execPath: 'taskset', execArgv: ['-c', cores.server, process.execPath] } : {};
const child = fork(script, words, pinned);
const { url = '', port = 0 } = await next(child);

const bulk: number[] = [];
const speed: number[] = [];
const shakes: number[] = [];
const ownShakes: number[] = [];
/** Each handshake is a whole one. */
const tlsOptions = { ca, resumption: false };
try {
  for (let round = 0; round <= rounds; round += 1) {
    await ask(child, 'traffic');
    const before = await computed(child);
    const begun = performance.now();
    await using session = new Client({ protocol: ['http3'], tls: tlsOptions }).session();
    const response = await session.dispatch({ url });
    const content = await response.bytes();
    if (content.length !== bytes || content.some((byte) => byte !== 0x61)) throw new Error('the answer is another one');
    const cost = (await computed(child)) - before;
    const seconds = (performance.now() - begun) / 1_000;
    const { down = [], up = [] } = await ask(child, 'traffic');
    const least = await playBound(child, down, up);
    // The first is for the compiler.
    if (round === 0) continue;
    bulk.push(least / cost);
    speed.push(bytes / (1 << 20) / seconds);
    console.log(
      `bulk: ${(cost / datagrams(down)).toFixed(2)} us a packet sent, bound ${(least / datagrams(down)).toFixed(2)} ` +
        `(${String(datagrams(down))} down, ${String(datagrams(up))} up): ${(least / cost).toFixed(3)} of the bound; ` +
        `${(bytes / (1 << 20) / seconds).toFixed(0)} MiB/s`,
    );
  }
  for (let round = 0; round <= rounds; round += 1) {
    const start = await computed(child);
    const ownStart = own();
    for (let at = 0; at < handshakes; at += 1) await shakeByTls(port, ca);
    const middle = await computed(child);
    const ownMiddle = own();
    for (let at = 0; at < handshakes; at += 1) {
      await using session = new Client({ protocol: ['http3'], tls: tlsOptions }).session();
      const response = await session.dispatch({ url, method: 'HEAD' });
      await response.bytes();
    }
    const end = await computed(child);
    const ownEnd = own();
    if (round === 0) continue;
    shakes.push((middle - start) / (end - middle));
    ownShakes.push((ownMiddle - ownStart) / (ownEnd - ownMiddle));
    const each = (from: number, to: number): string => ((to - from) / handshakes / 1_000).toFixed(2);
    console.log(
      `handshakes: server ${each(middle, end)} ms, node:tls ${each(start, middle)} ms; client ${each(ownMiddle, ownEnd)} ` +
        `ms, node:tls ${each(ownStart, ownMiddle)} ms`,
    );
  }
} finally {
  child.disconnect();
  rmSync(folder, { recursive: true });
}
const rows: [string, string][] = [
  ['bulk: bound / own, computing of the server', median(bulk).toFixed(2)],
  ['bulk: MiB/s', median(speed).toFixed(0)],
  ['handshakes with a HEAD request: node:tls / own, server', median(shakes).toFixed(2)],
  ['handshakes with a HEAD request: node:tls / own, client', median(ownShakes).toFixed(2)],
];
for (const [name, figure] of rows) console.log(`${name}: ${figure}`);
keepTable('quic', 'QUIC and HTTP/3', ['', 'median'], rows);
