/**
 * A request made ready: URL taken apart, fields flattened, body and framing fields decided.
 *
 * Owns what RFC 9110 asks of a sender before anything is sent: Host (section 7.2), Content-Length (section 8.6),
 * Expect (section 10.1.1), Trailer (section 6.6.2), User-Agent (section 10.1.5), and the refusal of fields that
 * belong to the connection (section 7.6.1). Syntax of names and values is the engine's judgement.
 *
 * Invariant: a prepared request is never changed; each attempt to send it reads it anew.
 *
 * @module
 */
import { LocalProtocolError } from '../common/index.ts';
import type { ClientTlsConfig, HeaderList, Origin, Random } from '../common/index.ts';
import type { ClientExchangeRequest } from '../connections/index.ts';
import type { BodySource } from './body-content.ts';
import { bodySource } from './body-source.ts';
import type { RequestBody } from './body-source.ts';
import type { ClientRequest, InformationalResponse, RequestPriority } from './client-request.ts';
import { HeaderFields } from './header-input.ts';
import type { HeaderInput } from './header-input.ts';
import type { ClientTimeouts } from './limits.ts';
import type { RequestUrl, RequestUrls } from './request-url.ts';
import { isIdempotent } from './retry.ts';

/** A request that can be sent. */
export interface PreparedRequest {
  readonly url: RequestUrl;
  readonly origin: Origin;
  /** TLS and unix socket in place of the session's. */
  readonly tls: ClientTlsConfig | undefined;
  readonly unixSocket: string | undefined;
  /** What goes to the connection. */
  readonly head: ClientExchangeRequest;
  /** The content, or `undefined` without. */
  readonly body: BodySource | undefined;
  readonly trailers: HeaderInput | (() => HeaderInput | Promise<HeaderInput>) | undefined;
  /** The body waits for 100 (Continue). */
  readonly expectContinue: boolean;
  /** The body waits until the server has agreed to a tunnel: CONNECT, extended CONNECT, Upgrade. */
  readonly tunnel: boolean;
  readonly idempotent: boolean;
  readonly retry: boolean;
  readonly timeouts: ClientTimeouts;
  /** When the total is over on the clock's scale, where it covers more than this request; else `undefined`. */
  readonly totalAt: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly priority: RequestPriority | undefined;
  readonly onInformational: ((response: InformationalResponse) => void) | undefined;
}

/** What may be done already. */
export interface RequestPart {
  /** The request's URL, taken apart. */
  readonly url: RequestUrl | undefined;
  /** In place of the request's own body. */
  readonly body: BodySource | undefined;
  readonly totalAt: number | undefined;
  /** All fields, those that are the session's included, of a request that gives none itself. */
  readonly fields: HeaderList | undefined;
}

const NOTHING: RequestPart = { url: undefined, body: undefined, totalAt: undefined, fields: undefined };

/** What a request takes from its session. */
export interface RequestDefaults {
  readonly random: Random;
  readonly urls: RequestUrls;
  /** Sent when the request has no user-agent; `undefined`: none. */
  readonly userAgent: string | undefined;
  /** The fields of a request that has none of its own. */
  readonly plainFields: HeaderList;
  readonly retry: boolean;
  /** The timeouts in force for a request. */
  timeoutsOf(overrides: ClientRequest['timeouts']): ClientTimeouts;
}

/**
 * Makes a request ready.
 *
 * @param part - what the caller has done already: the body read, the total begun
 * @throws ConfigurationError or LocalProtocolError for what cannot be sent
 */
