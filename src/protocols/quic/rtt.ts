/**
 * Round-trip time.
 *
 * Owns the estimate of RFC 9002 section 5 and the probe timeout of section 6.2.1. All times are milliseconds.
 *
 * @module
 */

/** RFC 9002 section 6.2.2. */
export const INITIAL_RTT = 333;
/** The timer granularity of RFC 9002 section 6.1.2. */
export const GRANULARITY = 1;

/** The round-trip time of one path. */
export class RttEstimator {
  /** The latest sample; 0 before the first. */
  latest: number;
  /** The least sample of the path. */
  min: number;
  smoothed: number;
  variation: number;
  /** When the first sample was taken; `undefined` before it. */
  firstSampleAt: number | undefined;

  /** @param initial - what is assumed before the first sample */
  constructor(initial: number = INITIAL_RTT) {
    this.latest = 0;
    this.min = 0;
    this.smoothed = initial;
    this.variation = initial / 2;
    this.firstSampleAt = undefined;
  }

  /**
   * Takes a sample (section 5.3).
   *
   * @param ackDelay - what the peer says it waited, already bounded by its max_ack_delay once that is confirmed
   */
  update(sample: number, ackDelay: number, now: number): void {
    this.latest = sample;
    if (this.firstSampleAt === undefined) {
      this.firstSampleAt = now;
      this.min = sample;
      this.smoothed = sample;
      this.variation = sample / 2;
      return;
    }
    this.min = Math.min(this.min, sample);
    // The delay is not subtracted when the result would be below what the path can do.
    const adjusted = sample >= this.min + ackDelay ? sample - ackDelay : sample;
    this.variation = (3 * this.variation + Math.abs(this.smoothed - adjusted)) / 4;
    this.smoothed = (7 * this.smoothed + adjusted) / 8;
  }

  /** The probe timeout without its back-off. @param maxAckDelay - 0 for Initial and Handshake packets */
  probeTimeout(maxAckDelay: number): number {
    return this.smoothed + Math.max(4 * this.variation, GRANULARITY) + maxAckDelay;
  }

  /** How long a packet may be overtaken before it counts as lost (section 6.1.2). */
  lossDelay(): number {
    return Math.max((9 / 8) * Math.max(this.latest, this.smoothed), GRANULARITY);
  }
}
