/**
 * The ASGI style: one exchange answered by `(scope, receive, send)`.
 *
 * Owns the conversation: what `receive` tells, the order of what `send` takes, and what becomes of an app that ends
 * without having answered. A `send` that finds room answers a promise that was made before; nothing is queued for an
 * app that does not await, so memory stays bounded.
 *
 * Invariants: `handlerEnded` is owed once, when the app has ended and the response is over. No promise handed to the
 * app is ever an unhandled rejection.
 *
 * @module
 */
import { isAbsolute } from 'node:path';
import { AppError, hasHeader } from '../common/index.ts';
import type { HeaderList, HfaceError } from '../common/index.ts';
import type { ServerExchange, ServerExchangeHandler } from '../connections/index.ts';
import type { AppHost } from './app-host.ts';
import { httpScope, octetString } from './asgi-scope.ts';
import type {
  AsgiApp,
  AsgiHeaders,
  AsgiHttpResponseBody,
  AsgiHttpResponseEarlyHint,
  AsgiHttpResponsePathsend,
  AsgiHttpResponseStart,
  AsgiHttpResponseTrailers,
  AsgiReceiveEvent,
  AsgiSendEvent,
} from './asgi-types.ts';
import { addField, trailerList } from './field-list.ts';
import { FileSource, openFile } from './file-source.ts';
import { PushSource } from './push-source.ts';
import type { PushOwner } from './push-source.ts';
import { RequestQueue } from './request-queue.ts';
import { ResponseOutlet } from './response-outlet.ts';
import type { ResponseOwner } from './response-writer.ts';

/** What `send` expects next. `path`: a file is being opened. */
type Expected = 'start' | 'body' | 'more' | 'path' | 'trailers' | 'nothing';

/** Somebody who waits for an answer. */
interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** One exchange of an ASGI-style app. */
export class AsgiExchange implements ServerExchangeHandler, ResponseOwner, PushOwner {
  readonly #exchange: ServerExchange;
  readonly #host: AppHost;
  readonly #outlet: ResponseOutlet;
  /** The content, where there is any. */
  readonly #queue: RequestQueue | undefined;
  #source: PushSource | undefined;
  #expected: Expected;
  #status: number;
  #fields: HeaderList;
  #wantsTrailers: boolean;
  /** The app was told of the body's end. */
  #bodyTold: boolean;
  #appRunning: boolean;
  #handlerEnded: boolean;
  #receiver: Waiter<AsgiReceiveEvent> | undefined;
  #sender: Waiter<void> | undefined;

  constructor(exchange: ServerExchange, host: AppHost) {
    this.#exchange = exchange;
    this.#host = host;
    this.#outlet = new ResponseOutlet(exchange, host, this);
    this.#queue = exchange.endStream ? undefined : new RequestQueue(exchange);
    this.#source = undefined;
    this.#expected = 'start';
    this.#status = 0;
    this.#fields = [];
    this.#wantsTrailers = false;
    this.#bodyTold = false;
    this.#appRunning = false;
    this.#handlerEnded = false;
    this.#receiver = undefined;
    this.#sender = undefined;
  }

  /** Calls the app. `state`: what its lifespan left. */
  answer(app: AsgiApp, state: Readonly<Record<string, unknown>>): void {
    const exchange = this.#exchange;
    exchange.start(this);
    if (exchange.method === 'CONNECT') {
      // Neither tunnels nor extended CONNECT (RFC 8441, RFC 9220) reach apps yet.
      this.#queue?.discard(true);
      this.#outlet.writer.sendError(501);
      return;
    }
    this.#appRunning = true;
    let result: unknown;
    try {
      result = app(
        httpScope(exchange, state),
        () => this.#receive(),
        (event) => this.#send(event),
      );
    } catch (error) {
      this.#appFailed(error);
      return;
    }
    Promise.resolve(result).then(
      () => this.#appReturned(),
      (error: unknown) => this.#appFailed(error),
    );
  }

  // ServerExchangeHandler

  /** @inheritdoc */
  dataReceived(data: Uint8Array, flowControlledLength: number, endStream: boolean): void {
    this.#queue?.add(data, flowControlledLength, endStream);
    this.#tell();
  }

  /** The specification has no event for a request's trailers: they end the body. */
  trailersReceived(): void {
    this.#queue?.end();
    this.#tell();
  }

  /** @inheritdoc */
  writable(): void {
    this.#outlet.writable();
  }

  /** @inheritdoc */
  aborted(error: HfaceError): void {
    this.#queue?.discard(true);
    this.#outlet.aborted(error);
  }

  /** @inheritdoc */
  closed(): void {
    this.#host.exchangeEnded(this.#exchange, this.#outlet.status);
  }

  // ResponseOwner, PushOwner

