/**
 * One request in a pool, from the moment it is asked for to its end.
 *
 * Owns its state (waiting, sent, over), its timers and times, its cancellation, and the passing on of what its exchange
 * tells. Which connection it gets is decided in pool-origin.ts. While it waits it is a link in its origin's queue.
 *
 * Invariants: the handler gets `failed` at most once and `closed` exactly once, last; a request that was never sent
 * fails with `'no'`; after `closed` no timer is armed and no signal is listened to.
 *
 * @module
 */
import { HfaceError, TimeoutError, toHfaceError } from '../common/index.ts';
import type { Clock, HeaderList } from '../common/index.ts';
import { CancelledError, onAbort } from '../concurrency/index.ts';
import type { Timer } from '../concurrency/index.ts';
import type { ConnectTimings } from '../networking/index.ts';
import type { HttpVersion, Processed } from '../protocols/index.ts';
import type { ClientExchanges } from './client-exchange.ts';
import type { ClientExchange, ClientExchangeHandler, ClientExchangeRequest } from './exchange.ts';
import type { HttpConnection } from './http-connection.ts';
import { timerOn } from './timers.ts';

/** When the steps of a request were done, on the clock's monotonic scale; `undefined` for what did not happen. */
export interface RequestTimings {
  /** It was asked for. */
  readonly queued: number;
  /** Its head was given to a connection. */
  sent: number | undefined;
  /** The first of the response came: a 1xx or the final head. */
  firstByte: number | undefined;
  /** The response was complete, or all was over before. */
  ended: number | undefined;
  /** The steps of the connection that was opened for it; `undefined` when an open one was used. */
  connect: ConnectTimings | undefined;
}

/** What a request got. */
export interface PoolAssignment {
  readonly exchange: ClientExchange;
  /** Whether the connection had carried a request before. */
  readonly reused: boolean;
  /** Whether the connection was opened for another origin, whose server answers for this one too (RFC 8336). */
  readonly shared: boolean;
  /** Whether it went out before the connection's handshake was complete: in 0-RTT data. */
  readonly early: boolean;
  readonly timings: RequestTimings;
}

/** Who is told what becomes of a request. */
export interface PoolRequestHandler extends ClientExchangeHandler {
  /**
   * It was sent on a connection; content may follow. Called from inside `request` when a connection is at hand.
   * Not called for a request that fails while it waits.
   */
  started(assignment: PoolAssignment): void;
}

/** How a request is bounded. Times in milliseconds; `undefined`: without bound, but for those with a default. */
export interface PoolRequestOptions {
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may wait for a connection. Default: the pool's limit `queueTimeout`. */
  readonly queueTimeout?: number | undefined;
  /** For resolving and connecting, if a connection is opened for it. Default 10,000. */
  readonly connectTimeout?: number | undefined;
  /** For the TLS handshake, if a connection is opened for it. Default 10,000. */
  readonly handshakeTimeout?: number | undefined;
  /** From the end of the request to the final head. */
  readonly headersTimeout?: number | undefined;
  /** Between two pieces of the response's content; stands still while pieces wait to be consumed. */
  readonly bodyIdleTimeout?: number | undefined;
  /** From the asking to the end of the response. */
  readonly totalTimeout?: number | undefined;
  /**
   * Take no connection that is idle now: those of the origin are closed first. For a request that such a one has just
   * failed, since the others are likely to be dead as well. Default false.
   */
  readonly fresh?: boolean | undefined;
  /**
   * Take only a connection that was opened for the request's own origin, and share none with it from now on. For a
   * request that such a one answered with 421 (RFC 9110 section 15.5.20). Default false.
   */
  readonly own?: boolean | undefined;
  /**
   * Wait for a handshake to be complete. For a request that was sent before one was: whatever became of it, it is not sent
   * so again (RFC 8470 section 5.2). Default false.
   */
  readonly settled?: boolean | undefined;
}

/** What a request asks of its origin's queue. */
export interface PoolRequestOwner {
  /** It will not need a connection any more. */
  withdrawn(request: PoolRequest): void;
}

/** A request, as the pool keeps it. Callers hold it to cancel it. */
export class PoolRequest implements ClientExchangeHandler {
  readonly request: ClientExchangeRequest;
  readonly options: PoolRequestOptions;
  readonly timings: RequestTimings;
  /** Links of the queue; its owner's. */
  before: PoolRequest | undefined;
  behind: PoolRequest | undefined;
  #state: 'waiting' | 'sent' | 'failed' | 'over';
  readonly #clock: Clock;
  /** What it was sent on. */
  #connection: HttpConnection | undefined;
  readonly #owner: PoolRequestOwner;
  readonly #handler: PoolRequestHandler;
  #exchange: ClientExchange | undefined;
  #requestEnded: boolean;
  #headReceived: boolean;
  #responseDone: boolean;
  /** Bytes given to the handler that it has not consumed. */
  #unconsumed: number;
  #timer: Timer | undefined;
  #totalAt: number;
  /** It was not sent in the moment in which it was asked for. */
  #waited: boolean;
  /** The timer of the present step. */
  #stepAt: number;
  #step: string;
  #stepMilliseconds: number;
  #stopListening: (() => void) | undefined;

