/**
 * Redirects as the Fetch standard has them ("HTTP-redirect fetch"), as functions of values.
 *
 * Owns where a redirect leads, how it changes the method, which fields it takes away, and when it must not be
 * followed. RFC 9110 section 15.4. Following is fetch.ts's work.
 *
 * @module
 */
import { HfaceError } from '../common/index.ts';
import { headerValues } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';

/** The redirect statuses of the Fetch standard. */
export function isRedirectStatus(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** What a redirect is decided from. */
export interface RedirectedRequest {
  readonly url: URL;
  readonly method: string;
  /** Lowercase names and values. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** Whether the body can be sent a second time. */
  readonly replayable: boolean;
}

/** How the request goes on. */
export interface RedirectStep {
  readonly url: URL;
  readonly method: string;
  readonly headers: string[];
  readonly keepsBody: boolean;
  readonly crossOrigin: boolean;
  /** From https to http: what was protected goes on in the clear. */
  readonly downgrade: boolean;
}

/**
 * The step that a redirect response asks for; `undefined` when it names no place, so that the response itself is the
 * answer.
 *
 * @throws HfaceError `ERR_REDIRECT` where the standard has a network error
 */
export function redirectStep(
  status: number,
  headers: HeaderList,
  request: RedirectedRequest,
): RedirectStep | undefined {
  const location = headerValues(headers, 'location');
  const [first] = location;
  if (first === undefined) return undefined;
  if (location.some((value) => value !== first)) throw refused('the response names several locations');
  const url = locationUrl(first, request.url);

  const toGet =
    ((status === 301 || status === 302) && request.method === 'POST') ||
    (status === 303 && request.method !== 'GET' && request.method !== 'HEAD');
  const keepsBody = request.hasBody && !toGet;
  if (keepsBody && !request.replayable) {
    throw refused(`status ${status} asks for the body again, and a stream cannot be sent twice`);
  }
  const crossOrigin = url.origin !== request.url.origin;
  return {
    url,
    method: toGet ? 'GET' : request.method,
    headers: keptHeaders(request.headers, crossOrigin, toGet),
    keepsBody,
    crossOrigin,
    downgrade: request.url.protocol === 'https:' && url.protocol === 'http:',
  };
}

function locationUrl(value: string, base: URL): URL {
  let url: URL;
  try {
    url = new URL(utf8IfNotAscii(value), base);
  } catch {
    throw refused('the location is no URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(`the location's scheme is ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw refused('the location contains user name or password');
  // RFC 9110 section 10.2.2: a location without a fragment inherits the one of the URL that led to it.
  if (url.hash === '' && base.hash !== '') url.hash = base.hash;
  return url;
}

/** Field values are octets; those of a URL are UTF-8. */
function utf8IfNotAscii(value: string): string {
  for (let index = 0; index < value.length; index += 1) {
    if (value.charCodeAt(index) > 0x7e) return Buffer.from(value, 'latin1').toString('utf8');
  }
  return value;
}

/** Fields that say who the user is, or whom the request is for: they are for the origin that they were given for. */
const originFields: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host', 'proxy-authorization']);

/** The Fetch standard's request-body-header names, and the length. */
const bodyFields: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
]);

function keptHeaders(headers: readonly string[], crossOrigin: boolean, withoutBody: boolean): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (crossOrigin && originFields.has(name)) continue;
    if (withoutBody && bodyFields.has(name)) continue;
    kept.push(name, headers[index + 1] as string);
  }
  return kept;
}

function refused(why: string): HfaceError {
  return new HfaceError(`the redirect was not followed: ${why}`, { code: 'ERR_REDIRECT', initiator: 'peer' });
}
