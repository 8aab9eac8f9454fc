/**
 * The scope of a request as ASGI 3.0 tells it.
 *
 * Owns the translation of an exchange's facts; nothing of the app's conversation.
 *
 * @module
 */
import { hasHeader } from '../common/index.ts';
import type { SocketAddress } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import type { AsgiHttpScope, AsgiOctets, AsgiVersion } from './asgi-types.ts';

/** The version of the HTTP part that is kept: the one that lets `send` fail after a disconnect. */
export const asgiHttpVersion: AsgiVersion = { version: '3.0', spec_version: '2.5' };
/** The version of the lifespan part. */
export const asgiLifespanVersion: AsgiVersion = { version: '3.0', spec_version: '2.0' };

/** The scope of an exchange. `state`: what the app's lifespan left. */
export function httpScope(exchange: ServerExchange, state: Readonly<Record<string, unknown>>): AsgiHttpScope {
  const mark = exchange.path.indexOf('?');
  const rawPath = mark === -1 ? exchange.path : exchange.path.slice(0, mark);
  return {
    type: 'http',
    asgi: asgiHttpVersion,
    http_version: exchange.httpVersion,
    method: exchange.method,
    scheme: exchange.scheme,
    path: decodedPath(rawPath),
    raw_path: rawPath,
    query_string: mark === -1 ? '' : exchange.path.slice(mark + 1),
    root_path: '',
    headers: scopeHeaders(exchange),
    client: clientOf(exchange.connection.remoteAddress),
    server: serverOf(exchange.connection.localAddress),
    state: { ...state },
    extensions: exchange.early ? EARLY_EXTENSIONS : EXTENSIONS,
  };
}

/** A name or value that an app may spell in either form, as a string of octets. */
export function octetString(value: AsgiOctets): string {
  if (typeof value === 'string') return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

/** Percent-decoding as UTF-8; what is none becomes U+FFFD, as Python's servers do it. */
export function decodedPath(rawPath: string): string {
  if (!/[%\x80-\xff]/.test(rawPath)) return rawPath;
  const octets = Buffer.alloc(rawPath.length);
  let length = 0;
  for (let index = 0; index < rawPath.length; index += 1) {
    let octet = rawPath.charCodeAt(index);
    if (octet === 0x25) {
      const hex = rawPath.slice(index + 1, index + 3);
      if (/^[0-9a-fA-F]{2}$/.test(hex)) {
        octet = Number.parseInt(hex, 16);
        index += 2;
      }
    }
    octets[length] = octet;
    length += 1;
  }
  return octets.toString('utf8', 0, length);
}

/** The regular fields as pairs; Host first, cookie crumbs as one (RFC 9113 section 8.2.3). */
function scopeHeaders(exchange: ServerExchange): (readonly [string, string])[] {
  const list = exchange.headers;
  const pairs: (readonly [string, string])[] = [];
  if (exchange.authority !== '' && !hasHeader(list, 'host')) pairs.push(['host', exchange.authority]);
  let cookieAt = -1;
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] as string;
    const value = list[index + 1] as string;
    if (name !== 'cookie') {
      pairs.push([name, value]);
    } else if (cookieAt === -1) {
      cookieAt = pairs.length;
      pairs.push([name, value]);
    } else {
      pairs[cookieAt] = [name, `${(pairs[cookieAt] as readonly [string, string])[1]}; ${value}`];
    }
  }
  return pairs;
}

function clientOf(address: SocketAddress): readonly [string, number] | null {
  return address.family === 'unix' ? null : [address.host, address.port];
}

function serverOf(address: SocketAddress): readonly [string, number | null] {
  return address.family === 'unix' ? [address.path, null] : [address.host, address.port];
}

const EXTENSIONS = {
  'http.response.trailers': {},
  'http.response.early_hint': {},
  'http.response.pathsend': {},
} as const;
const EARLY_EXTENSIONS = { ...EXTENSIONS, 'hface.early_data': {} } as const;