  /**
   * Made by the pool.
   *
   * @param now - the clock's time
   * @hidden
   */
  constructor(
    request: ClientExchangeRequest,
    handler: PoolRequestHandler,
    options: PoolRequestOptions,
    owner: PoolRequestOwner,
    clock: Clock,
    now: number,
  ) {
    this.request = request;
    this.options = options;
    this.timings = {
      queued: now,
      sent: undefined,
      firstByte: undefined,
      ended: undefined,
      connect: undefined,
    };
    this.before = undefined;
    this.behind = undefined;
    this.#state = 'waiting';
    this.#clock = clock;
    this.#connection = undefined;
    this.#owner = owner;
    this.#handler = handler;
    this.#exchange = undefined;
    this.#requestEnded = request.endStream;
    this.#headReceived = false;
    this.#responseDone = false;
    this.#unconsumed = 0;
    this.#timer = undefined;
    this.#totalAt = options.totalTimeout === undefined ? Infinity : now + options.totalTimeout;
    this.#waited = false;
    this.#stepAt = Infinity;
    this.#step = '';
    this.#stepMilliseconds = Infinity;
    this.#stopListening = undefined;
  }

  /** Whether it may go out in 0-RTT data: it is safe (RFC 8470 section 4), whole, and was not sent so before. */
  get mayBeEarly(): boolean {
    const { method, endStream, protocol } = this.request;
    return endStream && protocol === undefined && SAFE_METHODS.has(method) && this.options.settled !== true;
  }

  /** Whether it waits for a connection. */
  get waiting(): boolean {
    return this.#state === 'waiting';
  }

  /** Gives it up. The handler gets `failed` before this returns; `closed` follows. */
  cancel(error: HfaceError = new CancelledError('the request was cancelled')): void {
    this.#end(error, 'maybe');
  }

