/**
 * CUBIC (RFC 9438), with HyStart++ (RFC 9406) to leave slow start before losses do it.
 *
 * Owns the window's growth in both of CUBIC's regions, fast convergence, and the reaction to congestion. Windows are
 * bytes; the RFC's segments are the path's datagrams.
 *
 * @module
 */
import type { CongestionController, CongestionPacket } from './congestion.ts';
import { initialWindow, minimumWindow } from './congestion.ts';
import { HyStart } from './hystart.ts';

/** RFC 9438 section 4.6. */
const BETA = 0.7;
/** RFC 9438 section 5.1. */
const C = 0.4;
/** RFC 9438 section 4.3, so that growth is Reno's in the Reno-friendly region. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** A CUBIC controller. */
export class Cubic implements CongestionController {
  readonly name: string;
  window: number;
  slowStartThreshold: number;
  readonly #hystart: HyStart;
  #datagramSize: number;
  #recoveryStart: number;
  /** The window before the latest reduction. */
  #maximum: number;
  /** When this round of congestion avoidance began. */
  #epochStart: number | undefined;
  /** Seconds until the window is {@link #maximum} again. */
  #k: number;
  /** What Reno's window would be. */
  #estimate: number;

  constructor(datagramSize: number) {
    this.name = 'cubic';
    this.window = initialWindow(datagramSize);
    this.slowStartThreshold = Number.POSITIVE_INFINITY;
    this.#hystart = new HyStart();
    this.#datagramSize = datagramSize;
    this.#recoveryStart = Number.NEGATIVE_INFINITY;
    this.#maximum = 0;
    this.#epochStart = undefined;
    this.#k = 0;
    this.#estimate = 0;
  }

  get inSlowStart(): boolean {
    return this.window < this.slowStartThreshold;
  }

  acknowledged(packet: CongestionPacket, now: number, smoothedRtt: number, limited: boolean): void {
    if (packet.sentAt <= this.#recoveryStart) return;
    // RFC 9002 section 7.8. Time in which nothing grew must not count as growth later.
    if (!limited) {
      this.#epochStart = undefined;
      return;
    }
    if (this.inSlowStart) {
      this.window += packet.size / this.#hystart.divisor;
      if (this.#hystart.acknowledged(packet, now)) this.slowStartThreshold = this.window;
      return;
    }
    this.#avoid(packet, now, smoothedRtt);
  }

  /** Congestion avoidance (section 4.2 to 4.5). */
  #avoid(packet: CongestionPacket, now: number, smoothedRtt: number): void {
    const size = this.#datagramSize;
    if (this.#epochStart === undefined) {
      this.#epochStart = now;
      this.#estimate = this.window;
      if (this.#maximum < this.window) {
        this.#maximum = this.window;
        this.#k = 0;
      } else {
        this.#k = Math.cbrt((this.#maximum - this.window) / size / C);
      }
    }
    const seconds = (now - this.#epochStart + smoothedRtt) / 1_000;
    const cubic = C * (seconds - this.#k) ** 3 * size + this.#maximum;
    // Section 4.4: no more than half as much again in a round trip.
    const target = Math.min(Math.max(cubic, this.window), 1.5 * this.window);
    const alpha = this.#estimate >= this.#maximum ? 1 : ALPHA;
    this.#estimate += alpha * size * (packet.size / this.window);
    const step = ((target - this.window) / this.window) * packet.size;
    this.window = Math.max(this.window + step, this.#estimate);
  }

  rttSampled(latestRtt: number): void {
    if (this.inSlowStart) this.#hystart.sampled(latestRtt);
  }

  congested(sentAt: number, now: number): void {
    if (sentAt <= this.#recoveryStart) return;
    this.#recoveryStart = now;
    this.#epochStart = undefined;
    // Section 4.7: a flow that did not reach its old maximum leaves room for others.
    this.#maximum = this.window < this.#maximum ? (this.window * (1 + BETA)) / 2 : this.window;
    this.window = Math.max(this.window * BETA, minimumWindow(this.#datagramSize));
    this.slowStartThreshold = this.window;
  }

  persistentlyCongested(): void {
    this.window = minimumWindow(this.#datagramSize);
    this.#recoveryStart = Number.NEGATIVE_INFINITY;
    this.#epochStart = undefined;
    this.#maximum = 0;
  }

  datagramSizeChanged(size: number): void {
    this.#datagramSize = size;
    this.window = Math.max(this.window, minimumWindow(size));
  }
}
