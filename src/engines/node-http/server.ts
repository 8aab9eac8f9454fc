/**
 * A server's engine on node:http.
 *
 * Theory of operation. Node's parser may find several requests in what it is fed; they wait in a row and are surfaced
 * one at a time, when Node has written the response before (RFC 9112 section 9.3.2). While one waits Node is fed no
 * more. A request that asks for a tunnel (CONNECT, Upgrade) holds up everything behind it until the application has
 * decided.
 *
 * What the application may submit when is decided here and thrown at once; Node is called only with what it takes.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import {
  LimitError,
  LocalProtocolError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
} from '../../common/index.ts';
import type {
  EndStream,
  HttpOverTcpProtocol,
  Processed,
  ProtocolContext,
  SubmitHeadersOptions,
} from '../../protocols/index.ts';
import { dataReceived, streamWritable } from '../../protocols/index.ts';
import { formatHttpDate, reasonPhrase } from '../../protocols/semantics/index.ts';
import type { Waiting } from '../deadlines.ts';
import { NOTHING } from '../deadlines.ts';
import { EngineSocket } from '../engine-socket.ts';
import { NodeHttpConnection } from './connection.ts';
import { http1ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import { nodeFields } from './fields.ts';
import { HandlerLedger } from './handler-ledger.ts';
import type { NodeHttpServerLimits } from './limits.ts';
import type { ServerExchange } from './server-exchange.ts';
import { ServerIntake } from './server-intake.ts';
import type { ServerRowHost } from './server-row.ts';
import { ServerRow } from './server-row.ts';
import { headText } from './submitted-heads.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** The server engine. Made by `NodeHttpServerFactory`. */
export class NodeHttpServer extends NodeHttpConnection implements HttpOverTcpProtocol {
  readonly role = 'server' as const;
  readonly #limits: NodeHttpServerLimits;
  readonly #context: ProtocolContext;
  readonly #errorHeaders: HeaderList;
  readonly #intake: ServerIntake;
  readonly #handlers: HandlerLedger;
  readonly #row: ServerRow;
  /** StreamWritable is owed. */
  #blocked: boolean;
  #now: number;

  constructor(limits: NodeHttpServerLimits, errorHeaders: HeaderList, context: ProtocolContext, now: number) {
    super(limits.writeTimeout, limits.lingerTimeout, limits.maxDrainBytes);
    this.#limits = limits;
    this.#context = context;
    this.#errorHeaders = errorHeaders;
    this.#handlers = new HandlerLedger();
    this.#blocked = false;
    this.#now = now;
    this.#intake = new ServerIntake(limits.maxHeaderBytes, (found) => this.#row.found(found));
    this.#row = new ServerRow(this.#host(), limits, context.secure, this.#handlers, this.#intake);
    this.#intake.renew = () => (this.socket = new EngineSocket(this));
    this.#intake.attach(this.socket);
    this.handleTimeout(now);
  }

  /** Whether further requests are accepted. */
  isAvailable(): boolean {
    return this.open && !this.#row.shutdown && this.#row.exchange?.last !== true && !this.inputEnded;
  }

  /** Whether no further request will be accepted. */
  hasExpired(): boolean {
    return !this.isAvailable();
  }

  /** Servers open no requests. */
  getAvailableStreamId(): number {
    throw new LocalProtocolError('a server opens no requests');
  }

  /** See `HttpProtocol`. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const exchange = this.#row.reached(streamId);
    if (exchange === undefined) return;
    const plan = exchange.plan(headers, options);
    this.#blocked = false;
    if (plan.framing === 'tunnel') {
      this.tunnel = true;
      exchange.openTunnel(plan, this.socket);
      this.feed();
    } else {
      this.#row.giveResponse(exchange);
      exchange.answer(plan, options.endStream, this.#row.shutdown);
      this.feed();
    }
    this.#row.advance();
  }

  /** See `HttpProtocol`. Towards HTTP/1.0 nothing is sent. */
  submitInformational(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.#row.reached(streamId)?.inform(headers, rawNames, this.socket);
  }

