/**
 * NewReno, the controller that RFC 9002 describes in section 7 and appendix B.
 *
 * @module
 */
import type { CongestionController, CongestionPacket } from './congestion.ts';
import { initialWindow, minimumWindow } from './congestion.ts';

const LOSS_REDUCTION = 0.5;

/** A NewReno controller. */
export class NewReno implements CongestionController {
  readonly name: string;
  window: number;
  slowStartThreshold: number;
  #datagramSize: number;
  #recoveryStart: number;
  #acknowledged: number;

  constructor(datagramSize: number) {
    this.name = 'newreno';
    this.window = initialWindow(datagramSize);
    this.slowStartThreshold = Number.POSITIVE_INFINITY;
    this.#datagramSize = datagramSize;
    this.#recoveryStart = Number.NEGATIVE_INFINITY;
    this.#acknowledged = 0;
  }

  get inSlowStart(): boolean {
    return this.window < this.slowStartThreshold;
  }

  acknowledged(packet: CongestionPacket, _now: number, _smoothedRtt: number, limited: boolean): void {
    // No growth in a recovery period, nor when the application was the limit.
    if (packet.sentAt <= this.#recoveryStart || !limited) return;
    if (this.inSlowStart) {
      this.window += packet.size;
      return;
    }
    // One datagram for each window's worth; counted, since a quotient at a time would be lost to rounding.
    this.#acknowledged += packet.size;
    if (this.#acknowledged >= this.window) {
      this.#acknowledged -= this.window;
      this.window += this.#datagramSize;
    }
  }

  rttSampled(): void {
    // Delay plays no part.
  }

  congested(sentAt: number, now: number): void {
    // Section 7.3.2: once for each round trip.
    if (sentAt <= this.#recoveryStart) return;
    this.#recoveryStart = now;
    this.#acknowledged = 0;
    this.window = Math.max(this.window * LOSS_REDUCTION, minimumWindow(this.#datagramSize));
    this.slowStartThreshold = this.window;
  }

  persistentlyCongested(): void {
    this.window = minimumWindow(this.#datagramSize);
    this.#recoveryStart = Number.NEGATIVE_INFINITY;
    this.#acknowledged = 0;
  }

  datagramSizeChanged(size: number): void {
    this.#datagramSize = size;
    this.window = Math.max(this.window, minimumWindow(size));
  }
}
