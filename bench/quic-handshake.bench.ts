/**
 * What a handshake of QUIC costs beside one of node:tls with the same certificate: the time that both ends compute. Ours
 * are two engines in memory; node:tls has its sockets, without which it cannot be. Nobody checks chains in either.
 * Alternating, in one run. What sockets, HTTP/3 and a check of the chain add is in bench/quic.
 *
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_HANDSHAKES (default 500).
 *
 * @module
 */
import tls from 'node:tls';
import { identity, QuicPair } from './support/quic-pair.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const handshakes = Number(process.env['HFACE_BENCH_HANDSHAKES'] ?? '500');
/** For the compiler: as many as a server has had after some seconds. */
const WARM_UP = 3;
const MAX_TURNS = 100;

function shakeByQuic(): void {
  const pair = new QuicPair();
  const { client } = pair;
  const take = (): void => {
    for (let event = pair.server?.nextEvent(); event !== undefined; event = pair.server?.nextEvent()) {
      if (event.type === 'ClientHelloReceived') pair.server?.submitServerIdentity(identity);
    }
    for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
      if (event.type === 'CertificateReceived') client.submitCertificateVerdict({ ok: true });
    }
  };
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    pair.turn(take);
    if (client.handshakeConfirmed && pair.server?.handshakeConfirmed === true) return;
  }
  throw new Error('the handshake does not end');
}

const server = tls.createServer({ ...identity, minVersion: 'TLSv1.3', ALPNProtocols: ['h3'] }, (socket) => {
  socket.on('error', () => undefined);
  socket.end();
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('no port');
const { port } = address;

function shakeByTls(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'a.example',
      rejectUnauthorized: false,
      ALPNProtocols: ['h3'],
      minVersion: 'TLSv1.3',
    });
    socket.resume();
    socket.once('close', resolve);
    socket.once('error', reject);
  });
}

async function cost(shake: () => void | Promise<void>): Promise<number> {
  const started = process.cpuUsage();
  for (let at = 0; at < handshakes; at += 1) await shake();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / handshakes;
}

const ratios: number[] = [];
for (let round = 0; round < rounds + WARM_UP; round += 1) {
  const other = await cost(shakeByTls);
  const own = await cost(shakeByQuic);
  console.log(`${own.toFixed(0)} us a handshake, node:tls ${other.toFixed(0)}: ${(other / own).toFixed(2)}`);
  if (round >= WARM_UP) ratios.push(other / own);
}
server.close();
console.log(`median: ${median(ratios).toFixed(2)} of node:tls's rate`);
keepTable('quic-handshake', 'Handshakes of QUIC', ['', 'node:tls / own'], [['both ends', median(ratios).toFixed(2)]]);
