/**
 * A server for bench/quic: HTTP/3 in bulk, HTTP/3 handshakes, handshakes of node:tls (alone, with canned bytes for an
 * answer, and under node:https), and the bound of bulk: what sealing, header protection and sending of the same packets
 * cost, and receiving and opening of as many as came.
 *
 * Owns the accounts of its own process: the time it has computed, and what went over its UDP sockets.
 *
 * @module
 */
import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import tls from 'node:tls';
import { SystemNetworking } from '../../src/networking/index.ts';
import type { ListenUdpOptions, UdpSocket, UdpSocketHandler } from '../../src/networking/index.ts';
import { aes128GcmSha256, nodeCryptoProvider, TAG_LENGTH } from '../../src/crypto/index.ts';
import { PacketKeys } from '../../src/protocols/quic/packet-protection.ts';
import { Response } from '../../src/fetch/index.ts';
import { AppServer } from '../../src/server/index.ts';
import type { QuicBoundRequest, QuicServerAnswer, QuicServerQuestion } from '../support/quic-messages.ts';
import { HEADER_LENGTH, NUMBER_LENGTH, SECRET } from '../support/quic-messages.ts';

const [, , certFile = '', keyFile = '', bytes = '0'] = process.argv;
const identity = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
const BULK = new Uint8Array(Number(bytes)).fill(0x61);
/** Datagrams that are given to the system before the event loop has its turn. */
const BURST = 64;

const sent = new Map<number, number>();
const received = new Map<number, number>();

function count(sizes: Map<number, number>, size: number): void {
  sizes.set(size, (sizes.get(size) ?? 0) + 1);
}

type LookupDone = (error: null, address: string, family: number) => void;

/** Sockets of the system that are counted. */
class CountingNetworking extends SystemNetworking {
  override async listenUdp(options: ListenUdpOptions, handler: UdpSocketHandler): Promise<readonly UdpSocket[]> {
    const take = handler.datagramReceived.bind(handler);
    handler.datagramReceived = (data, path) => {
      count(received, data.length);
      take(data, path);
    };
    const sockets = await super.listenUdp(options, handler);
    for (const socket of sockets) {
      const send = socket.send.bind(socket);
      socket.send = (data, segmentSize, path) => {
        for (let at = 0; at < data.length; at += segmentSize) count(sent, Math.min(segmentSize, data.length - at));
        return send(data, segmentSize, path);
      };
    }
    return sockets;
  }
}

function computed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The same packets without a protocol. */
async function bound({ down, up, sink }: QuicBoundRequest): Promise<number> {
  const keys = new PacketKeys(nodeCryptoProvider, aes128GcmSha256, SECRET);
  // The address is one: nothing is looked up, as by our own sockets.
  const lookup = (host: string, _options: unknown, done: LookupDone): void => done(null, host, 4);
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20, lookup });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  let opened = 0;
  let number = 0;
  socket.on('message', (packet) => {
    keys.unmask(packet, HEADER_LENGTH - NUMBER_LENGTH);
    if (keys.open(packet, HEADER_LENGTH, opened) !== undefined) opened += 1;
  });
  const expected = up.reduce((sum, [, times]) => sum + times, 0);
  process.send?.({ port: socket.address().port } satisfies QuicServerAnswer);
  const started = computed();
  for (const [size, times] of down) {
    if (size < HEADER_LENGTH + TAG_LENGTH + 4) continue;
    for (let at = 0; at < times; at += 1) {
      const packet = new Uint8Array(size);
      packet[0] = 0x43;
      keys.seal(packet, HEADER_LENGTH, number, NUMBER_LENGTH);
      number += 1;
      socket.send(packet, sink, '127.0.0.1');
      if (number % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  // What the sender of acknowledgements sends in bursts may be lost in part: it counts as far as it came.
  for (let look = 0; look < 200 && opened < expected * 0.98; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const cost = computed() - started;
  socket.close();
  return cost;
}

const server = await new AppServer(() => new Response(BULK), {
  tls: identity,
  protocol: ['http3'],
  networking: new CountingNetworking(),
}).listen('https://127.0.0.1:0');

async function listening(other: Server): Promise<number> {
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  return (other.address() as AddressInfo).port;
}

const bare = tls.createServer({ ...identity, minVersion: 'TLSv1.3', ALPNProtocols: ['h3'] }, (socket) => {
  socket.on('error', () => undefined);
  socket.end();
});
const canned = tls.createServer({ ...identity, minVersion: 'TLSv1.3' }, (socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`));
});
const whole = https.createServer({ ...identity, minVersion: 'TLSv1.3' }, (_request, response) => {
  response.setHeader('Content-Length', bytes);
  response.end();
});
const ports = { bare: await listening(bare), canned: await listening(canned), https: await listening(whole) };

const tell = (answer: QuicServerAnswer): void => void process.send?.(answer);
process.on('message', (question: QuicServerQuestion) => {
  if (question === 'computed') tell({ computed: computed() });
  else if (question === 'traffic') {
    tell({ down: [...sent], up: [...received] });
    sent.clear();
    received.clear();
  } else void bound(question).then((cost) => tell({ computed: cost }));
});
process.on('disconnect', () => process.exit());
tell({ url: server.url, ports });
