/**
 * Pacing.
 *
 * Owns the spreading of a window over a round trip (RFC 9002 section 7.7): a bucket that fills at 1.25 times the rate
 * of the window, and holds what one turn of the driver may send at once.
 *
 * @module
 */

/** By how much the rate is above window over round trip, so that pacing is not what limits. */
const GAIN = 1.25;
/** Packets that may always leave together. */
const MIN_BURST = 10;
const MAX_BURST = 64;
/** How long a burst may last, in milliseconds. */
const BURST_TIME = 1;

/** Lets packets out in time. */
export class Pacer {
  #tokens: number;
  #filledAt: number;

  /** @param datagramSize - in bytes */
  constructor(datagramSize: number, now: number) {
    this.#tokens = MIN_BURST * datagramSize;
    this.#filledAt = now;
  }

  /**
   * When the next packet may leave: `now` or before for at once.
   *
   * @param window - the congestion window, in bytes
   */
  nextAt(now: number, window: number, smoothedRtt: number, datagramSize: number): number {
    this.#fill(now, window, smoothedRtt, datagramSize);
    if (this.#tokens >= datagramSize) return now;
    return now + (datagramSize - this.#tokens) / rateOf(window, smoothedRtt);
  }

  /** How many bytes may leave together, as of the latest {@link nextAt}. */
  get tokens(): number {
    return this.#tokens;
  }

  /** A packet left. */
  sent(size: number): void {
    this.#tokens -= size;
  }

  #fill(now: number, window: number, smoothedRtt: number, datagramSize: number): void {
    const rate = rateOf(window, smoothedRtt);
    const burst = Math.min(Math.max(MIN_BURST * datagramSize, rate * BURST_TIME), MAX_BURST * datagramSize);
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) * rate);
    this.#filledAt = now;
  }
}

/** Bytes in a millisecond. */
function rateOf(window: number, smoothedRtt: number): number {
  return (GAIN * window) / Math.max(smoothedRtt, 0.01);
}
