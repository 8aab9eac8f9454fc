/**
 * Loss detection and its timers.
 *
 * Owns RFC 9002 section 6 and appendix A over the three packet number spaces, and telling the congestion controller of
 * it. Making losses good is the caller's: what was acknowledged and what was lost is handed back. Work for each packet
 * is constant but for ACK frames, which cost what they newly acknowledge.
 *
 * @module
 */
import { RangeSet } from '../../wire/index.ts';
import type { CongestionController } from './congestion.ts';
import { LossJudge } from './loss-judge.ts';
import { GRANULARITY, RttEstimator } from './rtt.ts';
import type { SentPacket } from './sent-packets.ts';
import { SentPackets } from './sent-packets.ts';

/** The packet number spaces of RFC 9000 section 12.3. */
export const spaces: readonly PacketSpace[] = ['initial', 'handshake', 'application'];
/** One of them. */
export type PacketSpace = 'initial' | 'handshake' | 'application';

/** RFC 9002 section 6.1.1. */
const PACKET_THRESHOLD = 3;
/** RFC 9002 section 7.6.1. */
const PERSISTENT_CONGESTION = 3;
/** Ranges of acknowledged numbers that are remembered, and numbers that are looked up between two packets. */
const REMEMBERED = 32;
/** Probes back off no further: 2^16 probe timeouts outlast every idle timeout. */
const MAX_BACKOFF = 16;

/** What became of packets. */
export interface PacketFates {
  readonly acknowledged: readonly SentPacket[];
  readonly lost: readonly SentPacket[];
}

/** What the handshake's state says of timers. */
export interface RecoveryContext {
  /** Whether packets of the application's space may be probed for (RFC 9002 section 6.2.1). */
  readonly handshakeConfirmed: boolean;
  /** Whether the peer has completed address validation, as seen from a client (section 6.2.2.1). */
  readonly peerValidated: boolean;
  /** Whether there are keys to send Handshake packets with. */
  readonly hasHandshakeKeys: boolean;
  /** The peer's max_ack_delay. */
  readonly maxAckDelay: number;
}

interface SpaceState {
  readonly sent: SentPackets;
  /** The latest numbers that were acknowledged, of packets that are not recorded too. */
  readonly acked: RangeSet;
  largestAcked: number;
  lossTime: number | undefined;
  lastElicitingAt: number;
  discarded: boolean;
}

/** Which timer is due. */
export type RecoveryTimer =
  | { readonly kind: 'loss'; readonly space: PacketSpace; readonly at: number }
  | { readonly kind: 'probe'; readonly space: PacketSpace; readonly at: number };

const NOTHING: PacketFates = { acknowledged: [], lost: [] };

/** Loss detection of one connection. */
export class LossRecovery {
  readonly rtt: RttEstimator;
  /** How often probes went unanswered in a row. */
  probeCount: number;
  /** Bytes on their way that count against the window. */
  bytesInFlight: number;
  #controller: CongestionController;
  #judge: LossJudge;
  readonly #tolerated: number;
  #path: number;
  #maxAckDelay: number;
  readonly #spaces: Readonly<Record<PacketSpace, SpaceState>>;

  /** @param toleratedLoss - see {@link LossJudge}; 0: every loss is congestion, as in appendix B */
  constructor(controller: CongestionController, toleratedLoss = 0) {
    this.#judge = new LossJudge(toleratedLoss);
    this.#tolerated = toleratedLoss;
    this.rtt = new RttEstimator();
    this.probeCount = 0;
    this.bytesInFlight = 0;
    this.#controller = controller;
    this.#path = 0;
    this.#maxAckDelay = 25;
    this.#spaces = { initial: newSpace(), handshake: newSpace(), application: newSpace() };
  }

  get controller(): CongestionController {
    return this.#controller;
  }

  /** The generation of the path. */
  get path(): number {
    return this.#path;
  }

  /** Another path: a window and a round-trip time of its own (RFC 9000 section 9.4). */
  pathChanged(controller: CongestionController): void {
    this.#path += 1;
    this.#controller = controller;
    this.#judge = new LossJudge(this.#tolerated);
    Object.assign(this.rtt, new RttEstimator());
    this.probeCount = 0;
    // What was sent on the old path is accounted for when it is acknowledged or lost, and weighs on this one no more.
    this.bytesInFlight = 0;
  }

  /** The greatest number that was acknowledged in a space, -1 before the first. */
  largestAcked(space: PacketSpace): number {
    return this.#spaces[space].largestAcked;
  }

