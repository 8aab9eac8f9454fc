/**
 * One request of the user from beginning to end: attempts, retries, timers, abort, and the handler's calls.
 *
 * Owns when a request is over, and that its handler hears of it once, last, whatever happened. What goes on on one
 * connection is request-attempt.ts's.
 *
 * Invariants: the handler is never called from inside `start`; `failed` at most once, `closed` exactly once, nothing
 * after it; when `closed` was called no timer, listener or connection is held; what a handler throws fails the request
 * and goes no further.
 *
 * @module
 */
import { AppError, HfaceError, LimitError, StreamResetError, TimeoutError, toHfaceError } from '../common/index.ts';
import type { Clock, HeaderList } from '../common/index.ts';
import { callUser, holdAnswer, onAbort } from '../concurrency/index.ts';
import type { TimerQueue } from '../concurrency/index.ts';
import type { ConnectionFacts, PoolAssignment } from '../connections/index.ts';
import type { ClientLimits } from './limits.ts';
import type { PreparedRequest } from './prepared-request.ts';
import { withoutExpectation } from './prepared-request.ts';
import { RequestAttempt } from './request-attempt.ts';
import type { AttemptOwner, Processed } from './request-attempt.ts';
import type {
  ClientRequestHandle,
  ClientRequestHandler,
  HttpVersion,
  RequestConnection,
  RequestTimings,
} from './request-handler.ts';
import { RequestTimers } from './request-timers.ts';
import type { Phase, RequestTimersOwner } from './request-timers.ts';
import { shouldRetry } from './retry.ts';
import type { RequestTransport, TransportOptions } from './transport.ts';

/** What a request takes from its session. */
export interface OperationContext {
  readonly transport: RequestTransport;
  readonly clock: Clock;
  readonly timers: TimerQueue;
  readonly limits: ClientLimits;
  /** It is over. */
  operationClosed(operation: RequestOperation): void;
}

/** The handler, of which a member may be an async function after all. */
type Told = {
  readonly [Member in keyof ClientRequestHandler]: (...args: Parameters<ClientRequestHandler[Member]>) => unknown;
};

/** One request under way. */
export class RequestOperation implements ClientRequestHandle, AttemptOwner, RequestTimersOwner {
  readonly timers: RequestTimers;
  readonly timings: RequestTimings;
  /** Where its session keeps it; the session's. */
  place: number;
  readonly #context: OperationContext;
  readonly #handler: Told;
  #request: PreparedRequest;
  #attempt: RequestAttempt | undefined;
  #connection: RequestConnection | undefined;
  /** Of the attempt at hand, as they grow. */
  #attemptTimings: PoolAssignment['timings'] | undefined;
  #stopListening: (() => void) | undefined;
  #informational: number;
  #retries: number;
  /** A connection shared with another origin is not taken again. */
  #own: boolean;
  /** It was sent before a handshake was complete: it is not again. */
  #settled: boolean;
  /** What is known of the connection, as it stands now. */
  #facts: ConnectionFacts | undefined;
  /** Inside the transport's `request`: what fails there is told later. */
  #handingOver: boolean;
  #over: boolean;

  constructor(context: OperationContext, request: PreparedRequest, handler: ClientRequestHandler) {
    this.place = -1;
    this.#context = context;
    this.#request = request;
    this.#handler = handler;
    this.#attempt = undefined;
    this.#connection = undefined;
    this.#attemptTimings = undefined;
    this.#stopListening = undefined;
    this.#informational = 0;
    this.#retries = 0;
    this.#own = false;
    this.#settled = false;
    this.#facts = undefined;
    this.#handingOver = false;
    this.#over = false;
    const now = context.clock.now();
    this.timings = newTimings(now);
    this.timers = new RequestTimers(context.timers, context.clock, request, this, now);
  }

  get connection(): RequestConnection | undefined {
    return this.#connection;
  }

  /** Whether `closed` was called. */
  get over(): boolean {
    return this.#over;
  }

  /** Begins. To be called once. */
  start(): void {
    const { signal } = this.#request;
    if (signal?.aborted === true) {
      queueMicrotask(() => this.abort(signal.reason));
      return;
    }
    if (signal !== undefined) this.#stopListening = onAbort(signal, (reason) => this.abort(reason));
    this.#try(false, this.timings.queued);
  }

