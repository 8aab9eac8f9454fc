/**
 * Heads as Node parsed them, judged and turned into the form that all versions share.
 *
 * Owns: the request-target's forms (RFC 9112 section 3.2), Host, the framing that a head announces (section 6.3), what
 * it says of the connection's future (section 9.3). Node's parser has judged the syntax before.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import {
  hasNoContent,
  isAuthority,
  isHostAndPort,
  isPathAndQuery,
  isScheme,
  isSuccessfulStatus,
  quoted,
  UNDECLARED,
} from '../../protocols/semantics/index.ts';
import type { Fields } from './fields.ts';
import { fault, members, readFields } from './fields.ts';

/** A request's head. */
export interface ReceivedRequest {
  readonly method: string;
  readonly httpVersion: '1.0' | '1.1';
  readonly headers: readonly string[];
  readonly rawNames: readonly string[];
  readonly fields: Fields;
  /** Content follows. */
  readonly hasContent: boolean;
  /** The client lets the connection persist. */
  readonly persistent: boolean;
  /** The client waits for 100. */
  readonly expectsContinue: boolean;
  readonly upgrade: readonly string[];
}

/** How a response's content ends. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

/** A response's head. */
export interface ReceivedResponse {
  readonly status: number;
  readonly httpVersion: '1.0' | '1.1';
  readonly headers: readonly string[];
  readonly rawNames: readonly string[];
  readonly fields: Fields;
  readonly framing: ResponseFraming;
  /** The server lets the connection persist. */
  readonly persistent: boolean;
}

/** @throws RemoteProtocolError, LimitError */
export function readRequest(message: IncomingMessage, secure: boolean, maxCount: number): ReceivedRequest {
  const method = message.method ?? '';
  const httpVersion = versionOf(message);
  const fields = readFields(message.rawHeaders, maxCount, true);
  const target = readTarget(method, message.url ?? '', secure ? 'https' : 'http');
  const { host } = fields;
  if (host !== undefined && host !== '' && !isAuthority(host)) {
    throw fault(`Host ${quoted(host)} is no host with an optional port`);
  }
  if (host === undefined && httpVersion === '1.1') throw fault('no Host');
  const pseudo = [':method', method];
  const pseudoNames = [''];
  const authority = target.authority ?? host;
  const add = (name: string, value: string | undefined, rawName = ''): void => {
    if (value === undefined || value === '') return;
    pseudo.push(name, value);
    pseudoNames.push(rawName);
  };
  add(':scheme', target.scheme);
  add(':authority', authority, fields.hostName);
  add(':path', target.path);
  const chunked = isChunked(fields, httpVersion);
  if (method === 'CONNECT' && (chunked || fields.contentLength > 0)) throw fault('CONNECT with content');
  const hasContent = chunked || fields.contentLength > 0;
  const expected = httpVersion === '1.1' ? fields.expect : undefined;
  if (expected !== undefined && expected !== '100-continue') {
    throw fault(`the expectation ${quoted(expected)} cannot be met`, 417);
  }
  return {
    method,
    httpVersion,
    headers: [...pseudo, ...fields.headers],
    rawNames: [...pseudoNames, ...fields.rawNames],
    fields,
    hasContent,
    persistent: httpVersion === '1.1' ? !fields.close : fields.keepAlive && !fields.close,
    expectsContinue: expected !== undefined && hasContent,
    upgrade: httpVersion === '1.1' ? fields.upgrade : [],
  };
}