export function prepareRequest(
  request: ClientRequest,
  defaults: RequestDefaults,
  part: RequestPart = NOTHING,
): PreparedRequest {
  const url = part.url ?? defaults.urls.read(request.url);
  const method = request.method ?? 'GET';
  if (isPlain(request, method, part)) return plainRequest(request, method, url, defaults, part);
  const fields = HeaderFields.from(request.headers);
  refuseConnectionFields(fields);
  const authority = takeAuthority(request, fields, url);
  const plainConnect = method === 'CONNECT' && request.protocol === undefined;
  const tunnel = method === 'CONNECT' || request.upgrade !== undefined;
  const source = part.body ?? (hasBody(request) ? bodySource(request.body, defaults.random) : undefined);

  if (defaults.userAgent !== undefined && !fields.has('user-agent')) fields.append('user-agent', defaults.userAgent);
  addCredentials(request, fields);
  const expectContinue = decideExpect(request, fields, source);
  if (!tunnel) decideFraming(request, method, fields, source);
  const empty = request.trailers === undefined && (source === undefined || source.length === 0);

  return {
    url,
    origin: url.origin,
    tls: request.tls,
    unixSocket: request.unixSocket,
    head: {
      method,
      scheme: plainConnect ? '' : url.origin.scheme,
      authority,
      path: plainConnect ? '' : (request.target ?? url.path),
      protocol: request.protocol,
      upgrade: request.upgrade,
      headers: fields.list,
      rawNames: fields.rawNames(),
      endStream: empty && !tunnel,
    },
    body: empty ? undefined : source,
    trailers: request.trailers,
    expectContinue,
    tunnel,
    idempotent: request.idempotent ?? (isIdempotent(method) && request.upgrade === undefined),
    retry: request.retry ?? defaults.retry,
    timeouts: defaults.timeoutsOf(request.timeouts),
    totalAt: part.totalAt,
    signal: request.signal ?? undefined,
    priority: request.priority,
    onInformational: request.onInformational,
  };
}

/** The same request without its expectation, as RFC 9110 section 10.1.1 has it after 417. */
export function withoutExpectation(request: PreparedRequest): PreparedRequest {
  const fields = HeaderFields.from(request.head.headers);
  if (request.head.rawNames !== undefined) fields.spelling.splice(0, fields.spelling.length, ...request.head.rawNames);
  fields.take('expect');
  return {
    ...request,
    head: { ...request.head, headers: fields.list, rawNames: fields.rawNames() },
    expectContinue: false,
  };
}

function hasBody(request: ClientRequest): request is ClientRequest & { readonly body: RequestBody } {
  return request.body !== undefined && request.body !== null;
}

/** Whether it has nothing but its URL, a method without content, and what does not change its head. */
function isPlain(request: ClientRequest, method: string, part: RequestPart): boolean {
  return (
    request.headers === undefined &&
    !hasBody(request) &&
    part.body === undefined &&
    request.trailers === undefined &&
    request.auth === undefined &&
    request.upgrade === undefined &&
    request.protocol === undefined &&
    method !== 'CONNECT' &&
    !methodsWithContent.has(method)
  );
}

/** The same as the long way, for one that {@link isPlain}. */
function plainRequest(
  request: ClientRequest,
  method: string,
  url: RequestUrl,
  defaults: RequestDefaults,
  part: RequestPart,
): PreparedRequest {
  return {
    url,
    origin: url.origin,
    tls: request.tls,
    unixSocket: request.unixSocket,
    head: {
      method,
      scheme: url.origin.scheme,
      authority: request.authority ?? url.host,
      path: request.target ?? url.path,
      protocol: undefined,
      upgrade: undefined,
      headers: part.fields ?? defaults.plainFields,
      rawNames: undefined,
      endStream: true,
    },
    body: undefined,
    trailers: undefined,
    expectContinue: false,
    tunnel: false,
    idempotent: request.idempotent ?? isIdempotent(method),
    retry: request.retry ?? defaults.retry,
    timeouts: defaults.timeoutsOf(request.timeouts),
    totalAt: part.totalAt,
    signal: request.signal ?? undefined,
    priority: request.priority,
    onInformational: request.onInformational,
  };
}

/** Fields that speak of the connection, not of the request (RFC 9110 section 7.6.1). */
const connectionFields: ReadonlyMap<string, string> = new Map([
  ['connection', 'the pool decides how long connections live'],
  ['keep-alive', 'the pool decides how long connections live'],
  ['proxy-connection', 'it is no field of HTTP'],
  ['transfer-encoding', 'the framing follows from the body'],
  ['upgrade', 'give the token as upgrade'],
]);

