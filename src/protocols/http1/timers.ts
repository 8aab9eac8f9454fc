/**
 * The engine's deadlines.
 *
 * Theory of operation. What a connection waits for is its phase, and at any time it is in one:
 *
 * - `none`: for the application; no deadline.
 * - `first`: for the first byte after connecting. `idle`: for the first byte of a further message.
 * - `head`: for the rest of a head. `body`: for content. `linger`: for the peer's end.
 *
 * The phase follows from the engine's state. After every call that brings the time the engine names the phase; a
 * change starts that phase's deadline, staying in it leaves the deadline alone. So no input needs to remember which
 * timers it touches. The deadline of `body` is a budget: each byte of content earns time at `minBodyRate`, never more
 * than `bodyTimeout` in all; leaving the phase, while the reader is not ready, keeps what is left. Beside the phases
 * runs one deadline for output that nobody takes.
 *
 * A call that brings no time can change the phase as well; until one does that brings it, the next deadline is "at
 * once", so that the driver hands the time in.
 *
 * @module
 */

/** What is waited for. */
export const Phase = { none: 0, first: 1, idle: 2, head: 3, body: 4, linger: 5 } as const;
/** One of {@link Phase}. */
export type PhaseKind = (typeof Phase)[keyof typeof Phase];

/** How long each phase may last, in milliseconds. */
export interface TimerDurations {
  readonly firstTimeout: number;
  readonly keepAliveTimeout: number;
  readonly headTimeout: number;
  readonly bodyTimeout: number;
  readonly minBodyRate: number;
  readonly lingerTimeout: number;
  readonly writeTimeout: number;
}

/** Keeps the deadlines of one connection. */
export class Timers {
  /** How long the connection may be idle; a server's Keep-Alive may make it shorter. */
  keepAliveTimeout: number;
  readonly durations: TimerDurations;
  #phase: PhaseKind;
  #deadline: number;
  #writeDeadline: number;
  /** What is left of the body's budget while its phase rests. */
  #bodyLeft: number;
  /** A new message began since the last update. */
  #anew: boolean;
  #now: number;
  #stale: boolean;
  #stopped: boolean;

  constructor(durations: TimerDurations, now: number) {
    this.keepAliveTimeout = durations.keepAliveTimeout;
    this.durations = durations;
    this.#phase = Phase.none;
    this.#deadline = Infinity;
    this.#writeDeadline = Infinity;
    this.#bodyLeft = durations.bodyTimeout;
    this.#anew = false;
    this.#now = now;
    this.#stale = false;
    this.#stopped = false;
  }

  /** Goes on for a connection that waits in a phase until its deadline. Nothing else may be waited for. */
  resume(phase: PhaseKind, deadline: number, now: number): void {
    this.#phase = phase;
    this.#deadline = deadline;
    this.#now = now;
  }

  /** The phase as it was named last. */
  get phase(): PhaseKind {
    return this.#phase;
  }

  /** The time of the call that brought one last. */
  get now(): number {
    return this.#now;
  }

  /** A call without a time may have changed the phase or the output. */
  markStale(): void {
    this.#stale = !this.#stopped;
  }

  /** A message begins: what it is waited for is counted from here. */
  beginMessage(): void {
    this.#bodyLeft = this.durations.bodyTimeout;
    this.#anew = true;
  }

  /** Content came, perhaps; in any case time has passed. */
  earn(bytes: number, now: number): void {
    this.#now = now;
    const { bodyTimeout, minBodyRate } = this.durations;
    const whole = now + bodyTimeout;
    if (this.#phase === Phase.body)
      this.#deadline = minBodyRate === 0 ? whole : Math.min(whole, this.#deadline + (bytes * 1000) / minBodyRate);
  }

  /** Names the phase and says whether output waits. `progress`: some of it was taken. */
  update(phase: PhaseKind, outputPending: boolean, progress: boolean, now: number): void {
    this.#now = now;
    this.#stale = false;
    if (phase !== this.#phase) {
      if (this.#phase === Phase.body && !this.#anew) this.#bodyLeft = Math.max(0, this.#deadline - now);
      this.#phase = phase;
      this.#deadline = now + this.#duration(phase);
    } else if (this.#anew) {
      this.#deadline = now + this.#duration(phase);
    }
    this.#anew = false;
    if (!outputPending) this.#writeDeadline = Infinity;
    else if (progress || this.#writeDeadline === Infinity) this.#writeDeadline = now + this.durations.writeTimeout;
  }

  /** The earliest deadline, `undefined` when there is none. */
  next(): number | undefined {
    if (this.#stale) return this.#now;
    const earliest = Math.min(this.#deadline, this.#writeDeadline);
    return earliest === Infinity ? undefined : earliest;
  }

  /** The phase whose deadline has passed, or `none`. */
  expired(now: number): PhaseKind {
    return now >= this.#deadline ? this.#phase : Phase.none;
  }

  /** Whether output waited too long. */
  writeExpired(now: number): boolean {
    return now >= this.#writeDeadline;
  }

  /** No deadline any more: the connection is over. */
  stop(): void {
    this.#phase = Phase.none;
    this.#deadline = Infinity;
    this.#writeDeadline = Infinity;
    this.#stale = false;
    this.#stopped = true;
  }

  #duration(phase: PhaseKind): number {
    switch (phase) {
      case Phase.first:
        return this.durations.firstTimeout;
      case Phase.idle:
        return this.keepAliveTimeout;
      case Phase.head:
        return this.durations.headTimeout;
      case Phase.body:
        return this.#bodyLeft;
      case Phase.linger:
        return this.durations.lingerTimeout;
      default:
        return Infinity;
    }
  }
}
