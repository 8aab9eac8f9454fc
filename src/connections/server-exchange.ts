/**
 * A server connection as exchanges: one object per request, told of its events by synchronous calls.
 *
 * Owns the routing of a connection's events to exchanges, and the way out of each: the response is complete, the
 * stream was reset by either side, a timer ran out, the connection is lost. On a connection that is not multiplexed
 * the current exchange is a field; a map exists only where streams run side by side.
 *
 * The Date field and other fields of a server's own are the facade's. An exchange whose handler throws is reset; the
 * others go on.
 *
 * Invariants: each handler gets at most one `aborted`, and `closed` exactly once, as its last call; `handlerEnded` is
 * passed on exactly once, whenever it comes; after `aborted` what the handler sends is ignored.
 *
 * @module
 */
import { hasHeader, HfaceError, LocalProtocolError, StreamResetError, toHfaceError } from '../common/index.ts';
import type { Clock, HeaderList } from '../common/index.ts';
import type {
  DataReceived,
  HeadersReceived,
  HttpEvent,
  HttpProtocol,
  HttpVersion,
  StreamPriority,
} from '../protocols/index.ts';
import type { ConnectionFacts, ServerExchange, ServerExchangeHandler } from './exchange.ts';
import type { HttpConnection } from './http-connection.ts';
import type { HttpDriverHandler } from './http-driver.ts';

/** Who is told of requests and of the connection's end. */
export interface ServerExchangesHandler {
  /** A request came. `exchange.start(handler)` before the call returns. What it throws resets the exchange. */
  exchangeReceived(exchange: ServerExchange): void;
  /** The connection is gone; every exchange had its `closed` before. */
  connectionEnded?(connection: HttpConnection, error: HfaceError | undefined): void;
}

/** Serves a connection's requests as exchanges. The connection must not be received from in another way. */
export function serveExchanges(connection: HttpConnection, handler: ServerExchangesHandler): ServerExchanges {
  const exchanges = new ServerExchanges(connection, handler);
  connection.attach(exchanges);
  return exchanges;
}

/** Routes the events of one server connection. */
export class ServerExchanges implements HttpDriverHandler {
  readonly connection: HttpConnection;
  readonly #handler: ServerExchangesHandler;
  /** The exchange that came last and is not closed. */
  #current: Exchange | undefined;
  /** The others. */
  #others: Map<number, Exchange> | undefined;

  /** See {@link serveExchanges}, which attaches it too. */
  constructor(connection: HttpConnection, handler: ServerExchangesHandler) {
    this.connection = connection;
    this.#handler = handler;
    this.#current = undefined;
    this.#others = undefined;
  }

  /** Requests that are not closed yet. */
  get active(): number {
    return (this.#current === undefined ? 0 : 1) + (this.#others?.size ?? 0);
  }

  /** The driver's call. */
  eventReceived(event: HttpEvent): void {
    switch (event.type) {
      case 'HeadersReceived':
        this.#open(event);
        return;
      case 'DataReceived':
        this.#find(event.streamId)?.dataReceived(event);
        return;
      case 'TrailersReceived':
        this.#find(event.streamId)?.trailersReceived(event.headers, event.rawNames);
        return;
      case 'StreamWritable':
        this.#find(event.streamId)?.writable();
        return;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        this.#find(event.streamId)?.abort(event.error);
        return;
      case 'StreamClosed':
        this.#closed(event.streamId);
        return;
      case 'PriorityUpdated': {
        this.#find(event.streamId)?.priorityUpdated(event);
        return;
      }
      case 'ConnectionTerminated':
        this.#abortAll(event.error);
        return;
      default:
        return;
    }
  }

  /** The driver's last call. */
  ended(error: HfaceError | undefined): void {
    this.#abortAll(error);
    this.#handler.connectionEnded?.(this.connection, error);
  }

  #open(event: HeadersReceived): void {
    const exchange = new Exchange(this.connection, event);
    const before = this.#current;
    if (before !== undefined) {
      this.#others ??= new Map();
      this.#others.set(before.streamId, before);
    }
    this.#current = exchange;
    try {
      this.#handler.exchangeReceived(exchange);
    } catch (error) {
      exchange.handlerFailed(error);
    }
    exchange.delivered();
  }

