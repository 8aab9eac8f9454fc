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
  /** Up to this much more for each segment, in milliseconds. TCP keeps the order, datagrams overtake one another. */
  readonly jitter: number;
  /** Bytes per second; `Infinity`: no bound. */
  readonly bandwidth: number;
  /** The probability that a segment is lost once and comes a retransmission later; that a datagram is lost. */
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
  /** The probability that a datagram comes late, behind others. */
  readonly reorder: number;
  /** The probability that a datagram comes twice. */
  readonly duplicate: number;
  /** The probability that bits of a datagram are flipped or its end is missing. */
  readonly corrupt: number;
  /** The longest datagram (UDP payload) in bytes; longer ones are lost without a word. */
  readonly mtu: number;
  /** How many bytes of datagrams wait where `bandwidth` is the bound; what does not fit is lost. */
  readonly queue: number;
  /** After about so many milliseconds, again and again, others see a client's datagrams come from another address. */
  readonly rebindEvery: number;
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
  reorder: 0,
  duplicate: 0,
  corrupt: 0,
  mtu: 1_472,
  queue: 0x40000,
  rebindEvery: Infinity,
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

/** The same with what befalls datagrams besides: reordering, copies, flipped bits, small packets, rebinding. */
export function drawDatagramConditions(random: SeededRandom): LinkConditions {
  return {
    ...drawConditions(random),
    loss: random.pick([0, 0, 0.01, 0.05, 0.1, 0.3]),
    reorder: random.pick([0, 0, 0.01, 0.1]),
    duplicate: random.pick([0, 0, 0.01, 0.1]),
    corrupt: random.pick([0, 0, 0.01, 0.05]),
    mtu: random.pick([1_472, 1_472, 1_452, 1_300, 1_200]),
    queue: random.pick([0x40000, 0x40000, 64_000, 16_000]),
    rebindEvery: random.pick([Infinity, Infinity, Infinity, 5_000, 1_000]),
  };
}
