/**
 * What is sent next.
 *
 * Owns the choice of packets and frames for each datagram: acknowledgements, handshake, probes, data, within the
 * congestion window, the pacer and the amplification limit (RFC 9000 sections 8.1, 13 and 14, RFC 9002 sections 6.2.4 and
 * 7). Layout is packet-assembler.ts's, memory datagram-pool.ts's.
 *
 * @module
 */
import type { Datagram } from '../http-protocol.ts';
import { MIN_DATAGRAM } from './connection-config.ts';
import type { ConnectionState } from './connection-state.ts';
import { DatagramPool } from './datagram-pool.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType } from './frame-types.ts';
import type { HandshakeDriver } from './handshake-driver.ts';
import { PacketAssembler } from './packet-assembler.ts';
import type { PacketNumberSpace } from './packet-spaces.ts';
import { spaceOf } from './packet-spaces.ts';
import type { Path } from './paths.ts';

/** The least datagram in which a packet makes sense. */
const MIN_USEFUL = 128;
const HANDSHAKE = ['initial', 'handshake'] as const;
/** An acknowledgement is asked for after so many packets that did not, so that old ranges can be forgotten. */
const PING_EVERY = 64;

/** Fills datagrams. */
export class DatagramWriter {
  /** When the pacer lets the next packet out; `undefined` when it is not what holds. */
  pacedUntil: number | undefined;
  readonly #state: ConnectionState;
  readonly #handshake: HandshakeDriver;
  readonly #assembler: PacketAssembler;
  readonly #pool: DatagramPool;
  /** Packets in a row that did not ask for an acknowledgement. */
  #quiet: number;

  constructor(state: ConnectionState, handshake: HandshakeDriver) {
    this.pacedUntil = undefined;
    this.#state = state;
    this.#handshake = handshake;
    this.#assembler = new PacketAssembler(state);
    this.#pool = new DatagramPool();
    this.#quiet = 0;
  }

  /** At most `max` datagrams to send now. @throws QuicFault AEAD_LIMIT_REACHED */
  collect(max: number): Datagram[] {
    const state = this.#state;
    this.pacedUntil = undefined;
    let count = 0;
    for (let path = state.paths.nextProbe(state.now); path !== undefined && count < max; count += 1) {
      if (!this.#pathProbe(path)) break;
      path = state.paths.nextProbe(state.now);
    }
    if (count < max && this.#mtuProbe()) count += 1;
    while (count < max && this.#next()) count += 1;
    return this.#flush();
  }

  /** What a close takes: a datagram with the frame at every level that the peer may have keys for. */
  close(write: (assembler: PacketAssembler, kind: PacketKind) => void): Datagram[] {
    const state = this.#state;
    const path = state.paths.current;
    const destination = state.peerIds.destination(path.id);
    const limit = Math.min(state.mtu.size, path.allowance);
    if (destination === undefined || limit < MIN_USEFUL) return [];
    const assembler = this.#begin(limit, destination);
    for (const kind of ['initial', 'handshake', 'oneRtt'] as const) {
      if (!state.keys.canSeal(kind) || !assembler.open(kind)) continue;
      write(assembler, kind);
      assembler.close();
    }
    const least = assembler.initial === 'none' || state.role === 'server' ? 0 : MIN_DATAGRAM;
    this.#sent(assembler.finish(least, false, false), path);
    return this.#flush();
  }

  #flush(): Datagram[] {
    this.#assembler.protect();
    return this.#pool.flush();
  }

  /** A datagram for a path that is to be validated, or whose challenge is answered. */
  #pathProbe(path: Path): boolean {
    const state = this.#state;
    const destination = state.peerIds.destination(path.id);
    const size = state.paths.probeSize(path);
    if (destination === undefined || state.keys.oneRtt === undefined) return false;
    const assembler = this.#begin(size, destination, path === state.paths.current);
    if (!assembler.open('oneRtt')) return false;
    state.paths.writeProbe(path, assembler.writer, state.now);
    assembler.markEliciting();
    if (!assembler.close()) return false;
    this.#sent(assembler.finish(size, false, false), path);
    return true;
  }

  /** A datagram larger than those before, to see whether it arrives. */
  #mtuProbe(): boolean {
    const state = this.#state;
    if (!state.confirmed) return false;
    const size = state.mtu.probeSize(state.now);
    const path = state.paths.current;
    const destination = state.peerIds.destination(path.id);
    const fits = state.recovery.bytesInFlight + size <= state.recovery.controller.window;
    if (size === 0 || !fits || destination === undefined || !path.validated) return false;
    const assembler = this.#begin(size, destination);
    if (!assembler.open('oneRtt')) return false;
    assembler.writer.numbers(FrameType.ping);
    assembler.markEliciting();
    assembler.close();
    state.mtu.probeSent(size);
    this.#sent(assembler.finish(size, false, true), path);
    return true;
  }