/** `requestMethod`: of the request that it answers. @throws RemoteProtocolError, LimitError */
export function readResponse(
  message: {
    readonly statusCode?: number | undefined;
    readonly rawHeaders: readonly string[];
    readonly httpVersion: string;
  },
  requestMethod: string,
  maxCount: number,
): ReceivedResponse {
  const status = message.statusCode ?? 0;
  const httpVersion = versionOf(message);
  const fields = readFields(message.rawHeaders, maxCount, false);
  const framing = responseFraming(fields, httpVersion, status, requestMethod);
  const persistent = httpVersion === '1.1' ? !fields.close : fields.keepAlive && !fields.close;
  // What a message without content declares may be followed by it all the same; do not find out.
  const declares = fields.transferEncoding !== undefined || fields.contentLength > 0;
  const suspicious = requestMethod !== 'HEAD' && status !== 304 && framing === 'none' && declares;
  return {
    status,
    httpVersion,
    headers: [':status', String(status), ...fields.headers],
    rawNames: ['', ...fields.rawNames],
    fields,
    framing,
    persistent: persistent && framing !== 'close' && !suspicious,
  };
}

function responseFraming(
  fields: Fields,
  version: '1.0' | '1.1',
  status: number,
  requestMethod: string,
): ResponseFraming {
  if (requestMethod === 'CONNECT' && isSuccessfulStatus(status)) return 'tunnel';
  const chunked = isChunked(fields, version);
  if (requestMethod === 'HEAD' || hasNoContent(status)) return 'none';
  if (chunked) return 'chunked';
  if (fields.contentLength === UNDECLARED) return 'close';
  return fields.contentLength > 0 ? 'length' : 'none';
}

/** Only one final `chunked` is understood, and only alone (RFC 9112 sections 6.1 and 6.3). */
function isChunked(fields: Fields, version: '1.0' | '1.1'): boolean {
  const codings = fields.transferEncoding;
  if (codings === undefined) return false;
  if (version === '1.0') throw fault('Transfer-Encoding in an HTTP/1.0 message');
  if (fields.contentLength !== UNDECLARED) throw fault('both Transfer-Encoding and Content-Length');
  const names = members(codings).map((coding) => coding.toLowerCase());
  if (names.length === 1 && names[0] === 'chunked') return true;
  if (names.pop() !== 'chunked') throw fault(`the last transfer coding of ${quoted(codings)} is not chunked`);
  if (names.length === 0 || names.includes('chunked')) throw fault(`chunked stands not once in ${quoted(codings)}`);
  throw fault(`the transfer codings ${quoted(codings)} are not understood`, 501);
}

function versionOf(message: { readonly httpVersion: string }): '1.0' | '1.1' {
  if (!message.httpVersion.startsWith('1.')) throw fault(`HTTP/${message.httpVersion} is not spoken here`, 505);
  return message.httpVersion === '1.0' ? '1.0' : '1.1';
}

interface Target {
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly path: string | undefined;
}

function readTarget(method: string, target: string, scheme: 'http' | 'https'): Target {
  if (method === 'CONNECT') {
    if (!isHostAndPort(target)) throw fault(`the target of CONNECT, ${quoted(target)}, is not host:port`);
    return { scheme: undefined, authority: target, path: undefined };
  }
  if (target === '*') {
    if (method !== 'OPTIONS') throw fault('the target "*" belongs to OPTIONS');
    return { scheme, authority: undefined, path: '*' };
  }
  if (target.startsWith('/')) {
    if (!isPathAndQuery(target)) throw fault(`the request-target ${quoted(target)} is no absolute path`);
    return { scheme, authority: undefined, path: target };
  }
  const match = /^([^:]*):\/\/([^/?]*)(.*)$/.exec(target);
  const [, given = '', authority = '', rest = ''] = match ?? [];
  if (match === null || !isScheme(given))
    throw fault(`the request-target ${quoted(target)} has none of the four forms`);
  if (authority === '' || !isAuthority(authority)) throw fault(`${quoted(authority)} is no host with an optional port`);
  if (rest === '') return { scheme: given.toLowerCase(), authority, path: method === 'OPTIONS' ? '*' : '/' };
  const path = rest.startsWith('?') ? `/${rest}` : rest;
  if (!isPathAndQuery(path)) throw fault(`the request-target ${quoted(target)} is no URI`);
  return { scheme: given.toLowerCase(), authority, path };
}
