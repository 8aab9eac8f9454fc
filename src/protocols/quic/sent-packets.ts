/**
 * Packets that were sent and are not accounted for.
 *
 * Owns one packet number space's record of them, in order, with constant work at both ends. What is in a packet is told
 * by its frames' own records; what becomes of it is loss-recovery.ts's.
 *
 * @module
 */
import type { CongestionPacket } from './congestion.ts';

/** What a frame did, so that its loss can be made good and its arrival be taken note of. */
export type SentFrame =
  | { readonly kind: 'crypto'; readonly offset: number; readonly length: number }
  | {
      readonly kind: 'stream';
      readonly streamId: number;
      readonly offset: number;
      readonly length: number;
      readonly fin: boolean;
    }
  | { readonly kind: 'resetStream'; readonly streamId: number }
  | { readonly kind: 'stopSending'; readonly streamId: number }
  | { readonly kind: 'maxData'; readonly maximum: number }
  | { readonly kind: 'maxStreamData'; readonly streamId: number; readonly maximum: number }
  | { readonly kind: 'maxStreams'; readonly bidirectional: boolean; readonly maximum: number }
  | { readonly kind: 'dataBlocked'; readonly limit: number }
  | { readonly kind: 'streamDataBlocked'; readonly streamId: number; readonly limit: number }
  | { readonly kind: 'streamsBlocked'; readonly bidirectional: boolean; readonly limit: number }
  | { readonly kind: 'newConnectionId'; readonly sequence: number }
  | { readonly kind: 'retireConnectionId'; readonly sequence: number }
  | { readonly kind: 'newToken'; readonly token: Uint8Array }
  | { readonly kind: 'handshakeDone' }
  | { readonly kind: 'datagram' }
  | { readonly kind: 'ack'; readonly largest: number };

/** A packet on its way. */
export interface SentPacket extends CongestionPacket {
  readonly number: number;
  readonly ackEliciting: boolean;
  /** Whether it counts against the congestion window. */
  readonly inFlight: boolean;
  /** Whether the congestion window was full when it left, or would have been soon. */
  readonly limited: boolean;
  readonly frames: readonly SentFrame[];
  /** Generation of the path that it was sent on; only the current one's losses say something of congestion. */
  readonly path: number;
  /** A probe of a larger datagram: its loss says nothing of congestion (RFC 9000 section 14.4). */
  readonly mtuProbe: boolean;
}

/** The packets of one space, by number. */
export class SentPackets {
  readonly #packets: Map<number, SentPacket>;
  #elicitingInFlight: number;

  constructor() {
    this.#packets = new Map();
    this.#elicitingInFlight = 0;
  }

  get size(): number {
    return this.#packets.size;
  }

  /** How many of them ask for an acknowledgement. */
  get eliciting(): number {
    return this.#elicitingInFlight;
  }

  add(packet: SentPacket): void {
    this.#packets.set(packet.number, packet);
    if (packet.ackEliciting && packet.inFlight) this.#elicitingInFlight += 1;
  }

  /** Takes a packet out. */
  take(number: number): SentPacket | undefined {
    const packet = this.#packets.get(number);
    if (packet === undefined) return undefined;
    this.#packets.delete(number);
    if (packet.ackEliciting && packet.inFlight) this.#elicitingInFlight -= 1;
    return packet;
  }

  /** In the order in which they were sent. */
  values(): IterableIterator<SentPacket> {
    return this.#packets.values();
  }

  /** Those from `least` to `greatest`, by whichever way is shorter. */
  between(least: number, greatest: number): SentPacket[] {
    const found: SentPacket[] = [];
    if (greatest - least < this.#packets.size) {
      for (let number = least; number <= greatest; number += 1) {
        const packet = this.#packets.get(number);
        if (packet !== undefined) found.push(packet);
      }
      return found;
    }
    // In order, so that what lies above is not looked at: most often the oldest are acknowledged.
    for (const packet of this.#packets.values()) {
      if (packet.number > greatest) break;
      if (packet.number >= least) found.push(packet);
    }
    return found;
  }
}
