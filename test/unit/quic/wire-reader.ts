/**
 * What two connections said to each other, packet by packet, as a capture with its key log tells it.
 *
 * @module
 */
import { aes128GcmSha256, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { parseFrames } from '../../../src/protocols/quic/frame-parser.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import type { PacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { decodePacketNumber } from '../../../src/protocols/quic/packet-number.ts';
import { initialKeys, PacketKeys } from '../../../src/protocols/quic/packet-protection.ts';
import { spaceOf } from '../../../src/protocols/quic/packet-spaces.ts';
import type { RecordedFrame } from '../protocols/quic/recorder.ts';
import { recordFrames } from '../protocols/quic/recorder.ts';
import type { ConnectionPair, Side, Transit } from './connection-pair.ts';

/** One packet. */
export interface WirePacket {
  readonly transit: Transit;
  readonly kind: PacketKind;
  readonly number: number;
  /** The Key Phase bit of a 1-RTT packet. */
  readonly phase: boolean;
  readonly header: PacketHeader;
  readonly size: number;
  readonly frames: readonly RecordedFrame[];
}

const KEY_PHASE = 0x04;
const GENERATIONS = 8;
const LABELS: Record<Exclude<PacketKind, 'initial'>, string> = {
  zeroRtt: 'EARLY_TRAFFIC_SECRET',
  handshake: 'HANDSHAKE_TRAFFIC_SECRET',
  oneRtt: 'TRAFFIC_SECRET_0',
};
const KINDS: Partial<Record<PacketHeader['form'], PacketKind>> = {
  initial: 'initial',
  zeroRtt: 'zeroRtt',
  handshake: 'handshake',
  short: 'oneRtt',
};

/**
 * All packets of a pair that was made with `keylog` on both sides and without Retry, in the order in which they were sent,
 * what was lost among them. Those of 1-RTT whose sender's ids are not eight bytes long are not read.
 */
export function packetsOf(pair: ConnectionPair): WirePacket[] {
  const secrets = new Map<string, Buffer>();
  for (const notice of [...pair.notices.client, ...pair.notices.server]) {
    if (notice.type !== 'KeyLogged') continue;
    const [label = '', , secret = ''] = notice.line.split(' ');
    secrets.set(label, Buffer.from(secret, 'hex'));
  }
  const first = readPacketHeader(pair.sent[0]?.data ?? Buffer.alloc(0), 0, 8);
  if (first === undefined) throw new Error('nothing was sent');
  const initial = initialKeys(nodeCryptoProvider, first.destination);
  const keys = new Map<string, PacketKeys>();
  const keysOf = (from: Side, kind: PacketKind): PacketKeys | undefined => {
    if (kind === 'initial') return initial[from];
    const label = `${from.toUpperCase()}_${LABELS[kind]}`;
    const secret = secrets.get(label);
    const known = keys.get(label);
    if (secret === undefined || known !== undefined) return known;
    const made = new PacketKeys(nodeCryptoProvider, aes128GcmSha256, secret);
    keys.set(label, made);
    return made;
  };
  const largest = new Map<string, number>();
  const packets: WirePacket[] = [];
  for (const transit of pair.sent) {
    for (let at = 0; at < transit.data.length;) {
      const header = readPacketHeader(transit.data, at, 8);
      if (header === undefined) break;
      at = header.end;
      const kind = KINDS[header.form];
      const sealed = kind === undefined ? undefined : keysOf(transit.from, kind);
      if (kind === undefined || sealed === undefined) continue;
      const space = `${transit.from} ${spaceOf(kind)}`;
      const opened = open(transit, header, kind, sealed, largest.get(space) ?? -1);
      if (opened === undefined) continue;
      largest.set(space, Math.max(largest.get(space) ?? -1, opened.number));
      packets.push(opened);
    }
  }
  return packets;
}

function open(
  transit: Transit,
  header: PacketHeader,
  kind: PacketKind,
  keys: PacketKeys,
  largest: number,
): WirePacket | undefined {
  const packet = new Uint8Array(transit.data.subarray(header.start, header.end));
  const offset = header.numberOffset - header.start;
  const length = keys.unmask(packet, offset);
  if (length === 0) return undefined;
  const number = decodePacketNumber(largest, Buffer.from(packet).readUIntBE(offset, length), length);
  const phase = kind === 'oneRtt' && ((packet[0] ?? 0) & KEY_PHASE) !== 0;
  let generation = keys;
  for (let count = 0; count < (kind === 'oneRtt' ? GENERATIONS : 1); count += 1) {
    const payload = generation.open(packet, offset + length, number);
    if (payload !== undefined) {
      const { handler, frames } = recordFrames();
      parseFrames(payload, kind, handler);
      return { transit, kind, number, phase, header, size: packet.length, frames };
    }
    generation = generation.next();
  }
  return undefined;
}

/** Whether a packet has a frame of that name. */
export function carries(packet: WirePacket | undefined, name: string): boolean {
  return packet?.frames.some(([frame]) => frame === name) === true;
}

/** The data of a packet's frames of that name, as hexadecimal text. */
export function dataIn(packet: WirePacket, name: string): string[] {
  return packet.frames.filter(([frame]) => frame === name).map(([, data]) => String(data));
}
