/**
 * The server's side of an HTTP/1 connection.
 *
 * Theory of operation. One exchange at a time: a request is read, surfaced, answered; only when its response has been
 * submitted whole is the next one read, so that pipelined requests wait as bytes and responses cannot get out of order
 * (RFC 9112 section 9.3.2). States and their transitions are in state.ts, the connection's end in engine.ts.
 *
 * Decisions that the RFCs leave open:
 * - A final response before the request's end. Its head says close, since the rest may never be read. While the
 *   request's handler lives, content is still delivered; when the handler has ended (`submitHandlerEnd`), or the client
 *   still waits for 100, the rest is abandoned: `StreamResetSent` with no error as its code, then the connection's end
 *   (RFC 9112 section 9.3).
 * - A refused CONNECT ends the connection, since what follows may have been meant for the tunnel (RFC 9931).
 * - An error is answered only if nothing of a response to that request was submitted; otherwise the connection is
 *   aborted, so that the cut is seen.
 * - Interim responses and trailers towards HTTP/1.0 are accepted and not sent (RFC 9110 sections 15.2 and 6.5.1).
 * - Data submitted for an answer to HEAD are accepted and not sent.
 *
 * An engine serves one connection at a time, and may serve another when it has nothing of the first in hand
 * ({@link Http1Server.atRest}, {@link Http1Server.resume}); who does so is resting-server.ts. One whose connection has
 * ended is not used again.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { LocalProtocolError, NetworkError, StreamResetError, TimeoutError } from '../../common/index.ts';
import type { Processed } from '../events.ts';
import type { ProtocolContext } from '../factories.ts';
import type { EndStream, HttpOverTcpProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import type { PortionSize } from '../portion-size.ts';
import { Http1Engine } from './engine.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import { errorResponse, errorStatus } from './error-response.ts';
import type { FieldLines } from './field-lines.ts';
import type { KnownRequest } from './known-request.ts';
import type { Http1ServerLimits } from './limits.ts';
import { ServerExchange } from './server-exchange.ts';
import { ServerReceiver } from './server-receiver.ts';
import { ServerResponder } from './server-responder.ts';
import type { PhaseKind, TimerDurations } from './timers.ts';
import { Phase } from './timers.ts';

const durations = new WeakMap<Http1ServerLimits, TimerDurations>();

/** The same for all connections of a factory. */
function durationsOf(limits: Http1ServerLimits): TimerDurations {
  let known = durations.get(limits);
  if (known === undefined) {
    known = { ...limits, firstTimeout: limits.headTimeout };
    durations.set(limits, known);
  }
  return known;
}

/** What the engines of a factory share. */
export interface Http1ServerParts {
  readonly limits: Http1ServerLimits;
  /** Fields of the responses that an engine makes itself. */
  readonly errorHeaders: HeaderList;
  readonly lines: FieldLines;
  readonly known: KnownRequest;
}

/** The server engine. It is to be given a connection by {@link Http1Server.resume} first. */
export class Http1Server extends Http1Engine implements HttpOverTcpProtocol {
  readonly role = 'server' as const;
  readonly #limits: Http1ServerLimits;
  #epochOffset: number;
  readonly #errorHeaders: HeaderList;
  readonly #exchange: ServerExchange;
  readonly #receiver: ServerReceiver;
  readonly #responder: ServerResponder;

