/**
 * What both sides of an HTTP/2 connection have in common: the way in and out, timers, winding down, the end.
 *
 * Theory of operation. What comes in goes through the reader (frame-reader.ts) and the dispatch (frame-dispatch.ts) to
 * the parts that change the shared state (core.ts). A fault that ends the connection is thrown there and caught at the
 * one boundary, {@link Http2Engine.bytesReceived}; so for any input it returns. An error that is none of ours is a defect
 * of the engine: it ends the connection with INTERNAL_ERROR and nothing else.
 *
 * A connection ends in one place, `#terminate`: every open stream is told of, GOAWAY is written where the peer can still
 * read it (RFC 9113 section 5.4.1), `ConnectionTerminated` is the last event, and nothing is read any more. The driver
 * waits for the peer's own end. Winding down (section 6.8) has two steps on a server, so that requests that are on their
 * way are not lost: GOAWAY with the highest id and a PING, then, a round trip later, GOAWAY with the last id in fact.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { NetworkError, StreamResetError, toHfaceError } from '../../common/index.ts';
import type { Capabilities } from '../capabilities.ts';
import type { HttpEvent, HttpVersion, Processed } from '../events.ts';
import { connectionTerminated } from '../events.ts';
import type { EndStream } from '../http-protocol.ts';
import { UncoveredMembers } from '../uncovered-members.ts';
import { http2Capabilities } from './capabilities.ts';
import type { ControlOwner } from './control-frames.ts';
import { ControlFrames } from './control-frames.ts';
import { Core } from './core.ts';
import { http2ErrorCodes, Http2ErrorCode } from '../semantics/index.ts';
import { connectionCode, connectionOver, toldByPeer } from './faults.ts';
import { FrameDispatch } from './frame-dispatch.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameType, LARGEST_STREAM_ID, PREFACE } from './frame-types.ts';
import type { Http2Limits } from './limits.ts';
import { PingKind, Pings } from './pings.ts';
import type { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { localSettings } from './settings.ts';
import { Timekeeper } from './timekeeper.ts';
import type { TimekeeperOwner } from './timekeeper.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv } from './stream.ts';

const { CANCEL, NO_ERROR } = Http2ErrorCode;

/** The octets of a PING whose answer nobody waits for. */
const PROBE = new Uint8Array(8);
/** Milliseconds. */
const PROBE_INTERVAL = 1_000;

/** The common part of server and client. */
export abstract class Http2Engine extends UncoveredMembers implements ControlOwner, TimekeeperOwner {
  readonly httpVersion: HttpVersion = '2';
  readonly multiplexed: boolean = true;
  readonly errorCodes: typeof http2ErrorCodes = http2ErrorCodes;
  readonly capabilities: Capabilities = http2Capabilities;
  onOutput: (() => void) | undefined;

  protected readonly core: Core;
  protected readonly sender: Sender;
  protected readonly control: ControlFrames;
  readonly #limits: Http2Limits;
  readonly #receiver: Receiver;
  readonly #dispatch: FrameDispatch;
  readonly #reader: FrameReader;
  readonly #timekeeper: Timekeeper;
  readonly #pings: Pings;
  /** The shutdown's first GOAWAY went out and its round trip is awaited. */
  #announced: boolean;
  #inputEnded: boolean;
  /** When the next PING goes to a peer that cannot answer any more. */
  #probeAt: number;
  #cutOff: boolean;

