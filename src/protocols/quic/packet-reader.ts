/**
 * Datagrams taken apart, packets opened.
 *
 * Owns which packets of a datagram are for this connection, opening them with the right keys, and the order in which a
 * packet's claims are believed (RFC 9000 sections 5.2, 7.2, 12.2 and 14.1, RFC 9001 sections 5.5 to 5.7). What is not
 * authentic changes nothing but counters. What frames say is frame-dispatch.ts's.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import { sameBytes } from '../../wire/index.ts';
import type { OpenedPacket } from './connection-config.ts';
import { MIN_DATAGRAM } from './connection-config.ts';
import type { ConnectionState } from './connection-state.ts';
import { QuicError, QuicFault, violation } from './error-codes.ts';
import type { FrameDispatch } from './frame-dispatch.ts';
import { parseFrames } from './frame-parser.ts';
import type { PacketKind } from './frame-types.ts';
import type { HandshakeDriver } from './handshake-driver.ts';
import type { PacketHeader } from './packet-header.ts';
import { readPacketHeader } from './packet-header.ts';
import { decodePacketNumber } from './packet-number.ts';
import type { PacketKeys } from './packet-protection.ts';
import type { PacketNumberSpace } from './packet-spaces.ts';
import { spaceOf } from './packet-spaces.ts';
import type { Path } from './paths.ts';
import type { DropReason } from './qlog-events.ts';
import type { ServerAnswers } from './server-answers.ts';
import { UndecryptablePackets } from './undecryptable-packets.ts';

/** Reserved bits of the first byte (RFC 9000 sections 17.2 and 17.3). */
const LONG_RESERVED = 0x0c;
const SHORT_RESERVED = 0x18;
const KEY_PHASE = 0x04;
/** Old 1-RTT keys stay for so many probe timeouts (RFC 9001 section 6.5). */
const KEEP_OLD_KEYS = 3;
/** The least datagram that may be a stateless reset (RFC 9000 section 10.3). */
const MIN_RESET = 21;

/** How a packet's payload came out. */
interface Opened {
  readonly payload: Uint8Array;
  readonly number: number;
}

/** Takes datagrams. */
export class PacketReader {
  /** A stateless reset of the peer came. */
  wasReset: boolean;
  /** Server: the client's first packet, opened before there was a connection, until it is read. */
  opened: OpenedPacket | undefined;
  readonly #state: ConnectionState;
  readonly #dispatch: FrameDispatch;
  readonly #handshake: HandshakeDriver;
  readonly #answers: ServerAnswers | undefined;
  readonly #waiting: UndecryptablePackets;

  /** @param answers - client: takes Retry and Version Negotiation */
  constructor(
    state: ConnectionState,
    dispatch: FrameDispatch,
    handshake: HandshakeDriver,
    answers: ServerAnswers | undefined,
  ) {
    this.wasReset = false;
    this.opened = undefined;
    this.#state = state;
    this.#dispatch = dispatch;
    this.#handshake = handshake;
    this.#answers = answers;
    this.#waiting = new UndecryptablePackets(state.config.limits.maxUndecryptablePackets);
  }

  /** Takes a datagram. @throws QuicFault for what ends the connection */
  read(datagram: Uint8Array, network: NetworkPath): void {
    const state = this.#state;
    const shortLength = state.sourceId.length;
    let first: Uint8Array | undefined;
    let at = 0;
    while (at < datagram.length && state.isOpen && this.#dispatch.close === undefined) {
      const header = readPacketHeader(datagram, at, shortLength);
      if (header === undefined) {
        this.#drop('unknown', datagram.length - at, 'not-a-packet');
        break;
      }
      at = header.end;
      // RFC 9000 section 12.2: packets of one datagram are for one connection.
      first ??= header.destination;
      if (first !== header.destination && !sameBytes(first, header.destination)) {
        this.#drop(header.form, header.end - header.start, 'unknown-connection-id');
        continue;
      }
      this.#packet(datagram, header, network);
    }
  }