  #find(streamId: number): Exchange | undefined {
    const current = this.#current;
    if (current?.streamId === streamId) return current;
    return this.#others?.get(streamId);
  }

  #closed(streamId: number): void {
    const current = this.#current;
    if (current?.streamId === streamId) {
      this.#current = undefined;
      current.close();
      return;
    }
    const other = this.#others?.get(streamId);
    if (other === undefined) return;
    this.#others?.delete(streamId);
    other.close();
  }

  #abortAll(error: HfaceError | undefined): void {
    if (this.#current === undefined && this.#others === undefined) return;
    const exchanges = [...(this.#others?.values() ?? [])];
    if (this.#current !== undefined) exchanges.push(this.#current);
    this.#current = undefined;
    this.#others = undefined;
    for (const exchange of exchanges) {
      exchange.abort(error ?? connectionOver());
      exchange.close();
    }
  }
}

/** One request and its response. */
class Exchange implements ServerExchange {
  readonly streamId: number;
  readonly httpVersion: HttpVersion;
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly protocol: string | undefined;
  readonly upgrade: readonly string[];
  readonly endStream: boolean;
  readonly early: boolean;
  priorityUpdate: StreamPriority | undefined;
  headersSent: boolean;
  responseEnded: boolean;
  abortedWith: HfaceError | undefined;
  bytesSent: number;
  bytesReceived: number;
  readonly #connection: HttpConnection;
  readonly #engine: HttpProtocol;
  readonly #allHeaders: HeaderList;
  readonly #allRawNames: readonly string[] | undefined;
  /** Where the regular fields begin. */
  readonly #regular: number;
  #headers: HeaderList | undefined;
  #handler: ServerExchangeHandler | undefined;
  #handlerEnded: boolean;
  #isClosed: boolean;
  /** What the application has set. */
  #ownPriority: StreamPriority | undefined;

  constructor(connection: HttpConnection, event: HeadersReceived) {
    const headers = event.headers;
    let method = '';
    let scheme = '';
    let authority = '';
    let path = '';
    let protocol: string | undefined;
    let index = 0;
    for (; index < headers.length; index += 2) {
      const name = headers[index] as string;
      if (name.charCodeAt(0) !== 0x3a) break;
      const value = headers[index + 1] as string;
      if (name === ':method') method = value;
      else if (name === ':scheme') scheme = value;
      else if (name === ':authority') authority = value;
      else if (name === ':path') path = value;
      else if (name === ':protocol') protocol = value;
    }
    this.streamId = event.streamId;
    this.httpVersion = event.httpVersion;
    this.method = method;
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.protocol = protocol;
    this.upgrade = event.upgrade;
    this.endStream = event.endStream;
    this.early = event.early;
    this.priorityUpdate = event.priority;
    this.headersSent = false;
    this.responseEnded = false;
    this.abortedWith = undefined;
    this.bytesSent = 0;
    this.bytesReceived = 0;
    this.#connection = connection;
    this.#engine = connection.protocol;
    this.#allHeaders = headers;
    this.#allRawNames = event.rawNames;
    this.#regular = index;
    this.#headers = undefined;
    this.#handler = undefined;
    this.#handlerEnded = false;
    this.#isClosed = false;
    this.#ownPriority = undefined;
  }

  get connection(): ConnectionFacts {
    return this.#connection.facts;
  }

  get clock(): Clock {
    return this.#connection.clock;
  }

  get requestId(): string {
    return `${this.#connection.facts.connectionId.toString(36)}-${this.streamId.toString(36)}`;
  }

  get headers(): HeaderList {
    this.#headers ??= this.#regular === 0 ? this.#allHeaders : this.#allHeaders.slice(this.#regular);
    return this.#headers;
  }

  get rawNames(): readonly string[] | undefined {
    return this.#allRawNames?.slice(this.#regular / 2);
  }

  start(handler: ServerExchangeHandler): void {
    this.#handler = handler;
  }

  sendInformational(status: number, headers: HeaderList): void {
    if (this.abortedWith !== undefined || this.httpVersion === '1.0') return;
    this.#engine.submitInformational(this.streamId, [':status', String(status), ...headers]);
    this.#connection.wake();
  }

  sendHeaders(status: number, headers: HeaderList, endStream: boolean, rawNames?: readonly string[]): void {
    if (this.abortedWith !== undefined) return;
    this.#submitHead(status, headers, endStream, rawNames, undefined);
    this.#connection.wake();
  }

  sendData(data: Uint8Array, endStream: boolean): boolean {
    if (this.abortedWith !== undefined) return false;
    this.#engine.submitData(this.streamId, data, endStream ? END : MORE);
    this.bytesSent += data.length;
    if (endStream) this.responseEnded = true;
    this.#connection.wake();
    return this.#engine.sendCapacity(this.streamId) > 0;
  }

  sendTrailers(headers: HeaderList): void {
    if (this.abortedWith !== undefined) return;
    this.#engine.submitTrailers(this.streamId, headers);
    this.responseEnded = true;
    this.#connection.wake();
  }

  respond(status: number, headers: HeaderList, content: Uint8Array | string | undefined): void {
    if (this.abortedWith !== undefined) return;
    if (this.#engine.submitResponse?.(this.streamId, status, headers, content ?? EMPTY) === true) {
      this.headersSent = true;
      this.responseEnded = true;
      if (content !== undefined)
        this.bytesSent += typeof content === 'string' ? Buffer.byteLength(content) : content.length;
      this.#connection.wake();
      return;
    }
    const body = typeof content === 'string' ? Buffer.from(content) : content;
    const length = body === undefined ? 0 : body.length;
    // RFC 9110 section 8.6: none in 1xx and 204; in 304 and in answers to HEAD only what GET would have.
    const bare = status === 204 || status === 304 || (this.method === 'HEAD' && body === undefined);
    const list = bare ? responseList(status, headers) : responseListOf(status, headers, length);
    if (length === 0 || bare || this.method === 'HEAD') {
      this.#submitList(list, true, undefined, undefined);
    } else {
      this.#submitList(list, false, undefined, undefined);
      this.#engine.submitData(this.streamId, body as Uint8Array, END);
      this.bytesSent += length;
      this.responseEnded = true;
    }
    this.#connection.wake();
  }

  acceptTunnel(headers: HeaderList, upgrade?: string): void {
    if (this.abortedWith !== undefined) return;
    if (upgrade === undefined) {
      if (this.method !== 'CONNECT') throw new LocalProtocolError('only CONNECT becomes a tunnel without a token');
      this.#submitHead(200, headers, false, undefined, undefined);
    } else {
      this.#submitHead(101, headers, false, undefined, upgrade);
    }
    this.#connection.wake();
  }

  dataConsumed(flowControlledLength: number): void {
    this.#engine.dataConsumed(this.streamId, flowControlledLength);
    this.#connection.wake();
  }

  setPriority(urgency: number, incremental: boolean): void {
    if (this.abortedWith !== undefined || !this.#engine.capabilities.has('priorities')) return;
    this.#ownPriority = { urgency, incremental };
    this.#engine.submitPriority(this.streamId, urgency, incremental);
    this.#connection.wake();
  }

  /** The client asks for another one; what the application has set stays (RFC 9218 section 8). */
  priorityUpdated(priority: StreamPriority): void {
    this.priorityUpdate = priority;
    const own = this.#ownPriority;
    if (own !== undefined) this.#engine.submitPriority(this.streamId, own.urgency, own.incremental);
  }

  reset(errorCode: number = this.#engine.errorCodes.internalError): void {
    if (this.abortedWith !== undefined || this.#isClosed) return;
    this.abortedWith = new StreamResetError('the exchange was given up', {
      errorCode,
      initiator: 'application',
    });
    this.#engine.submitStreamReset(this.streamId, errorCode);
    this.#connection.wake();
  }

  handlerEnded(): void {
    if (this.#handlerEnded) return;
    this.#handlerEnded = true;
    this.#engine.submitHandlerEnd(this.streamId);
    this.#connection.wake();
  }

  // What the router tells.

  dataReceived(event: DataReceived): void {
    this.bytesReceived += event.data.length;
    const handler = this.#handler;
    if (handler === undefined || this.abortedWith !== undefined) {
      // Nobody reads it: it is dropped, and the connection's window stays open for the others.
      this.#engine.dataConsumed(this.streamId, event.flowControlledLength);
      return;
    }
    try {
      handler.dataReceived(event.data, event.flowControlledLength, event.endStream);
    } catch (error) {
      this.handlerFailed(error);
    }
  }

  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.abortedWith !== undefined) return;
    try {
      this.#handler?.trailersReceived(headers, rawNames);
    } catch (error) {
      this.handlerFailed(error);
    }
  }

  writable(): void {
    if (this.abortedWith !== undefined) return;
    try {
      this.#handler?.writable();
    } catch (error) {
      this.handlerFailed(error);
    }
  }

  abort(error: HfaceError): void {
    if (this.abortedWith !== undefined || this.#isClosed) return;
    this.abortedWith = error;
    try {
      this.#handler?.aborted(error);
    } catch {
      // It is aborted already.
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const handler = this.#handler;
    if (handler === undefined) {
      this.handlerEnded();
      return;
    }
    try {
      handler.closed();
    } catch {
      // It is closed: nothing of it is left to end.
    }
  }

  /** The call that delivered it has returned: without a handler nobody will answer. */
  delivered(): void {
    if (this.#handler !== undefined || this.responseEnded || this.abortedWith !== undefined) return;
    this.reset();
  }

  /** The handler threw: it gets no further chance, the others go on. */
  handlerFailed(error: unknown): void {
    if (this.abortedWith !== undefined) return;
    const failure = toHfaceError(error);
    this.#engine.submitStreamReset(this.streamId, this.#engine.errorCodes.internalError);
    this.abort(failure);
  }

  #submitHead(
    status: number,
    headers: HeaderList,
    endStream: boolean,
    rawNames: readonly string[] | undefined,
    upgrade: string | undefined,
  ): void {
    const names = rawNames === undefined ? undefined : ['', ...rawNames];
    this.#submitList(responseList(status, headers), endStream, names, upgrade);
  }

  #submitList(
    list: HeaderList,
    endStream: boolean,
    rawNames: readonly string[] | undefined,
    upgrade: string | undefined,
  ): void {
    this.#engine.submitHeaders(this.streamId, list, { endStream, rawNames, upgrade });
    this.headersSent = true;
    if (endStream) this.responseEnded = true;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
const END = { endStream: true } as const;
const MORE = { endStream: false } as const;

function responseList(status: number, headers: HeaderList): HeaderList {
  return [':status', String(status), ...headers];
}

/** With Content-Length, unless it is there. */
function responseListOf(status: number, headers: HeaderList, length: number): HeaderList {
  if (hasHeader(headers, 'content-length')) return responseList(status, headers);
  return [':status', String(status), ...headers, 'content-length', String(length)];
}

function connectionOver(): HfaceError {
  return new HfaceError('the connection is over', { code: 'ERR_CONNECTION_CLOSED', initiator: 'network' });
}
