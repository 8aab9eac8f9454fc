/**
 * Sends one response: a status, fields, and a body from wherever it comes.
 *
 * Owns the order of things on the way out. Adapters (Fetch-style, ASGI-style) bring status, fields and a source; the
 * writer decides on content-length, holds the head back for the first piece so that a short answer is one write,
 * stops the source while there is no room, keeps the account of a declared length, and turns whatever fails into 500
 * while nothing was sent, into a reset afterwards. RFC 9110 sections 6.4.1, 8.6, 15.3.5, 15.3.6 and 15.4.5.
 *
 * Invariants: at most one head leaves; the owner is told `responseEnded` exactly once; after that nothing is sent and
 * the source has been let go.
 *
 * @module
 */
import { AppError, hasHeader, headerValue } from '../common/index.ts';
import type { HeaderList, HfaceError } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import type { AppFailureKind, AppHost } from './app-host.ts';
import type { BodySink, BodySource } from './body-source.ts';
import { withoutConnectionSpecific, withoutField } from './field-list.ts';

/** Who is told of the response's end. */
export interface ResponseOwner {
  /** It is complete, was given up, or nobody waits for it. */
  responseEnded(): void;
}

type WriterState = 'idle' | 'held' | 'streaming' | 'ended';

/** The response of one exchange. */
export class ResponseWriter implements BodySink {
  readonly #exchange: ServerExchange;
  readonly #host: AppHost;
  readonly #owner: ResponseOwner;
  #state: WriterState;
  #status: number;
  #fields: HeaderList;
  #source: BodySource | undefined;
  #first: Uint8Array | undefined;
  #waiting: Uint8Array | undefined;
  #room: boolean;
  #failed: boolean;
  #declared: number | undefined;
  #sent: number;
  #trailers: string[] | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(exchange: ServerExchange, host: AppHost, owner: ResponseOwner) {
    this.#exchange = exchange;
    this.#host = host;
    this.#owner = owner;
    this.#state = 'idle';
    this.#status = 0;
    this.#fields = NO_FIELDS;
    this.#source = undefined;
    this.#first = undefined;
    this.#waiting = undefined;
    this.#room = true;
    this.#failed = false;
    this.#declared = undefined;
    this.#sent = 0;
    this.#trailers = undefined;
    this.#immediate = undefined;
  }

  /** Of the final head; 0 before there is one. */
  get status(): number {
    return this.#status;
  }

  /** Whether a response was begun. */
  get begun(): boolean {
    return this.#state !== 'idle';
  }

  /** Whether nothing more will be sent. */
  get ended(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Begins the response. `fields` are regular fields in lowercase; those of the connection are dropped.
   *
   * @param body - bytes, a source, or `undefined` for none
   */
  begin(status: number, fields: HeaderList, body: Uint8Array | BodySource | undefined): void {
    if (this.#state !== 'idle') {
      if (body !== undefined && !(body instanceof Uint8Array)) body.cancel(undefined);
      return;
    }
    try {
      this.#begin(status, fields, body);
    } catch (error) {
      if (body !== undefined && !(body instanceof Uint8Array)) body.cancel(error);
      this.fail(error);
    }
  }

  /** Answers with a page of the server's own. */
  sendError(status: number, error?: unknown, fields: HeaderList = NO_FIELDS): void {
    const page = this.#host.errorPage(status, error, this.#exchange);
    this.begin(status, ['content-type', page.contentType, ...fields], Buffer.from(page.body));
  }

  /**
   * Adds trailer fields for the end of the body.
   *
   * @throws AppError when it is too late
   */
  addTrailers(list: readonly string[]): void {
    if (this.#state === 'ended')
      throw new AppError('the response has ended: it is too late for trailers', 'ERR_APP_TRAILERS');
    if (this.#state === 'streaming' && this.#declared !== undefined && isHttp1(this.#exchange)) {
      throw new AppError(
        'on HTTP/1.1 a response with content-length has no trailers: leave content-length out, or send them before the body',
        'ERR_APP_TRAILERS',
      );
    }
    (this.#trailers ??= []).push(...list);
  }

  /** There is room again. */
  writable(): void {
    if (this.#state !== 'streaming') return;
    this.#room = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined || this.#send(waiting)) this.#source?.resume();
  }

  /** Nobody waits for the response any more. */
  aborted(error: HfaceError): void {
    if (this.#state !== 'ended') this.#finish(error);
  }

  /** Gives the response up. */
  giveUp(error: unknown): void {
    if (this.#state === 'ended') return;
    this.#exchange.reset();
    if (this.#current() !== 'ended') this.#finish(error);
  }

  /** {@inheritDoc BodySink.piece} */
  piece(data: Uint8Array): boolean {
    if (this.#state === 'held') return this.#firstPiece(data);
    if (this.#state !== 'streaming') return false;
    if (this.#room) return this.#send(data);
    this.#waiting = data;
    return false;
  }

  /** {@inheritDoc BodySink.end} */
  end(): void {
    this.#source = undefined;
    try {
      if (this.#state === 'held') this.#sendWhole();
      else if (this.#state === 'streaming') this.#sendEnd();
    } catch (error) {
      this.fail(error);
    }
  }

  /** {@inheritDoc BodySink.fail} */
  fail(error: unknown, kind: AppFailureKind = 'body'): void {
    if (this.#state === 'ended') return;
    this.#host.report(error, kind, this.#exchange);
    if (this.#exchange.headersSent || this.#failed) {
      this.giveUp(error);
      return;
    }
    this.#failed = true;
    this.#release(error);
    this.#state = 'idle';
    this.#status = 0;
    this.#trailers = undefined;
    this.sendError(500, error);
  }

  #begin(status: number, fields: HeaderList, body: Uint8Array | BodySource | undefined): void {
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new AppError(`${String(status)} is no status of a final response`, 'ERR_APP_STATUS');
    }
    const own = withoutConnectionSpecific(fields);
    this.#declared = declaredLength(own);
    this.#fields = this.#withHostFields(own);
    if (this.#exchange.method === 'HEAD' || isBodiless(status)) {
      if (body !== undefined && !(body instanceof Uint8Array)) body.cancel(undefined);
      this.#sendBodiless(status, body?.length);
      return;
    }
    if (this.#declared !== undefined && this.#trailers !== undefined && isHttp1(this.#exchange)) this.#dropDeclared();
    this.#status = status;
    this.#state = 'held';
    if (body === undefined || body instanceof Uint8Array) {
      this.#first = body;
      this.#sendWhole();
      return;
    }
    this.#declared ??= this.#trailers !== undefined && isHttp1(this.#exchange) ? undefined : body.length;
    this.#source = body;
    if (!body.prompt) this.#immediate = setImmediate(() => this.#headIsDue());
    body.start(this);
  }

  /** No content follows: HEAD, 204, 205, 304. */
  #sendBodiless(status: number, length: number | undefined): void {
    let fields = this.#fields;
    if (status === 204) fields = withoutField(fields, 'content-length');
    else if (status === 205) fields = [...withoutField(fields, 'content-length'), 'content-length', '0'];
    else if (this.#declared === undefined && length !== undefined && status !== 304) {
      fields = [...fields, 'content-length', String(length)];
    }
    this.#exchange.sendHeaders(status, fields, true);
    this.#status = status;
    this.#finish(undefined);
  }

  #firstPiece(data: Uint8Array): boolean {
    if (this.#first === undefined && (this.#declared === data.byteLength || this.#source?.prompt !== true)) {
      // Perhaps it is all: then head and body leave as one, and a length that is not kept is found in time.
      this.#first = data;
      return true;
    }
    if (this.#declared !== undefined && (this.#first?.byteLength ?? 0) + data.byteLength > this.#declared) {
      this.fail(tooLong(this.#declared));
      return false;
    }
    return this.#sendHead() && this.piece(data);
  }

  #headIsDue(): void {
    this.#immediate = undefined;
    if (this.#state === 'held') this.#sendHead();
  }

  /** Sends the head, and the first piece where there is one. False: it failed. */
  #sendHead(): boolean {
    try {
      this.#dropImmediate();
      const fields = this.#declared === undefined ? this.#fields : this.#withDeclared();
      this.#exchange.sendHeaders(this.#status, fields, false);
      this.#state = 'streaming';
    } catch (error) {
      this.fail(error);
      return false;
    }
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) this.#send(first);
    return this.#current() === 'streaming';
  }

  #send(data: Uint8Array): boolean {
    this.#sent += data.byteLength;
    if (this.#declared !== undefined && this.#sent > this.#declared) {
      this.fail(tooLong(this.#declared));
      return false;
    }
    try {
      this.#room = this.#exchange.sendData(data, false);
      return this.#room && this.#current() === 'streaming';
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /** Head and body are at hand. */
  #sendWhole(): void {
    const body = this.#first;
    const length = body?.byteLength ?? 0;
    if (this.#declared !== undefined && this.#declared !== length) {
      throw new AppError(
        `the body has ${String(length)} bytes, its content-length says ${String(this.#declared)}`,
        'ERR_APP_BODY',
      );
    }
    this.#dropImmediate();
    if (this.#trailers === undefined) {
      this.#first = undefined;
      const fields = this.#declared === undefined ? this.#fields : withoutField(this.#fields, 'content-length');
      this.#exchange.respond(this.#status, fields, body);
      this.#sent = length;
      this.#finish(undefined);
      return;
    }
    if (this.#sendHead()) this.#sendEnd();
  }

  #sendEnd(): void {
    if (this.#declared !== undefined && this.#sent !== this.#declared) {
      throw new AppError(
        `the body ended after ${String(this.#sent)} of ${String(this.#declared)} bytes`,
        'ERR_APP_BODY',
      );
    }
    if (this.#trailers !== undefined && this.#exchange.httpVersion !== '1.0')
      this.#exchange.sendTrailers(this.#trailers);
    else this.#exchange.sendData(EMPTY, true);
    this.#finish(undefined);
  }

  #finish(reason: unknown): void {
    this.#release(reason);
    this.#state = 'ended';
    this.#owner.responseEnded();
  }

  /** Lets go of the source and of what was held back. */
  #release(reason: unknown): void {
    this.#dropImmediate();
    this.#first = undefined;
    this.#waiting = undefined;
    const source = this.#source;
    this.#source = undefined;
    source?.cancel(reason);
  }

  #dropImmediate(): void {
    if (this.#immediate === undefined) return;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }

  #dropDeclared(): void {
    this.#declared = undefined;
    this.#fields = withoutField(this.#fields, 'content-length');
  }

  #withDeclared(): HeaderList {
    if (hasHeader(this.#fields, 'content-length')) return this.#fields;
    return [...this.#fields, 'content-length', String(this.#declared)];
  }

  #withHostFields(fields: HeaderList): HeaderList {
    const added = this.#host.responseFields(this.#exchange);
    let all: string[] | undefined;
    for (let index = 0; index + 1 < added.length; index += 2) {
      const name = added[index] as string;
      if (hasHeader(fields, name)) continue;
      (all ??= [...fields]).push(name, added[index + 1] as string);
    }
    return all ?? fields;
  }

  /** The state as calls in between may have left it. */
  #current(): WriterState {
    return this.#state;
  }
}

function tooLong(declared: number): AppError {
  return new AppError(`the body is longer than its content-length of ${String(declared)}`, 'ERR_APP_BODY');
}

/** Whether a final response of that status never has content. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function isHttp1(exchange: ServerExchange): boolean {
  return exchange.httpVersion === '1.1' || exchange.httpVersion === '1.0';
}

/** @throws AppError for a content-length that is no number (RFC 9110 section 8.6) */
function declaredLength(fields: HeaderList): number | undefined {
  const text = headerValue(fields, 'content-length');
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw new AppError(`content-length: ${JSON.stringify(text)} is no length`, 'ERR_APP_FIELD');
  return Number(text);
}

const NO_FIELDS: HeaderList = [];
const EMPTY: Uint8Array = new Uint8Array(0);