  /** Whether packets that ask for an acknowledgement are on their way in a space. */
  hasEliciting(space: PacketSpace): boolean {
    return this.#spaces[space].sent.eliciting > 0;
  }

  /** A packet was sent (appendix A.5). */
  sent(space: PacketSpace, packet: SentPacket): void {
    const state = this.#spaces[space];
    state.sent.add(packet);
    if (!packet.inFlight) return;
    this.bytesInFlight += packet.size;
    if (packet.ackEliciting) state.lastElicitingAt = packet.sentAt;
  }

  /**
   * An ACK frame came (appendix A.7).
   *
   * @param ranges - pairs of greatest and least, the greatest first; all of them were sent, which the caller has seen
   * @param ackDelay - milliseconds, bounded by max_ack_delay once the handshake is confirmed
   */
  acknowledged(
    space: PacketSpace,
    ranges: readonly number[],
    ackDelay: number,
    now: number,
    confirmed: boolean,
  ): PacketFates {
    const state = this.#spaces[space];
    const newly: SentPacket[] = [];
    for (let at = 0; at < ranges.length; at += 2) {
      newly.push(...state.sent.between(ranges[at + 1] as number, ranges[at] as number));
    }
    // From the least on: what is added behind the others costs nothing.
    for (let at = ranges.length - 2; at >= 0; at -= 2)
      state.acked.add(ranges[at + 1] as number, (ranges[at] as number) + 1);
    state.acked.dropFirst(REMEMBERED);
    const largest = ranges[0] as number;
    state.largestAcked = Math.max(state.largestAcked, largest);
    if (newly.length === 0) return NOTHING;
    for (const { number } of newly) state.sent.take(number);
    this.#sample(newly, largest, ackDelay, now);
    this.#judge.acknowledged(newly.length);
    const lost = this.#detect(space, now);
    for (const packet of newly) {
      if (!packet.inFlight || packet.path !== this.#path) continue;
      this.bytesInFlight -= packet.size;
      this.#controller.acknowledged(packet, now, this.rtt.smoothed, packet.limited);
    }
    if (lost.length > 0) this.#congested(space, lost, now);
    // Section 6.2.1: a client that is not sure of the peer's address validation keeps its back-off.
    if (confirmed) this.probeCount = 0;
    return { acknowledged: newly, lost };
  }

  #sample(newly: readonly SentPacket[], largest: number, ackDelay: number, now: number): void {
    const latest = newly.find(({ number }) => number === largest);
    if (latest?.path !== this.#path || !newly.some((packet) => packet.ackEliciting)) return;
    this.rtt.update(now - latest.sentAt, ackDelay, now);
    this.#controller.rttSampled(this.rtt.latest);
  }

  /** Finds what is lost by number or by time (appendix A.10). */
  #detect(space: PacketSpace, now: number): SentPacket[] {
    const state = this.#spaces[space];
    state.lossTime = undefined;
    const lost: SentPacket[] = [];
    const delay = this.rtt.lossDelay();
    for (const packet of state.sent.values()) {
      if (packet.number > state.largestAcked) break;
      // The same sum as that of the timer: a difference may be rounded to the other side of it.
      if (packet.sentAt + delay <= now || state.largestAcked >= packet.number + PACKET_THRESHOLD) {
        lost.push(packet);
      } else {
        state.lossTime ??= packet.sentAt + delay;
        // Later packets were sent later, and are lost by number only if this one is.
        break;
      }
    }
    for (const { number } of lost) state.sent.take(number);
    return lost;
  }

