/**
 * The timers of a connection.
 *
 * Owns when the next is due and what each does: idle and keep-alive (RFC 9000 section 10.1), loss and probes (RFC 9002
 * sections 6.1.2 and 6.2), delayed acknowledgements, pacing, questions that nobody answers, paths, old keys, the end of
 * closing. There is one call for all of them, and no list to search.
 *
 * @module
 */
import { TimeoutError } from '../../common/index.ts';
import type { ConnectionCloser } from './connection-close.ts';
import type { ConnectionState } from './connection-state.ts';
import type { DatagramWriter } from './datagram-writer.ts';
import { traceMetrics } from './frame-dispatch.ts';
import type { HandshakeDriver } from './handshake-driver.ts';
import type { PacketSpace, RecoveryTimer } from './loss-recovery.ts';
import { spaces as packetSpaces } from './loss-recovery.ts';
import type { PacketFates } from './packet-fates.ts';

/** RFC 9002 section 6.2.4. */
const PROBES = 2;
/** A server that may send less than this waits for the client. */
const MIN_USEFUL = 128;

/** All timers of one connection. */
export class ConnectionTimers {
  /** The connection is to be forgotten for silence. */
  expired: TimeoutError | undefined;
  readonly #state: ConnectionState;
  readonly #fates: PacketFates;
  readonly #handshake: HandshakeDriver;
  readonly #writer: DatagramWriter;
  readonly #closer: ConnectionCloser;
  readonly #startedAt: number;

  constructor(
    state: ConnectionState,
    fates: PacketFates,
    handshake: HandshakeDriver,
    writer: DatagramWriter,
    closer: ConnectionCloser,
  ) {
    this.expired = undefined;
    this.#state = state;
    this.#fates = fates;
    this.#handshake = handshake;
    this.#writer = writer;
    this.#closer = closer;
    this.#startedAt = state.now;
  }

  /** The absolute time of the next. */
  next(): number | undefined {
    const state = this.#state;
    if (!state.isOpen) return finite(this.#closer.until);
    const { spaces, idle, keys, paths } = state;
    let at = Math.min(
      idle.expiresAt(state.probeTimeout()),
      this.#handshake.deadline,
      this.#recovery()?.at ?? Number.POSITIVE_INFINITY,
      this.#writer.pacedUntil ?? Number.POSITIVE_INFINITY,
      paths.nextTimeout() ?? Number.POSITIVE_INFINITY,
      keys.oneRtt?.keepUntil ?? Number.POSITIVE_INFINITY,
    );
    // What cannot be sent is not waited for.
    const ackAt = paths.current.allowance < MIN_USEFUL ? undefined : spaces.application.received.ackAt;
    if (state.complete) at = Math.min(at, ackAt ?? at, idle.keepAliveAt, state.earlyKeysUntil);
    else at = Math.min(at, this.#startedAt + state.config.limits.handshakeTimeout);
    return finite(at);
  }

  /** Does what is due. @throws QuicFault */
  handle(): void {
    const state = this.#state;
    const { now, idle } = state;
    if (!state.isOpen) {
      if (now >= this.#closer.until) this.#closer.end();
      return;
    }
    if (now >= idle.expiresAt(state.probeTimeout())) {
      this.expired = new TimeoutError('idle', idle.timeout);
      return;
    }
    const { handshakeTimeout } = state.config.limits;
    if (!state.complete && now >= this.#startedAt + handshakeTimeout) {
      this.expired = new TimeoutError('handshake', handshakeTimeout);
      return;
    }
    if (now >= this.#handshake.deadline) this.#handshake.timeout();
    const timer = this.#recovery();
    if (timer !== undefined && now >= timer.at) this.#recover(timer);
    state.paths.handleTimeout(now);
    state.keys.oneRtt?.expire(now);
    if (now >= state.earlyKeysUntil) state.dropEarlyKeys();
    if (state.complete && now >= idle.keepAliveAt) {
      idle.keptAlive(now);
      state.control.sendPing();
    }
  }

  /** Updates 1-RTT keys when that is allowed. */
  updateKeys(): boolean {
    const { keys, confirmed, isOpen, now, trace } = this.#state;
    const { oneRtt } = keys;
    if (oneRtt === undefined || !confirmed || !isOpen || !oneRtt.mayInitiate) return false;
    oneRtt.initiate();
    trace?.keyUpdated(now, oneRtt.generation, 'local');
    return true;
  }

  #recovery(): RecoveryTimer | undefined {
    const state = this.#state;
    // RFC 9002 section 6.2.2.1: nothing is probed for that could not be sent.
    if (state.paths.current.allowance < MIN_USEFUL) return undefined;
    return state.recovery.nextTimer(
      {
        handshakeConfirmed: state.confirmed,
        peerValidated: state.peerValidated,
        hasHandshakeKeys: state.keys.canSeal('handshake'),
        maxAckDelay: state.peer.maxAckDelay,
      },
      state.activeAt,
    );
  }

  #recover(timer: RecoveryTimer): void {
    const state = this.#state;
    const { recovery, now } = state;
    if (timer.kind === 'loss') {
      this.#fates.lost(timer.space, recovery.lossTimeout(timer.space, now));
    } else {
      recovery.probeCount += 1;
      this.#probe(timer.space);
      if (state.mtu.timedOut(recovery.probeCount, now)) this.#fates.sizeChanged();
    }
    if (state.trace !== undefined) traceMetrics(state);
  }

  /**
   * RFC 9002 section 6.2.4: sends again what is oldest, in two packets; a client that waits for nothing sends one. Other
   * spaces with packets on their way join in, since the peer may have keys for one of them only.
   */
  #probe(space: PacketSpace): void {
    const { recovery, spaces, keys } = this.#state;
    for (const other of packetSpaces) {
      const joins = recovery.hasEliciting(other) && (other !== 'application' || keys.oneRtt !== undefined);
      if (other !== space && !joins) continue;
      const oldest = recovery.oldest(other, PROBES);
      for (const packet of oldest) this.#fates.sendAgain(other, packet);
      spaces[other].probesOwed = oldest.length === 0 ? 1 : PROBES;
    }
  }
}

function finite(at: number): number | undefined {
  return Number.isFinite(at) ? at : undefined;
}