  constructor(
    role: 'client' | 'server',
    limits: Http2Limits,
    secure: boolean,
    now: number,
    makeReceiver: (core: Core, control: ControlFrames) => Receiver,
  ) {
    super();
    this.onOutput = undefined;
    this.core = new Core(role, limits, now);
    this.sender = new Sender(this.core, secure);
    this.#pings = new Pings();
    this.control = new ControlFrames(this.core, this.sender, this.#pings, this);
    this.#limits = limits;
    this.#receiver = makeReceiver(this.core, this.control);
    this.control.connect(this.#receiver);
    this.#dispatch = new FrameDispatch(this.core, this.control, this.#receiver);
    this.#reader = new FrameReader(this.#dispatch, role === 'server');
    this.#timekeeper = new Timekeeper(this.core, this.sender, this.#reader, this.#pings, this);
    this.#announced = false;
    this.#inputEnded = false;
    this.#probeAt = Infinity;
    this.#cutOff = false;
    this.#writePreface();
    this.#timekeeper.update(now);
  }

  nextEvent(): HttpEvent | undefined {
    return this.core.events.shift();
  }

  nextTimeout(): number | undefined {
    const { next } = this.#timekeeper;
    if (this.#probeAt === Infinity || this.core.terminated) return next;
    return next === undefined ? this.#probeAt : Math.min(next, this.#probeAt);
  }

  handleTimeout(now: number): void {
    if (this.core.terminated) return;
    this.core.now = now;
    try {
      this.#timekeeper.expire(now);
      if (now >= this.#probeAt) this.#probe(now);
    } catch (error) {
      this.#refuse(toHfaceError(error, 'engine'));
    }
    this.#endIfOver();
    this.#timekeeper.update(now);
  }

  bytesReceived(chunk: Uint8Array, now: number): void {
    const { core } = this;
    if (core.terminated) return;
    core.now = now;
    this.#timekeeper.heard(now);
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#refuse(toHfaceError(error, 'engine'));
    }
    this.#endIfOver();
    this.#timekeeper.update(now);
  }

  /** The peer's half is over: what it has not finished is lost; a server still answers what it has whole. */
  eofReceived(now: number): void {
    const { core } = this;
    if (core.terminated || this.#inputEnded) return;
    core.now = now;
    this.#inputEnded = true;
    for (const stream of [...core.streams.values()]) {
      if (stream.closed !== Closed.no || (core.role === 'server' && stream.recv === Recv.ended)) continue;
      const processed = core.processed(stream);
      const error = new NetworkError('the peer ended the connection', { phase: 'read', code: 'ERR_CONNECTION_CLOSED' });
      core.wasReset(stream, CANCEL, processed, error);
    }
    core.windingDown = true;
    // Nobody is left to answer the PING.
    this.#announced = false;
    if (core.streams.size > 0) this.#probe(now);
    this.#endIfOver();
    this.#timekeeper.update(now);
  }

  /**
   * A peer that has gone altogether meets a PING with a reset, which the next one learns of, so that handlers hear that
   * nobody waits; one that only cannot send any more lets them pass.
   */
  #probe(now: number): void {
    this.#probeAt = now + PROBE_INTERVAL;
    this.core.writer.writePing(false, PROBE, 0);
  }

  connectionLost(now: number, error?: HfaceError): void {
    const { core } = this;
    if (core.terminated) return;
    core.now = now;
    const reason = error === undefined ? 'the connection was closed' : error.message;
    const open = core.open > 0;
    this.#terminate(open || error !== undefined ? CANCEL : NO_ERROR, reason, error, 'lost');
    core.writer.clear();
  }

  bytesToSend(now: number): Uint8Array[] | undefined {
    const { core } = this;
    if (core.terminated) return core.writer.take();
    core.now = now;
    if (core.windows.due) core.windows.flush(core.writer, core.stalls, now);
    const portion = this.sender.take(now);
    this.#endIfOver();
    this.#timekeeper.taken();
    this.#timekeeper.update(now);
    return portion;
  }

  get wantsEof(): boolean {
    return this.core.terminated && !this.#cutOff && this.core.writer.pending === 0;
  }

  get wantsInput(): boolean {
    return !this.core.terminated && this.core.writer.pending <= this.#limits.maxPendingControlBytes;
  }

  /** See `HttpProtocol`. */
  sendCapacity(streamId: number): number {
    const stream = this.core.find(streamId);
    return stream === undefined ? 0 : this.sender.capacity(stream);
  }

  /** See `HttpProtocol`. */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const stream = this.core.reach(streamId);
    if (stream === undefined) return;
    this.sender.submitData(stream, data, options.endStream);
    this.advance();
  }

  /** See `HttpProtocol`. */
  submitTrailers(streamId: number, headers: HeaderList, _rawNames?: readonly string[]): void {
    const stream = this.core.reach(streamId);
    if (stream === undefined) return;
    this.sender.submitTrailers(stream, headers);
    this.advance();
  }

  /** See `HttpProtocol`. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    const stream = this.core.streams.get(streamId);
    if (stream !== undefined) this.core.consumed(stream, flowControlledLength);
  }

  /** See `HttpProtocol`. */
  submitStreamReset(streamId: number, errorCode: number): void {
    const { core } = this;
    const kept = core.streams.get(streamId);
    // What a closed stream still holds is given up with it.
    if (kept !== undefined && kept.closed !== Closed.no) {
      if (!kept.handlerLive) core.release(kept);
      return;
    }
    if (core.closedStreams.find(streamId) !== Closed.no) return;
    const stream = core.reach(streamId);
    if (stream === undefined) return;
    const reason = 'the application reset the stream';
    core.reset(stream, errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }));
    this.#endIfOver();
  }

  /** See `HttpProtocol`. */
  submitShutdown(): void {
    const { core } = this;
    if (core.terminated || core.windingDown) return;
    core.windingDown = true;
    if (core.role === 'server' && this.#reader.begun) {
      core.writer.writeGoaway(LARGEST_STREAM_ID, NO_ERROR);
      this.#pings.send(PingKind.shutdown, core.writer, core.now);
      this.#announced = true;
    } else if (core.role === 'client' && core.open > 0) {
      core.writer.writeGoaway(0, NO_ERROR);
    }
    this.#endIfOver();
  }

