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

  constructor(maximum: number) {
    this.#maximum = maximum;
    this.#packets = [];
  }

  get length(): number {
    return this.#packets.length;
  }

  /** Keeps a packet. False when there is no room. */
  add(datagram: Uint8Array, header: PacketHeader, path: NetworkPath): boolean {
    if (this.#packets.length >= this.#maximum) return false;
    this.#packets.push({ datagram, header, path });
    return true;
  }

  /** All of them, in the order in which they came; none is left. */
  takeAll(): readonly WaitingPacket[] {
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  clear(): void {
    this.#packets = [];
  }
}
