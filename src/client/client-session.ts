/**
 * A session: a client at work, with its connections, from `client.session()` to `close()`.
 *
 * Owns the requests under way, their timers, and the pool below. Structured concurrency: when `close` has resolved no
 * handle, timer or pending promise of the session is left; what was under way has failed with `ERR_SESSION_CLOSED`.
 *
 * @module
 */
import { HfaceError } from '../common/index.ts';
import type { Clock, Random } from '../common/index.ts';
import { TimerQueue } from '../concurrency/index.ts';
import type { ClientRequest } from './client-request.ts';
import { ResponseReceiver } from './client-response.ts';
import type { ClientResponse } from './client-response.ts';
import { fetchFields, performFetch } from './fetch.ts';
import type { FetchContext, FetchOptions } from './fetch.ts';
import type { ClientLimits, ClientTimeoutOptions, ClientTimeouts } from './limits.ts';
import { prepareRequest } from './prepared-request.ts';
import type { PreparedRequest, RequestDefaults, RequestPart } from './prepared-request.ts';
import type { ClientRequestHandle, ClientRequestHandler } from './request-handler.ts';
import { RequestOperation } from './request-operation.ts';
import type { OperationContext } from './request-operation.ts';
import { RequestUrls } from './request-url.ts';
import type { RequestTransport } from './transport.ts';

/** What a session is made of. */
export interface ClientSessionParts {
  readonly transport: RequestTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeouts: ClientTimeouts;
  readonly limits: ClientLimits;
  readonly userAgent: string | undefined;
  readonly retry: boolean;
  /** The timeouts in force with overrides. */
  timeoutsOf(overrides: ClientTimeoutOptions | undefined): ClientTimeouts;
}

/** The fetch of a session. */
export type SessionFetch = (
  input: string | URL | Request,
  init?: RequestInit,
  options?: FetchOptions,
) => Promise<Response>;

/** A client at work. Made by {@link Client.session}; to be closed by who made it. */
export class ClientSession implements AsyncDisposable {
  /**
   * The standard's fetch over this session: follows redirects, undoes content codings, heeds the signal. May be passed
   * around by itself. Rejects with a `TypeError` whose cause is the `HfaceError`, or with the signal's reason.
   */
  readonly fetch: SessionFetch;
  readonly #parts: ClientSessionParts;
  /** In no order; each knows its place. A Set that is filled and emptied all the time keeps what it held alive for long. */
  readonly #operations: RequestOperation[];
  readonly #timers: TimerQueue;
  readonly #context: OperationContext;
  readonly #defaults: RequestDefaults;
  readonly #fetchContext: FetchContext;
  #closed: Promise<void> | undefined;

  /**
   * Made by {@link Client.session}.
   *
   * @hidden
   */
  constructor(parts: ClientSessionParts) {
    this.#parts = parts;
    this.#operations = [];
    this.#timers = new TimerQueue(parts.clock, { onError: () => {}, background: true });
    this.#context = {
      transport: parts.transport,
      clock: parts.clock,
      timers: this.#timers,
      limits: parts.limits,
      operationClosed: (operation) => this.#forget(operation),
    };
    this.#defaults = {
      random: parts.random,
      urls: new RequestUrls(),
      userAgent: parts.userAgent,
      plainFields: parts.userAgent === undefined ? [] : ['user-agent', parts.userAgent],
      retry: parts.retry,
      timeoutsOf: (overrides) => (overrides === undefined ? parts.timeouts : parts.timeoutsOf(overrides)),
    };
    this.#fetchContext = {
      clock: parts.clock,
      random: parts.random,
      urls: this.#defaults.urls,
      plainFields: { http: fetchFields('http', parts.userAgent), https: fetchFields('https', parts.userAgent) },
      limits: parts.limits,
      dispatch: (request, part) => this.#dispatch(request, part),
      totalOf: (timeouts) => timeouts?.total ?? parts.timeouts.total,
    };
    this.#closed = undefined;
    this.fetch = (input, init, options = NO_OPTIONS) => performFetch(this.#fetchContext, input, init, options);
  }

  /** Whether it was closed, or is being closed. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** How many requests are under way, bodies that are still coming included. */
  get running(): number {
    return this.#operations.length;
  }

  /**
   * Sends a request and answers with its response once the head has come; nothing is followed or decoded. Rejects with
   * an `HfaceError`, or with the reason of the request's signal.
   */
  dispatch(request: ClientRequest): Promise<ClientResponse> {
    return this.#dispatch(request);
  }

  /**
   * The callback core: sends a request and tells the handler what becomes of it, without a promise.
   *
   * @throws ConfigurationError or LocalProtocolError for a request that cannot be sent; HfaceError
   *   `ERR_SESSION_CLOSED`. Nothing is called then.
   */
  request(request: ClientRequest, handler: ClientRequestHandler): ClientRequestHandle {
    const operation = this.#operation(prepareRequest(request, this.#defaults), handler);
    operation.start();
    return operation;
  }

  /**
   * HTTP/3: has every connection go on from another UDP port (RFC 9000 section 9). For programs that learn of a change of
   * the network, which a connection notices late or never; requests under way go on. So many move at once as the pool's
   * `maxMovesAtOnce` says. Resolves with the number of connections that did; the others stay as they are, and those over TCP
   * always do. Never rejects.
   */
  migrate(): Promise<number> {
    return this.#parts.transport.migrate?.() ?? Promise.resolve(0);
  }

  /** Ends every request and every connection. Resolves when nothing is left; calls after the first wait with it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** {@link ClientSession.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #dispatch(request: ClientRequest, part?: RequestPart): Promise<ClientResponse> {
    return new Promise((resolve, reject) => {
      const prepared = prepareRequest(request, this.#defaults, part);
      const receiver = new ResponseReceiver(prepared.url, this.#parts.limits, resolve, reject);
      const operation = this.#operation(prepared, receiver);
      receiver.handle = operation;
      operation.start();
    });
  }

  #operation(request: PreparedRequest, handler: ClientRequestHandler): RequestOperation {
    if (this.#closed !== undefined) throw sessionClosed();
    const operation = new RequestOperation(this.#context, request, handler);
    operation.place = this.#operations.length;
    this.#operations.push(operation);
    return operation;
  }

  #forget(operation: RequestOperation): void {
    const last = this.#operations.pop();
    if (last === undefined || last === operation) return;
    last.place = operation.place;
    this.#operations[operation.place] = last;
  }

  async #close(): Promise<void> {
    for (const operation of [...this.#operations]) operation.abort(sessionClosed());
    this.#timers.clear();
    await this.#parts.transport.close();
  }
}

const NO_OPTIONS: FetchOptions = {};

function sessionClosed(): HfaceError {
  return new HfaceError('the session was closed', { code: 'ERR_SESSION_CLOSED', initiator: 'application' });
}
