/**
 * The URL of a request from its scheme, authority and path.
 *
 * Owns what the URL standard would otherwise mend in silence: a target that it would rewrite into another one (spaces,
 * control characters, a fragment, backslashes, user information) has no URL here and is answered 400. RFC 9110
 * sections 4.2.3, 4.2.4 and 7.1, RFC 9112 section 3.
 *
 * @module
 */
import { bracketHost } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';

/** The absolute URL as text, or `undefined` for a target that has none. `*` has none. */
export function requestUrl(exchange: ServerExchange): string | undefined {
  let path = exchange.path;
  if (path.charCodeAt(0) !== 0x2f) return undefined;
  if (UNUSUAL_IN_PATH.test(path)) {
    if (REWRITTEN_IN_PATH.test(path)) return undefined;
    path = escapeOctets(path);
  }
  const authority = exchange.authority === '' ? ownAuthority(exchange) : exchange.authority;
  if (FORBIDDEN_IN_AUTHORITY.test(authority)) return undefined;
  return `${exchange.scheme}://${authority}${path}`;
}

/** What an HTTP/1.0 request without Host was sent to. */
export function ownAuthority(exchange: ServerExchange): string {
  const local = exchange.connection.localAddress;
  return local.family === 'unix' ? 'localhost' : `${bracketHost(withoutZone(local.host))}:${String(local.port)}`;
}

/** A zone identifier means something on this machine only and has no place in a URL. */
function withoutZone(host: string): string {
  const zone = host.indexOf('%');
  return zone === -1 ? host : host.slice(0, zone);
}

function escapeOctets(path: string): string {
  return path.replace(/[\x80-\xff]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`);
}

const UNUSUAL_IN_PATH = /[^!"$-[\]-~]/;
const REWRITTEN_IN_PATH = /[^!"$-[\]-~\x80-\xff]/;
const FORBIDDEN_IN_AUTHORITY = /[^A-Za-z0-9\-._~%!$&'()*+,;=:[\]]/;
