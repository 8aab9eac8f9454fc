/**
 * How large datagrams may be.
 *
 * Owns Packetization Layer PMTU discovery (RFC 8899, RFC 9000 section 14.3): a search by halves with single probes,
 * whose loss says nothing of congestion, and the fall back to 1200 bytes when a path swallows what it carried before.
 * ICMP messages are not looked at: anybody can send them (CVE-2024-53259).
 *
 * @module
 */
import { MIN_DATAGRAM } from './connection-config.ts';

/** A size counts as too large after so many probes were lost (RFC 8899 section 5.1.2). */
const MAX_PROBES = 3;
/** Large datagrams that are lost in a row before the path counts as one that swallows them. */
const BLACK_HOLE = 4;
/** The search ends when it would gain less than this. */
const STEP = 16;
/** When a search that ended low is begun anew, in milliseconds (RFC 8899 section 5.1.1). */
const RAISE_AFTER = 600_000;

/** The size of datagrams on one path. */
export class MtuDiscovery {
  readonly #base: number;
  #size: number;
  /** The least size that is too large. */
  #ceiling: number;
  #wanted: number;
  #probing: number;
  #failures: number;
  #lostInARow: number;
  #searchAt: number;

  /**
   * @param initial - the size to begin with
   * @param wanted - how far to search
   */
  constructor(initial: number, wanted: number) {
    this.#base = MIN_DATAGRAM;
    this.#size = initial;
    this.#wanted = Math.max(wanted, initial);
    this.#ceiling = this.#wanted + 1;
    this.#probing = 0;
    this.#failures = 0;
    this.#lostInARow = 0;
    this.#searchAt = 0;
  }

  /** The present size. */
  get size(): number {
    return this.#size;
  }

  /** The peer's max_udp_payload_size. */
  peerMaximum(maximum: number): void {
    this.#wanted = Math.min(this.#wanted, maximum);
    this.#ceiling = Math.min(this.#ceiling, this.#wanted + 1);
    this.#size = Math.min(this.#size, maximum);
  }

  /** Another path, of which nothing is known. */
  pathChanged(): void {
    this.#fall(0);
    this.#ceiling = this.#wanted + 1;
  }

  /** The size of the probe that is due, 0 for none. */
  probeSize(now: number): number {
    if (this.#probing > 0 || now < this.#searchAt) return 0;
    if (this.#searchAt > 0) {
      this.#searchAt = 0;
      this.#ceiling = this.#wanted + 1;
    }
    if (this.#ceiling - this.#size <= STEP && this.#ceiling <= this.#wanted) return 0;
    if (this.#size >= this.#wanted) return 0;
    // The greatest first: most often it is right.
    return this.#ceiling > this.#wanted ? this.#wanted : Math.floor((this.#size + this.#ceiling) / 2);
  }

  /** A probe was sent. */
  probeSent(size: number): void {
    this.#probing = size;
  }

  /** A probe arrived. True: the size rose. */
  probeAcknowledged(size: number, now: number): boolean {
    this.#probing = 0;
    this.#failures = 0;
    if (size <= this.#size) return false;
    this.#size = size;
    this.#rest(now);
    return true;
  }

  /** A probe was lost. */
  probeLost(size: number, now: number): void {
    this.#probing = 0;
    this.#failures += 1;
    if (this.#failures < MAX_PROBES) return;
    this.#failures = 0;
    this.#ceiling = Math.min(this.#ceiling, size);
    this.#rest(now);
  }

  /** A packet that is no probe arrived. */
  acknowledged(size: number): void {
    if (size > this.#base) this.#lostInARow = 0;
  }

  /** A packet that is no probe was lost. True: the size fell. */
  lost(size: number, now: number): boolean {
    if (size <= this.#base) return false;
    this.#lostInARow += 1;
    if (this.#lostInARow < BLACK_HOLE) return false;
    this.#fall(now + RAISE_AFTER);
    return true;
  }

  /** Probe timeouts went unanswered, again and again. True: the size fell. */
  timedOut(probeCount: number, now: number): boolean {
    if (probeCount < 2 || this.#size <= this.#base) return false;
    this.#fall(now + RAISE_AFTER);
    return true;
  }

  #fall(searchAt: number): void {
    this.#size = Math.min(this.#size, this.#base);
    this.#probing = 0;
    this.#failures = 0;
    this.#lostInARow = 0;
    this.#searchAt = searchAt;
  }

  /** The search has ended below what is wanted: it begins again much later. */
  #rest(now: number): void {
    const ended = this.#ceiling <= this.#wanted && this.#ceiling - this.#size <= STEP;
    if (ended) this.#searchAt = now + RAISE_AFTER;
  }
}
