/**
 * What QUIC itself costs in bulk, without the system below it: two connections face to face in memory, beside the
 * cryptography of the same packets alone (seal and header protection on one side, both undone on the other), which is
 * the bound. Ratios, in one run, alternating.
 *
 * HFACE_BENCH_ROUNDS (default 5), HFACE_BENCH_MIB (default 64).
 *
 * @module
 */
import { aes128GcmSha256, nodeCryptoProvider, TAG_LENGTH } from '../src/crypto/index.ts';
import { PacketKeys } from '../src/protocols/quic/packet-protection.ts';
import { identity, QuicPair, random } from './support/quic-pair.ts';
import { keepTable } from './support/results.ts';
import { median } from './support/rounds.ts';

const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '5');
const total = Number(process.env['HFACE_BENCH_MIB'] ?? '64') << 20;
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
  const traffic: Traffic = { down: new Map(), up: new Map() };
  const pair = new QuicPair({
    sent: (from, data, segment) => count(from === 'server' ? traffic.down : traffic.up, data, segment),
  });
  const { client } = pair;
  let streamId = -1;
  let received = 0;
  let written = 0;
  const fill = (): void => {
    const { server } = pair;
    while (server !== undefined && streamId >= 0 && written < total && server.sendCapacity(streamId) > 0) {
      written += CHUNK.length;
      server.writeStream(streamId, CHUNK, written >= total);
    }
  };
  const take = (): void => {
    for (let event = pair.server?.nextEvent(); event !== undefined; event = pair.server?.nextEvent()) {
      if (event.type === 'ClientHelloReceived') pair.server?.submitServerIdentity(identity);
      else if (event.type === 'QuicStreamReceived') streamId = event.streamId;
      if (event.type === 'QuicStreamReceived' || event.type === 'QuicStreamWritable') fill();
      if (event.type === 'QuicConnectionClosed') throw new Error(event.reason);
    }
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
  while (received < total) pair.turn(take);
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
for (let round = 0; round <= rounds; round += 1) {
  const { cost, traffic } = download();
  const least = bound(traffic);
  const packets = (sizes: Map<number, number>): number => [...sizes.values()].reduce((sum, times) => sum + times, 0);
  // The first is for the compiler.
  if (round > 0) ratios.push(least / cost);
  console.log(
    `${(cost / packets(traffic.down)).toFixed(2)} us a packet, bound ${(least / packets(traffic.down)).toFixed(2)}; ` +
      `${String(packets(traffic.down))} packets down, ${String(packets(traffic.up))} up: ${(least / cost).toFixed(3)} of the bound`,
  );
}
console.log(`median: ${median(ratios).toFixed(3)} of what the cryptography of the same packets allows`);
keepTable('quic-loop', 'QUIC in memory, in bulk', ['', 'bound / own'], [['both ends', median(ratios).toFixed(2)]]);
