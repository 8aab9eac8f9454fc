/**
 * One request and its response, as they pass between a connection and whoever answers or asks.
 *
 * Owns the interfaces of both sides. Everything is a synchronous call; there is no promise per event. App adapters
 * (app/) are written on {@link ServerExchange}, the client's core on {@link ClientExchange}. What implements them is in
 * server-exchange.ts and client-exchange.ts.
 *
 * @module
 */
import type { Clock, HeaderList, HfaceError, SocketAddress, TlsFacts } from '../common/index.ts';
import type { HttpVersion, Processed, StreamPriority } from '../protocols/index.ts';

/** What is known of the connection below an exchange. */
export interface ConnectionFacts {
  /** Counts up in this process; for logs. */
  readonly connectionId: number;
  readonly httpVersion: HttpVersion;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly tls: TlsFacts | undefined;
}

/** Who answers an exchange: told of the rest of the request and of what becomes of the response. */
export interface ServerExchangeHandler {
  /** Content, or tunnel bytes. Give `flowControlledLength` back with `dataConsumed` once the piece was taken. */
  dataReceived(data: Uint8Array, flowControlledLength: number, endStream: boolean): void;
  /** The trailer section; the request is complete. */
  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void;
  /** `sendData` may be called again. */
  writable(): void;
  /** The client reset the stream, the connection was lost, or a timer ran out. `closed` follows. */
  aborted(error: HfaceError): void;
  /** Both directions are done: the last call. */
  closed(): void;
}

/** A request that waits for its answer. */
export interface ServerExchange {
  readonly connection: ConnectionFacts;
  readonly clock: Clock;
  readonly streamId: number;
  /** Unique in this process, printable. */
  readonly requestId: string;
  /** The version of this very message: an HTTP/1.0 request on an HTTP/1.1 connection says `1.0`. */
  readonly httpVersion: HttpVersion;

  readonly method: string;
  /** `:scheme`; empty for CONNECT. */
  readonly scheme: string;
  /** `:authority` (Host on HTTP/1); empty when an HTTP/1.0 client sent none. */
  readonly authority: string;
  /** `:path` as received, undecoded: `/a%20b?c`, or `*`; empty for CONNECT. */
  readonly path: string;
  /** `:protocol` of an extended CONNECT (RFC 8441), or `undefined`. */
  readonly protocol: string | undefined;
  /** Upgrade tokens (HTTP/1). */
  readonly upgrade: readonly string[];
  /** The regular fields. */
  readonly headers: HeaderList;
  /** Their names as received on HTTP/1, in the same order. */
  readonly rawNames: readonly string[] | undefined;
  /** The request has neither content nor trailers. */
  readonly endStream: boolean;
  /** It came in 0-RTT data. */
  readonly early: boolean;
  /** What the client last said of its priority by a frame of its own (RFC 9218 section 7); `undefined`: nothing. */
  readonly priorityUpdate: StreamPriority | undefined;

  /** Whether a final head was sent. */
  readonly headersSent: boolean;
  /** Whether the response is complete. */
  readonly responseEnded: boolean;
  /** Why it was aborted, or `undefined`. */
  readonly abortedWith: HfaceError | undefined;
  /** Body bytes sent and received so far. */
  readonly bytesSent: number;
  readonly bytesReceived: number;

  /** Names the handler, before the call that delivered the exchange returns. */
  start(handler: ServerExchangeHandler): void;
  /** Sends a 1xx other than 101. Ignored for a peer that speaks HTTP/1.0 (RFC 9110 section 15.2). */
  sendInformational(status: number, headers: HeaderList): void;
  /** Sends the final head. `headers` holds regular fields only. @throws LocalProtocolError */
  sendHeaders(status: number, headers: HeaderList, endStream: boolean, rawNames?: readonly string[]): void;
  /** Takes the whole piece; false: wait for `writable` before the next. @throws LocalProtocolError */
  sendData(data: Uint8Array, endStream: boolean): boolean;
  /** Sends trailers and ends the response. */
  sendTrailers(headers: HeaderList): void;
  /** Head and whole body in one write; content-length is added. Text is sent as UTF-8. */
  respond(status: number, headers: HeaderList, body: Uint8Array | string | undefined): void;
  /** Accepts CONNECT, extended CONNECT or Upgrade (`upgrade`: the token): what follows is raw bytes both ways. */
  acceptTunnel(headers: HeaderList, upgrade?: string): void;
  /** A piece of content was taken. */
  dataConsumed(flowControlledLength: number): void;
  /** RFC 9218. Ignored where the version has none. */
  setPriority(urgency: number, incremental: boolean): void;
  /** Gives the exchange up, with the version's code for internal errors when none is given. */
  reset(errorCode?: number): void;
  /** The handler has ended, whatever became of the response. Owed once. */
  handlerEnded(): void;
}

/** Who is told what becomes of a request. */
export interface ClientExchangeHandler {
  /** A 1xx response. */
  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void;
  /** The final head. `headers` holds regular fields only. */
  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void;
  /** Content or tunnel bytes. `closeDelimited`: with `endStream`, the end was told by the connection's end alone. */
  dataReceived(data: Uint8Array, flowControlledLength: number, endStream: boolean, closeDelimited: boolean): void;
  /** The trailer section (RFC 9110 section 6.5); the message has ended. */
  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void;
  /** `sendData` may be called again. */
  writable(): void;
  /** It failed; `processed` says whether the server may have acted. `closed` follows. */
  failed(error: HfaceError, processed: Processed): void;
  /** Both directions are done: the last call. */
  closed(): void;
}

/** A request as it is sent. */
export interface ClientExchangeRequest {
  readonly method: string;
  /** Empty for a plain CONNECT. */
  readonly scheme: string;
  readonly authority: string;
  /** Empty for a plain CONNECT. */
  readonly path: string;
  /** Extended CONNECT. */
  readonly protocol: string | undefined;
  /** HTTP/1: the token to offer in Upgrade. */
  readonly upgrade: string | undefined;
  /** Regular fields. */
  readonly headers: HeaderList;
  readonly rawNames: readonly string[] | undefined;
  readonly endStream: boolean;
}

/** A request that was sent on a connection. */
export interface ClientExchange {
  readonly connection: ConnectionFacts;
  readonly streamId: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Content or tunnel bytes, given away. False: wait for `writable` before the next. */
  sendData(data: Uint8Array, endStream: boolean): boolean;
  /** The trailer section; it ends the request (RFC 9110 section 6.5). */
  sendTrailers(headers: HeaderList): void;
  /** Received bytes were used: the peer may send as many again. */
  dataConsumed(flowControlledLength: number): void;
  /** RFC 9218: urgency 0 (most) to 7 (least). Nothing happens where the version has no priorities. */
  setPriority(urgency: number, incremental: boolean): void;
  /** Gives it up; on HTTP/1 the connection ends. */
  reset(errorCode?: number): void;
}