  /** See `HttpProtocol`. */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const exchange = this.#row.reached(streamId);
    if (exchange === undefined) return;
    exchange.send(data, options.endStream, this.#capacity(exchange), this.socket);
    if (!options.endStream && this.#capacity(exchange) === 0) this.#blocked = true;
    this.#row.advance();
  }

  /** See `HttpProtocol`. */
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    const exchange = this.#row.reached(streamId);
    if (exchange === undefined) return;
    exchange.sendTrailers(headers, rawNames);
    this.#row.advance();
  }

  /** Ends the connection, since HTTP/1 cannot end less. */
  submitStreamReset(streamId: number, errorCode: number): void {
    if (this.#row.exchange?.streamId === streamId) {
      const reason = 'the application reset the stream';
      this.#row.reset(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), false);
      this.abort(errorCode, reason, undefined);
    } else if (!(streamId >= 1 && streamId <= this.#row.lastId)) {
      throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    }
  }

  /** See `HttpProtocol`. */
  submitHandlerEnd(streamId: number): void {
    if (!this.#handlers.end(streamId)) return;
    if (this.#row.exchange?.streamId === streamId) this.#row.exchange.handlerEnded = true;
    this.#row.advance();
  }

  /** The response at hand is the last; a connection without one ends now. */
  submitShutdown(): void {
    if (!this.open) return;
    this.#row.shutdown = true;
    if (this.#row.exchange !== undefined) this.#row.exchange.last = true;
    else if (!this.#row.waits) this.finish(errorCodes.noError, 'the connection winds down', undefined);
  }

  /** Ends the connection now. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (this.terminated) return;
    const cut = this.#row.exchange !== undefined;
    this.#row.reset(errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }), false);
    if (cut || errorCode !== errorCodes.noError) this.abort(errorCode, reason, undefined);
    else this.finishAtOnce(errorCode, reason);
  }

  /** See `HttpProtocol`. */
  sendCapacity(streamId: number): number {
    const exchange = this.#row.exchange;
    return exchange?.streamId === streamId ? this.#capacity(exchange) : 0;
  }

  /** See `HttpProtocol`. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#handlers.consume(streamId, flowControlledLength);
    this.feed();
  }

  protected waiting(): Waiting {
    const exchange = this.#row.exchange;
    const { headTimeout, keepAliveTimeout, bodyTimeout } = this.#limits;
    if (exchange !== undefined) {
      if (exchange.requestComplete || this.tunnel) return NOTHING;
      const reading = this.wantsInput || exchange.responseComplete;
      return reading ? { phase: `body:${String(exchange.streamId)}`, duration: bodyTimeout } : NOTHING;
    }
    const id = String(this.#row.lastId);
    if (this.#row.headBegun) return { phase: `head:${id}`, duration: headTimeout };
    if (this.output.size > 0 || !this.#mayBegin()) return NOTHING;
    if (this.#row.lastId === 0) return { phase: 'head', duration: headTimeout };
    return { phase: `idle:${id}`, duration: keepAliveTimeout };
  }

  protected expired(phase: string): void {
    if (phase === 'head') this.refuse(new TimeoutError('headTimeout', this.#limits.headTimeout));
    else if (phase === 'body') this.refuse(new TimeoutError('bodyTimeout', this.#limits.bodyTimeout));
    else this.finishAtOnce(errorCodes.noError, 'the connection was idle');
  }

  protected received(now: number): void {
    this.#now = now;
    if (this.#row.exchange?.requestComplete === false) this.progress();
  }

  protected mayFeed(): boolean {
    if (this.tunnel) return this.#handlers.unconsumed < this.#limits.maxUnconsumedBytes;
    const exchange = this.#row.exchange;
    if (exchange !== undefined && exchange.response === undefined) return false;
    return !this.#row.waits && this.#mayBegin() && this.#handlers.unconsumed < this.#limits.maxUnconsumedBytes;
  }

  protected push(portion: Uint8Array): void {
    if (this.#row.exchange === undefined) this.#row.headBegun = true;
    this.socket.push(portion);
  }

  protected tunnelReceived(chunk: Uint8Array): void {
    const exchange = this.#row.exchange;
    if (exchange === undefined) return;
    this.#handlers.give(exchange.streamId, chunk.length);
    this.tell(dataReceived(exchange.streamId, chunk, chunk.length, false, false));
  }

  protected inputEnds(): void {
    const exchange = this.#row.exchange;
    if (!this.tunnel) {
      // Node's parser says whether that cuts a message; where it does not and nothing runs, it ends the socket.
      this.socket.push(null);
    } else if (exchange !== undefined) {
      this.tell(dataReceived(exchange.streamId, EMPTY, 0, true, false));
      exchange.requestComplete = true;
      this.#row.advance();
    }
  }

  override socketEnded(socket: EngineSocket): void {
    const idle = this.open && this.inputEnded && !this.tunnel && this.#row.exchange === undefined && !this.#row.waits;
    if (idle && socket === this.socket) this.finish(errorCodes.noError, 'the client has ended', undefined);
    super.socketEnded(socket);
  }

  protected endSocket(): void {
    // A response that Node still writes ends the socket when it is out.
    if (this.#row.free || this.tunnel) this.socket.end();
  }

  protected beforeTake(): void {
    this.#row.exchange?.flush();
  }

  protected outputTaken(): void {
    // A request that was parsed ahead may have waited for the output before it.
    if (this.open) this.#row.advance();
    const exchange = this.#row.exchange;
    if (!this.#blocked || exchange === undefined) return;
    if (this.#capacity(exchange) * 2 < this.#limits.sendBufferBytes) return;
    this.#blocked = false;
    this.tell(streamWritable(exchange.streamId));
  }

  protected refuse(error: HfaceError): void {
    if (!this.open) return;
    const exchange = this.#row.exchange;
    const code = error.initiator === 'engine' ? errorCodes.internalError : errorCodes.protocolError;
    this.#row.reset(code, error, this.inputEnded);
    if (exchange?.answered === true && !(exchange.responseComplete && !this.tunnel)) {
      this.abort(code, error.message, error);
      return;
    }
    if (exchange?.answered !== true) {
      this.socket.write(
        errorResponse(
          error,
          this.#now + this.#context.epochOffset,
          this.#errorHeaders,
          exchange?.head.method !== 'HEAD',
        ),
        'latin1',
      );
      this.#row.free = true;
    }
    this.finish(code, error.message, error);
  }

  protected lost(error: HfaceError | undefined, reason: string): void {
    const wasOpen = this.#row.exchange !== undefined;
    this.#row.reset(errorCodes.cancelled, error ?? new NetworkError(reason, { phase: 'read' }), true);
    this.abort(wasOpen || error !== undefined ? errorCodes.cancelled : errorCodes.noError, reason, error);
  }

  protected processed(): Processed {
    return 'maybe';
  }

  #host(): ServerRowHost {
    return {
      isOpen: () => this.open,
      isTunnel: () => this.tunnel,
      mayBegin: () => this.#mayBegin(),
      socket: () => this.socket,
      tell: (event) => this.tell(event),
      announce: () => this.announce(),
      unfeed: (chunk) => this.unfeed(chunk),
      finish: (errorCode, reason, error) => this.finish(errorCode, reason, error),
      refuse: (error) => this.refuse(error),
    };
  }

  #mayBegin(): boolean {
    return this.#handlers.live < this.#limits.maxLiveHandlers && this.output.size <= this.#limits.maxUnsentBytes;
  }

  #capacity(exchange: ServerExchange): number {
    if (exchange.responseComplete) return 0;
    return Math.max(0, this.#limits.sendBufferBytes - this.output.size - exchange.heldBytes(this.socket));
  }
}

/** The response to a request that is refused here. `wallTime`: for Date. */
function errorResponse(error: HfaceError, wallTime: number, extra: HeaderList, withContent: boolean): string {
  const hint = error instanceof RemoteProtocolError || error instanceof LimitError ? (error.statusHint ?? 400) : 500;
  const status = error instanceof TimeoutError ? 408 : hint;
  const detail = status >= 500 && status !== 501 && status !== 505 ? '' : `: ${error.message}`;
  const content = `${String(status)} ${reasonPhrase(status)}${detail}\n`.replace(/[^\n\x20-\x7e]/g, '?');
  const date = formatHttpDate(wallTime);
  const own = ['date', date, 'content-type', 'text/plain', 'content-length', String(content.length)];
  const fields = [...own, 'connection', 'close', ...nodeFields(extra, 0, undefined)];
  return headText(status, fields) + (withContent ? content : '');
}
