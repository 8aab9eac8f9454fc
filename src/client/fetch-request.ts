/**
 * The arguments of `fetch`, read as the Fetch standard's Request constructor reads them.
 *
 * Owns every member of RequestInit: each is supported, has nothing to act upon here (there are no cookies, no cache, no
 * documents and no CORS), or is refused by name. A platform Request is taken as well; a plain URL with plain options is
 * read without making one, since that costs more than the request itself.
 *
 * @module
 */
import type { Random } from '../common/index.ts';
import { nativeInput } from '../fetch/request.ts';
import type { BodySource } from './body-content.ts';
import { bodySource, bytesSource, isAsyncIterable, iterableSource } from './body-source.ts';
import type { RequestBody } from './body-source.ts';
import type { RequestPriority } from './client-request.ts';
import { HeaderFields } from './header-input.ts';
import type { RequestUrl, RequestUrls } from './request-url.ts';

/** A request of fetch. */
export interface FetchRequest {
  readonly url: RequestUrl;
  readonly method: string;
  /** Lowercase names and values. */
  readonly headers: readonly string[];
  readonly body: BodySource | undefined;
  readonly redirect: 'follow' | 'error' | 'manual';
  readonly signal: AbortSignal | undefined;
  readonly priority: RequestPriority | undefined;
}

/** Members of RequestInit that the platform's types lack. */
interface FullRequestInit extends RequestInit {
  readonly cache?: unknown;
  readonly priority?: unknown;
  readonly window?: null;
}

/** What reading takes from the session. */
export interface FetchReading {
  readonly random: Random;
  readonly urls: RequestUrls;
}

/**
 * Reads the arguments of fetch; at once, unless the input is a Request with a body of its own.
 *
 * @throws TypeError for what the standard refuses and for what is not supported here
 */
export function readFetchRequest(
  input: string | URL | Request,
  init: RequestInit | undefined,
  reading: FetchReading,
): FetchRequest | Promise<FetchRequest> {
  if (typeof input !== 'string' && input instanceof Request) return fromRequest(input, init, reading);
  const url = parseUrl(input, reading.urls);
  if (init === undefined || (init as unknown) === null) return plainRequest(url);
  const options: FullRequestInit = init;
  refuseUnsupported(options);
  const method = readMethod(options.method);
  const headers = new HeaderFields();
  if (options.headers !== undefined) {
    for (const [name, value] of new Headers(options.headers)) headers.append(name, value);
  }
  const body = readBody(options, method, reading.random);
  return assemble(url, method, headers, body, options);
}

/** Of a URL alone. */
function plainRequest(url: RequestUrl): FetchRequest {
  return {
    url,
    method: 'GET',
    headers: NO_HEADERS,
    body: undefined,
    redirect: 'follow',
    signal: undefined,
    priority: undefined,
  };
}

const NO_HEADERS: readonly string[] = [];

async function fromRequest(
  input: Request,
  init: RequestInit | undefined,
  { random, urls }: FetchReading,
): Promise<FetchRequest> {
  const options: FullRequestInit = init ?? {};
  const request = init === undefined ? input : new Request(nativeInput(input), init);
  const given = request as unknown as FullRequestInit;
  refuseUnsupported({
    ...options,
    integrity: request.integrity,
    keepalive: request.keepalive,
    mode: request.mode,
    referrer: request.referrer,
    referrerPolicy: request.referrerPolicy,
  });
  const headers = new HeaderFields();
  for (const [name, value] of request.headers) headers.append(name, value);
  let body: BodySource | undefined;
  if (options.body !== undefined && options.body !== null) body = readBody(options, request.method, random);
  else if (request.body !== null) body = await bodyOfRequest(request.body as ReadableStream<Uint8Array>);
  const rest = { redirect: request.redirect, signal: request.signal, cache: given.cache, priority: options.priority };
  return assemble(parseUrl(request.url, urls), request.method, headers, body, rest);
}

/** What is common to both kinds of input. */
function assemble(
  url: RequestUrl,
  method: string,
  headers: HeaderFields,
  body: BodySource | undefined,
  options: FullRequestInit,
): FetchRequest {
  const { signal } = options;
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
    throw new TypeError('signal must be an AbortSignal');
  }
  if (headers.has('host')) throw new TypeError('fetch takes the host from the URL: use dispatch to send another');
  addCacheFields(options.cache, headers);
  if (body?.contentType !== undefined && !headers.has('content-type')) headers.append('content-type', body.contentType);
  return {
    url,
    method,
    headers: headers.list,
    body,
    redirect: readRedirect(options.redirect),
    signal: signal ?? undefined,
    priority: readPriority(options.priority),
  };
}

function parseUrl(input: string | URL, urls: RequestUrls): RequestUrl {
  const plain = typeof input === 'string' ? urls.cut(input) : undefined;
  if (plain !== undefined) return plain;
  let url: URL;
  try {
    url = new URL(input);
  } catch (error) {
    throw new TypeError(`Failed to parse URL from ${String(input)}`, { cause: error });
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('a URL with user name or password is refused: send authorization');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`scheme ${url.protocol} is not supported: only http: and https: are`);
  }
  return urls.read(url);
}

/** The standard's forbidden methods. */
const forbiddenMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);
/** Methods that the standard puts into capitals. */
const normalisedMethods: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

