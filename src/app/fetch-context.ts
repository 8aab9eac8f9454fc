/**
 * The context that a Fetch-style app is given.
 *
 * Owns reading the exchange's facts when they are asked for, and the checks on what the app does with it. What is
 * dear (promises, parsed fields) is made at the first use.
 *
 * @module
 */
import { AppError, combinedHeaderValue } from '../common/index.ts';
import type { SocketAddress, TlsFacts } from '../common/index.ts';
import type { Clock } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import type { AppContext, AppHttpVersion, AppPriority, AppTrailers, FieldsInit } from './app-types.ts';
import { fieldList, trailerList } from './field-list.ts';
import { parsePriority } from './priority-field.ts';

/** What a context needs of the exchange's adapter. */
export interface ContextOwner {
  readonly exchange: ServerExchange;
  readonly signal: AbortSignal;
  waitUntil(promise: PromiseLike<unknown>): void;
  /** A 100 was sent. */
  continueSent(): void;
  /** The request's trailers. */
  receivedTrailers(): Promise<Headers>;
  /** @throws AppError when it is too late */
  addTrailers(list: readonly string[]): void;
}

/** @see {@link AppContext} */
export class FetchContext implements AppContext {
  readonly #owner: ContextOwner;
  #trailers: AppTrailers | undefined;
  #priority: AppPriority | undefined;
  #state: Record<string, unknown> | undefined;

  constructor(owner: ContextOwner) {
    this.#owner = owner;
    this.#trailers = undefined;
    this.#priority = undefined;
    this.#state = undefined;
  }

  /** The clock of the server that made a context, or `undefined` when it is somebody else's. */
  static clockOf(context: unknown): Clock | undefined {
    return typeof context === 'object' && context !== null && #owner in context
      ? context.#owner.exchange.clock
      : undefined;
  }

  get clientAddress(): SocketAddress {
    return this.#owner.exchange.connection.remoteAddress;
  }

  get localAddress(): SocketAddress {
    return this.#owner.exchange.connection.localAddress;
  }

  get httpVersion(): AppHttpVersion {
    return this.#owner.exchange.httpVersion;
  }

  get tls(): TlsFacts | undefined {
    return this.#owner.exchange.connection.tls;
  }

  get streamId(): number {
    return this.#owner.exchange.streamId;
  }

  get signal(): AbortSignal {
    return this.#owner.signal;
  }

  get early(): boolean {
    return this.#owner.exchange.early;
  }

  get requestId(): string {
    return this.#owner.exchange.requestId;
  }

  get state(): Record<string, unknown> {
    return (this.#state ??= Object.create(null) as Record<string, unknown>);
  }

  get trailers(): AppTrailers {
    return (this.#trailers ??= new ContextTrailers(this.#owner));
  }

  get priority(): AppPriority {
    return (this.#priority ??= new ContextPriority(this.#owner.exchange));
  }

  /** @inheritdoc */
  waitUntil(promise: PromiseLike<unknown>): void {
    this.#owner.waitUntil(promise);
  }

  /** @inheritdoc */
  sendInformational(status: number, fields?: FieldsInit): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new AppError(`${String(status)} is no informational status that an app may send`, 'ERR_APP_STATUS');
    }
    const list = fields === undefined ? [] : fieldList(fields);
    if (this.#owner.exchange.abortedWith !== undefined) return;
    if (this.#owner.exchange.headersSent) {
      throw new AppError('the response has begun: it is too late for informational responses', 'ERR_APP_ORDER');
    }
    if (status === 100) this.#owner.continueSent();
    this.#owner.exchange.sendInformational(status, list);
  }
}

class ContextTrailers implements AppTrailers {
  readonly #owner: ContextOwner;

  constructor(owner: ContextOwner) {
    this.#owner = owner;
  }

  get received(): Promise<Headers> {
    return this.#owner.receivedTrailers();
  }

  send(fields: FieldsInit): void {
    this.#owner.addTrailers(trailerList(fields));
  }
}

class ContextPriority implements AppPriority {
  readonly #exchange: ServerExchange;
  /** What the request's field said. */
  readonly #asked: { readonly urgency: number; readonly incremental: boolean };
  /** What the app has said: it has the last word. */
  #own: { readonly urgency: number; readonly incremental: boolean } | undefined;

  constructor(exchange: ServerExchange) {
    this.#asked = parsePriority(combinedHeaderValue(exchange.headers, 'priority'));
    this.#exchange = exchange;
    this.#own = undefined;
  }

  get urgency(): number {
    return (this.#own ?? this.#exchange.priorityUpdate ?? this.#asked).urgency;
  }

  get incremental(): boolean {
    return (this.#own ?? this.#exchange.priorityUpdate ?? this.#asked).incremental;
  }

  set(urgency: number, incremental: boolean = this.incremental): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7) {
      throw new AppError(`urgency is a whole number from 0 to 7, not ${String(urgency)}`, 'ERR_APP_PRIORITY');
    }
    this.#own = { urgency, incremental };
    this.#exchange.setPriority(urgency, incremental);
  }
}
