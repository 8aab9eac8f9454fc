/**
 * What a simulated connection goes through.
 *
 * Owns the list of conditions, their defaults, and drawing them at random.
 *
 * @module
 */
import type { SeededRandom } from './seeded-random.ts';

/** Conditions of one connection; the same in both directions. */
export interface LinkConditions {
  /** One way, in milliseconds. */
  readonly latency: number;
  /** Up to this much more for each segment, in milliseconds. Order is kept, as TCP keeps it. */
  readonly jitter: number;
  /** Bytes per second; `Infinity`: no bound. */
  readonly bandwidth: number;
  /** The probability that a segment is lost once and comes a retransmission later. */
  readonly loss: number;
  /** The longest segment in bytes; each is cut at random up to it. 1: byte by byte. */
  readonly segmentSize: number;
  /** How many bytes the system takes from the writer that the reader has not taken yet. */
  readonly window: number;
  /** The probability that the connection is reset, at a random time within {@link troubleWithin}. */
  readonly resetChance: number;
  /** The probability that it falls silent: nothing arrives any more, and nobody is told. */
  readonly silenceChance: number;
  /** In milliseconds. */
  readonly troubleWithin: number;
  /** The probability that a connection is refused although somebody listens. */
  readonly refuseChance: number;
}

/** A calm network near by. */
export const CALM: LinkConditions = {
  latency: 1,
  jitter: 0,
  bandwidth: Infinity,
  loss: 0,
  segmentSize: 0x10000,
  window: 0x40000,
  resetChance: 0,
  silenceChance: 0,
  troubleWithin: 1_000,
  refuseChance: 0,
};

/**
 * Conditions at random: near or far, narrow or wide, in large or tiny pieces. Nothing breaks: resets, silence and
 * refusals stay at 0 for the caller to set.
 */
export function drawConditions(random: SeededRandom): LinkConditions {
  return {
    ...CALM,
    latency: random.pick([0, 0.1, 1, 15, 120]),
    jitter: random.pick([0, 0, 1, 30]),
    bandwidth: random.pick([Infinity, Infinity, 10_000_000, 200_000]),
    loss: random.pick([0, 0, 0.01, 0.1]),
    segmentSize: random.pick([1, 7, 536, 1_460, 16_384, 0x10000]),
    window: random.pick([536, 1_460, 0x4000, 0x40000]),
  };
}