function readMethod(given: string | undefined): string {
  if (given === undefined) return 'GET';
  const method = given;
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(`"${method}" is no method`);
  const upper = method.toUpperCase();
  if (forbiddenMethods.has(upper)) throw new TypeError(`fetch does not send ${upper}`);
  return normalisedMethods.has(upper) ? upper : method;
}

function readBody(options: FullRequestInit, method: string, random: Random): BodySource | undefined {
  const body = options.body as unknown;
  if (body === undefined || body === null) return undefined;
  if (method === 'GET' || method === 'HEAD') throw new TypeError(`a ${method} request of fetch has no body`);
  if (body instanceof ReadableStream || (isAsyncIterable(body) && !(body instanceof FormData))) {
    if (options.duplex !== 'half') throw new TypeError("a body that streams needs duplex: 'half'");
    if (body instanceof ReadableStream && body.locked) throw new TypeError('the body is locked');
    return iterableSource(body as AsyncIterable<Uint8Array>);
  }
  // The standard sends a copy: who changes the buffer afterwards does not change the request.
  if (body instanceof ArrayBuffer) return bytesSource(new Uint8Array(body.slice(0)), undefined);
  if (ArrayBuffer.isView(body)) {
    return bytesSource(new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice(), undefined);
  }
  if (body instanceof Blob || body instanceof FormData || body instanceof URLSearchParams) {
    return bodySource(body as RequestBody, random);
  }
  return bodySource(asString(body), random);
}

/** WebIDL's conversion: whatever is no kind of body is sent as its text. */
function asString(value: unknown): string {
  return String(value);
}

/** How much of a Request's body is read ahead to learn whether it is short. */
const AHEAD = 0x10000;

/**
 * The body of a platform Request is always a stream, and nothing tells where it came from. What it has at hand within
 * one turn of the event loop is taken: a short body is then known whole, with its length, and can be sent again.
 */
async function bodyOfRequest(stream: ReadableStream<Uint8Array>): Promise<BodySource> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const turn = new Promise<'turn'>((resolve) => {
    setImmediate(() => resolve('turn'));
  });
  for (;;) {
    const pending = reader.read();
    const result = await Promise.race([pending, turn]);
    if (result === 'turn') return iterableSource(continued(pieces, pending, reader));
    if (result.done) return bytesSource(joined(pieces, length), undefined);
    pieces.push(result.value);
    length += result.value.byteLength;
    if (length > AHEAD) return iterableSource(continued(pieces, undefined, reader));
  }
}

type ReadResult = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

/** What was read ahead, then the rest. */
async function* continued(
  pieces: readonly Uint8Array[],
  pending: Promise<ReadResult> | undefined,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let ended = false;
  try {
    yield* pieces;
    let result = await (pending ?? reader.read());
    while (!result.done) {
      yield result.value;
      result = await reader.read();
    }
    ended = true;
  } finally {
    if (!ended) reader.cancel().catch(() => {});
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.byteLength;
  }
  return bytes;
}

function readRedirect(given: unknown): 'follow' | 'error' | 'manual' {
  if (given === undefined) return 'follow';
  if (given === 'follow' || given === 'error' || given === 'manual') return given;
  throw new TypeError(`redirect must be follow, error or manual, not ${asString(given)}`);
}

function readPriority(given: unknown): RequestPriority | undefined {
  switch (given) {
    case undefined:
    case 'auto':
      return undefined;
    case 'high':
      return { urgency: 1, incremental: false };
    case 'low':
      return { urgency: 5, incremental: false };
    default:
      throw new TypeError('priority must be high, low or auto');
  }
}

/** There is no cache here; caches on the way are told what the mode asks of them, as the standard has it. */
function addCacheFields(mode: unknown, headers: HeaderFields): void {
  switch (mode) {
    case undefined:
    case 'default':
    case 'force-cache':
      return;
    case 'no-cache':
      if (!headers.has('cache-control')) headers.append('cache-control', 'max-age=0');
      return;
    case 'no-store':
    case 'reload':
      if (!headers.has('pragma')) headers.append('pragma', 'no-cache');
      if (!headers.has('cache-control')) headers.append('cache-control', 'no-cache');
      return;
    case 'only-if-cached':
      throw new TypeError('cache: only-if-cached finds nothing: there is no cache');
    default:
      throw new TypeError(`"${asString(mode)}" is no cache mode`);
  }
}

/** What cannot be honoured is refused, never passed over in silence. */
function refuseUnsupported(options: FullRequestInit): void {
  const { integrity, keepalive, mode, referrer, referrerPolicy, window } = options;
  if (integrity !== undefined && integrity !== '') throw new TypeError('integrity is not supported');
  if (keepalive === true) throw new TypeError('keepalive is not supported: the session bounds its requests');
  if (mode !== undefined && mode !== 'cors')
    throw new TypeError(`mode ${mode} is not supported: there are no origins here`);
  if (referrer !== undefined && referrer !== '' && referrer !== 'about:client' && referrer !== 'no-referrer') {
    throw new TypeError('referrer is not supported: send the header referer');
  }
  if (referrerPolicy !== undefined && referrerPolicy !== '' && referrerPolicy !== 'no-referrer') {
    throw new TypeError('referrerPolicy is not supported: no referrer is sent');
  }
  if (window !== undefined && (window as unknown) !== null) throw new TypeError('window must be null');
  for (const name of ['dispatcher', 'agent', 'timeout']) {
    if (name in options && (options as Record<string, unknown>)[name] !== undefined) {
      throw new TypeError(`${name} is no member of the standard's RequestInit: see the options of Client`);
    }
  }
}
