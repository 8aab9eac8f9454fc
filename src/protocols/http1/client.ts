/**
 * The client's side of an HTTP/1 connection.
 *
 * Theory of operation. Requests are written in the order of their submission, responses belong to them in that order
 * (RFC 9112 section 9.2); by default one at a time. States and their transitions are in state.ts, the connection's end
 * in engine.ts.
 *
 * Decisions that the RFCs leave open:
 * - A final response that ends before its request: the response stands, the rest of the request is not sent
 *   (`StreamResetReceived` without an error), the connection ends (RFC 9112 section 9.5).
 * - After CONNECT or a request with Upgrade nothing is sent until the server has answered (RFC 9931); such a request has
 *   no content, and `endStream` says nothing of the tunnel.
 * - `processed` is `'no'` only for a request of which the driver took no octet.
 * - What may be told in two ways is refused as strictly as by a server (RFC 9112 sections 6.3 and 11.1).
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { LocalProtocolError, NetworkError, StreamResetError, TimeoutError } from '../../common/index.ts';
import type { Processed } from '../events.ts';
import type { EndStream, HttpOverTcpProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import { ClientExchanges } from './client-exchanges.ts';
import { ClientReceiver } from './client-receiver.ts';
import { ClientRequester } from './client-requester.ts';
import { Http1Engine } from './engine.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import { responseFault } from './faults.ts';
import { truncatedFault } from './faults.ts';
import type { FieldLines } from './field-lines.ts';
import type { Http1ClientLimits } from './limits.ts';
import type { PhaseKind } from './timers.ts';
import { Phase } from './timers.ts';

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** The client engine. Made by `Http1ClientFactory`. */
export class Http1Client extends Http1Engine implements HttpOverTcpProtocol {
  readonly role = 'client' as const;
  readonly #limits: Http1ClientLimits;
  readonly #exchanges: ClientExchanges;
  readonly #receiver: ClientReceiver;
  readonly #requester: ClientRequester;

  constructor(limits: Http1ClientLimits, absoluteForm: boolean, lines: FieldLines, now: number) {
    super({ ...limits, firstTimeout: limits.keepAliveTimeout }, limits.maxUnconsumedBytes, now);
    this.#limits = limits;
    this.#exchanges = new ClientExchanges(this.events, this.output);
    const queues = { input: this.input, output: this.output, events: this.events };
    this.#receiver = new ClientReceiver(this.#exchanges, limits, queues, this.timers);
    this.#requester = new ClientRequester(this.#exchanges, limits, absoluteForm, this.output, this.events, lines);
  }

  /** Whether a request can be opened now. */
  isAvailable(): boolean {
    if (this.hasExpired()) return false;
    const { state, due, newest } = this.#exchanges;
    if (state.send !== 'idle') return false;
    // RFC 9112 section 9.3.2: nothing behind a request that could not be repeated.
    return newest === undefined || (due < this.#limits.maxPipelinedRequests && IDEMPOTENT.has(newest.method));
  }

  /** Whether no further request can ever be opened. */
  hasExpired(): boolean {
    return !this.open || this.#exchanges.last || this.inputEnded;
  }

  /** The id for the next request; the same until it was used. */
  getAvailableStreamId(): number {
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    return this.#exchanges.lastId + 1;
  }

  /** Opens a request; see `HttpProtocol`. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const exchanges = this.#exchanges;
    if (streamId <= exchanges.lastId) {
      if (exchanges.find(streamId) === undefined) return;
      throw new LocalProtocolError('the request was submitted before');
    }
    if (streamId !== exchanges.lastId + 1) throw new LocalProtocolError('the id is not that of getAvailableStreamId');
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    this.#requester.submitHeaders(streamId, headers, options);
    this.timers.markStale();
  }

  /** Clients send no responses. */
  submitInformational(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw new LocalProtocolError('a client sends no informational responses');
  }

  /** See `HttpProtocol`. */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const exchange = this.#exchanges.find(streamId);
    if (exchange === undefined) return;
    this.#requester.submitData(exchange, data, options.endStream);
    this.#advance();
  }