  /** Listens to the caller's signal and arms the timer of the whole. False: it is over already. */
  begin(): boolean {
    if (this.#totalAt !== Infinity) this.#arm();
    const signal = this.options.signal;
    if (signal === undefined) return true;
    const stopListening = onAbort(signal, (reason) => this.cancel(cancelled(reason)));
    if (this.#state !== 'waiting') return false;
    this.#stopListening = stopListening;
    return true;
  }

  /** It waits for a connection, so long. */
  wait(queueTimeout: number): void {
    this.#waited = true;
    this.#enter('queue', this.options.queueTimeout ?? queueTimeout);
  }

  /** Sends it on a connection. False: its head was malformed and it has failed; nothing was sent. */
  start(exchanges: ClientExchanges, reused: boolean, shared = false): boolean {
    let exchange: ClientExchange;
    try {
      exchange = exchanges.request(this.request, this);
    } catch (error) {
      this.fail(toHfaceError(error), 'no');
      return false;
    }
    this.#state = 'sent';
    this.#connection = exchanges.connection;
    const { early } = exchanges.connection;
    this.timings.sent = this.#waited ? this.#now() : this.timings.queued;
    this.#leaveStep();
    const outer = new FollowedExchange(exchange, this);
    this.#exchange = outer;
    if (this.#requestEnded) this.requestEnded();
    try {
      this.#handler.started({ exchange: outer, reused, shared, early, timings: this.timings });
    } catch (error) {
      this.#end(toHfaceError(error), 'maybe');
    }
    return true;
  }

  /** It failed while it waited. */
  fail(error: HfaceError, processed: Processed): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'failed';
    this.#tellFailed(error, processed);
    this.closed();
  }

  /** The last byte of the request was given to the connection. */
  requestEnded(): void {
    this.#requestEnded = true;
    if (!this.#headReceived && this.#state === 'sent') this.#enter('headers', this.options.headersTimeout);
  }

  /** The handler took some content. */
  consumed(bytes: number): void {
    this.#unconsumed -= bytes;
    if (this.#unconsumed > 0 || this.#responseDone || this.#state !== 'sent') return;
    this.#enter('bodyIdle', this.options.bodyIdleTimeout);
  }

  // What the exchange tells.

  /** A 1xx. */
  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#state !== 'sent') return;
    this.timings.firstByte ??= this.#now();
    this.#handler.informationalReceived(status, headers, rawNames);
  }

  /** The final head. */
  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void {
    if (this.#state !== 'sent') return;
    this.timings.firstByte ??= this.#now();
    this.#headReceived = true;
    if (endStream) this.#responseEnded();
    else this.#enter('bodyIdle', this.options.bodyIdleTimeout);
    this.#handler.headersReceived(status, headers, rawNames, httpVersion, endStream);
  }

  /** Content or tunnel bytes. */
  dataReceived(data: Uint8Array, flowControlledLength: number, endStream: boolean, closeDelimited: boolean): void {
    if (this.#state !== 'sent') {
      this.#exchange?.dataConsumed(flowControlledLength);
      return;
    }
    this.#unconsumed += flowControlledLength;
    if (endStream) this.#responseEnded();
    else this.#leaveStep();
    this.#handler.dataReceived(data, flowControlledLength, endStream, closeDelimited);
  }

  /** The trailer section. */
  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#state !== 'sent') return;
    this.#responseEnded();
    this.#handler.trailersReceived(headers, rawNames);
  }

  /** There is room again. */
  writable(): void {
    if (this.#state === 'sent') this.#handler.writable();
  }

  /** The exchange failed. */
  failed(error: HfaceError, processed: Processed): void {
    if (this.#state !== 'sent') return;
    this.#state = 'failed';
    this.#tellFailed(error, processed);
  }

  /** The last call. */
  closed(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.timings.ended ??= this.#now();
    this.#timer?.cancel();
    this.#stopListening?.();
    this.#stopListening = undefined;
    try {
      this.#handler.closed();
    } catch {
      // It is over: nothing of it is left to end.
    }
  }

  /** Ends it from this side, whatever it is at. */
  #end(error: HfaceError, processed: Processed): void {
    if (this.#state === 'waiting') {
      this.#owner.withdrawn(this);
      this.fail(error, 'no');
      return;
    }
    if (this.#state !== 'sent') return;
    this.#state = 'failed';
    this.#exchange?.reset();
    this.#tellFailed(error, processed);
  }

  #tellFailed(error: HfaceError, processed: Processed): void {
    this.#timer?.cancel();
    try {
      this.#handler.failed(error, processed);
    } catch {
      // It has failed already.
    }
  }

  #responseEnded(): void {
    // What is left is up to this side: the rest of its request.
    this.#responseDone = true;
    this.timings.ended = this.#now();
    this.#totalAt = Infinity;
    this.#leaveStep();
  }

  #now(): number {
    return this.#connection?.time() ?? this.#clock.now();
  }

  #enter(step: string, milliseconds: number | undefined): void {
    if (milliseconds === undefined || milliseconds === Infinity) {
      this.#leaveStep();
      return;
    }
    this.#step = step;
    this.#stepMilliseconds = milliseconds;
    this.#stepAt = this.#now() + milliseconds;
    this.#arm();
  }

  #leaveStep(): void {
    if (this.#stepAt === Infinity && this.#timer === undefined) return;
    this.#stepAt = Infinity;
    this.#arm();
  }

  #arm(): void {
    const at = Math.min(this.#stepAt, this.#totalAt);
    if (at === Infinity) {
      this.#timer?.set(undefined);
      return;
    }
    this.#timer ??= timerOn(this.#clock, (now) => this.#timedOut(now));
    this.#timer.set(at);
  }

  #timedOut(now: number): void {
    if (this.#totalAt <= now) this.cancel(new TimeoutError('total', this.options.totalTimeout ?? 0));
    else if (this.#stepAt <= now) this.cancel(new TimeoutError(this.#step, this.#stepMilliseconds));
  }
}

/** The exchange that a request's handler holds: what it does is seen by the request's timers. */
class FollowedExchange implements ClientExchange {
  readonly #exchange: ClientExchange;
  readonly #request: PoolRequest;

  constructor(exchange: ClientExchange, request: PoolRequest) {
    this.#exchange = exchange;
    this.#request = request;
  }

  get connection(): ClientExchange['connection'] {
    return this.#exchange.connection;
  }

  get streamId(): number {
    return this.#exchange.streamId;
  }

  get bytesSent(): number {
    return this.#exchange.bytesSent;
  }

  get bytesReceived(): number {
    return this.#exchange.bytesReceived;
  }

  sendData(data: Uint8Array, endStream: boolean): boolean {
    const room = this.#exchange.sendData(data, endStream);
    if (endStream) this.#request.requestEnded();
    return room;
  }

  sendTrailers(headers: HeaderList): void {
    this.#exchange.sendTrailers(headers);
    this.#request.requestEnded();
  }

  dataConsumed(flowControlledLength: number): void {
    this.#exchange.dataConsumed(flowControlledLength);
    this.#request.consumed(flowControlledLength);
  }

  setPriority(urgency: number, incremental: boolean): void {
    this.#exchange.setPriority(urgency, incremental);
  }

  reset(errorCode?: number): void {
    this.#exchange.reset(errorCode);
  }
}

/** RFC 9110 section 9.2.1, those without TRACE, which nobody sends by itself. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function cancelled(reason: unknown): HfaceError {
  return reason instanceof HfaceError ? reason : new CancelledError('the request was cancelled', reason);
}
