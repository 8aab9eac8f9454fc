/**
 * Packets of QUIC, sealed by hand.
 *
 * @module
 */
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import { writeLongHeader, writeShortHeader } from '../../../src/protocols/quic/packet-header.ts';
import type { PacketKeys } from '../../../src/protocols/quic/packet-protection.ts';
import { MIN_INITIAL } from './raw-frames.ts';

const NUMBER_LENGTH = 4;
const TAG = 16;

/** How a packet is out of the ordinary. */
export interface PacketTricks {
  readonly number?: number;
  /** Bits of the first byte to turn, before sealing. */
  readonly flip?: number;
  readonly phase?: boolean;
  /** Keys in place of those of the handshake. */
  readonly keys?: PacketKeys;
  /** What the packet is padded to; Initial packets are padded to 1200 unless told otherwise. */
  readonly size?: number;
  readonly destination?: Uint8Array;
  readonly source?: Uint8Array;
  readonly token?: Uint8Array;
}

/** What a packet cannot do without. */
type Needed = 'number' | 'keys' | 'destination' | 'source' | 'token';

/** A packet as its sender would make it, but for the tricks. */
export function sealPacket(
  kind: PacketKind,
  frames: Uint8Array,
  tricks: PacketTricks & Required<Pick<PacketTricks, Needed>>,
): Buffer {
  const { number, keys, destination, source, token, phase = false, flip = 0 } = tricks;
  const head = Buffer.alloc(100 + token.length);
  const write = (length: number): number =>
    kind === 'oneRtt'
      ? writeShortHeader(head, 0, destination, phase, false, number, NUMBER_LENGTH)
      : writeLongHeader(head, 0, kind, destination, source, token, number, NUMBER_LENGTH, length);
  const headerLength = write(0);
  const size = tricks.size ?? (kind === 'initial' ? MIN_INITIAL : 0);
  const padding = Buffer.alloc(Math.max(0, size - headerLength - frames.length - TAG));
  const payload = Buffer.concat([frames, padding]);
  write(payload.length + TAG);
  head[0] = (head[0] ?? 0) ^ flip;
  const packet = Buffer.concat([head.subarray(0, headerLength), payload, Buffer.alloc(TAG)]);
  keys.seal(packet, headerLength, number, NUMBER_LENGTH);
  return packet;
}
