/**
 * Pacing.
 *
 * Owns the spreading of a window over a round trip (RFC 9002 section 7.7): a bucket that fills at 1.25 times the rate
 * of the window, twice in slow start, and holds what one turn of the driver may send at once.
 *
 * @module
 */

/** By how much the rate is above window over round trip, so that pacing is not what limits. */
const GAIN = 1.25;
/** The same in slow start: a window that doubles in a round trip is spread over half of one. */
const SLOW_START_GAIN = 2;
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
  nextAt(now: number, window: number, smoothedRtt: number, datagramSize: number, inSlowStart = false): number {
    // Bytes in a millisecond.
    const rate = ((inSlowStart ? SLOW_START_GAIN : GAIN) * window) / Math.max(smoothedRtt, 0.01);
    this.#fill(now, rate, datagramSize);
    if (this.#tokens >= datagramSize) return now;
    return now + (datagramSize - this.#tokens) / rate;
  }

  /** How many bytes may leave together, as of the latest {@link nextAt}. */
  get tokens(): number {
    return this.#tokens;
  }

  /** A packet left. */
  sent(size: number): void {
    this.#tokens -= size;
  }

  #fill(now: number, rate: number, datagramSize: number): void {
    const burst = Math.min(Math.max(MIN_BURST * datagramSize, rate * BURST_TIME), MAX_BURST * datagramSize);
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) * rate);
    this.#filledAt = now;
  }
}
