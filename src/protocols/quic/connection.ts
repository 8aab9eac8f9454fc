/**
 * One QUIC connection, either side.
 *
 * Owns joining the parts: datagrams in and out, timers, the application's calls, and the one boundary at which a fault
 * becomes the end of the connection. No rule of a protocol is here; each part has its file, and connection-state.ts lists
 * them.
 *
 * Theory of operation. A datagram goes to the {@link PacketReader}, which opens its packets and hands their frames to the
 * FrameDispatch; TLS is fed by the {@link HandshakeDriver}. What results waits in the parts until the driver asks
 * for datagrams, and the {@link DatagramWriter} asks each part in turn what it has to send. Time comes in with each call
 * and is remembered, since calls of the application bring none.
 *
 * @module
 */
import type { NetworkPath, TlsIdentity } from '../../common/index.ts';
import type { CertificateVerdict, Datagram } from '../http-protocol.ts';
import type { QuicEvent, QuicTransport } from '../quic-transport.ts';
import { ConnectionBoundary } from './connection-boundary.ts';
import type { QuicRemains } from './connection-close.ts';
import { ConnectionCloser } from './connection-close.ts';
import type { OpenedInitial, QuicClientConfig, QuicInitial, QuicServerConfig } from './connection-config.ts';
import type { ConnectionIdChange } from './connection-ids.ts';
import type { QuicNotice } from './connection-notices.ts';
import { ConnectionState } from './connection-state.ts';
import { ConnectionTimers } from './connection-timers.ts';
import { DatagramWriter } from './datagram-writer.ts';
import { FrameDispatch } from './frame-dispatch.ts';
import { HandshakeDriver } from './handshake-driver.ts';
import { PacketFates } from './packet-fates.ts';
import { PacketReader } from './packet-reader.ts';
import { mayMoveTo } from './preferred-address.ts';
import { ServerAnswers } from './server-answers.ts';

export type { QuicRemains } from './connection-close.ts';
export type { QuicNotice } from './connection-notices.ts';

const EMPTY = new Uint8Array(0);

/** A connection. */
export class QuicConnection implements QuicTransport {
  readonly role: 'client' | 'server';
  onOutput: (() => void) | undefined;
  readonly #state: ConnectionState;
  readonly #handshake: HandshakeDriver;
  readonly #reader: PacketReader;
  readonly #writer: DatagramWriter;
  readonly #closer: ConnectionCloser;
  readonly #timers: ConnectionTimers;
  readonly #boundary: ConnectionBoundary;

