/**
 * Heads in the form that all versions share: which pseudo-header fields a request or a response has, and what else is
 * wrong with its header list.
 *
 * Owns: RFC 9113 section 8.3 (the same words in RFC 9114 section 4.3), extended CONNECT (RFC 8441 section 4), Host
 * against `:authority`, one Content-Length. Every version judges by it what an application submits; HTTP/2 and HTTP/3
 * also what a peer sent. Nothing throws: a head that is wrong yields a sentence.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { isAuthority, isHostAndPort, isMethod, isPathAndQuery, isScheme } from './authority.ts';
import { parseContentLength, UNDECLARED } from './content-length.ts';
import { fieldProblem, quoted } from './field-rules.ts';
import { parseStatus } from './status.ts';

/** A request's head, read. */
export interface RequestHead {
  readonly method: string;
  /** `undefined` for CONNECT without `:protocol`. */
  readonly scheme: string | undefined;
  /** From `:authority`, or from Host where that alone is there. */
  readonly authority: string | undefined;
  /** `undefined` for CONNECT without `:protocol`. */
  readonly path: string | undefined;
  /** Extended CONNECT's protocol. */
  readonly protocol: string | undefined;
  /** The declared length, or `UNDECLARED`. */
  readonly contentLength: number;
  /** Where in the list the fields begin, behind the pseudo-header fields. */
  readonly fieldsStart: number;
}

/** Where in a list the fields begin, behind the pseudo-header fields. */
export function fieldsStart(headers: HeaderList): number {
  let index = 0;
  while (headers[index]?.charCodeAt(0) === 0x3a) index += 2;
  return index;
}

/** A response's head, read. */
export interface ResponseHead {
  readonly status: number;
  /** The declared length, or `UNDECLARED`. */
  readonly contentLength: number;
  /** Where in the list the fields begin. */
  readonly fieldsStart: number;
}

/**
 * Reads a request's head; a sentence when it is malformed.
 *
 * @param fieldsJudged - the caller has judged every field behind the pseudo-header fields by `fieldProblem` already
 */
export function readRequestHead(headers: HeaderList, fieldsJudged = false): RequestHead | string {
  if (headers.length % 2 !== 0) return 'a header list holds names and values in turn';
  let method: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let path: string | undefined;
  let protocol: string | undefined;
  let index = 0;
  for (; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.charCodeAt(0) !== 0x3a) break;
    const value = headers[index + 1] as string;
    if (name === ':method' && method === undefined) method = value;
    else if (name === ':path' && path === undefined) path = value;
    else if (name === ':scheme' && scheme === undefined) scheme = value;
    else if (name === ':authority' && authority === undefined) authority = value;
    else if (name === ':protocol' && protocol === undefined) protocol = value;
    else return pseudoHeaderProblem(name, REQUEST_NAMES);
  }
  const fields = readFields(headers, index, true, fieldsJudged);
  if (typeof fields === 'string') return fields;
  if (fields.host !== undefined) {
    if (authority === undefined) authority = fields.host;
    else if (authority !== fields.host) return 'host differs from :authority';
  }
  const problem = requestLineProblem(method, scheme, authority, path, protocol);
  if (problem !== undefined) return problem;
  return {
    method: method as string,
    scheme,
    authority,
    path,
    protocol,
    contentLength: fields.contentLength,
    fieldsStart: index,
  };
}

/**
 * Reads a response's head; a sentence when it is malformed.
 *
 * @param fieldsJudged - as above
 */
export function readResponseHead(headers: HeaderList, fieldsJudged = false): ResponseHead | string {
  if (headers.length % 2 !== 0) return 'a header list holds names and values in turn';
  if (headers[0] !== ':status') return 'a response begins with :status';
  const status = parseStatus(headers[1] as string);
  if (status < 0) return `:status ${quoted(headers[1] as string)} is no status`;
  const fields = readFields(headers, 2, false, fieldsJudged);
  if (typeof fields === 'string') return fields;
  return { status, contentLength: fields.contentLength, fieldsStart: 2 };
}

const REQUEST_NAMES: readonly string[] = [':method', ':scheme', ':authority', ':path', ':protocol'];

interface Fields {
  readonly contentLength: number;
  readonly host: string | undefined;
}

function readFields(headers: HeaderList, start: number, request: boolean, judged: boolean): Fields | string {
  let contentLength = UNDECLARED;
  let host: string | undefined;
  for (let index = start; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    const problem = judged ? undefined : fieldProblem(name, value);
    if (problem !== undefined) {
      return name.charCodeAt(0) === 0x3a
        ? `${quoted(name)} stands twice, behind a field, or where it may not`
        : problem;
    }
    if (name === 'content-length') {
      if (contentLength !== UNDECLARED) return 'content-length stands twice';
      contentLength = parseContentLength(value);
      if (contentLength < 0) return `content-length ${quoted(value)} is no decimal number up to 2^53-1`;
    } else if (request && name === 'host') {
      if (host !== undefined) return 'host stands twice';
      host = value;
    }
  }
  return { contentLength, host };
}

function pseudoHeaderProblem(name: string, known: readonly string[]): string {
  return known.includes(name) ? `${name} stands twice` : `${quoted(name)} is no pseudo-header field of a request`;
}

/** RFC 9113 sections 8.3.1 and 8.5, RFC 8441 section 4. */
function requestLineProblem(
  method: string | undefined,
  scheme: string | undefined,
  authority: string | undefined,
  path: string | undefined,
  protocol: string | undefined,
): string | undefined {
  if (method === undefined) return ':method is missing';
  if (!isMethod(method)) return `${quoted(method)} is no method`;
  if (authority !== undefined && !isAuthority(authority))
    return `${quoted(authority)} is no host with an optional port`;
  if (method === 'CONNECT' && protocol === undefined) {
    if (scheme !== undefined || path !== undefined) return 'CONNECT has neither :scheme nor :path';
    if (authority === undefined || !isHostAndPort(authority)) return 'CONNECT needs :authority with host and port';
    return undefined;
  }
  if (protocol !== undefined) {
    if (method !== 'CONNECT') return ':protocol belongs to CONNECT';
    if (!isMethod(protocol)) return `:protocol ${quoted(protocol)} is no token`;
    if (authority === undefined) return 'extended CONNECT needs :authority';
  }
  if (scheme === undefined) return ':scheme is missing';
  if (!isScheme(scheme)) return `${quoted(scheme)} is no scheme`;
  if (path === undefined) return ':path is missing';
  if (path === '*') return method === 'OPTIONS' ? undefined : ':path "*" belongs to OPTIONS';
  if (!isPathAndQuery(path)) return `:path ${quoted(path)} is no absolute path`;
  return undefined;
}
