/**
 * What becomes of a connection as time passes.
 *
 * Theory of operation. Each deadline follows from something that lasts: a peer that has not sent its SETTINGS, a
 * connection without streams, a GOAWAY that is not acknowledged. After every call that brings the time the engine says
 * which of them last: one that begins is given its deadline, one that goes on keeps it, one that is over loses it.
 * Streams have theirs in stall-watch.ts; loss, silence and the handshake are the transport's.
 *
 * Owns: what each deadline is about. Does not own the connection's end (engine.ts).
 *
 * @module
 */
import { TimeoutError } from '../../common/index.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import type { Core } from './core.ts';
import type { Stream } from './stream.ts';

const { H3_REQUEST_CANCELLED } = Http3ErrorCode;

/** Who acts. */
export interface TimekeeperOwner {
  /** A GOAWAY was sent, and what follows waits for its acknowledgement. */
  readonly awaitsGoaway: boolean;
  /** How long that may take. */
  readonly shutdownTimeout: number;
  /** It did not come. */
  goawayOverdue(): void;
  /** There was no stream for `keepAliveTimeout`. */
  idleExpired(): void;
  /** A head or content of a stream did not come in time. */
  inputOverdue(stream: Stream): void;
}

/** Keeps the time of one connection. */
export class Timekeeper {
  readonly #core: Core;
  readonly #owner: TimekeeperOwner;
  #settingsAt: number;
  #idleAt: number;
  #goawayAt: number;

  constructor(core: Core, owner: TimekeeperOwner) {
    this.#core = core;
    this.#owner = owner;
    this.#settingsAt = Infinity;
    this.#idleAt = Infinity;
    this.#goawayAt = Infinity;
  }

  /** The earliest deadline; `Infinity` for none. */
  get next(): number {
    if (this.#core.terminated) return Infinity;
    return Math.min(this.#settingsAt, this.#idleAt, this.#goawayAt, this.#core.stalls.next);
  }

  /** What follows a GOAWAY has its whole time again. */
  goawayWritten(): void {
    this.#goawayAt = Infinity;
  }

  /** Looks at what lasts. To be called at the end of each call that brings the time. */
  update(now: number): void {
    const core = this.#core;
    if (core.terminated) return;
    const { limits } = core;
    const { handshakeComplete } = core.transport;
    const idle = handshakeComplete && core.open === 0 && core.handlers === 0 && !core.windingDown;
    this.#settingsAt = during(this.#settingsAt, handshakeComplete && !core.peer.received, limits.headTimeout, now);
    this.#idleAt = during(this.#idleAt, idle, limits.keepAliveTimeout, now);
    this.#goawayAt = during(this.#goawayAt, this.#owner.awaitsGoaway, this.#owner.shutdownTimeout, now);
  }

  /** Acts upon what has passed. Throws what ends the connection. */
  expire(now: number): void {
    const core = this.#core;
    // What was submitted since the last call with a time may have begun or ended something.
    this.update(now);
    if (now >= this.#settingsAt) throw new TimeoutError('headTimeout', core.limits.headTimeout);
    if (now >= this.#idleAt) {
      this.#idleAt = Infinity;
      this.#owner.idleExpired();
    }
    if (now >= this.#goawayAt) {
      this.#goawayAt = Infinity;
      this.#owner.goawayOverdue();
    }
    if (!core.terminated) this.#resetOverdue(now);
  }

  #resetOverdue(now: number): void {
    const core = this.#core;
    for (let watch = core.stalls.overdue(now); watch !== undefined; watch = core.stalls.overdue(now)) {
      const { stream } = watch;
      if (now >= watch.sendDeadline) {
        const message = "the stream's window stayed closed";
        const error = new TimeoutError('writeTimeout', core.limits.writeTimeout, message);
        core.transport.resetStream(stream.id, H3_REQUEST_CANCELLED);
        core.reset(stream, H3_REQUEST_CANCELLED, error);
      } else {
        this.#owner.inputOverdue(stream);
      }
    }
  }
}

function during(at: number, lasts: boolean, duration: number, now: number): number {
  if (!lasts) return Infinity;
  return at === Infinity ? now + duration : at;
}