  #congested(space: PacketSpace, lost: readonly SentPacket[], now: number): void {
    let latest: SentPacket | undefined;
    let count = 0;
    for (const packet of lost) {
      if (!packet.inFlight || packet.path !== this.#path) continue;
      this.bytesInFlight -= packet.size;
      if (packet.mtuProbe) continue;
      latest = packet;
      count += 1;
    }
    if (latest === undefined) return;
    const persistent = this.#isPersistent(space, lost);
    if (!this.#judge.isCongestion(count, this.rtt) && !persistent) return;
    this.#controller.congested(latest.sentAt, now);
    if (persistent) {
      this.#controller.persistentlyCongested();
      this.rtt.firstSampleAt = undefined;
    }
  }

  /** Section 7.6: no packet between two lost ones that are far apart was acknowledged. */
  #isPersistent(space: PacketSpace, lost: readonly SentPacket[]): boolean {
    const { firstSampleAt } = this.rtt;
    if (firstSampleAt === undefined) return false;
    const limit =
      (this.rtt.smoothed + Math.max(4 * this.rtt.variation, GRANULARITY) + this.#maxAckDelay) * PERSISTENT_CONGESTION;
    let start: SentPacket | undefined;
    let before: SentPacket | undefined;
    for (const packet of lost) {
      if (packet.path !== this.#path || packet.sentAt <= firstSampleAt) continue;
      const follows = before !== undefined && this.#noneAcked(space, before.number, packet.number);
      if (!follows) start = undefined;
      before = packet;
      if (!packet.ackEliciting) continue;
      start ??= packet;
      if (packet.sentAt - start.sentAt >= limit) return true;
    }
    return false;
  }

  /** Numbers between may have been skipped, or be of packets that asked for no acknowledgement: both were not acked. */
  #noneAcked(space: PacketSpace, one: number, other: number): boolean {
    const { acked } = this.#spaces[space];
    if (other - one > REMEMBERED) return false;
    for (let number = one + 1; number < other; number += 1) if (acked.has(number)) return false;
    return true;
  }

  /** The next timer, or `undefined` (appendix A.8). */
  nextTimer(context: RecoveryContext, now: number): RecoveryTimer | undefined {
    this.#maxAckDelay = context.maxAckDelay;
    const loss = this.#earliestLoss();
    if (loss !== undefined) return loss;
    let earliest: RecoveryTimer | undefined;
    for (const space of spaces) {
      const state = this.#spaces[space];
      if (state.sent.eliciting === 0) continue;
      if (space === 'application' && !context.handshakeConfirmed) continue;
      const timeout = this.rtt.probeTimeout(space === 'application' ? context.maxAckDelay : 0);
      const at = state.lastElicitingAt + this.#backedOff(timeout);
      if (earliest === undefined || at < earliest.at) earliest = { kind: 'probe', space, at };
    }
    if (earliest !== undefined || context.peerValidated) return earliest;
    // Section 6.2.2.1: a client probes so that the server is not deadlocked by its amplification limit; 0-RTT packets on
    // their way change nothing of that.
    const space = context.hasHandshakeKeys ? 'handshake' : 'initial';
    return { kind: 'probe', space, at: now + this.#backedOff(this.rtt.probeTimeout(0)) };
  }

  #earliestLoss(): RecoveryTimer | undefined {
    let earliest: RecoveryTimer | undefined;
    for (const space of spaces) {
      const { lossTime } = this.#spaces[space];
      if (lossTime !== undefined && (earliest === undefined || lossTime < earliest.at)) {
        earliest = { kind: 'loss', space, at: lossTime };
      }
    }
    return earliest;
  }

  #backedOff(timeout: number): number {
    return timeout * 2 ** Math.min(this.probeCount, MAX_BACKOFF);
  }

  /** The loss timer of a space went off: what is lost by now. */
  lossTimeout(space: PacketSpace, now: number): readonly SentPacket[] {
    const lost = this.#detect(space, now);
    if (lost.length > 0) this.#congested(space, lost, now);
    return lost;
  }

  /** The oldest packets of a space with frames that can be sent again: what a probe repeats. */
  oldest(space: PacketSpace, count: number): SentPacket[] {
    const found: SentPacket[] = [];
    for (const packet of this.#spaces[space].sent.values()) {
      if (found.length >= count) break;
      if (packet.frames.some(({ kind }) => kind !== 'ack')) found.push(packet);
    }
    return found;
  }

  /** The keys of a space are gone: its packets count no more (section 6.4). */
  discard(space: PacketSpace): void {
    const state = this.#spaces[space];
    if (state.discarded) return;
    for (const packet of [...state.sent.values()]) {
      state.sent.take(packet.number);
      if (packet.inFlight && packet.path === this.#path) this.bytesInFlight -= packet.size;
    }
    state.lossTime = undefined;
    state.discarded = true;
    this.probeCount = 0;
  }

  /** All packets of a space go back, as when 0-RTT was rejected or a Retry came: neither lost nor received. */
  withdraw(space: PacketSpace): SentPacket[] {
    const state = this.#spaces[space];
    const packets = [...state.sent.values()];
    for (const packet of packets) {
      state.sent.take(packet.number);
      if (packet.inFlight && packet.path === this.#path) this.bytesInFlight -= packet.size;
    }
    state.lossTime = undefined;
    return packets;
  }
}

function newSpace(): SpaceState {
  return {
    sent: new SentPackets(),
    acked: new RangeSet(),
    largestAcked: -1,
    lossTime: undefined,
    lastElicitingAt: 0,
    discarded: false,
  };
}
