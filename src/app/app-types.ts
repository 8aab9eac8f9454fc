/**
 * Apps as their authors write them: Fetch-style apps and what they are told besides the request.
 *
 * Owns the public types of the Fetch style. ASGI's are in asgi-types.ts; the adapters in fetch-exchange.ts and
 * asgi-exchange.ts.
 *
 * @module
 */
import type { SocketAddress, TlsFacts } from '../common/index.ts';
import type { ConnectionFacts } from '../connections/index.ts';

/** The three interfaces that an app may be written for. */
export type AppStyle = 'fetch' | 'asgi' | 'node';

/** The version that a request came in. */
export type AppHttpVersion = ConnectionFacts['httpVersion'];

/** Fields as an app may write them. A value stands for one line; repeat the pair for several. */
export type FieldsInit = Headers | Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]>;

/** A Fetch-style app as a function. */
export type FetchHandler = (request: Request, context: AppContext) => Response | PromiseLike<Response>;

/** A Fetch-style app as an object. */
export interface FetchObject {
  /** Answers a request. A throw, a rejection and anything but an unused `Response` become 500. */
  fetch(request: Request, context: AppContext): Response | PromiseLike<Response>;
}

/** A Fetch-style app in either form. */
export type FetchApp = FetchHandler | FetchObject;

/** Trailer fields both ways (RFC 9110 section 6.5). */
export interface AppTrailers {
  /**
   * The request's trailer fields, once its body was received whole: empty when there were none. On HTTP/1 they come
   * after the body was read. Rejects when the request is aborted before.
   */
  readonly received: Promise<Headers>;
  /**
   * Sends fields after the response's body; to be called before the body ends. Calls add up. An HTTP/1.0 client gets
   * none.
   *
   * @throws AppError for a field that may not stand there, when the response has ended, and on HTTP/1.1 when its head
   * was sent with a content-length
   */
  send(fields: FieldsInit): void;
}

/** How urgent the response is (RFC 9218). */
export interface AppPriority {
  /** 0 (first) to 7; 3 when nobody said. */
  readonly urgency: number;
  /** Whether pieces of it are of use. */
  readonly incremental: boolean;
  /** Overrides what the client asked for. Does nothing on versions without priorities. */
  set(urgency: number, incremental?: boolean): void;
}

/** What a Fetch-style app is told besides the request, and what it can do besides answering. */
export interface AppContext {
  /** The other end of the connection. Behind a proxy that is the proxy. */
  readonly clientAddress: SocketAddress;
  /** This end. */
  readonly localAddress: SocketAddress;
  /** The version of this request. */
  readonly httpVersion: AppHttpVersion;
  /** What was agreed by TLS, or `undefined` without. */
  readonly tls: TlsFacts | undefined;
  /**
   * The request came in 0-RTT data, before the handshake was complete: it may be one that somebody has recorded and sends
   * again. What it must not do twice is answered with 425 (Too Early); the client sends it anew then (RFC 8470).
   */
  readonly early: boolean;
  /** The stream's id on its connection; on HTTP/1 a running number. */
  readonly streamId: number;
  /** Aborted when nobody waits for the answer any more: reset, a failed write, a lost connection, a timer. */
  readonly signal: AbortSignal;
  /** Keeps the server from ending before the promise is settled. A rejection is reported to `onError`. */
  waitUntil(promise: PromiseLike<unknown>): void;
  /**
   * Sends an informational response: 103 with `link` fields, 102, or 100 (which is sent by itself at the first read of
   * the body when the client asked for it). Does nothing for a client of HTTP/1.0 (RFC 9110 section 15.2) and once
   * nobody listens.
   *
   * @throws AppError for a status that is not 1xx or is 101, and after the response's head was sent
   */
  sendInformational(status: number, fields?: FieldsInit): void;
  /** Trailer fields, received and to be sent. */
  readonly trailers: AppTrailers;
  /** How urgent the response is. */
  readonly priority: AppPriority;
  /** Unique in this process, printable; stands in the logs. */
  readonly requestId: string;
  /** A place of this request for middleware. */
  readonly state: Record<string, unknown>;
}
