/**
 * Packets of a peer that keeps to no rule, sealed with the keys of a pair's connections.
 *
 * @module
 */
import { aes128GcmSha256, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { initialKeys, PacketKeys } from '../../../src/protocols/quic/packet-protection.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { sealPacket } from '../../support/quic/raw-packet.ts';
import type { PacketTricks } from '../../support/quic/raw-packet.ts';
import type { ConnectionPair, Side } from './connection-pair.ts';
import { clientPath } from './connection-pair.ts';

export { frame } from '../../support/quic/raw-frames.ts';

const LABELS: Record<Exclude<PacketKind, 'initial'>, Record<Side, string>> = {
  zeroRtt: { client: 'CLIENT_EARLY_TRAFFIC_SECRET', server: 'none' },
  handshake: { client: 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', server: 'SERVER_HANDSHAKE_TRAFFIC_SECRET' },
  oneRtt: { client: 'CLIENT_TRAFFIC_SECRET_0', server: 'SERVER_TRAFFIC_SECRET_0' },
};

/** Stands in for one side of a pair, whose connections were made with `keylog`. */
export class Rogue {
  readonly #pair: ConnectionPair;
  readonly #as: Side;
  #number: number;

  constructor(pair: ConnectionPair, as: Side) {
    this.#pair = pair;
    this.#as = as;
    this.#number = 5_000;
  }

  /** The keys by which the side seals. */
  keys(kind: PacketKind): PacketKeys {
    if (kind === 'initial') {
      const first = readPacketHeader(this.#firstOf('client'), 0, 8);
      if (first === undefined) throw new Error('no first packet');
      return initialKeys(nodeCryptoProvider, first.destination)[this.#as];
    }
    const label = LABELS[kind][this.#as];
    for (const notice of [...this.#pair.notices.client, ...this.#pair.notices.server]) {
      if (notice.type !== 'KeyLogged' || !notice.line.startsWith(`${label} `)) continue;
      const secret = Buffer.from(notice.line.split(' ')[2] ?? '', 'hex');
      return new PacketKeys(nodeCryptoProvider, aes128GcmSha256, secret);
    }
    throw new Error(`no secret ${label}: was the pair made with keylog?`);
  }

  /** A datagram of one packet. */
  packet(kind: PacketKind, frames: Uint8Array, tricks: PacketTricks = {}): Buffer {
    const { number = this.#number, destination = this.#victimId(), source = this.#ownId() } = tricks;
    const { keys = this.keys(kind), token = Buffer.alloc(0) } = tricks;
    this.#number = Math.max(this.#number, number) + 1;
    return sealPacket(kind, frames, { ...tricks, number, keys, destination, source, token });
  }

  /** Has the other side take a packet, and answers how its connection ended if it did. */
  send(kind: PacketKind, frames: Uint8Array, tricks: PacketTricks = {}): ReturnType<ConnectionPair['closed']> {
    return this.deliver(this.packet(kind, frames, tricks));
  }

  /** Has the other side take a datagram. */
  deliver(datagram: Uint8Array): ReturnType<ConnectionPair['closed']> {
    const pair = this.#pair;
    const victim = this.#as === 'client' ? 'server' : 'client';
    const path = victim === 'client' ? clientPath : pair.serverSees;
    pair.side(victim).datagramReceived(datagram, path, pair.now);
    pair.drain(victim);
    return pair.closed(victim);
  }

  #victimId(): Uint8Array {
    const victim = this.#as === 'client' ? 'server' : 'client';
    return this.#sourceOf(victim);
  }

  #ownId(): Uint8Array {
    return this.#sourceOf(this.#as);
  }

  #sourceOf(side: Side): Uint8Array {
    const header = readPacketHeader(this.#firstOf(side), 0, 8);
    if (header === undefined) throw new Error(`${side} sent no packet`);
    return header.source;
  }

  #firstOf(side: Side): Uint8Array {
    const first = this.#pair.sent.find(({ from }) => from === side);
    if (first === undefined) throw new Error(`${side} sent nothing`);
    return first.data;
  }
}
