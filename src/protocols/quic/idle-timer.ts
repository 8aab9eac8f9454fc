/**
 * The idle timeout and keeping alive.
 *
 * Owns RFC 9000 section 10.1: the lesser of both sides' timeouts, at least three probe timeouts, counted from the last
 * packet that was taken, or from the first that asks for an acknowledgement since then.
 *
 * @module
 */

/** Probe timeouts that an idle timeout lasts at least. */
const FLOOR = 3;

/** When silence ends a connection. All times are milliseconds. */
export class IdleTimer {
  readonly #own: number;
  readonly #keepAlive: number;
  #timeout: number;
  #since: number;
  #sentSince: boolean;
  #packetAt: number;

  /**
   * @param own - this side's max_idle_timeout, 0 for none
   * @param keepAlive - silence after which a PING is sent
   */
  constructor(own: number, keepAlive: number, now: number) {
    this.#own = own === 0 ? Number.POSITIVE_INFINITY : own;
    this.#keepAlive = keepAlive === 0 ? Number.POSITIVE_INFINITY : keepAlive;
    this.#timeout = this.#own;
    this.#since = now;
    this.#sentSince = false;
    this.#packetAt = now;
  }

  /** The timeout in force, without its floor. */
  get timeout(): number {
    return this.#timeout;
  }

  /** The peer's max_idle_timeout, 0 for none. */
  peerTimeout(peer: number): void {
    this.#timeout = Math.min(this.#own, peer === 0 ? Number.POSITIVE_INFINITY : peer);
  }

  /** A packet was taken. */
  packetReceived(now: number): void {
    this.#since = now;
    this.#packetAt = now;
    this.#sentSince = false;
  }

  /** A packet that asks for an acknowledgement was sent. */
  elicitingSent(now: number): void {
    this.#packetAt = now;
    if (this.#sentSince) return;
    this.#sentSince = true;
    this.#since = now;
  }

  /** When the connection ends. */
  expiresAt(probeTimeout: number): number {
    return this.#since + Math.max(this.#timeout, FLOOR * probeTimeout);
  }

  /** A PING is on its way, as soon as it may leave. */
  keptAlive(now: number): void {
    this.#packetAt = now;
  }

  /** When a PING is due. */
  get keepAliveAt(): number {
    return this.#packetAt + this.#keepAlive;
  }
}
