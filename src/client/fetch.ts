/**
 * The standard's fetch over a session: redirects followed, codings undone, platform objects in and out.
 *
 * Owns the loop. Arguments are fetch-request.ts's, redirect rules redirect.ts's, the Response fetch-response.ts's.
 * Failures are a `TypeError` as the standard says, with the `HfaceError` as its cause; an abort is the signal's reason.
 * There are no cookies, no cache and no CORS.
 *
 * @module
 */
import { HfaceError } from '../common/index.ts';
import type { Clock, HeaderList } from '../common/index.ts';
import type { ClientRequest, InformationalResponse } from './client-request.ts';
import type { ClientResponse } from './client-response.ts';
import { acceptEncoding } from './content-decoding.ts';
import { readFetchRequest } from './fetch-request.ts';
import type { FetchReading, FetchRequest } from './fetch-request.ts';
import { fetchedResponse } from './fetch-response.ts';
import type { ClientLimits, ClientTimeoutOptions } from './limits.ts';
import type { RequestPart } from './prepared-request.ts';
import { isRedirectStatus, redirectStep } from './redirect.ts';
import type { RequestUrls } from './request-url.ts';

/** A redirect that fetch follows. */
export interface FollowedRedirect {
  readonly status: number;
  readonly from: string;
  readonly to: string;
  /** The credentials of the request were left behind. */
  readonly crossOrigin: boolean;
  /** It leads from https to http: what follows is not protected. */
  readonly downgrade: boolean;
}

/** What the standard's RequestInit has no room for. */
export interface FetchOptions {
  /** Overrides of the session's timeouts; `total` covers all redirects. */
  readonly timeouts?: ClientTimeoutOptions | undefined;
  /** Told of each interim response as it comes. What it throws fails the fetch. */
  readonly onInformational?: ((response: InformationalResponse) => void) | undefined;
  /** Told before a redirect is followed, and waited for. What it throws fails the fetch. */
  readonly onRedirect?: ((redirect: FollowedRedirect) => void | Promise<void>) | undefined;
}

/** What fetch takes from its session. */
export interface FetchContext extends FetchReading {
  readonly clock: Clock;
  readonly limits: ClientLimits;
  /** The fields of a request without any of its own, by scheme. */
  readonly plainFields: Readonly<Record<'http' | 'https', HeaderList>>;
  dispatch(request: ClientRequest, part: RequestPart): Promise<ClientResponse>;
  /** The total in force, in milliseconds. */
  totalOf(timeouts: ClientTimeoutOptions | undefined): number;
}

/** The fields that fetch sends of itself, with the session's User-Agent. */
export function fetchFields(scheme: 'http' | 'https', userAgent: string | undefined): HeaderList {
  const fields = ['accept', '*/*', 'accept-encoding', acceptEncoding(scheme === 'https')];
  if (userAgent !== undefined) fields.push('user-agent', userAgent);
  return fields;
}

/** Fetches. Rejects with a `TypeError` or the signal's reason. */
export function performFetch(
  context: FetchContext,
  input: string | URL | Request,
  init: RequestInit | undefined,
  options: FetchOptions,
): Promise<Response> {
  try {
    const request = readFetchRequest(input, init, context);
    if (request instanceof Promise) return request.then((read) => follow(context, read, options));
    return follow(context, request, options);
  } catch (error) {
    return Promise.reject(error);
  }
}

async function follow(context: FetchContext, first: FetchRequest, options: FetchOptions): Promise<Response> {
  const { limits, clock } = context;
  try {
    const total = context.totalOf(options.timeouts);
    const totalAt = total === Infinity ? Infinity : clock.now() + total;
    let request = first;
    let redirects = 0;
    for (;;) {
      const response = await send(context, request, options, totalAt);
      try {
        if (!isRedirectStatus(response.status) || request.redirect === 'manual') {
          return fetchedResponse(response, request, redirects > 0, limits);
        }
        if (request.redirect === 'error') throw redirectError('the server redirects, and redirect is error');
        const next = await redirected(response, request, options, context.urls);
        if (next === undefined) return fetchedResponse(response, request, redirects > 0, limits);
        if (redirects >= limits.maxRedirects) {
          throw redirectError(`there were more than ${limits.maxRedirects} redirects`);
        }
        redirects += 1;
        request = next;
      } catch (error) {
        response.body.cancel(error);
        throw error;
      }
      await discard(response, clock);
    }
  } catch (error) {
    if (first.signal?.aborted === true) throw first.signal.reason;
    // Undici's words, which other code looks for; the cause tells more.
    throw new TypeError('fetch failed', { cause: error });
  }
}

function send(
  context: FetchContext,
  request: FetchRequest,
  options: FetchOptions,
  totalAt: number,
): Promise<ClientResponse> {
  const { url, body } = request;
  const plain = request.headers.length === 0 && body === undefined;
  const fields = plain ? context.plainFields[url.origin.scheme] : undefined;
  return context.dispatch(clientRequest(request, options, plain), { url, body, totalAt, fields });
}

/** The request that a redirect leads to. */
async function redirected(
  response: ClientResponse,
  request: FetchRequest,
  options: FetchOptions,
  urls: RequestUrls,
): Promise<FetchRequest | undefined> {
  const { status, headers } = response;
  const step = redirectStep(status, headers, {
    url: request.url.url,
    method: request.method,
    headers: request.headers,
    hasBody: request.body !== undefined,
    replayable: request.body?.replayable ?? true,
  });
  if (step === undefined) return undefined;
  const { crossOrigin, downgrade } = step;
  await options.onRedirect?.({ status, from: request.url.url.href, to: step.url.href, crossOrigin, downgrade });
  return {
    ...request,
    url: urls.read(step.url),
    method: step.method,
    headers: step.headers,
    body: step.keepsBody ? request.body : undefined,
  };
}

/** `plain`: it has nothing of its own, and what is sent of itself is given besides. */
function clientRequest(request: FetchRequest, options: FetchOptions, plain: boolean): ClientRequest {
  return {
    // Read from the part that goes with it.
    url: '',
    method: request.method,
    headers: plain ? undefined : completed(request),
    signal: request.signal,
    priority: request.priority,
    timeouts: options.timeouts,
    onInformational: options.onInformational,
  };
}

/** The request's fields, and those that fetch sends of itself. */
function completed(request: FetchRequest): string[] {
  const headers = [...request.headers];
  if (!headersHave(headers, 'accept')) headers.push('accept', '*/*');
  if (!headersHave(headers, 'accept-encoding')) {
    // A range counts the octets of the coded form, which would then be a piece that cannot be decoded.
    const identity = headersHave(headers, 'range');
    headers.push('accept-encoding', identity ? 'identity' : acceptEncoding(request.url.origin.scheme === 'https'));
  }
  return headers;
}

function headersHave(headers: readonly string[], name: string): boolean {
  for (let index = 0; index < headers.length; index += 2) if (headers[index] === name) return true;
  return false;
}

/** How long the body of a redirect may take, in milliseconds, before its connection is given up instead. */
const DISCARD_TIME = 1_000;

async function discard(response: ClientResponse, clock: Clock): Promise<void> {
  if (response.body.empty) return;
  const patience = clock.schedule(clock.now() + DISCARD_TIME, () => response.body.cancel(), { background: true });
  await response.body.discard();
  patience.cancel();
}

function redirectError(message: string): HfaceError {
  return new HfaceError(message, { code: 'ERR_REDIRECT', initiator: 'peer' });
}
