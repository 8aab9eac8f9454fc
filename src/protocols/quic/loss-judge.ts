/**
 * Loss by chance and loss by congestion.
 *
 * Owns the judgement of whether packets that were lost say that a queue on the path is full. RFC 9002 section 7 lets a
 * sender tell them apart; taking each for congestion leaves a link of 10 Mbit/s and 50 ms with one loss in a hundred
 * three quarters empty, whatever the controller (RFC 9438 section 5.2).
 *
 * Loss is put down to chance only while all of this holds: round trips are as short as on the empty path, so that no
 * queue of ours is there to be full; few of the latest packets were lost; few were lost at once. A queue too short to be
 * seen shows in the second and third. Everything else is congestion, and so is every loss when `tolerated` is 0.
 *
 * @module
 */
import type { RttEstimator } from './rtt.ts';

/** Packets over which losses are counted: the last so many up to twice as many. */
const PERIOD = 400;
/** Packets that may be lost at once by chance, besides the part that is tolerated. */
const AT_ONCE = 2;
/** By how much round trips may be longer than the shortest: this part of it, or so many milliseconds. */
const QUEUE_PART = 1 / 8;
const QUEUE_TIME = 2;

/** Judges the losses of one path. */
export class LossJudge {
  readonly #tolerated: number;
  #delivered: number;
  #lost: number;
  #deliveredBefore: number;
  #lostBefore: number;

  /** @param tolerated - the part of packets that may be lost by chance; 0: none */
  constructor(tolerated: number) {
    this.#tolerated = tolerated;
    this.#delivered = 0;
    this.#lost = 0;
    this.#deliveredBefore = 0;
    this.#lostBefore = 0;
  }

  /** Packets arrived. */
  acknowledged(count: number): void {
    this.#delivered += count;
    if (this.#delivered + this.#lost < PERIOD) return;
    this.#deliveredBefore = this.#delivered;
    this.#lostBefore = this.#lost;
    this.#delivered = 0;
    this.#lost = 0;
  }

  /** Packets were found lost at once. Whether the path is congested. */
  isCongestion(count: number, rtt: RttEstimator): boolean {
    this.#lost += count;
    if (this.#tolerated === 0 || rtt.firstSampleAt === undefined) return true;
    const queue = Math.max(rtt.latest, rtt.smoothed) - rtt.min;
    if (queue > Math.max(rtt.min * QUEUE_PART, QUEUE_TIME)) return true;
    const lost = this.#lost + this.#lostBefore;
    const all = lost + this.#delivered + this.#deliveredBefore;
    return count > AT_ONCE + this.#tolerated * PERIOD || lost > AT_ONCE + this.#tolerated * all;
  }
}
