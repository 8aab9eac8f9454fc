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

/** What a request asks for, as a URL that is put together when somebody asks for it. */
export interface UrlParts {
  /** Scheme, host and port as the URL standard writes them. */
  readonly origin: string;
  /** The rest, in which nothing stands that makes a URL invalid. */
  readonly path: string;
}

/** The URL of a request, or `undefined` for a target that has none. `*` has none. */
export function requestUrl(exchange: ServerExchange): UrlParts | undefined {
  let path = exchange.path;
  if (path.charCodeAt(0) !== 0x2f) return undefined;
  if (UNUSUAL_IN_PATH.test(path)) {
    if (REWRITTEN_IN_PATH.test(path)) return undefined;
    path = escapeOctets(path);
  }
  const authority = exchange.authority === '' ? ownAuthority(exchange) : exchange.authority;
  const origin = originOf(exchange.scheme, authority);
  return origin === undefined ? undefined : { origin, path };
}

/** The URL as text, in the form that the URL standard gives it. */
export function serializeUrl(parts: UrlParts): string {
  const url = parts.origin + parts.path;
  return UNCHANGED_PATH.test(parts.path) && !parts.path.includes('/.') ? url : new URL(url).href;
}

const origins = new Map<string, string | undefined>();
const MAX_ORIGINS = 64;
let lastScheme = '';
let lastAuthority = '';
let lastOrigin: string | undefined;

/** Most requests name the authority that the one before named. */
function originOf(scheme: string, authority: string): string | undefined {
  if (authority === lastAuthority && scheme === lastScheme) return lastOrigin;
  const key = `${scheme}://${authority}`;
  let origin = origins.get(key);
  if (origin === undefined) {
    origin = FORBIDDEN_IN_AUTHORITY.test(authority) ? undefined : readOrigin(key);
    if (origins.size >= MAX_ORIGINS) origins.clear();
    if (key.length <= MAX_KEY) origins.set(key, origin);
  }
  lastScheme = scheme;
  lastAuthority = authority;
  lastOrigin = origin;
  return origin;
}

function readOrigin(text: string): string | undefined {
  try {
    const { protocol, host } = new URL(text);
    return host === '' ? undefined : `${protocol}//${host}`;
  } catch {
    return undefined;
  }
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

const MAX_KEY = 300;
/** What the URL standard leaves as it is, dots after a slash apart. */
const UNCHANGED_PATH = /^[A-Za-z0-9\-._~!$&()*+,;=:@/?]*$/;
const UNUSUAL_IN_PATH = /[^!"$-[\]-~]/;
const REWRITTEN_IN_PATH = /[^!"$-[\]-~\x80-\xff]/;
const FORBIDDEN_IN_AUTHORITY = /[^A-Za-z0-9\-._~%!$&'()*+,;=:[\]]/;
