/**
 * What QUIC itself costs in bulk, without the system below it: two connections face to face in memory, beside the
 * cryptography of the same packets alone (seal and header protection on one side, both undone on the other), which is
 * the bound. Ratios, in one run, alternating.
 *
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_MIB (default 64).
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NetworkPath, Random } from '../src/common/index.ts';
import { aes128GcmSha256, nodeCryptoProvider, TAG_LENGTH } from '../src/crypto/index.ts';
import { QuicConnection, quicClientConfig, quicServerConfig } from '../src/protocols/quic/index.ts';
import type { ConnectionIdSource } from '../src/protocols/quic/connection-config.ts';
import { PacketKeys } from '../src/protocols/quic/packet-protection.ts';
import { SystemRandom } from '../src/networking/system-random.ts';
import { median } from './support/rounds.ts';

const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const total = Number(process.env['HFACE_BENCH_MIB'] ?? '64') << 20;
const fixtures = path.join(import.meta.dirname, '../../test/unit/crypto/fixtures');
const identity = {
  cert: readFileSync(path.join(fixtures, 'p256.cert.pem'), 'latin1'),
  key: readFileSync(path.join(fixtures, 'p256.key.pem'), 'latin1'),
};
const random: Random = new SystemRandom();
const ids = (): ConnectionIdSource => ({
  length: 8,
  next: () => ({ id: random.fill(new Uint8Array(8)), resetToken: random.fill(new Uint8Array(16)) }),
});
const near: NetworkPath = { local: '127.0.0.1:1', remote: '127.0.0.1:2' };
const far: NetworkPath = { local: '127.0.0.1:2', remote: '127.0.0.1:1' };
/** How long a turn of the virtual network takes, in milliseconds. */
const TURN = 0.1;
const CHUNK = new Uint8Array(65_536).fill(0x61);

/** What went over the wire, each way: how many packets of which size. */
interface Traffic {
  readonly down: Map<number, number>;
  readonly up: Map<number, number>;
}

function count(sizes: Map<number, number>, data: Uint8Array, segment: number): void {
  for (let at = 0; at < data.length; at += segment) {
    const size = Math.min(segment, data.length - at);
    sizes.set(size, (sizes.get(size) ?? 0) + 1);
  }
}

/** One download; the processor time of both ends in microseconds. */
function download(): { cost: number; traffic: Traffic } {
  const common = { crypto: nodeCryptoProvider, random, alpn: ['h3'], epoch: Date.now() };
  const client = new QuicConnection(quicClientConfig({ ...common, host: 'a.example', connectionIds: ids() }), near, 0);
  let server: QuicConnection | undefined;
  let now = 0;
  let streamId = -1;
  let received = 0;
  let written = 0;
  const traffic: Traffic = { down: new Map(), up: new Map() };
  const fill = (): void => {
    while (server !== undefined && streamId >= 0 && written < total && server.sendCapacity(streamId) > 0) {
      written += CHUNK.length;
      server.writeStream(streamId, CHUNK, written >= total);
    }
  };
  const serverEvents = (): void => {
    for (let event = server?.nextEvent(); event !== undefined; event = server?.nextEvent()) {
      if (event.type === 'ClientHelloReceived') server?.submitServerIdentity(identity);
      else if (event.type === 'QuicStreamReceived') streamId = event.streamId;
      if (event.type === 'QuicStreamReceived' || event.type === 'QuicStreamWritable') fill();
      if (event.type === 'QuicConnectionClosed') throw new Error(event.reason);
    }
  };
  const clientEvents = (): void => {
    for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
      if (event.type === 'CertificateReceived') client.submitCertificateVerdict({ ok: true });
      else if (event.type === 'HandshakeCompleted')
        client.writeStream(client.openStream(true), new Uint8Array(1), true);
      else if (event.type === 'QuicStreamReceived') {
        received += event.data.length;
        client.streamConsumed(event.streamId, event.data.length);
      } else if (event.type === 'QuicConnectionClosed') throw new Error(event.reason);
    }
  };
  const started = process.cpuUsage();
  while (received < total) {
    for (const { data, segmentSize } of client.datagramsToSend(now, 64)) {
      count(traffic.up, data, segmentSize);
      for (let at = 0; at < data.length; at += segmentSize) {
        const datagram = data.subarray(at, at + segmentSize);
        server ??= new QuicConnection(quicServerConfig({ ...common, connectionIds: ids() }), far, now, {
          originalDestinationId: datagram.slice(6, 6 + (datagram[5] ?? 0)),
          destinationId: datagram.slice(6, 6 + (datagram[5] ?? 0)),
          sourceId: datagram.slice(7 + (datagram[5] ?? 0), 7 + (datagram[5] ?? 0) + 8),
          retrySourceId: undefined,
          addressValidated: false,
        });
        server.datagramReceived(datagram, far, now);
        serverEvents();
      }
    }
    for (const { data, segmentSize } of server?.datagramsToSend(now, 64) ?? []) {
      count(traffic.down, data, segmentSize);
      for (let at = 0; at < data.length; at += segmentSize) {
        client.datagramReceived(data.subarray(at, at + segmentSize), near, now);
        clientEvents();
      }
    }
    serverEvents();
    now += TURN;
    if ((client.nextTimeout() ?? Infinity) <= now) client.handleTimeout(now);
    if (server !== undefined && (server.nextTimeout() ?? Infinity) <= now) server.handleTimeout(now);
    clientEvents();
    serverEvents();
  }
  const { user, system } = process.cpuUsage(started);
  return { cost: user + system, traffic };
}

/** The cryptography of the same packets. */
function bound(traffic: Traffic): number {
  const secret = random.fill(new Uint8Array(32));
  const sealing = new PacketKeys(nodeCryptoProvider, aes128GcmSha256, secret);
  const opening = new PacketKeys(nodeCryptoProvider, aes128GcmSha256, secret);
  const started = process.cpuUsage();
  let number = 0;
  for (const sizes of [traffic.down, traffic.up]) {
    for (const [size, times] of sizes) {
      if (size < 9 + 4 + TAG_LENGTH) continue;
      for (let at = 0; at < times; at += 1) {
        const packet = new Uint8Array(size);
        packet[0] = 0x43;
        number += 1;
        sealing.seal(packet, 13, number, 4);
        opening.unmask(packet, 9);
        if (opening.open(packet, 13, number) === undefined) throw new Error('a packet did not open');
      }
    }
  }
  const { user, system } = process.cpuUsage(started);
  return user + system;
}

const ratios: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const { cost, traffic } = download();
  const least = bound(traffic);
  const packets = (sizes: Map<number, number>): number => [...sizes.values()].reduce((sum, times) => sum + times, 0);
  ratios.push(least / cost);
  console.log(
    `${(cost / packets(traffic.down)).toFixed(2)} us a packet, bound ${(least / packets(traffic.down)).toFixed(2)}; ` +
      `${String(packets(traffic.down))} packets down, ${String(packets(traffic.up))} up: ${(least / cost).toFixed(3)} of the bound`,
  );
}
console.log(`median: ${median(ratios).toFixed(3)} of what the cryptography of the same packets allows`);
