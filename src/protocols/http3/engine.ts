/**
 * What both sides of an HTTP/3 connection have in common: the transport's events, timers, winding down, the end.
 *
 * Theory of operation. Events of the transport are taken one by one when the driver pulls, and go to the parts that
 * change the shared state (core.ts). A fault that ends the connection is thrown there and caught at the one boundary,
 * `#take`; so whatever the peer sends, nothing is thrown. An error that is none of ours is a defect of the engine: it
 * ends the connection with H3_INTERNAL_ERROR and nothing else. The engine learns the time from the calls that bring one;
 * where an endpoint drives the transport, the driver tells it by `handleTimeout(now)`.
 *
 * A connection ends in one place, `#terminate`: every open stream is told of, the transport is closed with a code, and
 * `ConnectionTerminated` is the last event. Since that cuts off what is on its way, winding down (RFC 9114 section 5.2)
 * waits: a server says first that it takes every request, then, when the client has that, from which id on it takes
 * none; it closes when all responses and that GOAWAY are acknowledged. A client closes behind its last response.
 *
 * @module
 */
import type { HeaderList, HfaceError, NetworkPath, TlsIdentity } from '../../common/index.ts';
import { RemoteProtocolError, StreamResetError, toHfaceError } from '../../common/index.ts';
import type { Capabilities } from '../capabilities.ts';
import type { HttpEvent, HttpVersion, Processed } from '../events.ts';
import { connectionTerminated } from '../events.ts';
import type { ProtocolContext } from '../factories.ts';
import type { CertificateVerdict, ClaimedStreamHandler, Datagram, EndStream } from '../http-protocol.ts';
import { UncoveredMembers } from '../uncovered-members.ts';
import type { QuicConnectionClosed, QuicEvent, QuicTransport } from '../quic-transport.ts';
import { Http3ErrorCode, http3ErrorCodes } from '../semantics/index.ts';
import { http3Capabilities } from './capabilities.ts';
import { ClaimedStreams } from './claimed-streams.ts';
import type { ControlOwner } from './control-stream.ts';
import { ControlStream } from './control-stream.ts';
import { Core } from './core.ts';
import { CriticalStreams } from './critical-streams.ts';
import { Datagrams } from './datagrams.ts';
import { connectionCode, connectionOver, toldByPeer } from './faults.ts';
import type { EventOwner } from './event-dispatch.ts';
import { EventDispatch } from './event-dispatch.ts';
import { IncomingStreams } from './incoming-streams.ts';
import type { Http3Limits } from './limits.ts';
import type { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { Setting } from './settings.ts';
import { encodeSettings, localSettings, reservedSetting } from './settings.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Send } from './stream.ts';
import { Timekeeper } from './timekeeper.ts';
import type { TimekeeperOwner } from './timekeeper.ts';

const { H3_INTERNAL_ERROR, H3_NO_ERROR, H3_REQUEST_CANCELLED, H3_REQUEST_REJECTED } = Http3ErrorCode;

/** What the two sides are told alike. */
export interface EngineOptions {
  /** Whether HTTP datagrams are taken. */
  readonly datagrams: boolean;
  /** Settings of extensions. */
  readonly settings: readonly Setting[];
  /** Types of streams that an extension may claim. */
  readonly claimableTypes: readonly number[];
}

/** The common part of server and client. */
export abstract class Http3Engine extends UncoveredMembers implements ControlOwner, EventOwner, TimekeeperOwner {
  readonly httpVersion: HttpVersion = '3';
  readonly multiplexed: boolean = true;
  readonly errorCodes: typeof http3ErrorCodes = http3ErrorCodes;
  readonly capabilities: Capabilities = http3Capabilities;
  onOutput: (() => void) | undefined;

  protected readonly core: Core;
  protected readonly sender: Sender;
  protected readonly critical: CriticalStreams;
  readonly #transport: QuicTransport;
  readonly #receiver: Receiver;
  readonly #claimed: ClaimedStreams;
  readonly #datagrams: Datagrams;
  readonly #dispatch: EventDispatch;
  readonly #timekeeper: Timekeeper;
  /** The shutdown's first GOAWAY went out and its acknowledgement is awaited. */
  #announced: boolean;
  /** The shutdown's last GOAWAY was not acknowledged, and need not be any more. */
  #overdue: boolean;
  #handshaken: boolean;
  #remembers: boolean;

  constructor(
    role: 'client' | 'server',
    limits: Http3Limits,
    options: EngineOptions,
    transport: QuicTransport,
    context: ProtocolContext,
    now: number,
    makeReceiver: (core: Core, claimed: ClaimedStreams, sender: Sender, control: ControlStream) => Receiver,
  ) {
    super();
    this.onOutput = undefined;
    this.core = new Core(role, limits, transport, now);
    this.sender = new Sender(this.core);
    const settings = localSettings(role, limits, options.datagrams, options.settings);
    const reserved = reservedSetting(context.random);
    this.critical = new CriticalStreams(transport, encodeSettings([...settings, reserved]), reserved[0]);
    this.#transport = transport;
    this.#claimed = new ClaimedStreams(this.core, options.claimableTypes);
    const control = new ControlStream(this.core, this.sender, this);
    this.#receiver = makeReceiver(this.core, this.#claimed, this.sender, control);
    const incoming = new IncomingStreams(this.core, control, this.#claimed);
    this.#datagrams = new Datagrams(this.core, this.#receiver, options.datagrams);
    this.#dispatch = new EventDispatch(
      this.core,
      this.critical,
      this.#receiver,
      incoming,
      this.#claimed,
      this.#datagrams,
      this,
    );
    this.#timekeeper = new Timekeeper(this.core, this);
    this.#announced = false;
    this.#overdue = false;
    this.#handshaken = false;
    this.#remembers = false;
    if (role === 'server') transport.setTicketApplicationData(encodeSettings(settings));
    this.advance();
    this.#timekeeper.update(now);
  }

  nextEvent(): HttpEvent | undefined {
    const { events } = this.core;
    for (;;) {
      const event = events.shift();
      if (event !== undefined) return event;
      const next = this.#transport.nextEvent();
      if (next === undefined) break;
      this.#take(next);
    }
    this.advance();
    this.#timekeeper.update(this.core.now);
    return events.shift();
  }

  nextTimeout(): number | undefined {
    const own = this.#timekeeper.next;
    const at = Math.min(own, this.#transport.nextTimeout() ?? Infinity);
    return at === Infinity ? undefined : at;
  }

  handleTimeout(now: number): void {
    const { core } = this;
    core.now = now;
    if ((this.#transport.nextTimeout() ?? Infinity) <= now) this.#transport.handleTimeout(now);
    if (core.terminated) return;
    try {
      this.#timekeeper.expire(now);
    } catch (error) {
      this.#refuse(toHfaceError(error, 'engine'));
    }
    this.advance();
    this.#timekeeper.update(now);
  }

  /** See `HttpOverQuicProtocol`. */
  datagramReceived(data: Uint8Array, path: NetworkPath, now: number): void {
    this.core.now = now;
    this.#transport.datagramReceived(data, path, now);
    this.#timekeeper.update(now);
  }

  /** See `HttpOverQuicProtocol`. */
  datagramsToSend(now: number, max: number): Datagram[] {
    this.core.now = now;
    this.advance();
    const datagrams = this.#transport.datagramsToSend(now, max);
    this.#timekeeper.update(now);
    return datagrams;
  }

  /** See `HttpProtocol`. */
  sendCapacity(streamId: number): number {
    const stream = this.core.find(streamId);
    return stream?.told === true ? this.sender.capacity(stream) : 0;
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
    else if (this.#claimed.has(streamId)) this.#transport.streamConsumed(streamId, flowControlledLength);
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
    if (core.howClosed(streamId) !== Closed.no) return;
    const stream = core.reach(streamId);
    if (stream === undefined) return;
    core.abort(stream, errorCode);
    this.advance();
  }

  /** See `HttpProtocol`. */
  override submitDatagram(streamId: number, data: Uint8Array): boolean {
    const stream = this.core.find(streamId);
    return stream?.told === true && this.#datagrams.send(stream, data);
  }

  /** See `HttpProtocol`. */
  submitShutdown(): void {
    const { core } = this;
    if (core.terminated || core.windingDown) return;
    core.windingDown = true;
    if (core.role === 'client') {
      if (core.open > 0) this.critical.writeGoaway(0);
      this.#overdue = true;
    } else if (this.critical.hasControl && this.#handshaken) {
      this.critical.writeGoaway(undefined);
      this.#announced = true;
      this.#timekeeper.goawayWritten();
    } else {
      this.#overdue = true;
    }
    this.advance();
  }

  /** Ends the connection now: streams get their resets, the peer the code. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (!this.core.terminated) this.#terminate(errorCode, reason, undefined, false);
  }

  /** Passed to the transport. */
  override submitCertificateVerdict(verdict: CertificateVerdict): void {
    this.#transport.submitCertificateVerdict(verdict);
  }

  /** Passed to the transport. */
  override submitServerIdentity(identity: TlsIdentity | number): void {
    this.#transport.submitServerIdentity(identity);
  }

  /** Passed to the transport. */
  override submitTicketVerdict(accepted: boolean): void {
    this.#transport.submitTicketVerdict(accepted);
  }

  /** See `HttpProtocol`. */
  override claimStream(type: number, handler: ClaimedStreamHandler): void {
    this.#claimed.claim(type, handler);
  }

  // What the clock tells: see TimekeeperOwner.

  get awaitsGoaway(): boolean {
    const { core } = this;
    if (core.role === 'client' || !core.windingDown) return false;
    return this.#announced || (!this.#overdue && core.open === 0);
  }

  goawayOverdue(): void {
    if (this.#announced) this.#announceLast();
    else this.#overdue = true;
  }

  idleExpired(): void {
    this.submitShutdown();
  }

  inputOverdue(stream: Stream): void {
    this.#receiver.inputOverdue(stream);
  }

  // What the control stream tells: see ControlOwner.

  settingsReceived(payload: Uint8Array): void {
    // To be found again when the session is resumed (RFC 9114 section 7.2.4.2).
    if (this.core.role === 'client') this.#transport.setTicketApplicationData(payload);
  }

  /** A server promises no pushes, so it is a client that does something. */
  goawayReceived(id: number): void {
    const { core } = this;
    if (core.role === 'server') return;
    core.windingDown = true;
    this.#overdue = true;
    const message = 'the server did not process the request: it winds down';
    for (const stream of [...core.streams.values()]) {
      if (stream.closed !== Closed.no || stream.id < id) continue;
      const errorCode = H3_REQUEST_REJECTED;
      const error = new StreamResetError(message, { errorCode, initiator: 'peer', processed: 'no' });
      core.wasReset(stream, errorCode, 'no', error);
    }
  }

  // What the transport tells of the connection: see EventOwner.

  handshakeCompleted(): void {
    this.#handshaken = true;
  }

  /** Client: what was sent early is as if it had never been, and may be sent again. */
  earlyDataRejected(): void {
    const { core } = this;
    for (const stream of [...core.streams.values()]) {
      if (stream.closed !== Closed.no) continue;
      const errorCode = H3_REQUEST_REJECTED;
      const message = 'the server did not take early data';
      const error = new StreamResetError(message, { errorCode, initiator: 'peer', processed: 'no' });
      core.abandon(stream, errorCode, true, 'no', error);
    }
    core.restart();
    core.peer.forget();
    this.critical.restart();
    this.critical.open();
  }

  /** The transport is over. Codes of QUIC's own are not HTTP's: those stay in the error. */
  connectionClosed(event: QuicConnectionClosed): void {
    const { application, errorCode, initiator, reason } = event;
    let { error } = event;
    let code: number = H3_NO_ERROR;
    if (application) {
      code = errorCode;
      if (errorCode === H3_NO_ERROR) error = undefined;
      else if (initiator === 'peer') error = toldError(errorCode, reason, error);
    } else if (initiator === 'network') {
      if (this.core.open > 0) code = H3_REQUEST_CANCELLED;
      else error = undefined;
    } else if (error !== undefined) {
      code = H3_INTERNAL_ERROR;
    }
    this.#terminate(code, reason, error, true);
  }

  /** How long the acknowledgement of a GOAWAY is waited for, in milliseconds. */
  abstract readonly shutdownTimeout: number;

  /** Whether requests are opened, or accepted. */
  protected get running(): boolean {
    return !this.core.terminated && !this.core.windingDown;
  }

  /** What an engine call may have made possible. */
  protected advance(): void {
    const { core } = this;
    if (core.terminated) return;
    if (!this.#remembers && core.role === 'client' && this.#transport.earlyDataAvailable) {
      this.#remembers = true;
      core.peer.remember(this.#transport.rememberedApplicationData);
    }
    this.critical.open();
    if (this.#announced && this.critical.isDelivered) this.#announceLast();
    if (!core.windingDown || this.#announced || core.open > 0) return;
    if (!this.#overdue && !this.critical.isDelivered) return;
    this.#terminate(H3_NO_ERROR, 'the last exchange has ended', undefined, false);
  }

  /** Every request that was on its way when the shutdown was announced has come, or time is up. */
  #announceLast(): void {
    const { core } = this;
    this.#announced = false;
    core.acceptedBelow = core.nextId;
    this.critical.writeGoaway(core.nextId);
    this.#timekeeper.goawayWritten();
  }

  /** The one boundary: whatever an event makes wrong becomes the connection's end. */
  #take(event: QuicEvent): void {
    if (this.core.terminated) return;
    try {
      this.#dispatch.take(event);
    } catch (error) {
      this.#refuse(toHfaceError(error, 'engine'));
    }
  }

  /** The peer broke a rule or reached a limit that ends the connection. */
  #refuse(error: HfaceError): void {
    this.#terminate(connectionCode(error), error.message, error, false);
  }

  #terminate(errorCode: number, reason: string, error: HfaceError | undefined, byPeer: boolean): void {
    const { core } = this;
    if (core.terminated) return;
    let processed: Processed | undefined;
    for (const stream of [...core.streams.values()]) {
      if (stream.closed !== Closed.no) continue;
      if (stream.send === Send.ended && stream.recv === Recv.ended && error === undefined && byPeer) {
        // The peer has all that it wanted.
        core.settle(stream);
        continue;
      }
      // A request of which nothing reached the peer is safe to send again.
      const own = core.role === 'client' && this.#transport.sentBytes(stream.id) === 0 ? 'no' : 'maybe';
      processed = processed === undefined || processed === own ? own : 'maybe';
      core.abandon(stream, errorCode, byPeer, own, error ?? connectionOver(reason, errorCode, byPeer, own));
    }
    core.terminated = true;
    core.streams.clear();
    core.stalls.clear();
    this.#claimed.clear();
    if (!byPeer) this.#transport.close(errorCode, reason);
    core.events.push(connectionTerminated(errorCode, reason, processed ?? 'maybe', error));
  }
}

function toldError(errorCode: number, reason: string, cause: HfaceError | undefined): HfaceError {
  const message = toldByPeer('the connection was closed by the peer', errorCode);
  return new RemoteProtocolError(reason === '' ? message : `${message} (${reason})`, {
    scope: 'connection',
    wireCode: errorCode,
    cause,
  });
}
