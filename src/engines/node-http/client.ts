/**
 * A client's engine on node:http.
 *
 * Theory of operation. One request at a time on one socket. A stream is closed when Node has let go of the socket, so
 * that the next request finds it free. What comes while no request runs is the server's fault, and no parser of Node's
 * sees it.
 *
 * What the application may submit when is decided here and thrown at once; Node is called only with what it takes.
 *
 * @module
 */
import type { ClientRequest } from 'node:http';
import type { HeaderList, HfaceError } from '../../common/index.ts';
import {
  LimitError,
  LocalProtocolError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
} from '../../common/index.ts';
import type { EndStream, HttpOverTcpProtocol, Processed, SubmitHeadersOptions } from '../../protocols/index.ts';
import { dataReceived, streamWritable } from '../../protocols/index.ts';
import type { Waiting } from '../deadlines.ts';
import { NOTHING } from '../deadlines.ts';
import { ClientExchange } from './client-exchange.ts';
import { openRequest } from './client-intake.ts';
import type { ClientReceiverHost } from './client-receiver.ts';
import { ClientReceiver } from './client-receiver.ts';
import { NodeHttpConnection } from './connection.ts';
import { http1ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import { fault, limitFault } from './fields.ts';
import type { NodeHttpClientLimits } from './limits.ts';
import { planRequest } from './submitted-heads.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** The client engine. Made by `NodeHttpClientFactory`. */
export class NodeHttpClient extends NodeHttpConnection implements HttpOverTcpProtocol {
  readonly role = 'client' as const;
  readonly #limits: NodeHttpClientLimits;
  readonly #absoluteForm: boolean;
  readonly #receiver: ClientReceiver;
  /** The stream whose content is counted as unconsumed. */
  #unconsumedOf: number;
  /** StreamWritable is owed. */
  #blocked: boolean;

  constructor(limits: NodeHttpClientLimits, absoluteForm: boolean, now: number) {
    super(limits.writeTimeout, limits.lingerTimeout, limits.maxDrainBytes);
    this.#limits = limits;
    this.#absoluteForm = absoluteForm;
    this.#receiver = new ClientReceiver(this.#host(), limits);
    this.#unconsumedOf = 0;
    this.#blocked = false;
    this.handleTimeout(now);
  }

  /** Whether a request can be opened now. */
  isAvailable(): boolean {
    return !this.hasExpired() && this.#receiver.exchange === undefined;
  }

  /** Whether no further request can ever be opened. */
  hasExpired(): boolean {
    return !this.open || this.#receiver.last || this.inputEnded;
  }

  /** The id for the next request. */
  getAvailableStreamId(): number {
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    return this.#receiver.lastId + 1;
  }

  /** Opens a request; see `HttpProtocol`. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    if (streamId <= this.#receiver.lastId) {
      if (this.#receiver.reached(streamId) === undefined) return;
      throw new LocalProtocolError('the request was submitted before');
    }
    if (streamId !== this.#receiver.lastId + 1)
      throw new LocalProtocolError('the id is not that of getAvailableStreamId');
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    const plan = planRequest(headers, options, this.#absoluteForm, !this.#receiver.oldServer);
    let request: ClientRequest;
    try {
      request = openRequest(this.socket, plan.method, plan.target, plan.fields, this.#limits.maxHeaderBytes);
    } catch (error) {
      throw new LocalProtocolError('node:http refuses the request', undefined, error);
    }
    this.#receiver.lastId = streamId;
    this.#receiver.unconsumed = 0;
    this.#unconsumedOf = streamId;
    this.#blocked = false;
    const exchange = new ClientExchange(streamId, plan, request);
    this.#receiver.exchange = exchange;
    this.#receiver.listen(exchange);
    exchange.begin();
  }

  /** Clients send no responses. */
  submitInformational(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw new LocalProtocolError('a client sends no informational responses');
  }

  /** See `HttpProtocol`. */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const exchange = this.#receiver.reached(streamId);
    if (exchange === undefined) return;
    exchange.send(data, options.endStream, this.#capacity(exchange), this.socket);
    if (!options.endStream && this.#capacity(exchange) === 0) this.#blocked = true;
    if (options.endStream && this.tunnel) this.#receiver.tunnelEnds();
  }

  /** See `HttpProtocol`. */
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.#receiver.reached(streamId)?.sendTrailers(headers, rawNames);
  }

  /** Ends the connection, since HTTP/1 cannot end less. */
  submitStreamReset(streamId: number, errorCode: number): void {
    if (!(streamId >= 1 && streamId <= this.#receiver.lastId)) {
      throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    }
    if (this.#receiver.exchange?.streamId !== streamId) return;
    const reason = 'the application reset the stream';
    this.#receiver.reset(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), false);
    this.abort(errorCode, reason, undefined);
  }

  /** A client has no handlers. */
  submitHandlerEnd(_streamId: number): void {
    // Nothing is owed.
  }

  /** No further requests. */
  submitShutdown(): void {
    if (!this.open) return;
    this.#receiver.last = true;
    if (this.#receiver.exchange === undefined) this.finish(errorCodes.noError, 'the connection winds down', undefined);
  }

  /** Ends the connection now. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (this.terminated) return;
    const cut = this.#receiver.exchange !== undefined;
    this.#receiver.reset(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), false);
    if (cut || errorCode !== errorCodes.noError) this.abort(errorCode, reason, undefined);
    else this.finishAtOnce(errorCode, reason);
  }

  /** See `HttpProtocol`. 0 while a tunnel has not been accepted. */
  sendCapacity(streamId: number): number {
    const exchange = this.#receiver.exchange;
    return exchange?.streamId === streamId ? this.#capacity(exchange) : 0;
  }

  /** See `HttpProtocol`. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    if (streamId !== this.#unconsumedOf) return;
    this.#receiver.unconsumed = Math.max(0, this.#receiver.unconsumed - Math.max(0, flowControlledLength));
    this.feed();
  }

  protected waiting(): Waiting {
    const exchange = this.#receiver.exchange;
    if (exchange === undefined)
      return { phase: `idle:${String(this.#receiver.lastId)}`, duration: this.#receiver.keepAliveTimeout };
    const id = String(exchange.streamId);
    if (this.tunnel) return NOTHING;
    if (exchange.response === undefined) {
      const due = exchange.requestComplete && this.output.size === 0;
      return due ? { phase: `head:${id}`, duration: this.#limits.headTimeout } : NOTHING;
    }
    return this.wantsInput ? { phase: `body:${id}`, duration: this.#limits.bodyTimeout } : NOTHING;
  }

  protected expired(phase: string): void {
    if (phase === 'head') this.refuse(new TimeoutError('headTimeout', this.#limits.headTimeout));
    else if (phase === 'body') this.refuse(new TimeoutError('bodyTimeout', this.#limits.bodyTimeout));
    else this.finishAtOnce(errorCodes.noError, 'the connection was idle');
  }

  protected received(_now: number): void {
    if (this.#receiver.exchange?.response !== undefined) this.progress();
  }

  protected mayFeed(): boolean {
    return this.#receiver.unconsumed < this.#limits.maxUnconsumedBytes;
  }

  protected push(portion: Uint8Array): void {
    const exchange = this.#receiver.exchange;
    if (exchange === undefined) {
      if (portion.some((octet) => octet !== 0x0d && octet !== 0x0a)) this.refuse(fault('data without a request', 502));
    } else if (!exchange.sent) {
      this.refuse(fault('a response before its request', 502));
    } else {
      exchange.partial = true;
      (this.#receiver.again ?? this.socket).push(portion);
    }
  }

  protected tunnelReceived(chunk: Uint8Array): void {
    const exchange = this.#receiver.exchange;
    if (exchange === undefined) return;
    this.#receiver.unconsumed += chunk.length;
    this.tell(dataReceived(exchange.streamId, chunk, chunk.length, false, false));
  }

  protected inputEnds(): void {
    const exchange = this.#receiver.exchange;
    if (exchange === undefined) {
      this.finish(errorCodes.noError, 'the server has ended', undefined);
    } else if (this.tunnel) {
      exchange.responseComplete = true;
      this.tell(dataReceived(exchange.streamId, EMPTY, 0, true, false));
      this.#receiver.tunnelEnds();
    } else {
      (this.#receiver.again ?? this.socket).push(null);
    }
  }

  protected override gaveUp(error: HfaceError): void {
    this.#receiver.failed(error);
  }

  protected endSocket(): void {
    this.socket.end();
  }

  protected beforeTake(): void {
    this.#receiver.exchange?.flush();
  }

  protected outputTaken(): void {
    const exchange = this.#receiver.exchange;
    if (exchange === undefined) return;
    exchange.sent = true;
    if (!this.#blocked || this.#capacity(exchange) * 2 < this.#limits.sendBufferBytes) return;
    this.#blocked = false;
    this.tell(streamWritable(exchange.streamId));
  }

  protected refuse(failure: HfaceError): void {
    if (!this.open) return;
    const error = asGateway(failure);
    const code = error.initiator === 'engine' ? errorCodes.internalError : errorCodes.protocolError;
    this.#receiver.reset(code, error, this.inputEnded);
    this.abort(code, error.message, error);
  }

  protected lost(error: HfaceError | undefined, reason: string): void {
    const exchange = this.#receiver.exchange;
    const inside = exchange?.partial === true && exchange.response === undefined;
    const failure = inside
      ? fault(`${reason}, inside a head`, 502, 'ERR_TRUNCATED', error)
      : (error ?? new NetworkError(reason, { phase: 'read' }));
    this.#receiver.reset(errorCodes.cancelled, failure, true);
    const cut = exchange !== undefined || error !== undefined;
    this.abort(cut ? errorCodes.cancelled : errorCodes.noError, reason, error);
  }

  protected processed(): Processed {
    return this.#receiver.processed;
  }

  #host(): ClientReceiverHost {
    return {
      isOpen: () => this.open,
      isEnded: () => this.inputEnded,
      isTunnel: () => this.tunnel,
      becomeTunnel: () => (this.tunnel = true),
      socket: () => this.socket,
      tell: (event) => this.tell(event),
      unfeed: (chunk) => this.unfeed(chunk),
      feed: () => this.feed(),
      dropOutput: () => this.output.clear(),
      finish: (errorCode, reason, error) => this.finish(errorCode, reason, error),
      refuse: (error) => this.refuse(error),
    };
  }

  #capacity(exchange: ClientExchange): number {
    return exchange.sendsContent
      ? Math.max(0, this.#limits.sendBufferBytes - this.output.size - exchange.heldBytes(this.socket))
      : 0;
  }
}

/** A fault of the server's as a gateway tells it (RFC 9110 section 15.6.3). */
function asGateway(error: HfaceError): HfaceError {
  if (error instanceof RemoteProtocolError && error.statusHint !== 502) {
    return fault(error.message, 502, error.code, error.cause);
  }
  if (error instanceof LimitError && error.statusHint !== 502) return limitFault(error.limit, error.value, 502);
  return error;
}