  constructor({ limits, errorHeaders, lines, known }: Http1ServerParts) {
    super(durationsOf(limits), limits.maxDrainBytes, 0);
    this.#limits = limits;
    this.#epochOffset = 0;
    this.#errorHeaders = errorHeaders;
    this.#exchange = new ServerExchange(this.events);
    const queues = { input: this.input, output: this.output, events: this.events };
    this.#receiver = new ServerReceiver(this.#exchange, limits, queues, this.timers, known);
    this.#responder = new ServerResponder(
      this.#exchange,
      this.#receiver.request,
      limits,
      this.output,
      this.events,
      lines,
    );
  }

  /**
   * Goes on with a connection that waits for a request.
   *
   * @param streamId - of its last request, 0 for none
   * @param deadline - until when it waits
   * @param portion - how much of its output is given at once, if that was to be known
   */
  resume(
    context: ProtocolContext,
    streamId: number,
    deadline: number,
    portion: PortionSize | undefined,
    now: number,
  ): void {
    this.#epochOffset = context.epochOffset;
    this.#exchange.resume(streamId);
    this.#receiver.resume(context);
    this.#responder.resume();
    this.output.portion = portion;
    this.timers.resume(streamId === 0 ? Phase.first : Phase.idle, deadline, now);
  }

  /** Whether it has nothing of its connection in hand but what {@link resume} is given. */
  get atRest(): boolean {
    return this.quiet && this.#exchange.idle && this.#receiver.idle && !this.#responder.shutdown;
  }

  /** The id of the request that was read last; 0 for none. */
  get lastStreamId(): number {
    return this.#exchange.streamId;
  }

  /** See {@link resume}. */
  get portion(): PortionSize | undefined {
    return this.output.portion;
  }

  /** Whether further requests are accepted. */
  isAvailable(): boolean {
    return this.open && !this.#exchange.last && !this.#responder.shutdown && !this.inputEnded;
  }

  /** Whether no further request will be accepted. */
  hasExpired(): boolean {
    return !this.isAvailable();
  }

  /** Servers open no requests. */
  getAvailableStreamId(): number {
    throw new LocalProtocolError('a server opens no requests');
  }

  /** See `HttpProtocol`; a `:status` of 101, or a 2xx to CONNECT, opens a tunnel. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    if (!this.#exchange.reaches(streamId)) return;
    if (this.#responder.submitHeaders(headers, options)) {
      this.#receiver.openTunnel();
      this.process();
    }
    this.#advance();
  }

  /** See `HttpProtocol`. Towards HTTP/1.0 nothing is sent. */
  submitInformational(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    if (!this.#exchange.reaches(streamId)) return;
    this.#responder.submitInformational(headers, rawNames);
    this.#advance();
  }

  /** See `HttpProtocol`. */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    if (!this.#exchange.reaches(streamId)) return;
    this.#responder.submitData(data, options.endStream);
    this.#advance();
  }

  /** See `HttpProtocol`. */
  submitResponse(streamId: number, status: number, headers: HeaderList, body: Uint8Array | string): boolean {
    if (!this.#exchange.reaches(streamId)) return true;
    if (!this.#responder.submitWhole(status, headers, body)) return false;
    this.#advance();
    return true;
  }

  /** See `HttpProtocol`. Where the message has no room for trailers they are dropped (HTTP/1.0, HEAD, 204, 304). */
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    if (!this.#exchange.reaches(streamId)) return;
    this.#responder.submitTrailers(headers, rawNames);
    this.#advance();
  }

  /** Ends the connection, since HTTP/1 cannot end less. Ignored when the stream has ended. */
  submitStreamReset(streamId: number, errorCode: number): void {
    const exchange = this.#exchange;
    if (streamId === exchange.streamId && exchange.open) {
      const reason = 'the application reset the stream';
      exchange.reset(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), false);
      this.abort(errorCode, reason, undefined);
    } else if (!(streamId >= 1 && streamId <= exchange.streamId)) {
      throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    }
  }

  /** See `HttpProtocol`. Idempotent. */
  submitHandlerEnd(streamId: number): void {
    if (!this.#receiver.budget.end(streamId)) return;
    if (streamId === this.#exchange.streamId) this.#exchange.handlerEnded = true;
    this.#advance();
  }

  /** The response at hand is the last; a connection without one ends now. */
  submitShutdown(): void {
    this.#responder.shutdown = true;
    const exchange = this.#exchange;
    if (!this.open) return;
    exchange.last = true;
    if (exchange.state.receive === 'idle') exchange.endConnection();
    this.#advance();
  }

  /** Ends the connection now: in good order when nothing is cut off, otherwise with a reset. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (this.terminated) return;
    const exchange = this.#exchange;
    const cut = exchange.open;
    exchange.reset(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), false);
    if (cut || errorCode !== http1ErrorCodes.noError) {
      this.abort(errorCode, reason, undefined);
    } else {
      this.finish(errorCode, reason, undefined);
      this.terminate();
    }
  }

  /** See `HttpProtocol`. */
  sendCapacity(streamId: number): number {
    const exchange = this.#exchange;
    return streamId === exchange.streamId && exchange.open ? this.#responder.capacity() : 0;
  }

  /** See `HttpProtocol`. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#receiver.budget.consume(streamId, flowControlledLength);
    this.timers.markStale();
  }

  /** Ends the engine and returns what was not delivered of a tunnel's bytes. */
  override detach(): Uint8Array[] {
    if (!this.open || !this.#exchange.tunnel || this.output.pending > 0) {
      throw new LocalProtocolError('detach needs an open tunnel whose output was taken');
    }
    this.#exchange.state.ends();
    return this.release();
  }

  /** False: the driver pauses reading. */
  get wantsInput(): boolean {
    if (!this.open) return !this.terminated;
    return this.#receiver.wantsInput;
  }

  protected override receiveKnown(chunk: Uint8Array): boolean {
    return this.#receiver.receiveKnown(chunk);
  }

  protected receive(): void {
    this.#receiver.receive();
    if (this.inputEnded) this.#receiver.inputEnds();
    this.#endIfOver();
  }

  protected refuse(error: HfaceError): void {
    const exchange = this.#exchange;
    const { send } = exchange.state;
    const code = error.initiator === 'engine' ? http1ErrorCodes.internalError : http1ErrorCodes.protocolError;
    exchange.reset(code, error, this.inputEnded);
    if (send === 'idle' || send === 'head') {
      const withContent = this.#receiver.request.method !== 'HEAD';
      const wallTime = this.timers.now + this.#epochOffset;
      this.output.writeText(errorResponse(errorStatus(error), error, wallTime, this.#errorHeaders, withContent));
      this.finish(code, error.message, error);
    } else if (send === 'complete' && !exchange.tunnel) {
      this.finish(code, error.message, error);
    } else {
      this.abort(code, error.message, error);
    }
  }

  protected lost(error: HfaceError | undefined, reason: string): void {
    const exchange = this.#exchange;
    const { open } = exchange;
    exchange.reset(http1ErrorCodes.cancelled, error ?? new NetworkError(reason, { phase: 'read' }), true);
    this.abort(open || error !== undefined ? http1ErrorCodes.cancelled : http1ErrorCodes.noError, reason, error);
  }

  protected expired(phase: PhaseKind): void {
    const exchange = this.#exchange;
    if (phase === Phase.head) {
      this.refuse(new TimeoutError('headTimeout', this.#limits.headTimeout));
    } else if (phase === Phase.body) {
      this.refuse(new TimeoutError('bodyTimeout', this.#limits.bodyTimeout));
    } else {
      exchange.state.ends();
      this.finish(http1ErrorCodes.noError, 'the connection was idle', undefined);
      this.terminate();
    }
  }

  protected phase(): PhaseKind {
    return this.#receiver.phase();
  }

  protected beforeTake(): void {
    this.#responder.settleHeld();
  }

  protected afterTake(): void {
    this.#responder.outputTaken();
    if (this.open && this.#receiver.hasWork) this.process();
  }

  protected sendingEnded(): boolean {
    return this.#exchange.tunnel && this.#exchange.state.send === 'complete';
  }

  protected processed(): Processed {
    return 'maybe';
  }

  /** What a submit may have made possible: the exchange's end, the next request, the connection's end. */
  #advance(): void {
    this.timers.markStale();
    const exchange = this.#exchange;
    exchange.endIfOver();
    const { receive, send } = exchange.state;
    if (send === 'complete' && receive === 'body' && (exchange.continueDue || exchange.handlerEnded)) this.#abandon();
    else if (receive === 'idle' && (this.input.size > 0 || this.inputEnded)) this.process();
    this.#endIfOver();
  }

  /** The response is whole and nobody reads the rest of the request. */
  #abandon(): void {
    const { noError } = http1ErrorCodes;
    const reason = 'the response ended before the request';
    const error = new StreamResetError(reason, { errorCode: noError, initiator: 'application' });
    this.#exchange.reset(noError, error, false);
    this.#exchange.connectionOver = true;
  }

  #endIfOver(): void {
    if (this.#exchange.connectionOver) this.finish(http1ErrorCodes.noError, 'the last exchange has ended', undefined);
  }
}
