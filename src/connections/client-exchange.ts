/**
 * A client connection as exchanges: requests go out, what becomes of each is told by synchronous calls.
 *
 * Owns the routing of a connection's events to exchanges. On a connection that is not multiplexed the current exchange
 * is a field; a map exists only where streams run side by side. Choosing a connection is the pool's work.
 *
 * Invariants: each handler gets at most one `failed`, and `closed` exactly once, as its last call; none comes before
 * `request` has returned; nothing is told after `closed`. What a handler throws resets its exchange only.
 *
 * @module
 */
import { HfaceError, toHfaceError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { DataReceived, HeadersReceived, HttpEvent, HttpProtocol, Processed } from '../protocols/index.ts';
import type { ClientExchange, ClientExchangeHandler, ClientExchangeRequest, ConnectionFacts } from './exchange.ts';
import type { HttpConnection } from './http-connection.ts';
import type { HttpDriverHandler } from './http-driver.ts';

/** Who is told of what concerns the connection and not one exchange. */
export interface ClientExchangesHandler {
  /** An exchange is over, or there is room for more: perhaps another request can be opened. */
  availabilityChanged?(): void;
  /** Events that concern no exchange: `GoawayReceived`, `AltSvcReceived`, `OriginReceived`, `SettingsReceived` … */
  eventReceived?(event: HttpEvent): void;
  /** The connection takes no further request; every exchange had its `closed` before. */
  terminated?(error: HfaceError | undefined): void;
  /** The transport is gone: the last call. */
  ended?(error: HfaceError | undefined): void;
}

/** Sends requests on a connection. It must not be received from in another way. */
export function openExchanges(connection: HttpConnection, handler: ClientExchangesHandler = {}): ClientExchanges {
  const exchanges = new ClientExchanges(connection, handler);
  connection.attach(exchanges);
  return exchanges;
}

/** Routes the events of one client connection. */
export class ClientExchanges implements HttpDriverHandler {
  readonly connection: HttpConnection;
  readonly #handler: ClientExchangesHandler;
  /** The exchange that began last and is not closed. */
  #current: Exchange | undefined;
  /** The others. */
  #others: Map<number, Exchange> | undefined;
  #terminated: boolean;
  #extendedConnect: boolean | undefined;

  /** See {@link openExchanges}, which attaches it too. */
  constructor(connection: HttpConnection, handler: ClientExchangesHandler) {
    this.connection = connection;
    this.#handler = handler;
    this.#current = undefined;
    this.#others = undefined;
    this.#terminated = false;
    this.#extendedConnect = undefined;
  }

  /** HTTP/2: whether the server allows extended CONNECT (RFC 8441 section 3); `undefined` until its SETTINGS came. */
  get extendedConnect(): boolean | undefined {
    return this.#extendedConnect;
  }

  /** Requests that are not closed yet. */
  get active(): number {
    return (this.#current === undefined ? 0 : 1) + (this.#others?.size ?? 0);
  }

  /** Whether a request can be sent now: on a connection that is not multiplexed, one at a time. */
  get available(): boolean {
    const protocol = this.connection.protocol;
    if (this.#terminated || (!protocol.multiplexed && this.#current !== undefined)) return false;
    return protocol.isAvailable();
  }

  /** Whether no request can be sent ever again. */
  get expired(): boolean {
    return this.#terminated || this.connection.protocol.hasExpired();
  }

  /** Sends a request's head. @throws LocalProtocolError when it is malformed or none can be opened; nothing was sent then */
  request(request: ClientExchangeRequest, handler: ClientExchangeHandler): ClientExchange {
    const protocol = this.connection.protocol;
    const streamId = protocol.getAvailableStreamId();
    const pseudo = pseudoHeaders(request);
    protocol.submitHeaders(streamId, pseudo.concat(request.headers), {
      endStream: request.endStream,
      rawNames: request.rawNames === undefined ? undefined : [...blanks(pseudo.length / 2), ...request.rawNames],
      upgrade: request.upgrade,
    });
    const exchange = new Exchange(this.connection, streamId, handler);
    const before = this.#current;
    if (before !== undefined) {
      this.#others ??= new Map();
      this.#others.set(before.streamId, before);
    }
    this.#current = exchange;
    this.connection.wake();
    return exchange;
  }

  /** The driver's call. */
  eventReceived(event: HttpEvent): void {
    switch (event.type) {
      case 'HeadersReceived':
        this.#find(event.streamId)?.headersReceived(event);
        return;
      case 'DataReceived':
        this.#find(event.streamId)?.dataReceived(event);
        return;
      case 'TrailersReceived':
        this.#find(event.streamId)?.trailersReceived(event.headers, event.rawNames);
        return;
      case 'InformationalReceived':
        this.#find(event.streamId)?.informationalReceived(event.headers, event.rawNames);
        return;
      case 'StreamWritable':
        this.#find(event.streamId)?.writable();
        return;
      case 'StreamResetReceived': {
        const exchange = this.#find(event.streamId);
        // The response stands, and the rest of the request is not wanted (RFC 9113 section 8.1).
        const unwanted = event.errorCode === this.connection.protocol.errorCodes.noError;
        if (unwanted && exchange?.responseEnded === true) exchange.stop();
        else exchange?.fail(event.error, event.processed);
        return;
      }
      case 'StreamResetSent':
        this.#find(event.streamId)?.fail(event.error, 'maybe');
        return;
      case 'StreamClosed': {
        const exchange = this.#remove(event.streamId);
        // First, so that what a handler asks for in `closed` finds the connection free.
        this.#handler.availabilityChanged?.();
        exchange?.close();
        return;
      }
      case 'StreamsAvailable':
        this.#handler.availabilityChanged?.();
        return;
      case 'ConnectionTerminated':
        this.#terminate(event.error, event.processed);
        return;
      case 'SettingsReceived':
        this.#extendedConnect = event.settings.has(ENABLE_CONNECT_PROTOCOL)
          ? event.settings.get(ENABLE_CONNECT_PROTOCOL) === 1
          : (this.#extendedConnect ?? false);
        this.#handler.eventReceived?.(event);
        return;
      default:
        this.#handler.eventReceived?.(event);
        return;
    }
  }

  /** The driver's last call. */
  ended(error: HfaceError | undefined): void {
    this.#terminate(error, 'maybe');
    this.#handler.ended?.(error);
  }

  #find(streamId: number): Exchange | undefined {
    const current = this.#current;
    if (current?.streamId === streamId) return current;
    return this.#others?.get(streamId);
  }

  #remove(streamId: number): Exchange | undefined {
    const current = this.#current;
    if (current?.streamId === streamId) {
      this.#current = undefined;
      return current;
    }
    const other = this.#others?.get(streamId);
    if (other !== undefined) this.#others?.delete(streamId);
    return other;
  }

  #terminate(error: HfaceError | undefined, processed: Processed): void {
    if (this.#terminated) return;
    this.#terminated = true;
    const exchanges = [...(this.#others?.values() ?? [])];
    if (this.#current !== undefined) exchanges.push(this.#current);
    this.#current = undefined;
    this.#others = undefined;
    for (const exchange of exchanges) {
      exchange.fail(error ?? connectionOver(), processed);
      exchange.close();
    }
    this.#handler.terminated?.(error);
  }
}

/** One request that was sent. */
class Exchange implements ClientExchange {
  readonly streamId: number;
  bytesSent: number;
  bytesReceived: number;
  /** The response is complete. */
  responseEnded: boolean;
  readonly #connection: HttpConnection;
  readonly #engine: HttpProtocol;
  readonly #handler: ClientExchangeHandler;
  /** Failed or given up: nothing but `closed` is told any more. */
  #given: boolean;
  #isClosed: boolean;

  constructor(connection: HttpConnection, streamId: number, handler: ClientExchangeHandler) {
    this.streamId = streamId;
    this.bytesSent = 0;
    this.bytesReceived = 0;
    this.responseEnded = false;
    this.#connection = connection;
    this.#engine = connection.protocol;
    this.#handler = handler;
    this.#given = false;
    this.#isClosed = false;
  }

  get connection(): ConnectionFacts {
    return this.#connection.facts;
  }

  sendData(data: Uint8Array, endStream: boolean): boolean {
    if (this.#given || this.#isClosed) return false;
    this.#engine.submitData(this.streamId, data, endStream ? END : MORE);
    this.bytesSent += data.length;
    this.#connection.wake();
    return this.#engine.sendCapacity(this.streamId) > 0;
  }

  sendTrailers(headers: HeaderList): void {
    if (this.#given || this.#isClosed) return;
    this.#engine.submitTrailers(this.streamId, headers);
    this.#connection.wake();
  }

  dataConsumed(flowControlledLength: number): void {
    this.#engine.dataConsumed(this.streamId, flowControlledLength);
    this.#connection.wake();
  }

  setPriority(urgency: number, incremental: boolean): void {
    if (this.#given || this.#isClosed || !this.#engine.capabilities.has('priorities')) return;
    this.#engine.submitPriority(this.streamId, urgency, incremental);
    this.#connection.wake();
  }

  reset(errorCode: number = this.#engine.errorCodes.cancelled): void {
    if (this.#given || this.#isClosed) return;
    this.#given = true;
    this.#engine.submitStreamReset(this.streamId, errorCode);
    this.#connection.wake();
  }

  // What the router tells.

  headersReceived(event: HeadersReceived): void {
    if (event.endStream) this.responseEnded = true;
    if (this.#given) return;
    const status = Number(event.headers[1]);
    try {
      this.#handler.headersReceived(
        status,
        event.headers.slice(2),
        event.rawNames?.slice(1),
        event.httpVersion,
        event.endStream,
      );
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  informationalReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#given) return;
    try {
      this.#handler.informationalReceived(Number(headers[1]), headers.slice(2), rawNames?.slice(1));
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  dataReceived(event: DataReceived): void {
    this.bytesReceived += event.data.length;
    if (event.endStream) this.responseEnded = true;
    if (this.#given) {
      // Nobody reads it: it is dropped, and the connection's window stays open for the others.
      this.#engine.dataConsumed(this.streamId, event.flowControlledLength);
      return;
    }
    try {
      this.#handler.dataReceived(event.data, event.flowControlledLength, event.endStream, event.closeDelimited);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    this.responseEnded = true;
    if (this.#given) return;
    try {
      this.#handler.trailersReceived(headers, rawNames);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  writable(): void {
    if (this.#given) return;
    try {
      this.#handler.writable();
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  /** What this side still sends is not wanted; the response is complete. */
  stop(): void {
    this.#given = true;
  }

  fail(error: HfaceError, processed: Processed): void {
    if (this.#given || this.#isClosed) return;
    this.#given = true;
    try {
      this.#handler.failed(error, processed);
    } catch {
      // It has failed already.
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#handler.closed();
    } catch {
      // It is closed: nothing of it is left to end.
    }
  }

  #handlerFailed(error: unknown): void {
    if (this.#given || this.#isClosed) return;
    this.#engine.submitStreamReset(this.streamId, this.#engine.errorCodes.internalError);
    this.fail(toHfaceError(error), 'maybe');
  }
}

/** RFC 8441 section 3; the same number in HTTP/3 (RFC 9220 section 5). */
const ENABLE_CONNECT_PROTOCOL = 0x8;
const END = { endStream: true } as const;
const MORE = { endStream: false } as const;

/** RFC 9113 section 8.3.1, RFC 8441 section 4; a plain CONNECT has neither scheme nor path (section 8.5). */
function pseudoHeaders(request: ClientExchangeRequest): string[] {
  const { method, scheme, authority, path, protocol } = request;
  if (method === 'CONNECT' && protocol === undefined) return [':method', method, ':authority', authority];
  const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path];
  if (protocol !== undefined) pseudo.push(':protocol', protocol);
  return pseudo;
}

function blanks(count: number): string[] {
  return Array.from({ length: count }, () => '');
}

function connectionOver(): HfaceError {
  return new HfaceError('the connection is over', { code: 'ERR_CONNECTION_CLOSED', initiator: 'network' });
}
