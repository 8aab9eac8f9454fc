/**
 * The server around an app: what adapters may ask of it.
 *
 * Owns the fields of every response, the reporting of failures, the record of each request, and the promises of
 * `waitUntil`. What a user's callback throws is dropped after it was logged: it concerns neither the client nor the
 * process.
 *
 * @module
 */
import { describeError, isOwnEnd, plainErrorPage } from '../app/index.ts';
import type { AppFailureKind, AppHost, ErrorPage } from '../app/index.ts';
import type { Clock, HeaderList, Logger, LogLevel } from '../common/index.ts';
import { callUser, holdAnswer, raceAbort } from '../concurrency/index.ts';
import type { TaskGroup } from '../concurrency/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import { ServerFields } from './date-field.ts';
import type { AppErrorDetails, AppServerOptions, RequestRecord } from './server-options.ts';

/** @see {@link AppHost} */
export class ServerHost implements AppHost {
  readonly dev: boolean;
  readonly #options: AppServerOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #fields: ServerFields;
  readonly #background: TaskGroup;
  /** When requests began, where somebody wants to know. */
  readonly #began: Map<ServerExchange, number>;
  /** Alt-Svc by the port of the connection that a request came on. */
  #alternatives: ReadonlyMap<number, string>;
  #running: number;

  /** @param background - owns the promises of `waitUntil` */
  constructor(options: AppServerOptions, logger: Logger, clock: Clock, background: TaskGroup) {
    this.dev = options.dev === true;
    this.#options = options;
    this.#logger = logger;
    this.#clock = clock;
    this.#fields = new ServerFields(clock, options.serverName);
    this.#background = background;
    this.#began = new Map();
    this.#alternatives = new Map();
    this.#running = 0;
  }

  /** From now on responses over TCP with TLS on these ports name an alternative (RFC 7838 section 3). */
  advertise(alternatives: ReadonlyMap<number, string>): void {
    this.#alternatives = alternatives;
  }

  /** Requests that have begun and not ended. */
  get running(): number {
    return this.#running;
  }

  /** A request has come. */
  exchangeBegan(exchange: ServerExchange): void {
    this.#running += 1;
    if (this.#options.onRequest !== undefined) this.#began.set(exchange, this.#clock.now());
  }

  /** @inheritdoc */
  responseFields(exchange: ServerExchange): HeaderList {
    if (this.#alternatives.size === 0 || exchange.httpVersion === '3') return this.#fields.current();
    const { tls, localAddress } = exchange.connection;
    const port = tls === undefined || localAddress.family === 'unix' ? undefined : localAddress.port;
    const alternative = port === undefined ? undefined : this.#alternatives.get(port);
    return alternative === undefined ? this.#fields.current() : this.#fields.advertising(alternative);
  }

  /** @inheritdoc */
  errorPage(status: number, error: unknown, exchange: ServerExchange): ErrorPage {
    const { errorPage } = this.#options;
    const { requestId } = exchange;
    if (errorPage !== undefined) {
      try {
        const page: unknown = errorPage(status, { requestId, error, dev: this.dev });
        if (isErrorPage(page)) return page;
        // An async function has made a promise: there is no time to wait for a page.
        holdAnswer(page);
        if (page !== undefined) throw new TypeError('it must answer { contentType, body } at once, or undefined');
      } catch (failure) {
        this.log('error', 'the errorPage callback failed', failure);
      }
    }
    return plainErrorPage(status, requestId, error, this.dev);
  }

  /** @inheritdoc */
  report(error: unknown, kind: AppFailureKind, exchange: ServerExchange | undefined): void {
    const details: AppErrorDetails = {
      kind,
      requestId: exchange?.requestId,
      method: exchange?.method,
      path: exchange?.path,
    };
    const { onError } = this.#options;
    if (onError === undefined) {
      this.log('error', FAILURES[kind], error, {
        request: details.requestId,
        method: details.method,
        path: details.path,
      });
      return;
    }
    callUser(onError, [error, details], (failure) => this.log('error', 'the onError callback failed', failure));
  }

  /** @inheritdoc */
  waitUntil(promise: PromiseLike<unknown>, exchange: ServerExchange): void {
    const settled = Promise.resolve(promise).then(
      () => undefined,
      (error: unknown) => this.report(error, 'waitUntil', exchange),
    );
    // After the end nothing waits for it any more; its failure is still reported.
    if (this.#background.closed) return;
    this.#background.spawn((signal) => raceAbort(settled, signal), { name: `waitUntil of ${exchange.requestId}` });
  }

  /** @inheritdoc */
  exchangeEnded(exchange: ServerExchange, status: number): void {
    this.#running -= 1;
    const { onRequest } = this.#options;
    if (onRequest === undefined) return;
    const began = this.#began.get(exchange) ?? this.#clock.now();
    this.#began.delete(exchange);
    const record = recordOf(exchange, status, this.#clock.now() - began);
    callUser(onRequest, [record], (failure) => this.log('error', 'the onRequest callback failed', failure));
  }

  /** Logs; never throws. */
  log(level: LogLevel, message: string, error?: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
    try {
      const enabled: unknown = this.#logger.isEnabled(level);
      if (enabled !== true) {
        holdAnswer(enabled);
        return;
      }
    } catch {
      // A logger that fails has nobody to tell.
      return;
    }
    const told = error === undefined ? fields : { ...fields, stack: describeError(error) };
    callUser(() => this.#logger.log(level, message, told), []);
  }
}

/** What a user's callback answered, as far as it can be sent. */
function isErrorPage(page: unknown): page is ErrorPage {
  if (typeof page !== 'object' || page === null) return false;
  const { contentType, body } = page as Partial<Record<keyof ErrorPage, unknown>>;
  return typeof contentType === 'string' && PRINTABLE.test(contentType) && typeof body === 'string';
}

function recordOf(exchange: ServerExchange, status: number, duration: number): RequestRecord {
  const address = exchange.connection.remoteAddress;
  const error = exchange.abortedWith;
  return {
    requestId: exchange.requestId,
    clientAddress: address.family === 'unix' ? '' : address.host,
    method: exchange.method,
    path: exchange.path === '' ? exchange.authority : exchange.path,
    httpVersion: exchange.httpVersion,
    status,
    bytesSent: exchange.bytesSent,
    bytesReceived: exchange.bytesReceived,
    duration,
    aborted: error === undefined || isOwnEnd(exchange, error) ? undefined : error.message,
  };
}

const FAILURES: Readonly<Record<AppFailureKind, string>> = {
  request: 'the app failed',
  body: 'the body of a response failed',
  waitUntil: 'a promise given to waitUntil was rejected',
  lifespan: 'the lifespan of the app failed',
};

/** A field value without whitespace at its ends (RFC 9110 section 5.5). */
const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
