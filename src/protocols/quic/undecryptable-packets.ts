/**
 * Packets whose keys are not there yet.
 *
 * Owns keeping a few of them (RFC 9001 section 5.7): datagrams overtake each other, and the driver may take its time
 * with a certificate. The queue is bounded, and what does not fit is dropped like any lost packet (CVE-2025-59530).
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import type { PacketHeader } from './packet-header.ts';

/** What a packet may take on average: a datagram of Ethernet's size. */
const PACKET_BYTES = 1_500;

/** A packet that waits. */
export interface WaitingPacket {
  readonly datagram: Uint8Array;
  readonly header: PacketHeader;
  readonly path: NetworkPath;
}

/** Packets that wait for keys. */
export class UndecryptablePackets {
  readonly #maximum: number;
  #packets: WaitingPacket[];
  #bytes: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#packets = [];
    this.#bytes = 0;
  }

  get length(): number {
    return this.#packets.length;
  }

  /** Keeps a packet. False when there is no room. */
  add(datagram: Uint8Array, header: PacketHeader, path: NetworkPath): boolean {
    // A packet keeps the whole datagram that brought it.
    const size = this.#packets.at(-1)?.datagram === datagram ? 0 : datagram.length;
    const full = this.#packets.length >= this.#maximum || this.#bytes + size > this.#maximum * PACKET_BYTES;
    if (full) return false;
    this.#packets.push({ datagram, header, path });
    this.#bytes += size;
    return true;
  }

  /** All of them, in the order in which they came; none is left. */
  takeAll(): readonly WaitingPacket[] {
    const packets = this.#packets;
    this.clear();
    return packets;
  }

  clear(): void {
    this.#packets = [];
    this.#bytes = 0;
  }
}