  #begin(limit: number, destination: Uint8Array, recorded = true): PacketAssembler {
    this.#pool.reserve(limit, this.#ahead(limit));
    this.#assembler.begin(this.#pool.bytes, this.#pool.position, limit, destination, recorded);
    return this.#assembler;
  }

  /** How many datagrams may follow each other now, this one counted: what memory is made for. */
  #ahead(size: number): number {
    const { streams, recovery, crypto, pacer } = this.#state;
    if (!streams.hasPending) return crypto.handshake.hasPending ? 3 : 1;
    const room = Math.min(recovery.controller.window - recovery.bytesInFlight, pacer.tokens, streams.unsentBytes);
    return Math.ceil(room / size) + 1;
  }

  #sent(length: number, path: Path): void {
    if (length === 0) return;
    const state = this.#state;
    this.#pool.take(length, path.network);
    state.paths.datagramSent(path, length);
    state.activeAt = state.now;
  }

  /** The next datagram on the current path. False when there is nothing to send, or it may not be. */
  #next(): boolean {
    const state = this.#state;
    const path = state.paths.current;
    const destination = state.peerIds.destination(path.id);
    const limit = Math.min(state.mtu.size, path.allowance);
    if (destination === undefined || limit < MIN_USEFUL) return false;
    const open = this.#mayElicit();
    if (!this.#hasWork(open)) return false;
    const assembler = this.#begin(limit, destination);
    this.#level('initial', open, limit);
    this.#level('handshake', open, limit);
    this.#application(open);
    if (assembler.count === 0) return false;
    const kind = assembler.initial;
    // RFC 9000 section 14.1.
    const padded = state.role === 'client' ? kind !== 'none' : kind === 'eliciting';
    const limited = state.streams.hasPending || this.#isFull();
    const sentHandshake = assembler.hasHandshake;
    this.#sent(assembler.finish(padded ? MIN_DATAGRAM : 0, limited, false), path);
    // RFC 9001 section 4.9.1: a client that sends Handshake packets has no use for Initial ones.
    if (sentHandshake && state.role === 'client') state.dropKeys('initial');
    return true;
  }

  /** Whether any packet could have something in it. */
  #hasWork(open: boolean): boolean {
    const { keys, crypto, spaces, now } = this.#state;
    for (const kind of HANDSHAKE) {
      if (keys.canSeal(kind) && (isUrgent(spaces[kind], now) || crypto[kind].hasPending)) return true;
    }
    const kind = this.#applicationKind();
    return kind !== undefined && (isUrgent(spaces.application, now) || (open && this.#hasPending(kind)));
  }

  /** Whether window and pacer let a packet out that asks for an acknowledgement. */
  #mayElicit(): boolean {
    const { recovery, mtu, pacer, now } = this.#state;
    const { window, inSlowStart } = recovery.controller;
    if (recovery.bytesInFlight + mtu.size > window) {
      this.pacedUntil = undefined;
      return false;
    }
    const at = pacer.nextAt(now, window, recovery.rtt.smoothed, mtu.size, inSlowStart);
    this.pacedUntil = at > now ? at : undefined;
    return at <= now;
  }

  /** RFC 9002 section 7.8: in slow start half a window in use is in use, since it doubles in a round trip. */
  #isFull(): boolean {
    const { controller, bytesInFlight } = this.#state.recovery;
    return controller.inSlowStart && bytesInFlight * 2 > controller.window;
  }

  /** A packet of the handshake. */
  #level(kind: 'initial' | 'handshake', open: boolean, limit: number): void {
    const state = this.#state;
    if (!state.keys.canSeal(kind)) return;
    const space = state.spaces[kind];
    const crypto = state.crypto[kind];
    // A server that may not send 1200 bytes cannot ask for an acknowledgement of an Initial packet.
    const cramped = kind === 'initial' && state.role === 'server' && limit < MIN_DATAGRAM;
    const probe = space.probesOwed > 0 && !cramped;
    if (probe && !crypto.hasPending) this.#repeat(kind);
    // What was lost of a handshake must not wait for a window that is full of what the peer cannot read before its end:
    // without a packet of this level on its way no timer would look after it.
    const alone = !state.recovery.hasEliciting(kind);
    const data = crypto.hasPending && (open || probe || alone) && !cramped;
    const due = isAckDue(space, state.now);
    if (!data && !due && !probe) return;
    const assembler = this.#assembler;
    if (!assembler.open(kind)) return;
    if (space.received.hasNews || due) this.#ack(space, kind);
    if (data) {
      const { position } = assembler.writer;
      crypto.write(assembler.writer, assembler.frames);
      if (assembler.writer.position > position) assembler.markEliciting();
    }
    this.#probed(space, probe);
    assembler.close();
  }

  /** RFC 9002 section 6.2.4: the second probe says what the first one said, since either may be lost. */
  #repeat(kind: 'initial' | 'handshake'): void {
    const { recovery, crypto } = this.#state;
    for (const { frames } of recovery.oldest(kind, 1)) {
      for (const frame of frames) if (frame.kind === 'crypto') crypto[kind].lost(frame.offset, frame.length);
    }
  }

  /** A packet of the application's space. */
  #application(open: boolean): void {
    const state = this.#state;
    const kind = this.#applicationKind();
    if (kind === undefined) return;
    const space = state.spaces.application;
    const probe = space.probesOwed > 0;
    const pending = (open || probe) && this.#hasPending(kind);
    const due = kind === 'oneRtt' && isAckDue(space, state.now);
    if (!pending && !due && !probe) return;
    const assembler = this.#assembler;
    if (!assembler.open(kind)) return;
    // A probe says again what came: the acknowledgement that told it may be what was lost.
    if (kind === 'oneRtt' && (space.received.hasNews || due || probe)) this.#ack(space, kind);
    if (pending) {
      const { position } = assembler.writer;
      this.#sources(kind);
      if (assembler.writer.position > position) assembler.markEliciting();
    }
    this.#probed(space, probe);
    this.#quiet = assembler.isEliciting ? 0 : this.#quiet + 1;
    if (this.#quiet >= PING_EVERY && assembler.writer.tryNumbers(FrameType.ping)) {
      assembler.markEliciting();
      this.#quiet = 0;
    }
    assembler.close();
  }

  #applicationKind(): 'oneRtt' | 'zeroRtt' | undefined {
    const { keys, role } = this.#state;
    if (keys.oneRtt !== undefined) return this.#handshake.mayCarryData ? 'oneRtt' : undefined;
    return role === 'client' && this.#handshake.earlyDataOffered && keys.canSeal('zeroRtt') ? 'zeroRtt' : undefined;
  }

  #hasPending(kind: 'oneRtt' | 'zeroRtt'): boolean {
    const { streams, control, crypto, localIds, peerIds } = this.#state;
    if (streams.hasPending || control.hasPending) return true;
    return kind === 'oneRtt' && (crypto.application.hasPending || localIds.hasPending || peerIds.hasPending);
  }

  #sources(kind: 'oneRtt' | 'zeroRtt'): void {
    const { streams, control, crypto, localIds, peerIds, now } = this.#state;
    const { writer, frames } = this.#assembler;
    if (control.hasPending) control.write(writer, frames, kind);
    if (kind === 'oneRtt') {
      if (crypto.application.hasPending) crypto.application.write(writer, frames);
      if (localIds.hasPending) localIds.write(writer, frames, kind, now);
      if (peerIds.hasPending) peerIds.write(writer, frames, kind, now);
    }
    if (streams.hasPending) streams.write(writer, frames, kind, now);
  }

  /** RFC 9002 section 6.2.4: a probe asks for an acknowledgement, if by nothing else. */
  #probed(space: PacketNumberSpace, probe: boolean): void {
    if (!probe) return;
    space.probesOwed -= 1;
    if (!this.#assembler.isEliciting && this.#assembler.writer.tryNumbers(FrameType.ping)) {
      this.#assembler.markEliciting();
    }
  }

  #ack(space: PacketNumberSpace, kind: PacketKind): void {
    const { received } = space;
    const ranges = received.ranges();
    if (ranges.length === 0) return;
    // Own delays are told in units of the default exponent; those of handshakes are not looked at.
    const delay = spaceOf(kind) === 'application' ? Math.floor((received.delay(this.#state.now) * 1_000) / 8) : 0;
    if (!this.#assembler.writer.ack(ranges, delay)) return;
    this.#assembler.frames.push({ kind: 'ack', largest: ranges[0] as number });
    received.acknowledged();
  }
}

/** Whether a packet goes out whatever the window says. */
function isUrgent(space: PacketNumberSpace, now: number): boolean {
  return space.probesOwed > 0 || isAckDue(space, now);
}

function isAckDue(space: PacketNumberSpace, now: number): boolean {
  const { ackAt } = space.received;
  return ackAt !== undefined && ackAt <= now;
}