  /** See `HttpProtocol`. */
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    const exchange = this.#exchanges.find(streamId);
    if (exchange === undefined) return;
    this.#requester.submitTrailers(exchange, headers, rawNames);
    this.#advance();
  }

  /** Ends the connection, since HTTP/1 cannot end less. Ignored when the stream has ended. */
  submitStreamReset(streamId: number, errorCode: number): void {
    const exchanges = this.#exchanges;
    if (!(streamId >= 1 && streamId <= exchanges.lastId)) {
      throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    }
    const { first, newest } = exchanges;
    if (first === undefined || newest === undefined || streamId < first.streamId) return;
    const reason = 'the application reset the stream';
    exchanges.resetAll(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), streamId);
    this.abort(errorCode, reason, undefined);
  }

  /** A client has no handlers. */
  submitHandlerEnd(_streamId: number): void {
    // Nothing is owed.
  }

  /** No further requests; the connection ends when those that run have been answered. */
  submitShutdown(): void {
    if (!this.open) return;
    this.#exchanges.last = true;
    if (this.#exchanges.due === 0) this.#exchanges.endConnection();
    this.#advance();
  }

  /** Ends the connection now. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (this.terminated) return;
    const { due } = this.#exchanges;
    const error = new StreamResetError(reason, { errorCode, initiator: 'application' });
    this.#exchanges.resetAll(errorCode, error, this.#exchanges.first?.streamId ?? 0);
    if (due > 0 || errorCode !== http1ErrorCodes.noError) {
      this.abort(errorCode, reason, undefined);
    } else {
      this.finish(errorCode, reason, undefined);
      this.terminate();
    }
  }

  /** See `HttpProtocol`. 0 while a tunnel has not been accepted. */
  sendCapacity(streamId: number): number {
    const { newest } = this.#exchanges;
    return newest?.streamId === streamId ? this.#requester.capacity(newest) : 0;
  }

  /** See `HttpProtocol`. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#receiver.consume(streamId, flowControlledLength);
    this.timers.markStale();
  }

  /** Ends the engine and returns what was not delivered of a tunnel's bytes. */
  override detach(): Uint8Array[] {
    if (!this.open || !this.#exchanges.tunnel || this.output.pending > 0) {
      throw new LocalProtocolError('detach needs an open tunnel whose output was taken');
    }
    this.#exchanges.state.ends();
    return this.release();
  }

  /** False: the driver pauses reading. */
  get wantsInput(): boolean {
    if (!this.open) return !this.terminated;
    return this.#receiver.wantsInput;
  }

  protected receive(): void {
    this.#receiver.receive();
    if (this.inputEnded) this.#receiver.inputEnds();
    this.#endIfOver();
  }

  protected refuse(failure: HfaceError): void {
    const error = responseFault(failure);
    const code = error.initiator === 'engine' ? http1ErrorCodes.internalError : http1ErrorCodes.protocolError;
    // What the peer's end cut off was given up by it; what it did wrong is given up here.
    const sentId = this.inputEnded ? 0 : (this.#exchanges.first?.streamId ?? 0);
    this.#exchanges.resetAll(code, error, sentId);
    this.abort(code, error.message, error);
  }

  protected lost(error: HfaceError | undefined, reason: string): void {
    const { due, state } = this.#exchanges;
    // A part of a head is a part of a response: such a request is not to be sent again as one that got no answer is.
    const partial = state.receive === 'head' && this.input.size > 0;
    const failure = partial
      ? truncatedFault(`${reason}, inside a head`, error)
      : (error ?? new NetworkError(reason, { phase: 'read' }));
    this.#exchanges.resetAll(http1ErrorCodes.cancelled, failure, 0);
    this.abort(due > 0 || error !== undefined ? http1ErrorCodes.cancelled : http1ErrorCodes.noError, reason, error);
  }

  protected expired(phase: PhaseKind): void {
    if (phase === Phase.head) {
      this.refuse(new TimeoutError('headTimeout', this.#limits.headTimeout));
    } else if (phase === Phase.body) {
      this.refuse(new TimeoutError('bodyTimeout', this.#limits.bodyTimeout));
    } else {
      this.#exchanges.state.ends();
      this.finish(http1ErrorCodes.noError, 'the connection was idle', undefined);
      this.terminate();
    }
  }

  protected phase(): PhaseKind {
    return this.#receiver.phase();
  }

  protected beforeTake(): void {
    this.#requester.settleHeld();
  }

  protected afterTake(): void {
    this.#requester.outputTaken();
  }

  protected sendingEnded(): boolean {
    return this.#exchanges.tunnel && this.#exchanges.state.send === 'complete';
  }

  protected processed(): Processed {
    return this.#exchanges.processed;
  }

  #advance(): void {
    this.timers.markStale();
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#exchanges.connectionOver) this.finish(http1ErrorCodes.noError, 'the last exchange has ended', undefined);
  }
}
