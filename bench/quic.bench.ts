/**
 * HTTP/3 over sockets: bulk beside what the cryptography and the system calls of the same packets cost, handshakes beside
 * node:tls's with the same certificate. What counts is the time that the server computes, or where it says so that of
 * both ends; the client of each is this process. Alternating, in one run.
 *
 * Handshakes are compared like with like: alone with node:tls's alone, and with a HEAD request and its answer, where
 * node:tls sends canned bytes when something has come; what node:https takes for the same is told beside it. Servers
 * are warmed up first, as one is that has run for some seconds.
 *
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_MIB (default 32), HFACE_BENCH_HANDSHAKES (default 500), HFACE_BENCH_ONLY
 * (bulk or handshakes), HFACE_BENCH_FLAGS (what node is given besides for the server).
 *
 * @module
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDevelopmentCa } from '../src/certificates/index.ts';
import { Client } from '../src/client/index.ts';
import { aes128GcmSha256, nodeCryptoProvider, TAG_LENGTH } from '../src/crypto/index.ts';
import { PacketKeys } from '../src/protocols/quic/packet-protection.ts';
import { canPin, cores, flags } from './support/contender.ts';
import { HEADER_LENGTH, NUMBER_LENGTH, SECRET } from './support/quic-messages.ts';
import type { QuicServerAnswer, QuicServerQuestion, Sizes } from './support/quic-messages.ts';
import { shakeByQuic, shakeByTls, shakeMany } from './support/quic-shake.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const bytes = Number(process.env['HFACE_BENCH_MIB'] ?? '32') << 20;
const handshakes = Number(process.env['HFACE_BENCH_HANDSHAKES'] ?? '500');
const only = process.env['HFACE_BENCH_ONLY'];
/** Rounds that do not count: they are for the compiler, which is done with a server that has run for some seconds. */
const WARM_UP = 3;
/** Clients that shake hands at the same time. */
const AT_ONCE = 4;
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

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-bench-'));
const authority = await openDevelopmentCa({ ephemeral: true });
const leaf = await authority.issue();
const ca = authority.certificatePem;
writeFileSync(path.join(folder, 'cert.pem'), leaf.certPem);
writeFileSync(path.join(folder, 'key.pem'), leaf.keyPem);
const words = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem'), String(bytes)];
const script = new URL('./contenders/quic-server.js', import.meta.url);
const node = [process.execPath, ...flags()];
const pinned = canPin() ? { execPath: 'taskset', execArgv: ['-c', cores.server, ...node] } : { execArgv: flags() };
const child = fork(script, words, pinned);
const { url = '', ports = { bare: 0, canned: 0, https: 0 } } = await next(child);

const bulk: number[] = [];
const speed: number[] = [];
const shakes: number[] = [];
const bothEnds: number[] = [];
const asked: number[] = [];
const askedWhole: number[] = [];
const tlsOptions = { ca };
try {
  for (let round = 0; round < rounds + WARM_UP && only !== 'handshakes'; round += 1) {
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
    console.log(
      `bulk: ${(cost / datagrams(down)).toFixed(2)} us a packet sent, bound ${(least / datagrams(down)).toFixed(2)} ` +
        `(${String(datagrams(down))} down, ${String(datagrams(up))} up): ${(least / cost).toFixed(3)} of the bound; ` +
        `${(bytes / (1 << 20) / seconds).toFixed(0)} MiB/s`,
    );
    if (round < WARM_UP) continue;
    bulk.push(least / cost);
    speed.push(bytes / (1 << 20) / seconds);
  }
  const h3Port = Number(new URL(url).port);
  const costs = async (shake: () => Promise<void>): Promise<{ server: number; both: number }> => {
    const before = await computed(child);
    const own = process.cpuUsage();
    await shakeMany(handshakes, AT_ONCE, shake);
    const { user, system } = process.cpuUsage(own);
    const server = ((await computed(child)) - before) / handshakes;
    return { server, both: server + (user + system) / handshakes };
  };
  const cost = async (shake: () => Promise<void>): Promise<number> => (await costs(shake)).server;
  for (let round = 0; round < rounds + WARM_UP && only !== 'bulk'; round += 1) {
    const { server: bare, both: bareBoth } = await costs(() => shakeByTls(ports.bare, false));
    const { server: own, both: ownBoth } = await costs(() => shakeByQuic(h3Port, false));
    const canned = await cost(() => shakeByTls(ports.canned, true));
    const ownAsked = await cost(() => shakeByQuic(h3Port, true));
    const whole = await cost(() => shakeByTls(ports.https, true));
    const us = (figure: number): string => figure.toFixed(0);
    console.log(
      `handshakes: ${us(own)} us, node:tls ${us(bare)}: ${(bare / own).toFixed(2)}; ` +
        `both ends ${us(ownBoth)} and ${us(bareBoth)}: ${(bareBoth / ownBoth).toFixed(2)}; with HEAD: ${us(ownAsked)} us, ` +
        `canned ${us(canned)}: ${(canned / ownAsked).toFixed(2)}, node:https ${us(whole)}: ${(whole / ownAsked).toFixed(2)}`,
    );
    if (round < WARM_UP) continue;
    shakes.push(bare / own);
    bothEnds.push(bareBoth / ownBoth);
    asked.push(canned / ownAsked);
    askedWhole.push(whole / ownAsked);
  }
} finally {
  child.disconnect();
  rmSync(folder, { recursive: true });
}
const rows: [string, string][] = [];
const told = (name: string, figures: readonly number[], digits: number): void => {
  if (figures.length > 0) rows.push([name, median(figures).toFixed(digits)]);
};
told('bulk: bound / own', bulk, 2);
told('bulk: MiB/s', speed, 0);
told('handshakes, both ends: node:tls / own', bothEnds, 2);
told('handshakes, server: node:tls / own', shakes, 2);
told('handshakes with HEAD, server: node:tls with canned bytes / own', asked, 2);
told('handshakes with HEAD, server: node:https / own', askedWhole, 2);
for (const [name, figure] of rows) console.log(`${name}: ${figure}`);
keepTable('quic', 'QUIC and HTTP/3', ['', 'median'], rows);
