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
import { AppError } from '../common/index.ts';
import type { HeaderList, HfaceError } from '../common/index.ts';
import { isCancellation, Latch } from '../concurrency/index.ts';
import type { ServerExchange, ServerExchangeHandler } from '../connections/index.ts';
import type { AppHost, MountedApp } from './app-host.ts';
import type { FetchApp, FetchHandler, FieldsInit } from './app-types.ts';
import type { BodySource } from './body-source.ts';
import { FetchContext } from './fetch-context.ts';
import type { ContextOwner } from './fetch-context.ts';
import { fieldList } from './field-list.ts';
import { hasFetchBody, isFetchMethod, nativeRequest } from './native-request.ts';
import { isOwnEnd } from './own-end.ts';
import { RequestQueue } from './request-queue.ts';
import { RequestStream } from './request-stream.ts';
import { requestUrl } from './request-target.ts';
import { sourceOf } from './response-source.ts';
import { ResponseWriter } from './response-writer.ts';
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

/** One exchange of a Fetch-style app. */
export class FetchExchange implements ServerExchangeHandler, ResponseOwner, ContextOwner {
  readonly exchange: ServerExchange;
  readonly #host: AppHost;
  readonly #writer: ResponseWriter;
  readonly #queue: RequestQueue;
  readonly #controller: AbortController;
  #body: RequestStream | undefined;
  #appRunning: boolean;
  #handlerEnded: boolean;
  #trailerList: HeaderList | undefined;
  readonly #trailers: Latch<Headers>;
  #trailersPromise: Promise<Headers> | undefined;

  constructor(exchange: ServerExchange, host: AppHost) {
    this.exchange = exchange;
    this.#host = host;
    this.#writer = new ResponseWriter(exchange, host, this);
    this.#queue = new RequestQueue(exchange);
    this.#controller = new AbortController();
    this.#body = undefined;
    this.#appRunning = false;
    this.#handlerEnded = false;
    this.#trailerList = exchange.endStream ? [] : undefined;
    this.#trailers = new Latch();
    this.#trailersPromise = undefined;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Calls the app and sends what it answers. */
  answer(handler: FetchHandler): void {
    const exchange = this.exchange;
    exchange.start(this);
    const request = this.#request();
    if (request === undefined) return;
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
    this.#queue.add(data, flowControlledLength, endStream);
    if (endStream) this.#received(NO_FIELDS);
    this.#body?.arrived();
  }

  /** @inheritdoc */
  trailersReceived(headers: HeaderList): void {
    this.#queue.end();
    this.#received(headers);
    this.#body?.arrived();
  }

  /** @inheritdoc */
  writable(): void {
    this.#writer.writable();
  }

  /** @inheritdoc */
  aborted(error: HfaceError): void {
    this.#body?.fail(error);
    this.#trailers.fail(error);
    if (!isOwnEnd(this.exchange, error)) this.#controller.abort(error);
    this.#writer.aborted(error);
  }

  /** @inheritdoc */
  closed(): void {
    this.#host.exchangeEnded(this.exchange, this.#writer.status);
  }

  // ResponseOwner

  /** @inheritdoc */
  responseEnded(): void {
    this.#body?.release();
    this.#checkEnd();
  }

  // ContextOwner

  /** @inheritdoc */
  waitUntil(promise: PromiseLike<unknown>): void {
    this.#host.waitUntil(promise, this.exchange);
  }

  /** @inheritdoc */
  continueSent(): void {
    this.#queue.continueSent();
  }

  /** @inheritdoc */
  addTrailers(list: readonly string[]): void {
    this.#writer.addTrailers(list);
  }

  /** @inheritdoc */
  receivedTrailers(): Promise<Headers> {
    if (this.#trailersPromise === undefined) {
      if (this.#trailerList !== undefined) this.#trailers.open(headersOf(this.#trailerList));
      else if (this.exchange.abortedWith !== undefined) this.#trailers.fail(this.exchange.abortedWith);
      this.#trailersPromise = this.#trailers.wait();
      // An app that looks at the trailers without awaiting them must not end the process.
      this.#trailersPromise.catch(ignore);
    }
    return this.#trailersPromise;
  }

  #received(trailers: HeaderList): void {
    this.#trailerList = trailers;
    if (this.#trailersPromise !== undefined) this.#trailers.open(headersOf(trailers));
  }

  /** The request, or `undefined` when it was answered without the app. */
  #request(): Request | undefined {
    const exchange = this.exchange;
    if (!isFetchMethod(exchange.method)) {
      this.#refuse(501, undefined);
      return undefined;
    }
    if (exchange.path === '*' && exchange.method === 'OPTIONS') {
      // It concerns the server, not a resource (RFC 9110 section 9.3.7), and no URL can say it.
      this.#queue.discard(true);
      this.#writer.begin(204, NO_FIELDS, undefined);
      return undefined;
    }
    const url = requestUrl(exchange);
    if (url === undefined) {
      this.#refuse(400, undefined);
      return undefined;
    }
    if (!exchange.endStream && hasFetchBody(exchange.method)) this.#body = new RequestStream(this.#queue);
    else this.#queue.discard(true);
    try {
      return nativeRequest(exchange, url, this.signal, this.#body?.stream);
    } catch (error) {
      this.#refuse(400, error);
      return undefined;
    }
  }

  #refuse(status: number, error: unknown): void {
    this.#queue.discard(true);
    this.#writer.sendError(status, error);
  }

  #returned(response: unknown): void {
    this.#appRunning = false;
    try {
      this.#write(response);
    } catch (error) {
      this.#writer.fail(error, 'request');
    }
    this.#checkEnd();
  }

  #threw(error: unknown): void {
    this.#appRunning = false;
    if (this.#writer.ended) {
      // Nobody waits: that an app gives up then is as it should be.
      if (!isCancellation(error, this.signal)) this.#host.report(error, 'request', this.exchange);
    } else {
      this.#writer.fail(error, 'request');
    }
    this.#checkEnd();
  }

  #write(response: unknown): void {
    if (!isResponse(response)) throw notAResponse(response);
    if (this.#writer.ended) {
      const body = response.body as WebReadableStream<unknown> | null;
      if (body !== null && !body.locked) body.cancel(this.signal.reason).catch(ignore);
      return;
    }
    if (response.type === 'error') throw new AppError('the app returned Response.error()', 'ERR_APP_RESPONSE');
    if (response.bodyUsed || response.body?.locked === true) {
      throw new AppError('the app returned a Response whose body was already used', 'ERR_APP_RESPONSE_USED');
    }
    this.#writer.begin(response.status, listOf(response.headers), bodyOf(response));
  }

  #checkEnd(): void {
    if (this.#appRunning || !this.#writer.ended || this.#handlerEnded) return;
    this.#handlerEnded = true;
    this.exchange.handlerEnded();
  }
}

function bodyOf(response: Response): BodySource | undefined {
  const known = sourceOf(response);
  if (known !== undefined) return known;
  const body = response.body as WebReadableStream<unknown> | null;
  return body === null ? undefined : new StreamSource(body);
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

function headersOf(list: HeaderList): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < list.length; index += 2)
    headers.append(list[index] as string, list[index + 1] as string);
  return headers;
}

function isThenable(value: unknown): value is PromiseLike<Response> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function ignore(): void {}

const NO_FIELDS: HeaderList = [];