function refuseConnectionFields(fields: HeaderFields): void {
  // What it asks for is what happens; much code sends it out of habit.
  if (fields.get('connection')?.toLowerCase() === 'keep-alive') fields.take('connection');
  for (let index = 0; index < fields.list.length; index += 2) {
    const name = fields.list[index] as string;
    const reason = connectionFields.get(name);
    if (reason !== undefined) throw new LocalProtocolError(`field ${name} cannot be set: ${reason}`, 'ERR_HEADERS');
    if (name.charCodeAt(0) === 0x3a) {
      throw new LocalProtocolError(`pseudo-header field ${name} follows from url, method and authority`, 'ERR_HEADERS');
    }
  }
}

/** `:authority`: what the caller names, else Host, else the URL's. */
function takeAuthority(request: ClientRequest, fields: HeaderFields, url: RequestUrl): string {
  const host = fields.take('host');
  const plainConnect = request.method === 'CONNECT' && request.protocol === undefined;
  if (plainConnect && request.authority === undefined) {
    throw new LocalProtocolError('CONNECT needs the authority of its target: host:port', 'ERR_AUTHORITY');
  }
  return request.authority ?? host ?? url.host;
}

function addCredentials(request: ClientRequest, fields: HeaderFields): void {
  const { auth } = request;
  if (auth === undefined) return;
  if (fields.has('authorization')) throw new LocalProtocolError('give auth or authorization, not both', 'ERR_AUTH');
  // RFC 7617 section 2: a user-id with a colon cannot be told from one without.
  if (auth.username.includes(':')) throw new LocalProtocolError('a user name cannot contain a colon', 'ERR_AUTH');
  fields.append(
    'authorization',
    `Basic ${Buffer.from(`${auth.username}:${auth.password}`, 'utf8').toString('base64')}`,
  );
}

/** RFC 9110 section 10.1.1: the one expectation there is, and only with content. */
function decideExpect(request: ClientRequest, fields: HeaderFields, body: BodySource | undefined): boolean {
  const given = fields.get('expect');
  if (given !== undefined && given.toLowerCase() !== '100-continue') {
    throw new LocalProtocolError(`Expect: ${given} is no expectation of HTTP`, 'ERR_EXPECT');
  }
  const wanted = request.expectContinue ?? given !== undefined;
  if (!wanted || body === undefined || body.length === 0) {
    if (given !== undefined) fields.take('expect');
    return false;
  }
  if (given === undefined) fields.append('expect', '100-continue');
  return true;
}

/** Methods whose requests have content by their meaning: they say so when it is empty (RFC 9110 section 8.6). */
const methodsWithContent: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Content-Type, Content-Length and Trailer. */
function decideFraming(
  request: ClientRequest,
  method: string,
  fields: HeaderFields,
  body: BodySource | undefined,
): void {
  if (method === 'TRACE' && body !== undefined) {
    throw new LocalProtocolError('TRACE has no content (RFC 9110 section 9.3.8)', 'ERR_REQUEST_BODY');
  }
  if (body?.contentType !== undefined && !fields.has('content-type')) fields.append('content-type', body.contentType);
  const given = fields.get('content-length');
  if (fields.count('content-length') > 1) {
    throw new LocalProtocolError('content-length stands twice in the headers', 'ERR_CONTENT_LENGTH');
  }
  const length = body === undefined ? 0 : body.length;
  if (given !== undefined) checkLength(given, length);
  if (request.trailers !== undefined) {
    if (given !== undefined) {
      throw new LocalProtocolError(
        'a request with trailers has no content-length: it is sent in chunks',
        'ERR_CONTENT_LENGTH',
      );
    }
    if (typeof request.trailers !== 'function' && !fields.has('trailer')) {
      const names = new Set(HeaderFields.from(request.trailers).spelling);
      if (names.size > 0) fields.append('trailer', [...names].join(', '));
    }
    return;
  }
  if (given !== undefined || length === undefined) return;
  if (body !== undefined || methodsWithContent.has(method)) fields.append('content-length', String(length));
}

function checkLength(given: string, length: number | undefined): void {
  if (!/^\d{1,16}$/.test(given))
    throw new LocalProtocolError(`content-length "${given}" is no length`, 'ERR_CONTENT_LENGTH');
  if (length !== undefined && Number(given) !== length) {
    throw new LocalProtocolError(`content-length says ${given}, the body has ${length} bytes`, 'ERR_CONTENT_LENGTH');
  }
}