  /** Ends the connection now: streams get their resets, the peer GOAWAY. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (!this.core.terminated) this.#terminate(errorCode, reason, undefined, 'application');
  }

  // What the clock tells.

  /** See {@link TimekeeperOwner.idleExpired}. */
  idleExpired(): void {
    this.#terminate(NO_ERROR, 'the connection was idle', undefined, 'done');
  }

  /** See {@link TimekeeperOwner.stuck}. */
  stuck(error: HfaceError): void {
    this.#terminate(CANCEL, error.message, error, 'stuck');
  }

  /** See {@link TimekeeperOwner.contentOverdue}. */
  contentOverdue(stream: Stream): void {
    this.#receiver.contentOverdue(stream);
  }

  // What control frames tell.

  /** Our settings are in force: streams that began before them move by the difference (RFC 9113 section 6.9.2). */
  settingsAcknowledged(): void {
    const { core } = this;
    this.#timekeeper.settingsAwaited = false;
    const delta = this.#limits.initialStreamWindow - core.recvInitial;
    core.recvInitial = this.#limits.initialStreamWindow;
    core.decoder.setMaxTableSize(this.#limits.headerTableSize);
    for (const stream of core.streams.values()) if (stream.closed === Closed.no) stream.recvWindow += delta;
  }

  /** Whether the answer to the shutdown's PING is awaited. */
  get announced(): boolean {
    return this.#announced;
  }

  /** Every request that was on its way when the shutdown was announced has come, or the answer did not. */
  shutdownRoundTrip(): void {
    const { core } = this;
    if (!this.#announced) return;
    this.#announced = false;
    core.acceptedId = core.highestId;
    core.writer.writeGoaway(core.highestId, NO_ERROR);
  }

  /** See {@link ControlOwner.goawayReceived}: a server opens no streams, so it is a client that does something. */
  goawayReceived(lastStreamId: number, errorCode: number): void {
    const { core } = this;
    if (core.role === 'server') return;
    core.windingDown = true;
    const message = toldByPeer('the server did not process the request', errorCode);
    for (const stream of [...core.streams.values()]) {
      if (stream.closed !== Closed.no || stream.id <= lastStreamId) continue;
      const error = new StreamResetError(message, { errorCode, initiator: 'peer', processed: 'no' });
      core.wasReset(stream, errorCode, 'no', error);
    }
  }

  /** Whether messages still pass. */
  protected get running(): boolean {
    return !this.core.terminated && !this.core.windingDown;
  }

  /** What an engine call may have made possible. */
  protected advance(): void {
    this.#endIfOver();
  }

  #writePreface(): void {
    const { core } = this;
    const { writer } = core;
    if (core.role === 'client') writer.writeText(PREFACE);
    const settings = localSettings(core.role, this.#limits);
    writer.writeHeader(settings.length * 3, FrameType.settings, 0, 0);
    const payload = new Uint8Array(settings.length * 3);
    for (let index = 0; index < settings.length; index += 2) {
      const at = index * 3;
      const value = settings[index + 1] as number;
      payload.set([0, settings[index] as number, value >>> 24, value >>> 16, value >>> 8, value], at);
    }
    writer.writePayload(payload);
    core.windows.flush(writer, core.stalls, core.now);
  }

  #endIfOver(): void {
    const { core } = this;
    if (core.terminated || !core.windingDown || this.#announced || core.open > 0) return;
    this.#terminate(NO_ERROR, 'the last exchange has ended', undefined, 'done');
  }

  /** The peer broke a rule or reached a limit that ends the connection. */
  #refuse(error: HfaceError): void {
    this.#terminate(connectionCode(error), error.message, error, 'fault');
  }

  #terminate(
    errorCode: number,
    reason: string,
    error: HfaceError | undefined,
    why: 'done' | 'application' | 'fault' | 'lost' | 'stuck',
  ): void {
    const { core } = this;
    if (core.terminated) return;
    let processed: Processed | undefined;
    const byPeer = why === 'lost';
    if (why !== 'lost' && why !== 'stuck') {
      // Never more than the GOAWAY before said (RFC 9113 section 6.8).
      const last = core.role === 'server' ? Math.min(core.highestId, core.acceptedId) : 0;
      core.writer.writeGoaway(last, errorCode);
    }
    for (const stream of [...core.streams.values()]) {
      if (stream.closed !== Closed.no) continue;
      const own = core.processed(stream);
      processed = processed === undefined || processed === own ? own : 'maybe';
      core.abandon(stream, errorCode, byPeer, own, error ?? connectionOver(reason, errorCode, byPeer, own));
    }
    core.terminated = true;
    core.streams.clear();
    core.stalls.clear();
    this.#reader.stop();
    this.#timekeeper.stop();
    this.#cutOff = why === 'lost' || why === 'stuck';
    if (this.#cutOff) core.writer.clear();
    core.events.push(connectionTerminated(errorCode, reason, processed ?? 'maybe', error));
  }
}
