/**
 * The Fetch style: one exchange answered by a function from `Request` to `Response`.
 *
 * Owns the life of one exchange: the request is made, the app is called (its answer is awaited only when it is a
 * promise), what it returns is checked and written, and the app's signal is aborted when nobody waits any more. The
 * response's way out is response-writer.ts, the body's way in request-stream.ts.
 *
 * Invariants: `handlerEnded` is owed once, when the app has settled and the response is over, whatever became of it.
 *
 * @module
 */
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import { AppError, hasHeader } from '../common/index.ts';
import type { HeaderList, HfaceError } from '../common/index.ts';
import { isCancellation, Latch } from '../concurrency/index.ts';
import type { ServerExchange, ServerExchangeHandler } from '../connections/index.ts';
import { headersOfList } from '../fetch/headers.ts';
import { takeNativeContent } from '../fetch/native-content.ts';
import type { RequestSource } from '../fetch/request-source.ts';
import { requestOf } from '../fetch/request.ts';
import { isOwnResponse, responseParts } from '../fetch/response.ts';
import type { Response as OwnResponse } from '../fetch/response.ts';
import type { AppHost, MountedApp } from './app-host.ts';
import type { FetchApp, FetchHandler, FieldsInit } from './app-types.ts';
import type { BodySource } from './body-source.ts';
import { FetchContext } from './fetch-context.ts';
import type { ContextOwner } from './fetch-context.ts';
import { fieldList } from './field-list.ts';
import { hasFetchBody, isFetchMethod } from './fetch-method.ts';
import { isOwnEnd } from './own-end.ts';
import { RequestFeed } from './request-feed.ts';
import { requestUrl, serializeUrl } from './request-target.ts';
import type { UrlParts } from './request-target.ts';
import { sourceOf } from './response-source.ts';
import { ResponseOutlet } from './response-outlet.ts';
import type { ResponseOwner } from './response-writer.ts';
import { StreamSource } from './stream-source.ts';

