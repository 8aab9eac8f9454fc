/**
 * Congestion control: the interface, and what controllers share.
 *
 * Owns what a controller is told and asked (RFC 9002 section 7). Algorithms have a file each; pacing is pacer.ts's.
 *
 * @module
 */

/** What a controller needs to know of a packet. */
export interface CongestionPacket {
  /** When it was sent, in milliseconds. */
  readonly sentAt: number;
  /** Its size in bytes. */
  readonly size: number;
}

/** Decides how much may be in flight. Sizes are bytes, times milliseconds. */
export interface CongestionController {
  readonly name: string;
  /** How much may be in flight. */
  readonly window: number;
  readonly slowStartThreshold: number;
  /** Whether the window grows exponentially. */
  readonly inSlowStart: boolean;
  /**
   * A packet was acknowledged.
   *
   * @param limited - whether the window was what held back the sender (section 7.8: otherwise it does not grow)
   * @param smoothedRtt - of the path
   */
  acknowledged(packet: CongestionPacket, now: number, smoothedRtt: number, limited: boolean): void;
  /** A round-trip sample, for those who leave slow start by delay. */
  rttSampled(latestRtt: number): void;
  /** Packets were lost, or marked. @param sentAt - when the latest of them was sent */
  congested(sentAt: number, now: number): void;
  /** Everything over a long time was lost (section 7.6). */
  persistentlyCongested(): void;
  /** The path's packets may be larger or smaller now. */
  datagramSizeChanged(size: number): void;
}

/** RFC 9002 section 7.2: the window in the beginning. */
export function initialWindow(datagramSize: number): number {
  return Math.min(10 * datagramSize, Math.max(2 * datagramSize, 14_720));
}

/** RFC 9002 section 7.2: the least window. */
export function minimumWindow(datagramSize: number): number {
  return 2 * datagramSize;
}
