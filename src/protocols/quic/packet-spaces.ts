/**
 * Packet number spaces.
 *
 * Owns the numbers that are given out in each of the three spaces (RFC 9000 section 12.3) and what was received there.
 * Numbers of the application's space are skipped now and then, so that a peer that acknowledges what it did not receive
 * betrays itself (section 21.4, CVE-2025-4820).
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import { violation } from './error-codes.ts';
import type { PacketKind } from './frame-types.ts';
import type { PacketSpace } from './loss-recovery.ts';
import { ReceivedPackets } from './received-packets.ts';

/** How many skipped numbers are remembered. */
const MAX_SKIPPED = 16;
/** Packets between two skipped numbers, at least. */
const MIN_SKIP_PERIOD = 64;

/** The space that packets of a kind count in. */
export function spaceOf(kind: PacketKind): PacketSpace {
  return kind === 'initial' || kind === 'handshake' ? kind : 'application';
}

/** One packet number space. */
export class PacketNumberSpace {
  readonly name: PacketSpace;
  readonly received: ReceivedPackets;
  /** Probes that a timeout asks for and that were not sent yet (RFC 9002 section 6.2.4). */
  probesOwed: number;
  #next: number;
  /** Packets below this the peer has refused. */
  #refused: number;
  #skipAt: number;
  readonly #skipped: number[];
  readonly #random: Random | undefined;

  /** @param random - for numbers to skip; `undefined`: none is */
  constructor(name: PacketSpace, random: Random | undefined) {
    this.name = name;
    this.received = new ReceivedPackets(name !== 'application');
    this.probesOwed = 0;
    this.#next = 0;
    this.#refused = 0;
    this.#skipped = [];
    this.#random = random;
    this.#skipAt = random === undefined ? Number.POSITIVE_INFINITY : this.#draw(MIN_SKIP_PERIOD);
  }

  /** The number of the next packet. */
  get nextNumber(): number {
    return this.#next;
  }

  /** A packet took {@link nextNumber}. @param windowPackets - how many packets the congestion window holds */
  took(windowPackets: number): void {
    this.#next += 1;
    if (this.#next !== this.#skipAt) return;
    this.#skipped.push(this.#next);
    if (this.#skipped.length > MAX_SKIPPED) this.#skipped.shift();
    this.#next += 1;
    // A window's worth of acknowledgements cannot be made up without hitting one.
    this.#skipAt = this.#next + this.#draw(Math.max(MIN_SKIP_PERIOD, Math.floor(windowPackets)));
  }

  /** The peer has refused all packets so far: what was sent was 0-RTT data, which it did not take. */
  refuse(): void {
    this.#refused = this.#next;
  }

  /**
   * Checks that an ACK frame names only what was sent, and none that was refused.
   *
   * @throws QuicFault PROTOCOL_VIOLATION (section 13.1, RFC 9001 section 4.6.2)
   */
  checkAcknowledged(ranges: readonly number[]): void {
    if ((ranges[0] as number) >= this.#next) throw violation('an ACK frame for packets that were not sent', 0x02);
    if ((ranges.at(-1) as number) < this.#refused) throw violation('an ACK frame for 0-RTT that was rejected', 0x02);
    for (const skipped of this.#skipped) {
      for (let at = 0; at < ranges.length; at += 2) {
        if (skipped > (ranges[at] as number)) break;
        if (skipped >= (ranges[at + 1] as number)) throw violation('an ACK frame for a packet that was skipped', 0x02);
      }
    }
  }

  #draw(period: number): number {
    const bytes = (this.#random as Random).fill(new Uint8Array(4));
    const draw = ((bytes[0] as number) << 16) | ((bytes[1] as number) << 8) | (bytes[2] as number);
    return 1 + Math.floor(period / 2) + (draw % period);
  }
}