  /** Opens what waited for keys, after there are new ones. @throws QuicFault */
  readWaiting(): void {
    while (this.#handshake.hasNewKeys) {
      this.#handshake.hasNewKeys = false;
      for (const { datagram, header, path } of this.#waiting.takeAll()) {
        if (!this.#state.isOpen || this.#dispatch.close !== undefined) return;
        this.#packet(datagram, header, path);
      }
    }
  }

  /** Forgets what waits. */
  discard(): void {
    this.#waiting.clear();
  }

  #packet(datagram: Uint8Array, header: PacketHeader, network: NetworkPath): void {
    const { form } = header;
    switch (form) {
      case 'initial':
      case 'handshake':
      case 'zeroRtt':
        if (this.#expectsLong(datagram, header)) this.#protected(datagram, header, form, network);
        else this.#drop(form, header.end - header.start, 'unexpected');
        return;
      case 'short':
        this.#protected(datagram, header, 'oneRtt', network);
        return;
      default:
        if (this.#answers?.received(datagram, header) === true) return;
        this.#drop(form, header.end - header.start, 'unexpected');
    }
  }

  /** Whether a long header may stand there; nothing of it is authentic yet. */
  #expectsLong(datagram: Uint8Array, header: PacketHeader): boolean {
    const { role, peerSourceId, config } = this.#state;
    if (!header.fixedBit && !config.grease) return false;
    // Section 7.2: the peer's Source Connection ID does not change.
    if (peerSourceId !== undefined && !sameBytes(peerSourceId, header.source)) return false;
    if (role === 'client') {
      // Section 17.2.2: a server's Initial has no token; only clients send 0-RTT.
      return header.form !== 'zeroRtt' && header.token.length === 0 && this.#isOwn(header.destination);
    }
    // Section 14.1.
    return header.form !== 'initial' || datagram.length >= MIN_DATAGRAM;
  }

  #isOwn(destination: Uint8Array): boolean {
    return sameBytes(this.#state.sourceId, destination);
  }

  #protected(datagram: Uint8Array, header: PacketHeader, kind: PacketKind, network: NetworkPath): void {
    const state = this.#state;
    const { keys } = state;
    const size = header.end - header.start;
    if (kind === 'oneRtt' && !header.fixedBit && !state.config.grease) {
      this.#drop(kind, size, 'unexpected');
      return;
    }
    // RFC 9001 section 5.7: a server opens no 1-RTT packet before the client's Finished.
    const level = kind === 'oneRtt' ? undefined : keys.opening(kind);
    const ready = kind === 'oneRtt' ? keys.oneRtt !== undefined && state.complete : level !== undefined;
    if (!ready) {
      this.#withoutKeys(datagram, header, kind, network);
      return;
    }
    const packet = datagram.subarray(header.start, header.end);
    const space = state.spaces[spaceOf(kind)];
    const numberOffset = header.numberOffset - header.start;
    const known = this.opened?.datagram === datagram && header.start === 0 ? this.opened : undefined;
    if (known !== undefined) this.opened = undefined;
    const opened =
      known ??
      (level === undefined
        ? this.#openOneRtt(packet, numberOffset, space)
        : openLong(level, packet, numberOffset, space));
    if (opened === undefined) {
      this.#notAuthentic(datagram, kind, size);
      return;
    }
    if (space.received.has(opened.number)) {
      this.#drop(kind, size, 'duplicate');
      return;
    }
    const path = this.#pathFor(kind, datagram, header, network);
    if (path === undefined) {
      this.#drop(kind, size, 'unexpected');
      return;
    }
    this.#authentic(header, kind);
    const reserved = kind === 'oneRtt' ? SHORT_RESERVED : LONG_RESERVED;
    if (((known?.first ?? packet[0] ?? 0) & reserved) !== 0) throw violation('reserved bits of a header are set');
    this.#frames(opened, kind, space, header, path, size);
  }