/** Mounts a Fetch-style app. */
export function mountFetchApp(app: FetchApp, host: AppHost): MountedApp {
  const handler: FetchHandler = typeof app === 'function' ? app : (request, context) => app.fetch(request, context);
  return {
    style: 'fetch',
    answer: (exchange) => new FetchExchange(exchange, host).answer(handler),
    startup: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/** One exchange of a Fetch-style app. What most exchanges do not need is made when it is needed. */
export class FetchExchange implements ServerExchangeHandler, ResponseOwner, ContextOwner, RequestSource {
  readonly exchange: ServerExchange;
  /** The content that the app can read. */
  readonly feed: RequestFeed | undefined;
  readonly #host: AppHost;
  #url: UrlParts | undefined;
  readonly #outlet: ResponseOutlet;
  #controller: AbortController | undefined;
  #appRunning: boolean;
  #handlerEnded: boolean;
  #trailerList: HeaderList | undefined;
  #trailers: Latch<Headers> | undefined;
  #trailersPromise: Promise<Headers> | undefined;

  constructor(exchange: ServerExchange, host: AppHost) {
    this.exchange = exchange;
    this.feed = !exchange.endStream && hasFetchBody(exchange.method) ? new RequestFeed(exchange) : undefined;
    this.#host = host;
    this.#url = undefined;
    this.#outlet = new ResponseOutlet(exchange, host, this);
    this.#controller = undefined;
    this.#appRunning = false;
    this.#handlerEnded = false;
    this.#trailerList = exchange.endStream ? NO_FIELDS : undefined;
    this.#trailers = undefined;
    this.#trailersPromise = undefined;
  }

  // RequestSource

  get method(): string {
    return this.exchange.method;
  }

  /** @inheritdoc */
  url(): string {
    return this.#url === undefined ? '' : serializeUrl(this.#url);
  }

  /** The regular fields, with Host for `:authority` (RFC 9113 section 8.3.1). */
  fields(): HeaderList {
    const { authority, headers } = this.exchange;
    return authority === '' || hasHeader(headers, 'host') ? headers : ['host', authority, ...headers];
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const error = this.exchange.abortedWith;
      if (error !== undefined && !isOwnEnd(this.exchange, error)) this.#controller.abort(error);
    }
    return this.#controller.signal;
  }

  /** Calls the app and sends what it answers. */
  answer(handler: FetchHandler): void {
    this.exchange.start(this);
    if (!this.#reachesApp()) return;
    const request = requestOf(this);
    this.#appRunning = true;
    try {
      const result = handler(request, new FetchContext(this));
      if (!isThenable(result)) {
        this.#returned(result);
        return;
      }
      // A foreign thenable may throw from `then` or settle twice: a promise of the platform tames it.
      Promise.resolve(result).then(
        (response) => this.#returned(response),
        (error: unknown) => this.#threw(error),
      );
    } catch (error) {
      this.#threw(error);
    }
  }

  // ServerExchangeHandler

  /** @inheritdoc */
  dataReceived(data: Uint8Array, flowControlledLength: number, endStream: boolean): void {
    if (endStream) this.#received(NO_FIELDS);
    if (this.feed !== undefined) this.feed.received(data, flowControlledLength, endStream);
    // Nobody can read it: it is given back at once.
    else if (flowControlledLength > 0) this.exchange.dataConsumed(flowControlledLength);
  }

  /** @inheritdoc */
  trailersReceived(headers: HeaderList): void {
    this.#received(headers);
    this.feed?.ended();
  }

  /** @inheritdoc */
  writable(): void {
    this.#outlet.writable();
  }

  /** @inheritdoc */
  aborted(error: HfaceError): void {
    this.feed?.fail(error);
    this.#trailers?.fail(error);
    if (this.#controller !== undefined && !isOwnEnd(this.exchange, error)) this.#controller.abort(error);
    this.#outlet.aborted(error);
  }

  /** @inheritdoc */
  closed(): void {
    this.#host.exchangeEnded(this.exchange, this.#outlet.status);
  }

  // ResponseOwner

  /** @inheritdoc */
  responseEnded(): void {
    this.feed?.release();
    this.#checkEnd();
  }

  // ContextOwner

  /** @inheritdoc */
  waitUntil(promise: PromiseLike<unknown>): void {
    this.#host.waitUntil(promise, this.exchange);
  }

  /** @inheritdoc */
  continueSent(): void {
    this.feed?.continueSent();
  }

  /** @inheritdoc */
  addTrailers(list: readonly string[]): void {
    if (this.#outlet.sentWhole) throw tooLateForTrailers();
    this.#outlet.writer.addTrailers(list);
  }

  /** @inheritdoc */
  receivedTrailers(): Promise<Headers> {
    if (this.#trailersPromise === undefined) {
      const trailers = new Latch<Headers>();
      this.#trailers = trailers;
      if (this.#trailerList !== undefined) trailers.open(headersOfList(this.#trailerList));
      else if (this.exchange.abortedWith !== undefined) trailers.fail(this.exchange.abortedWith);
      this.#trailersPromise = trailers.wait();
      // An app that looks at the trailers without awaiting them must not end the process.
      this.#trailersPromise.catch(ignore);
    }
    return this.#trailersPromise;
  }

  #received(trailers: HeaderList): void {
    this.#trailerList = trailers;
    this.#trailers?.open(headersOfList(trailers));
  }

  /** Whether the app is to answer; otherwise it was answered here. */
  #reachesApp(): boolean {
    const exchange = this.exchange;
    if (!isFetchMethod(exchange.method)) {
      this.#refuse(501);
      return false;
    }
    this.#url = requestUrl(exchange);
    if (this.#url !== undefined) return true;
    if (exchange.path === '*' && exchange.method === 'OPTIONS') {
      // It concerns the server, not a resource (RFC 9110 section 9.3.7), and no URL can say it.
      this.feed?.discard();
      this.#outlet.writer.begin(204, NO_FIELDS, undefined);
    } else {
      this.#refuse(400);
    }
    return false;
  }

  #refuse(status: number): void {
    this.feed?.discard();
    this.#outlet.writer.sendError(status, undefined);
  }

  #returned(response: unknown): void {
    this.#appRunning = false;
    try {
      if (isOwnResponse(response)) this.#writeOwn(response);
      else this.#write(response);
    } catch (error) {
      this.#outlet.writer.fail(error, 'request');
    }
    this.#checkEnd();
  }

  #threw(error: unknown): void {
    this.#appRunning = false;
    if (this.#outlet.over) {
      // Nobody waits: that an app gives up then is as it should be.
      if (!isCancellation(error, this.signal)) this.#host.report(error, 'request', this.exchange);
    } else {
      this.#outlet.writer.fail(error, 'request');
    }
    this.#checkEnd();
  }

  /** A response of our own: its parts are taken as they are. */
  #writeOwn(response: OwnResponse): void {
    const { status, fields, body } = responseParts(response);
    if (this.#outlet.over) {
      if (body?.unusable === false && body.take() === undefined) this.#dismiss(body.stream);
      return;
    }
    if (status === 0) throw errorReturned();
    if (body?.unusable === true) throw usedReturned();
    const tied = sourceOf(response);
    const content = tied === undefined ? body?.take() : undefined;
    const isAtHand = tied === undefined && (body === undefined || content !== undefined);
    if (isAtHand) this.#sendWhole(status, fields, content);
    else this.#outlet.writer.begin(status, fields, tied ?? (body === undefined ? undefined : streamed(body.stream)));
  }

  #write(response: unknown): void {
    if (!isResponse(response)) throw notAResponse(response);
    if (this.#outlet.over) {
      const body = response.body as WebReadableStream<unknown> | null;
      if (body !== null) this.#dismiss(body);
      return;
    }
    if (response.type === 'error') throw errorReturned();
    const stream = response.body as WebReadableStream<unknown> | null;
    if (stream !== null && (response.bodyUsed || stream.locked)) throw usedReturned();
    const tied = sourceOf(response);
    const content = tied === undefined && stream !== null ? takeNativeContent(response) : undefined;
    const fields = listOf(response.headers);
    if (tied === undefined && (stream === null || content !== undefined)) {
      this.#sendWhole(response.status, fields, content);
    } else {
      this.#outlet.writer.begin(response.status, fields, tied ?? streamed(stream));
    }
  }

  /** A response that is all at hand. */
  #sendWhole(status: number, fields: HeaderList, content: string | Uint8Array | undefined): void {
    if (this.#outlet.sendWhole(status, fields, content)) this.feed?.release();
    else this.#outlet.writer.begin(status, fields, typeof content === 'string' ? Buffer.from(content) : content);
  }

  /** Nobody waits for it. */
  #dismiss(stream: WebReadableStream<unknown>): void {
    if (!stream.locked) stream.cancel(this.signal.reason).catch(ignore);
  }

  #checkEnd(): void {
    if (this.#appRunning || this.#handlerEnded || !this.#outlet.over) return;
    this.#handlerEnded = true;
    this.exchange.handlerEnded();
  }
}

