/**
 * The callback core's interfaces: who is told what becomes of a request, and what can be done to it meanwhile.
 *
 * Owns the shapes. `dispatch` and `fetch` are written on them.
 *
 * @module
 */
import type { HeaderList, HfaceError, SocketAddress, TlsFacts } from '../common/index.ts';
import type { ConnectionFacts } from '../connections/index.ts';

/** The version that a message came in. */
export type HttpVersion = ConnectionFacts['httpVersion'];

/**
 * Who is told what becomes of a request: synchronous calls, none from inside {@link ClientSession.request}. What a
 * member throws fails the request; it disturbs nothing else.
 */
export interface ClientRequestHandler {
  /** An interim response. */
  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void;
  /** The head of the final response. `endStream`: nothing follows. */
  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void;
  /** A piece of the body, which may be empty with `endStream`. Give `length` back by `dataConsumed` once it was taken. */
  dataReceived(data: Uint8Array, length: number, endStream: boolean): void;
  /** The trailer section; the response is complete. */
  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void;
  /** It failed or was aborted; code `ERR_ABORTED` has the abort's reason as its cause. `closed` follows. */
  failed(error: HfaceError): void;
  /** It is over: the last call. */
  closed(): void;
}

/** A request under way. */
export interface ClientRequestHandle {
  readonly timings: RequestTimings;
  /** What carries it; `undefined` until a connection has taken it. */
  readonly connection: RequestConnection | undefined;
  /** The handler took so many bytes: more may come. */
  dataConsumed(length: number): void;
  /** Gives it up: `failed` and `closed` are called before this returns. Does nothing once it is over. */
  abort(reason?: unknown): void;
}

/**
 * When what happened, in milliseconds on the clock's monotonic scale; `undefined` for what has not happened. After a
 * retry they are those of the last attempt, `queued` excepted.
 */
export interface RequestTimings {
  /** The request was given to the session. */
  readonly queued: number;
  /** The name was resolved; `undefined` on a reused connection, like the next two. */
  resolved: number | undefined;
  /** TCP was connected. */
  connected: number | undefined;
  /** The TLS handshake was done. */
  secured: number | undefined;
  /** A connection took the request. */
  started: number | undefined;
  /** All of the request, body and trailers, was given to the connection. */
  requestSent: number | undefined;
  /** The first response, interim ones included, came. */
  firstByte: number | undefined;
  /** The response was complete. */
  ended: number | undefined;
}

/** What carried a request. */
export interface RequestConnection {
  /** Counts up in this process; equal for requests of one connection. */
  readonly id: number;
  readonly httpVersion: HttpVersion;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly tls: TlsFacts | undefined;
  /** It carried other requests before. */
  readonly reused: boolean;
  /** The request went out before the handshake was complete, in 0-RTT data (RFC 8470). */
  readonly early: boolean;
  /**
   * Whether the end of the body is certain: `false` when only the connection's end told it (RFC 9112 section 6.3), so
   * that a cut cannot be told from an end; `undefined` until the body has ended.
   */
  endVerified: boolean | undefined;
}