  #openOneRtt(packet: Uint8Array, numberOffset: number, space: PacketNumberSpace): Opened | undefined {
    const state = this.#state;
    const keys = state.keys.oneRtt;
    const length = keys?.current.unmask(packet, numberOffset) ?? 0;
    if (keys === undefined || length === 0) return undefined;
    const number = readNumber(packet, numberOffset, length, space);
    const phase = ((packet[0] as number) & KEY_PHASE) !== 0;
    const generation = keys.openGeneration;
    const keep = KEEP_OLD_KEYS * state.probeTimeout();
    const payload = keys.open(packet, numberOffset + length, number, phase, state.now, keep);
    if (keys.openGeneration !== generation) {
      const initiator = keys.generation === keys.openGeneration ? 'remote' : 'local';
      state.trace?.keyUpdated(state.now, keys.openGeneration, initiator);
    }
    return payload === undefined ? undefined : { payload, number };
  }

  #withoutKeys(datagram: Uint8Array, header: PacketHeader, kind: PacketKind, network: NetworkPath): void {
    const { keys, role } = this.#state;
    const size = header.end - header.start;
    if (keys.isDropped(kind)) {
      this.#drop(kind, size, 'keys-discarded');
      return;
    }
    if (kind === 'oneRtt' && this.#checkReset(datagram)) return;
    const plausible = kind !== 'zeroRtt' || role === 'server';
    if (!plausible || !this.#waiting.add(datagram, header, network)) this.#drop(kind, size, 'queue-full');
    else this.#state.trace?.packetDropped(this.#state.now, kind, size, 'keys-unavailable');
  }

  #notAuthentic(datagram: Uint8Array, kind: PacketKind, size: number): void {
    const state = this.#state;
    this.#drop(kind, size, 'decryption-failed');
    if (kind === 'oneRtt' && this.#checkReset(datagram)) return;
    state.forgeries += 1;
    const limit = state.keys.oneRtt?.current.suite.integrityLimit ?? Number.POSITIVE_INFINITY;
    // RFC 9001 section 6.6.
    if (state.forgeries >= Math.min(limit, state.config.limits.maxForgeries)) {
      throw new QuicFault(QuicError.aeadLimitReached, 'as many forged packets as the cipher stands');
    }
  }

  #checkReset(datagram: Uint8Array): boolean {
    if (datagram.length < MIN_RESET || !this.#state.peerIds.isStatelessReset(datagram)) return false;
    this.wasReset = true;
    return true;
  }

  /** The path of an authentic packet; before the handshake is confirmed there is but one. */
  #pathFor(kind: PacketKind, datagram: Uint8Array, header: PacketHeader, network: NetworkPath): Path | undefined {
    const { paths } = this.#state;
    if (kind !== 'oneRtt') return paths.current;
    return paths.pathOf(network, datagram.length, header.destination);
  }

  /** What an authentic packet shows by being one. */
  #authentic(header: PacketHeader, kind: PacketKind): void {
    const state = this.#state;
    if (kind === 'initial' && state.role === 'client' && state.peerSourceId === undefined) {
      state.peerSourceId = header.source.slice();
      state.peerIds.handshakeIdReceived(state.peerSourceId);
    }
    if (kind === 'handshake' && state.role === 'server' && !state.keys.isDropped('initial')) {
      // RFC 9000 section 8.1, RFC 9001 section 4.9.1.
      state.paths.addressValidated();
      state.dropKeys('initial');
    }
  }

  #frames(
    opened: Opened,
    kind: PacketKind,
    space: PacketNumberSpace,
    header: PacketHeader,
    path: Path,
    size: number,
  ): void {
    const state = this.#state;
    const dispatch = this.#dispatch;
    const { payload, number } = opened;
    state.trace?.packetReceived(state.now, kind, number, size, payload);
    dispatch.begin(kind, header.destination, path);
    parseFrames(payload, kind, dispatch);
    dispatch.end();
    space.received.add(number, dispatch.eliciting, state.now, state.config.maxAckDelay);
    state.idle.packetReceived(state.now);
    state.activeAt = state.now;
    if (kind === 'oneRtt') {
      state.paths.packetProcessed(path, number, dispatch.probing, header.destination, state.now);
    }
    if (dispatch.hasCrypto) {
      this.#handshake.advance();
      // A gap is made good the sooner the peer hears of it.
      if (state.crypto[space.name].hasGap) space.received.hurry(state.now);
    }
  }

  #drop(form: string, size: number, reason: DropReason): void {
    this.#state.trace?.packetDropped(this.#state.now, form, size, reason);
  }
}

function openLong(
  keys: PacketKeys,
  packet: Uint8Array,
  numberOffset: number,
  space: PacketNumberSpace,
): Opened | undefined {
  const length = keys.unmask(packet, numberOffset);
  if (length === 0) return undefined;
  const number = readNumber(packet, numberOffset, length, space);
  const payload = keys.open(packet, numberOffset + length, number);
  return payload === undefined ? undefined : { payload, number };
}

function readNumber(packet: Uint8Array, offset: number, length: number, space: PacketNumberSpace): number {
  let truncated = 0;
  for (let at = offset; at < offset + length; at += 1) truncated = truncated * 0x100 + (packet[at] as number);
  return decodePacketNumber(space.received.largest, truncated, length);
}
