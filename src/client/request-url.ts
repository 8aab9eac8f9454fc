/**
 * Where a request goes: a URL taken apart, as cheaply as it can be.
 *
 * Owns the reading of the URLs of requests, and the refusal of those that are none of HTTP's. Making a `URL` costs as
 * much as half of the rest of a request; so one that begins with the origin of the request before, and goes on with
 * nothing that a URL parser would touch, is cut by hand, and its `URL` is made when somebody asks for it.
 *
 * Invariant: what is cut by hand is what the URL standard would have made of it.
 *
 * @module
 */
import { LocalProtocolError, originOf } from '../common/index.ts';
import type { Origin } from '../common/index.ts';

/** A URL of a request. */
export class RequestUrl {
  /** One object for requests in a row to one origin. */
  readonly origin: Origin;
  /** `url.host`. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  /** `url.origin`. */
  readonly originText: string;
  #url: URL | undefined;

  /** @param url - the same, if it is at hand */
  constructor(origin: Origin, originText: string, host: string, path: string, url: URL | undefined) {
    this.origin = origin;
    this.originText = originText;
    this.host = host;
    this.path = path;
    this.#url = url;
  }

  /** The URL itself; each time the same. */
  get url(): URL {
    this.#url ??= new URL(this.originText + this.path);
    return this.#url;
  }

  /** The URL as text, without its fragment. */
  get hrefWithoutHash(): string {
    if (this.#url === undefined) return this.originText + this.path;
    // Not put together again: a query that is empty shows in the URL alone.
    const { href } = this.#url;
    const fragment = href.indexOf('#');
    return fragment < 0 ? href : href.slice(0, fragment);
  }
}

/** Reads URLs, and remembers the origin of the last one. */
export class RequestUrls {
  #origin: Origin | undefined;
  #originText: string;
  #host: string;

  constructor() {
    this.#origin = undefined;
    this.#originText = '';
    this.#host = '';
  }

  /**
   * Takes a URL apart. A `URL` is kept as it is given.
   *
   * @throws LocalProtocolError for what is no URL of HTTP, or has user name or password in it
   */
  read(input: string | URL): RequestUrl {
    const cut = typeof input === 'string' ? this.cut(input) : undefined;
    if (cut !== undefined) return cut;
    const url = checkedUrl(input);
    if (this.#origin === undefined || url.origin !== this.#originText) {
      this.#origin = originOf(url);
      this.#originText = url.origin;
      this.#host = url.host;
    }
    return new RequestUrl(this.#origin, this.#originText, this.#host, `${url.pathname}${url.search}`, url);
  }

  /** Cuts a URL by hand; `undefined` for one that needs a parser. */
  cut(input: string): RequestUrl | undefined {
    const text = this.#originText;
    if (this.#origin === undefined || !input.startsWith(text)) return undefined;
    const start = text.length;
    if (start === input.length) return new RequestUrl(this.#origin, text, this.#host, '/', undefined);
    if (!isPlainPath(input, start)) return undefined;
    return new RequestUrl(this.#origin, text, this.#host, input.slice(start), undefined);
  }
}

function checkedUrl(input: string | URL): URL {
  let url: URL;
  try {
    url = typeof input === 'string' ? new URL(input) : input;
  } catch (error) {
    throw new LocalProtocolError(`"${String(input)}" is no absolute URL`, 'ERR_URL', error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new LocalProtocolError(`${url.protocol} is no scheme of HTTP: use http: or https:`, 'ERR_URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new LocalProtocolError(
      'a URL with user name or password is refused: give them as auth',
      'ERR_URL_CREDENTIALS',
    );
  }
  return url;
}

/** Characters that stand for themselves in a path and in a query, whatever stands around them; `/` and `?` aside. */
const PLAIN = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=:@%') {
  PLAIN[character.charCodeAt(0)] = 1;
}
const SLASH = 0x2f;
const QUESTION = 0x3f;
const DOT = 0x2e;
const PERCENT = 0x25;

/**
 * Whether what follows the origin is a path and perhaps a query that a URL parser leaves as they are: it begins with a
 * slash, nothing needs to be encoded, no segment may be one of dots, and a query is not empty.
 */
function isPlainPath(text: string, start: number): boolean {
  if (text.charCodeAt(start) !== SLASH) return false;
  let before = 0;
  let inQuery = false;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (before === SLASH && !inQuery && (code === DOT || code === PERCENT)) return false;
    if (code === QUESTION) {
      if (at === text.length - 1) return false;
      inQuery = true;
    } else if (code !== SLASH && PLAIN[code] !== 1) return false;
    before = code;
  }
  return true;
}