  dataConsumed(length: number): void {
    this.#attempt?.dataConsumed(length);
  }

  abort(reason?: unknown): void {
    this.#fail(reason instanceof HfaceError ? reason : aborted(reason));
  }

  attemptStarted(assignment: PoolAssignment): void {
    const { connection } = assignment.exchange;
    const { connect } = assignment.timings;
    this.#connection = {
      id: connection.connectionId,
      httpVersion: connection.httpVersion,
      localAddress: connection.localAddress,
      remoteAddress: connection.remoteAddress,
      tls: connection.tls,
      reused: assignment.reused,
      early: assignment.early,
      endVerified: undefined,
    };
    if (assignment.early) this.#settled = true;
    this.#facts = assignment.early ? connection : undefined;
    this.#attemptTimings = assignment.timings;
    this.timings.started = assignment.timings.sent;
    this.timings.resolved = connect?.resolved;
    this.timings.connected = connect?.connected;
    this.timings.secured = connect?.secured;
    this.timings.requestSent = undefined;
    this.timings.firstByte = undefined;
  }

  requestSent(now: number = this.#context.clock.now()): void {
    this.timings.requestSent = now;
  }

  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void {
    this.timings.firstByte ??= this.#firstByte();
    this.#informational += 1;
    const most = this.#context.limits.maxInformational;
    if (this.#informational > most) {
      const message = `the server sent more than ${most} interim responses`;
      this.#fail(new LimitError(message, { limit: 'maxInformational', value: most }));
      return;
    }
    const { onInformational } = this.#request;
    if (onInformational !== undefined) {
      callUser(onInformational, [{ status, headers, rawNames }], (error) => this.#handlerThrew(error));
    }
    try {
      if (!this.#over) this.#hold(this.#handler.informationalReceived(status, headers, rawNames));
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void {
    this.timings.firstByte ??= this.#firstByte();
    if (this.#facts !== undefined) this.#learn(this.#facts);
    if (endStream) this.#responseEnded(true);
    try {
      this.#hold(this.#handler.headersReceived(status, headers, rawNames, httpVersion, endStream));
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean, closeDelimited: boolean): void {
    if (endStream) this.#responseEnded(!closeDelimited);
    try {
      this.#hold(this.#handler.dataReceived(data, length, endStream));
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    this.#responseEnded(true);
    try {
      this.#hold(this.#handler.trailersReceived(headers, rawNames));
    } catch (error) {
      this.#handlerThrew(error);
    }
  }

  expectationFailed(): void {
    const refused = new HfaceError('the server refused the expectation (417)', {
      code: 'ERR_EXPECTATION_FAILED',
      initiator: 'peer',
    });
    this.#attempt?.abandon(refused);
    this.#request = withoutExpectation(this.#request);
    this.#tryLater(false);
  }

  sentBack(status: 421 | 425): void {
    this.#attempt?.abandon(status === 421 ? misdirected() : tooEarly());
    if (status === 421) this.#own = true;
    this.#tryLater(false);
  }

  attemptDone(): void {
    this.#close();
  }

  attemptFailed(error: HfaceError, processed: Processed): void {
    const attempt = this.#attempt;
    if (this.#over || attempt === undefined) return;
    const { body } = this.#request;
    const again =
      this.#request.retry &&
      shouldRetry({
        error,
        processed,
        idempotent: this.#request.idempotent,
        replayable: body === undefined || body.replayable || !attempt.bodyBegun,
        responseBegun: attempt.responseBegun,
        onConnection: attempt.onConnection,
        retries: this.#retries,
      });
    if (!again) {
      this.#fail(renamed(error));
      return;
    }
    this.#retries += 1;
    // Early data that is not taken is no fault of the connection's: that goes on (RFC 9001 section 4.6.2).
    this.#tryLater(!(attempt.early && error instanceof StreamResetError));
  }

  /** Once the connection that failed has told everybody: the next attempt must not meet it again. */
  #tryLater(fresh: boolean): void {
    this.#attempt = undefined;
    this.timers.enter('queue');
    queueMicrotask(() => {
      if (!this.#over) this.#try(fresh, this.#context.clock.now());
    });
  }

  #try(fresh: boolean, now: number): void {
    const attempt = new RequestAttempt(this, this.#request);
    this.#attempt = attempt;
    const { origin, head, tls, unixSocket } = this.#request;
    this.#handingOver = true;
    try {
      const own = this.#own;
      const settled = this.#settled;
      const usual = !fresh && !own && !settled && tls === undefined && unixSocket === undefined;
      const options = usual ? USUAL_TRANSPORT : { fresh, own, settled, tls, unixSocket };
      attempt.ticket = this.#context.transport.request(origin, head, attempt, options, now);
      if (!attempt.onConnection && !this.#over) this.timers.enter('queue', now);
    } catch (error) {
      this.#fail(toHfaceError(error));
    } finally {
      this.#handingOver = false;
    }
  }

  /** The timers' call. */
  expired(name: Phase | 'total'): void {
    if (name === 'continue') {
      this.#attempt?.continueAnyway();
      return;
    }
    this.#fail(new TimeoutError(name, this.#request.timeouts[name], `${expiry[name]} (timeout ${name})`));
  }

  /** What an early request's connection was like could not be known before: as it stands at the response. */
  #learn(facts: ConnectionFacts): void {
    this.#facts = undefined;
    if (this.#connection !== undefined) this.#connection = { ...this.#connection, tls: facts.tls };
  }

  #responseEnded(verified: boolean): void {
    this.timings.ended = this.#attemptTimings?.ended ?? this.#context.clock.now();
    if (this.#connection !== undefined) this.#connection.endVerified = verified;
  }

  /** When the first of the response came; the attempt was told just now. */
  #firstByte(): number {
    return this.#attemptTimings?.firstByte ?? this.#context.clock.now();
  }

  /** Sees to what an async member of a handler answered. */
  #hold(answer: unknown): void {
    if (answer !== undefined) holdAnswer(answer, (error) => this.#handlerThrew(error));
  }

  #handlerThrew(error: unknown): void {
    this.#fail(new AppError("the request's handler threw", 'ERR_HANDLER', error));
  }

  #fail(error: HfaceError): void {
    if (this.#over) return;
    if (this.#handingOver) {
      // The caller has no handle yet: the handler is never called from inside `start`.
      queueMicrotask(() => this.#fail(error));
      return;
    }
    this.#attempt?.abandon(error);
    this.#release();
    try {
      holdAnswer(this.#handler.failed(error));
    } catch {
      // The handler's own failure to hear of a failure: there is nobody else to tell.
    }
    this.#callClosed();
  }

  #close(): void {
    if (this.#over) return;
    this.#release();
    this.#callClosed();
  }

  #release(): void {
    this.#over = true;
    this.timers.stop();
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#context.operationClosed(this);
  }

  #callClosed(): void {
    try {
      holdAnswer(this.#handler.closed());
    } catch {
      // As above: it was the last call.
    }
  }
}

const USUAL_TRANSPORT: TransportOptions = {
  fresh: false,
  own: false,
  settled: false,
  tls: undefined,
  unixSocket: undefined,
};

/** What did not come, for each timer. */
const expiry: Readonly<Record<Exclude<Phase, 'continue'> | 'total', string>> = {
  queue: 'no connection took the request',
  headers: 'the server did not answer',
  bodyIdle: 'nothing moved on the connection any more',
  total: 'the request took too long',
};

/** Networking calls the timer of TLS `handshake`; it is told by its name in the client's options. */
function renamed(error: HfaceError): HfaceError {
  if (!(error instanceof TimeoutError) || error.timer !== 'handshake') return error;
  return new TimeoutError('tls', error.milliseconds, error.message);
}

function misdirected(): HfaceError {
  return new HfaceError('the server does not answer for this origin (421)', {
    code: 'ERR_MISDIRECTED',
    initiator: 'peer',
  });
}

function tooEarly(): HfaceError {
  return new HfaceError('the server wants the request after the handshake (425)', {
    code: 'ERR_TOO_EARLY',
    initiator: 'peer',
  });
}

function aborted(reason: unknown): HfaceError {
  return new HfaceError('the request was aborted', { code: 'ERR_ABORTED', initiator: 'application', cause: reason });
}

function newTimings(now: number): RequestTimings {
  return {
    queued: now,
    resolved: undefined,
    connected: undefined,
    secured: undefined,
    started: undefined,
    requestSent: undefined,
    firstByte: undefined,
    ended: undefined,
  };
}
