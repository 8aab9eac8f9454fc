/**
 * Packets that were received, and when they are acknowledged.
 *
 * Owns one packet number space's ranges, duplicates, and the time of the next ACK frame (RFC 9000 section 13.2). Memory
 * is bounded: the oldest ranges are forgotten, and what is below them counts as received.
 *
 * @module
 */
import { RangeSet } from '../../wire/index.ts';

/** How many ranges are kept, and sent in an ACK frame. */
export const MAX_ACK_RANGES = 32;
/** Section 13.2.2: an ACK frame for every second packet that asks for one. */
const ACK_EVERY = 2;

/** The packets of one space. */
export class ReceivedPackets {
  readonly #ranges: RangeSet;
  readonly #immediate: boolean;
  #largestAt: number;
  #forgottenBelow: number;
  #waiting: number;
  #ackAt: number | undefined;

  /** @param immediate - whether every ACK is sent at once: Initial and Handshake (section 13.2.1) */
  constructor(immediate: boolean) {
    this.#ranges = new RangeSet();
    this.#immediate = immediate;
    this.#largestAt = 0;
    this.#forgottenBelow = 0;
    this.#waiting = 0;
    this.#ackAt = undefined;
  }

  /** The greatest number, -1 before the first. */
  get largest(): number {
    return this.#ranges.length === 0 ? -1 : this.#ranges.max;
  }

  /** Whether a packet was received before, or is so old that it counts as if. */
  has(number: number): boolean {
    return number < this.#forgottenBelow || this.#ranges.has(number);
  }

  /**
   * Takes note of a packet.
   *
   * @param maxDelay - this side's max_ack_delay, in milliseconds
   */
  add(number: number, ackEliciting: boolean, now: number, maxDelay: number): void {
    const { largest } = this;
    this.#ranges.add(number);
    if (number > largest) this.#largestAt = now;
    if (this.#ranges.length > MAX_ACK_RANGES) {
      this.#ranges.dropFirst(MAX_ACK_RANGES);
      this.#forgottenBelow = this.#ranges.min;
    }
    if (!ackEliciting) return;
    this.#waiting += 1;
    // Section 13.2.1: at once when a packet is out of order or leaves a gap.
    const ordered = number === largest + 1;
    const atOnce = this.#immediate || this.#waiting >= ACK_EVERY || !ordered;
    const at = atOnce ? now : now + maxDelay;
    this.#ackAt = this.#ackAt === undefined ? at : Math.min(this.#ackAt, at);
  }

  /** When an ACK frame must be sent; `undefined` when none is due. */
  get ackAt(): number | undefined {
    return this.#ackAt;
  }

  /** Whether there is something that an ACK frame could tell. */
  get hasNews(): boolean {
    return this.#waiting > 0;
  }

  /** An ACK frame is to be sent at once. */
  hurry(now: number): void {
    if (this.#ranges.length > 0) this.#ackAt = now;
  }

  /** What an ACK frame says: pairs of greatest and least, the greatest first. */
  ranges(): number[] {
    const list: number[] = [];
    for (let index = this.#ranges.length - 1; index >= 0; index -= 1) {
      list.push(this.#ranges.end(index) - 1, this.#ranges.start(index));
    }
    return list;
  }

  /** How long the greatest has been waiting, in milliseconds. */
  delay(now: number): number {
    return Math.max(0, now - this.#largestAt);
  }

  /** An ACK frame was sent. */
  acknowledged(): void {
    this.#waiting = 0;
    this.#ackAt = undefined;
  }

  /** The peer knows of everything up to that: it need not be told again (section 13.2.4). */
  forget(upTo: number): void {
    const last = this.largest;
    const bound = Math.min(upTo, last - 1);
    if (bound < 0) return;
    this.#ranges.remove(0, bound + 1);
    this.#forgottenBelow = Math.max(this.#forgottenBelow, bound + 1);
  }
}
