/**
 * The platform's `Request` of an exchange.
 *
 * Owns what a `Request` can say and what it cannot: CONNECT, TRACE and methods that it would respell have none, and
 * GET and HEAD have no body in it.
 *
 * @module
 */
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import { hasHeader } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';

/** Whether a `Request` can carry the method as it is (Fetch standard, "forbidden method", "normalize a method"). */
export function isFetchMethod(method: string): boolean {
  if (COMMON_METHODS.has(method)) return true;
  const upper = method.toUpperCase();
  return upper !== 'CONNECT' && upper !== 'TRACE' && upper !== 'TRACK' && !COMMON_METHODS.has(upper);
}

/** Whether a `Request` with that method has a body. */
export function hasFetchBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** Makes the request. @throws TypeError for a URL that is none */
export function nativeRequest(
  exchange: ServerExchange,
  url: string,
  signal: AbortSignal,
  body: WebReadableStream<Uint8Array> | undefined,
): Request {
  const headers = requestHeaders(exchange);
  if (body === undefined) return new Request(url, { method: exchange.method, headers, signal });
  return new Request(url, { method: exchange.method, headers, signal, body, duplex: 'half' });
}

/** The regular fields, with Host for `:authority` (RFC 9113 section 8.3.1). */
export function requestHeaders(exchange: ServerExchange): Headers {
  const list = exchange.headers;
  const headers = new Headers();
  if (exchange.authority !== '' && !hasHeader(list, 'host')) headers.append('host', exchange.authority);
  for (let index = 0; index + 1 < list.length; index += 2) {
    headers.append(list[index] as string, list[index + 1] as string);
  }
  return headers;
}

/** Methods that the Fetch standard spells in capitals; all others it leaves alone. */
const COMMON_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