  /** @param path - the path of the first datagram */
  constructor(config: QuicClientConfig, path: NetworkPath, now: number);
  /**
   * @param path - the path of the first datagram
   * @param initial - what the client's first Initial packet says; the packet itself goes to `datagramReceived`
   */
  constructor(config: QuicServerConfig, path: NetworkPath, now: number, initial: QuicInitial);
  constructor(config: QuicClientConfig | QuicServerConfig, path: NetworkPath, now: number, initial?: QuicInitial) {
    const state = new ConnectionState(config, path, now, initial);
    this.role = config.role;
    this.onOutput = undefined;
    this.#state = state;
    const fates = new PacketFates(state);
    this.#handshake = new HandshakeDriver(state, fates);
    const dispatch = new FrameDispatch(state, fates, () => {
      this.#handshake.confirmed();
    });
    const answers = config.role === 'client' ? new ServerAnswers(state, fates) : undefined;
    this.#reader = new PacketReader(state, dispatch, this.#handshake, answers);
    this.#reader.opened = (initial as Partial<OpenedInitial> | undefined)?.opened;
    this.#writer = new DatagramWriter(state, this.#handshake);
    this.#closer = new ConnectionCloser(state, this.#writer);
    this.#timers = new ConnectionTimers(state, fates, this.#handshake, this.#writer, this.#closer);
    this.#boundary = new ConnectionBoundary(state, fates, dispatch, this.#reader, answers, this.#timers, this.#closer);
    fates.sizeChanged();
    this.#boundary.run(() => {
      this.#handshake.start();
    });
  }

  get handshakeComplete(): boolean {
    return this.#state.complete;
  }

  /** Whether the peer is known to have completed the handshake as well (RFC 9001 section 4.1.2). */
  get handshakeConfirmed(): boolean {
    return this.#state.confirmed;
  }

  get earlyDataAvailable(): boolean {
    return this.#handshake.earlyDataOffered;
  }

  get rememberedApplicationData(): Uint8Array {
    const { config } = this.#state;
    return (config.role === 'client' ? config.session?.applicationData : undefined) ?? EMPTY;
  }

  /** The path that packets are sent on. */
  get currentPath(): NetworkPath {
    return this.#state.paths.current.network;
  }

  /** How many probes in a row the peer has not acknowledged (RFC 9002 section 6.2). */
  get unansweredProbes(): number {
    return this.#state.recovery.probeCount;
  }

  /** Whether nothing more is sent and nothing taken. */
  get isTerminated(): boolean {
    return this.#state.phase === 'closed';
  }

  /** What a stub needs to stand in for the connection: from the `datagramsToSend` on that sends the close. */
  get remains(): QuicRemains | undefined {
    return this.#closer.remains;
  }

  /** The next event, or `undefined`. */
  nextEvent(): QuicEvent | undefined {
    return this.#state.events.shift();
  }

  /** Sessions, tokens and key log lines, oldest first; at most `maxNotices` wait. */
  nextNotice(): QuicNotice | undefined {
    return this.#state.nextNotice();
  }

  /** What an endpoint has to know to route datagrams to this connection. */
  nextIdChange(): ConnectionIdChange | undefined {
    return this.#state.localIds.nextIdChange() ?? this.#state.peerIds.nextIdChange();
  }

  datagramReceived(data: Uint8Array, path: NetworkPath, now: number): void {
    const state = this.#state;
    state.now = now;
    state.paths.datagramArrived(path, data.length);
    if (!state.isOpen) {
      this.#closer.datagramReceived();
      return;
    }
    try {
      this.#reader.read(data, path);
      this.#reader.readWaiting();
    } catch (error) {
      this.#boundary.failed(error);
    }
    this.#boundary.conclude();
  }

  datagramsToSend(now: number, max: number): Datagram[] {
    const state = this.#state;
    state.now = now;
    if (max <= 0) return [];
    if (!state.isOpen) return this.#closer.datagramsToSend();
    try {
      if (state.keys.oneRtt?.isWorn === true) this.#timers.updateKeys();
      return this.#writer.collect(max);
    } catch (error) {
      this.#boundary.failed(error);
      return this.#closer.datagramsToSend();
    }
  }

  nextTimeout(): number | undefined {
    return this.#timers.next();
  }

  /** Does what is due. */
  handleTimeout(now: number): void {
    this.#state.now = now;
    this.#boundary.run(() => {
      this.#timers.handle();
    });
  }

  /**
   * Updates the keys of 1-RTT packets (RFC 9001 section 6.1).
   *
   * @returns false while it is not allowed: the handshake is not confirmed, or the last update is not yet done with
   */
  initiateKeyUpdate(): boolean {
    return this.#timers.updateKeys();
  }

  /** Whether the connection may send on a path, or hears on it: once it was named, until it is given up. */
  knowsPath(path: NetworkPath): boolean {
    return this.#state.isOpen && this.#state.paths.has(path);
  }

  /**
   * Client: goes to another path, which is validated first (RFC 9000 section 9.2). False when it cannot now: the
   * handshake is not confirmed, the server forbids it, or has given no id for a further path.
   */
  migrate(path: NetworkPath): boolean {
    const { paths, now, confirmed } = this.#state;
    if (!confirmed || !this.#state.isOpen || !mayMoveTo(this.#state, path.remote)) return false;
    const probed = paths.probe(path, true, now) !== undefined;
    this.onOutput?.();
    return probed;
  }

  availableStreams(bidirectional: boolean): number {
    return this.#state.streams.availableStreams(bidirectional);
  }

  openStream(bidirectional: boolean): number {
    return this.#state.streams.openStream(bidirectional);
  }

  sendCapacity(streamId: number): number {
    return this.#state.streams.sendCapacity(streamId);
  }

  writeStream(streamId: number, data: Uint8Array, fin: boolean): void {
    this.#state.streams.writeStream(streamId, data, fin);
    this.onOutput?.();
  }

  hasUnacknowledged(streamId: number): boolean {
    return this.#state.streams.hasUnacknowledged(streamId);
  }

  sentBytes(streamId: number): number {
    return this.#state.streams.sentBytes(streamId);
  }

  isBlocked(streamId: number): boolean {
    return this.#state.streams.isBlocked(streamId);
  }

  resetStream(streamId: number, errorCode: number): void {
    this.#state.streams.resetStream(streamId, errorCode);
    this.onOutput?.();
  }

  stopSending(streamId: number, errorCode: number): void {
    this.#state.streams.stopSending(streamId, errorCode);
    this.onOutput?.();
  }

  streamConsumed(streamId: number, length: number): void {
    this.#state.streams.streamConsumed(streamId, length);
    this.onOutput?.();
  }

  setStreamPriority(streamId: number, urgency: number, incremental: boolean): void {
    this.#state.streams.setStreamPriority(streamId, urgency, incremental);
  }

  get maxDatagramLength(): number {
    return this.#state.streams.maxDatagramLength;
  }

  sendDatagram(data: Uint8Array): boolean {
    const queued = this.#state.streams.sendDatagram(data);
    if (queued) this.onOutput?.();
    return queued;
  }

  setTicketApplicationData(data: Uint8Array): void {
    this.#handshake.setTicketApplicationData(data);
  }

  close(errorCode: number, reason: string): void {
    this.#closer.close({
      application: true,
      errorCode,
      initiator: 'application',
      reason,
      error: undefined,
      frameType: 0,
    });
    this.onOutput?.();
  }

  submitCertificateVerdict(verdict: CertificateVerdict): void {
    this.#boundary.run(() => {
      this.#handshake.submitCertificateVerdict(verdict);
    });
    this.onOutput?.();
  }

  submitServerIdentity(identity: TlsIdentity | number): void {
    this.#boundary.run(() => {
      this.#handshake.submitServerIdentity(identity);
    });
    this.onOutput?.();
  }

  submitTicketVerdict(accepted: boolean): void {
    this.#boundary.run(() => {
      this.#handshake.submitTicketVerdict(accepted);
    });
    this.onOutput?.();
  }
}