  /** @inheritdoc */
  responseEnded(): void {
    const sender = this.#sender;
    this.#sender = undefined;
    if (this.#exchange.responseEnded) sender?.resolve();
    else sender?.reject(disconnected(this.#exchange));
    this.#tell();
    this.#checkEnd();
  }

  /** @inheritdoc */
  roomAgain(): void {
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.resolve();
  }

  // receive

  #receive(): Promise<AsgiReceiveEvent> {
    if (this.#receiver !== undefined) {
      return rejected(new AppError('receive was called while an earlier call waits', 'ERR_APP_ORDER'));
    }
    const event = this.#nextEvent();
    if (event !== undefined) return Promise.resolve(event);
    if (!this.#bodyTold) this.#queue?.wanted();
    return new Promise((resolve, reject) => {
      this.#receiver = { resolve, reject };
    });
  }

  #nextEvent(): AsgiReceiveEvent | undefined {
    if (this.#exchange.abortedWith !== undefined) return DISCONNECT;
    if (this.#bodyTold) return this.#outlet.over ? DISCONNECT : undefined;
    const queue = this.#queue;
    const body = queue?.take();
    const ended = queue === undefined || (queue.ended && queue.isEmpty);
    if (body === undefined && !ended) return this.#outlet.over ? DISCONNECT : undefined;
    if (ended) this.#bodyTold = true;
    return { type: 'http.request', body: body ?? EMPTY, more_body: !ended };
  }

  /** Answers who waits for an event, if there is one now. */
  #tell(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const event = this.#nextEvent();
    if (event === undefined) return;
    this.#receiver = undefined;
    receiver.resolve(event);
  }

  // send

  #send(event: AsgiSendEvent): Promise<void> {
    try {
      if (this.#exchange.abortedWith !== undefined) return rejected(disconnected(this.#exchange));
      if (!isEvent(event)) throw unknownEvent(event);
      if (this.#sender !== undefined) throw orderError(event, 'while an earlier send waits for room: await it');
      switch (event.type) {
        case 'http.response.start':
          this.#start(event);
          return SENT;
        case 'http.response.body':
          return this.#body(event);
        case 'http.response.pathsend':
          return this.#path(event);
        case 'http.response.trailers':
          this.#trailers(event);
          return SENT;
        case 'http.response.early_hint':
          this.#earlyHint(event);
          return SENT;
        default:
          throw unknownEvent(event);
      }
    } catch (error) {
      return rejected(error);
    }
  }

  #start(event: AsgiHttpResponseStart): void {
    if (this.#expected !== 'start') throw orderError(event, 'twice');
    const { status } = event;
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new AppError(`${String(status)} is no status of a final response`, 'ERR_APP_STATUS');
    }
    this.#fields = fieldsOf(event.headers);
    this.#status = status;
    this.#wantsTrailers = event.trailers === true;
    this.#expected = 'body';
  }

  #body(event: AsgiHttpResponseBody): Promise<void> {
    if (this.#expected !== 'body' && this.#expected !== 'more') throw orderError(event, this.#instead());
    const body = event.body ?? EMPTY;
    if (!(body instanceof Uint8Array)) throw new AppError('body must be a Uint8Array', 'ERR_APP_EVENT');
    const last = event.more_body !== true;
    if (this.#expected === 'body') {
      if (last && !this.#wantsTrailers) {
        this.#expected = 'nothing';
        this.#whole(body);
        return SENT;
      }
      this.#source = new PushSource(this);
      this.#outlet.writer.begin(this.#status, this.#fields, this.#source);
    }
    this.#expected = last ? (this.#wantsTrailers ? 'trailers' : 'nothing') : 'more';
    const source = (this.#source ??= new PushSource(this));
    const room = source.push(body);
    if (this.#expected === 'nothing') source.end();
    if (room || this.#outlet.over) return SENT;
    return this.#room();
  }

  /** The last piece is the first: head and content are at hand. */
  #whole(body: Uint8Array): void {
    try {
      if (this.#outlet.sendWhole(this.#status, this.#fields, body)) this.responseEnded();
      else this.#outlet.writer.begin(this.#status, this.#fields, body);
    } catch (error) {
      this.#outlet.writer.fail(error);
    }
  }

  #path(event: AsgiHttpResponsePathsend): Promise<void> {
    if (this.#expected !== 'body') throw orderError(event, this.#instead());
    const { path } = event;
    if (typeof path !== 'string' || !isAbsolute(path))
      throw new AppError('pathsend takes an absolute path', 'ERR_APP_EVENT');
    this.#expected = 'path';
    const done = this.#openPath(path);
    done.catch(ignore);
    return done;
  }

  async #openPath(path: string): Promise<void> {
    let file: Awaited<ReturnType<typeof openFile>>;
    try {
      file = await openFile(path);
    } catch (error) {
      this.#expected = 'body';
      throw new AppError(`pathsend cannot open ${JSON.stringify(path)}`, 'ERR_APP_PATH', error);
    }
    if (file === undefined) {
      this.#expected = 'body';
      throw new AppError(`pathsend: ${JSON.stringify(path)} is no regular file`, 'ERR_APP_PATH');
    }
    const source = new FileSource(file, file.facts);
    if (this.#outlet.over) {
      source.cancel();
      throw disconnected(this.#exchange);
    }
    const fields = this.#wantsTrailers ? this.#fields : withLength(this.#fields, source.length);
    const pushing = (this.#source ??= new PushSource(this));
    this.#outlet.writer.begin(this.#status, fields, pushing);
    await pushing.pipe(source);
    this.#expected = this.#wantsTrailers ? 'trailers' : 'nothing';
    if (!this.#wantsTrailers) pushing.end();
  }

  #trailers(event: AsgiHttpResponseTrailers): void {
    if (this.#expected !== 'trailers') {
      throw orderError(event, this.#wantsTrailers ? this.#instead() : 'without trailers: true in http.response.start');
    }
    const pairs: [string, string][] = [];
    for (const [name, value] of event.headers ?? []) pairs.push([octetString(name), octetString(value)]);
    const list = trailerList(pairs);
    // An answer to HEAD has ended before.
    if (!this.#outlet.over) this.#outlet.writer.addTrailers(list);
    if (event.more_trailers === true) return;
    this.#expected = 'nothing';
    this.#source?.end();
  }

  #earlyHint(event: AsgiHttpResponseEarlyHint): void {
    if (this.#outlet.begun) throw orderError(event, 'after the response has begun');
    const fields: string[] = [];
    for (const link of event.links ?? []) addField(fields, 'link', octetString(link));
    this.#exchange.sendInformational(103, fields);
  }

  #room(): Promise<void> {
    const room = new Promise<void>((resolve, reject) => {
      this.#sender = { resolve, reject };
    });
    room.catch(ignore);
    return room;
  }

  #instead(): string {
    if (this.#expected === 'start') return 'before http.response.start';
    if (this.#expected === 'trailers') return 'after the body has ended: http.response.trailers is next';
    if (this.#expected === 'path') return 'while http.response.pathsend runs: await it';
    return 'after the response was complete';
  }

  // The app's end

  #appReturned(): void {
    this.#appRunning = false;
    if (!this.#outlet.over && this.#expected !== 'nothing') {
      const what = this.#expected === 'start' || this.#expected === 'body' ? 'without a response' : 'within a response';
      this.#outlet.writer.fail(new AppError(`the app returned ${what}`, 'ERR_APP_RESPONSE'), 'request');
    }
    this.#checkEnd();
  }

  #appFailed(error: unknown): void {
    this.#appRunning = false;
    if (!this.#outlet.over) this.#outlet.writer.fail(error, 'request');
    else if (!this.#isDisconnect(error)) this.#host.report(error, 'request', this.#exchange);
    this.#checkEnd();
  }

  #isDisconnect(error: unknown): boolean {
    if (this.#exchange.abortedWith === undefined) return false;
    return (
      error === this.#exchange.abortedWith || (error instanceof AppError && error.code === 'ERR_CLIENT_DISCONNECTED')
    );
  }

  #checkEnd(): void {
    if (this.#appRunning || this.#handlerEnded || !this.#outlet.over) return;
    this.#handlerEnded = true;
    // Nobody reads what is left of the request.
    this.#queue?.discard(true);
    this.#exchange.handlerEnded();
  }
}

function disconnected(exchange: ServerExchange): AppError {
  return new AppError('nobody waits for the response any more', 'ERR_CLIENT_DISCONNECTED', exchange.abortedWith);
}

function fieldsOf(headers: AsgiHeaders | undefined): string[] {
  const list: string[] = [];
  for (const [name, value] of headers ?? []) addField(list, octetString(name), octetString(value));
  return list;
}

function withLength(fields: HeaderList, length: number): HeaderList {
  return hasHeader(fields, 'content-length') ? fields : [...fields, 'content-length', String(length)];
}

function orderError(event: AsgiSendEvent, why: string): AppError {
  return new AppError(`${event.type} was sent ${why}`, 'ERR_APP_ORDER');
}

/** Apps in plain JavaScript may send anything. */
function isEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null;
}

function unknownEvent(event: unknown): AppError {
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
  const what = typeof type === 'string' ? JSON.stringify(type) : 'an event without type';
  return new AppError(`send does not know ${what} in scope http`, 'ERR_APP_EVENT');
}

/** A rejection that an app may leave alone: what went wrong shows in the response. */
function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}

const EMPTY: Uint8Array = new Uint8Array(0);
const DISCONNECT: AsgiReceiveEvent = { type: 'http.disconnect' };
const SENT: Promise<void> = Promise.resolve();