function streamed(stream: WebReadableStream<unknown> | null): BodySource | undefined {
  return stream === null ? undefined : new StreamSource(stream);
}

/** The platform's class or another of its kind: what counts is what is used of it. */
function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers, body } = value as {
    readonly status?: unknown;
    readonly headers?: unknown;
    readonly body?: unknown;
  };
  return (
    typeof status === 'number' &&
    typeof headers === 'object' &&
    headers !== null &&
    Symbol.iterator in headers &&
    (body === null || (typeof body === 'object' && 'getReader' in body))
  );
}

function notAResponse(value: unknown): AppError {
  const what = value === null ? 'null' : typeof value === 'object' ? 'an object that is no Response' : typeof value;
  return new AppError(
    value === undefined
      ? 'the app returned no Response: is a return missing?'
      : `the app returned ${what}, not a Response`,
    'ERR_APP_RESPONSE',
  );
}

/** The platform's Headers keep names in lowercase and each Set-Cookie apart. */
function listOf(headers: FieldsInit): string[] {
  if (!(headers instanceof Headers)) return fieldList(headers);
  const list: string[] = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

function isThenable(value: unknown): value is PromiseLike<Response> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function errorReturned(): AppError {
  return new AppError('the app returned Response.error()', 'ERR_APP_RESPONSE');
}

function usedReturned(): AppError {
  return new AppError('the app returned a Response whose body was already used', 'ERR_APP_RESPONSE_USED');
}

function tooLateForTrailers(): AppError {
  return new AppError('the response has ended: it is too late for trailers', 'ERR_APP_TRAILERS');
}

function ignore(): void {}

const NO_FIELDS: HeaderList = [];
