/**
 * What becomes of a connection as time passes.
 *
 * Owns: what each deadline is about (deadlines.ts) and what follows when it has passed: a connection that is stuck,
 * idle or silent, a peer that does not acknowledge or does not finish what it began, a stream that does not get on
 * (stall-watch.ts). Does not own the connection's end (engine.ts).
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { TimeoutError } from '../../common/index.ts';
import type { Core } from './core.ts';
import type { DueKind } from './deadlines.ts';
import { Deadlines, Due } from './deadlines.ts';
import { Http2ErrorCode } from '../semantics/index.ts';
import type { FrameReader } from './frame-reader.ts';
import { PingKind } from './pings.ts';
import type { Pings } from './pings.ts';
import type { Sender } from './sender.ts';
import type { Stream } from './stream.ts';

/** Without a stream for so many milliseconds a connection rests. */
const REST_AFTER = 1_000;

/** Who acts. */
export interface TimekeeperOwner {
  /** The answer to the shutdown's PING is awaited. */
  readonly announced: boolean;
  /** It did not come. */
  shutdownRoundTrip(): void;
  /** There was no stream for `keepAliveTimeout`. */
  idleExpired(): void;
  /** Nothing reaches the peer, or comes from it: the connection is to be cut. */
  stuck(error: HfaceError): void;
  /** Content of a stream did not come in time. */
  contentOverdue(stream: Stream): void;
}

/** Keeps the time of one connection. */
export class Timekeeper {
  /** Our SETTINGS were not acknowledged. */
  settingsAwaited: boolean;
  readonly #core: Core;
  readonly #sender: Sender;
  readonly #reader: FrameReader;
  readonly #pings: Pings;
  readonly #owner: TimekeeperOwner;
  readonly #deadlines: Deadlines;
  /** When octets came last. */
  #heardAt: number;

  constructor(core: Core, sender: Sender, reader: FrameReader, pings: Pings, owner: TimekeeperOwner) {
    this.settingsAwaited = true;
    this.#core = core;
    this.#sender = sender;
    this.#reader = reader;
    this.#pings = pings;
    this.#owner = owner;
    this.#deadlines = new Deadlines();
    this.#heardAt = core.now;
  }

  /** The earliest deadline. */
  get next(): number | undefined {
    const at = Math.min(this.#deadlines.next, this.#core.stalls.next);
    return at === Infinity ? undefined : at;
  }

  /** Octets came. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** Output was taken: what is left of it, or comes, has its whole time. */
  taken(): void {
    this.#deadlines.set(Due.write, Infinity);
  }

  /** Looks at what lasts. To be called at the end of each call that brings the time. */
  update(now: number): void {
    const core = this.#core;
    if (core.terminated) return;
    const { limits } = core;
    const deadlines = this.#deadlines;
    const pending = core.writer.pending > 0 || this.#sender.ready;
    deadlines.during(Due.write, pending, limits.writeTimeout, now);
    deadlines.set(Due.window, this.#sender.windowAwaited + limits.writeTimeout);
    deadlines.set(Due.held, this.#sender.heldUntil);
    deadlines.during(Due.head, this.#reader.waiting || core.blockOpen, limits.headTimeout, now);
    deadlines.during(Due.settings, this.settingsAwaited && this.#reader.begun, limits.settingsTimeout, now);
    const idle = core.open === 0 && core.handlers === 0;
    deadlines.during(Due.idle, idle, limits.keepAliveTimeout, now);
    deadlines.during(Due.rest, idle && !core.resting && core.highestId > 0, REST_AFTER, now);
    deadlines.during(Due.shutdown, this.#owner.announced, limits.shutdownTimeout, now);
    if (core.open > 0) {
      deadlines.during(Due.silence, true, limits.pingInterval, now);
    } else {
      deadlines.set(Due.silence, Infinity);
      deadlines.set(Due.ping, Infinity);
    }
  }

  /** Acts upon what has passed. Throws what ends the connection with GOAWAY. */
  expire(now: number): void {
    const core = this.#core;
    // What was submitted since the last call with a time may have begun or ended something.
    this.update(now);
    for (let due = this.#deadlines.passed(now); due !== Due.nothing; due = this.#deadlines.passed(now)) {
      this.#deadlines.set(due, Infinity);
      this.#expired(due, now);
    }
    if (!core.terminated) this.#resetOverdue(now);
  }

  /** None any more. */
  stop(): void {
    this.#deadlines.stop();
  }

  #expired(due: DueKind, now: number): void {
    const { limits } = this.#core;
    switch (due) {
      case Due.write:
        this.#owner.stuck(new TimeoutError('writeTimeout', limits.writeTimeout, 'output was not taken in time'));
        return;
      case Due.window:
        throw new TimeoutError('writeTimeout', limits.writeTimeout, "the connection's window stayed closed");
      case Due.head:
        throw new TimeoutError('headTimeout', limits.headTimeout);
      case Due.settings:
        throw new TimeoutError('settingsTimeout', limits.settingsTimeout);
      case Due.idle:
        this.#owner.idleExpired();
        return;
      case Due.silence:
        this.#askIfAlive(now);
        return;
      case Due.ping:
        if (this.#heardAt > this.#pings.sentAt(PingKind.liveness)) return;
        this.#owner.stuck(new TimeoutError('pingTimeout', limits.pingTimeout, 'the peer is silent'));
        return;
      case Due.held:
        // They go with the next output, which is asked for whenever a deadline has passed.
        return;
      case Due.rest:
        this.#core.rest();
        return;
      default:
        this.#owner.shutdownRoundTrip();
    }
  }

  #askIfAlive(now: number): void {
    const { limits, writer } = this.#core;
    const at = this.#heardAt + limits.pingInterval;
    if (at > now) {
      this.#deadlines.set(Due.silence, at);
      return;
    }
    this.#pings.send(PingKind.liveness, writer, now);
    this.#deadlines.set(Due.silence, now + limits.pingInterval);
    this.#deadlines.during(Due.ping, true, limits.pingTimeout, now);
  }

  #resetOverdue(now: number): void {
    const core = this.#core;
    for (let watch = core.stalls.overdue(now); watch !== undefined; watch = core.stalls.overdue(now)) {
      const { stream } = watch;
      if (now >= watch.sendDeadline) {
        const message = "the stream's window stayed closed";
        const error = new TimeoutError('writeTimeout', core.limits.writeTimeout, message);
        core.reset(stream, Http2ErrorCode.CANCEL, error);
      } else if (core.windows.window <= 0) {
        // Other streams' readers hold the connection's window: no fault of this one's sender.
        core.stalls.inputRests(stream);
        core.stalls.awaitContent(stream, now);
      } else {
        this.#owner.contentOverdue(stream);
      }
    }
  }
}
