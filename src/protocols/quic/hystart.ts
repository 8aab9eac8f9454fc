/**
 * HyStart++ (RFC 9406): leaves slow start when round trips grow longer.
 *
 * Owns rounds, their least round-trip time, and Conservative Slow Start. Round trips are counted by send time: a round
 * ends when a packet is acknowledged that was sent after it began.
 *
 * @module
 */
import type { CongestionPacket } from './congestion.ts';

/** RFC 9406 section 4.3. */
const MIN_THRESHOLD = 4;
const MAX_THRESHOLD = 16;
const DIVISOR = 8;
const SAMPLES = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/** One slow start. */
export class HyStart {
  #roundStart: number;
  #lastRoundMin: number;
  #roundMin: number;
  #samples: number;
  /** The least round-trip time when Conservative Slow Start began; `undefined` outside of it. */
  #baseline: number | undefined;
  #cssRounds: number;

  constructor() {
    this.#roundStart = Number.NEGATIVE_INFINITY;
    this.#lastRoundMin = Number.POSITIVE_INFINITY;
    this.#roundMin = Number.POSITIVE_INFINITY;
    this.#samples = 0;
    this.#baseline = undefined;
    this.#cssRounds = 0;
  }

  /** What growth is divided by. */
  get divisor(): number {
    return this.#baseline === undefined ? 1 : CSS_GROWTH_DIVISOR;
  }

  /** Takes a round-trip sample of this round. */
  sampled(rtt: number): void {
    this.#roundMin = Math.min(this.#roundMin, rtt);
    this.#samples += 1;
    if (this.#samples < SAMPLES) return;
    if (this.#baseline !== undefined) {
      // It was no congestion after all.
      if (this.#roundMin < this.#baseline) {
        this.#baseline = undefined;
        this.#cssRounds = 0;
      }
      return;
    }
    if (!Number.isFinite(this.#lastRoundMin)) return;
    const threshold = Math.max(MIN_THRESHOLD, Math.min(this.#lastRoundMin / DIVISOR, MAX_THRESHOLD));
    if (this.#roundMin >= this.#lastRoundMin + threshold) this.#baseline = this.#roundMin;
  }

  /** Takes an acknowledged packet. @returns whether slow start is over */
  acknowledged(packet: CongestionPacket, now: number): boolean {
    if (packet.sentAt < this.#roundStart) return false;
    this.#roundStart = now;
    this.#lastRoundMin = this.#roundMin;
    this.#roundMin = Number.POSITIVE_INFINITY;
    this.#samples = 0;
    if (this.#baseline === undefined) return false;
    this.#cssRounds += 1;
    return this.#cssRounds > CSS_ROUNDS;
  }
}
