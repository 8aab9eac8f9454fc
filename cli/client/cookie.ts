/**
 * A cookie, from the field Set-Cookie (RFC 6265 section 5.2).
 *
 * Owns the reading of the field and of its dates (section 5.1.1), the default path, and what makes a cookie one of the
 * host that sent it. Besides RFC 6265: the prefixes `__Host-` and `__Secure-`, and no Secure cookie from an origin that
 * is not, both as the draft of its successor has them. There is no list of public suffixes: a domain without a dot is
 * refused, `co.uk` is not.
 *
 * @module
 */
import { isLoopback } from './targets.ts';

/** One cookie. Texts are latin1: octets. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Lowercase, without a dot in front. */
  readonly domain: string;
  /** Only for this very host, not for those below it. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  /** Milliseconds since 1970; `undefined`: until the session ends. */
  readonly expires: number | undefined;
}

/** Attributes as they stand in the field; the last of each name counts. */
interface Attributes {
  domain: string;
  path: string;
  secure: boolean;
  httpOnly: boolean;
  expires: number | undefined;
  maxAge: number | undefined;
}

/**
 * Reads the value of one Set-Cookie.
 *
 * @param url - that answered with it
 * @param now - milliseconds since 1970
 * @returns `undefined` for what is no cookie, or none that this host may set
 */
export function parseSetCookie(field: string, url: URL, now: number): Cookie | undefined {
  const [pair = '', ...others] = field.split(';');
  const equals = pair.indexOf('=');
  const name = trimmed(pair.slice(0, equals));
  const value = trimmed(pair.slice(equals + 1));
  if (equals === -1 || name === '' || name.length + value.length > MAX_PAIR || CONTROLS.test(pair)) return undefined;
  const attributes = readAttributes(others);
  const host = hostOf(url);
  const domain = domainOf(attributes.domain, host);
  if (domain === undefined) return undefined;
  const path = attributes.path.startsWith('/') ? attributes.path : defaultPath(url.pathname);
  const { secure, httpOnly, maxAge } = attributes;
  if (secure && url.protocol !== 'https:' && !isLoopback(url)) return undefined;
  if (name.startsWith('__Secure-') && !secure) return undefined;
  if (name.startsWith('__Host-') && !(secure && attributes.domain === '' && attributes.path === '/')) return undefined;
  const expires = maxAge === undefined ? attributes.expires : maxAge <= 0 ? -Infinity : now + maxAge * 1000;
  return { name, value, domain, hostOnly: attributes.domain === '', path, secure, httpOnly, expires };
}

function readAttributes(pieces: readonly string[]): Attributes {
  const attributes: Attributes = {
    domain: '',
    path: '',
    secure: false,
    httpOnly: false,
    expires: undefined,
    maxAge: undefined,
  };
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = trimmed(equals === -1 ? piece : piece.slice(0, equals)).toLowerCase();
    const value = equals === -1 ? '' : trimmed(piece.slice(equals + 1));
    if (name === 'domain')
      attributes.domain = value === '' ? attributes.domain : value.replace(/^\./, '').toLowerCase();
    else if (name === 'path') attributes.path = value;
    else if (name === 'secure') attributes.secure = true;
    else if (name === 'httponly') attributes.httpOnly = true;
    else if (name === 'max-age' && /^-?\d+$/.test(value)) attributes.maxAge = Number(value);
    else if (name === 'expires') attributes.expires = parseCookieDate(value) ?? attributes.expires;
  }
  return attributes;
}

/** The cookie's domain, or `undefined` when the host may not set it (RFC 6265 section 5.3). */
function domainOf(attribute: string, host: string): string | undefined {
  if (attribute === '' || attribute === host) return host;
  return attribute.includes('.') && domainMatches(host, attribute) ? attribute : undefined;
}

/** RFC 6265 section 5.1.3. Both are lowercase. */
export function domainMatches(host: string, domain: string): boolean {
  if (host === domain) return true;
  return host.endsWith(`.${domain}`) && !/^[\d.]+$|:/.test(host);
}

/** The host as cookies see it. */
export function hostOf(url: URL): string {
  return url.hostname.toLowerCase();
}

/** RFC 6265 section 5.1.4. */
function defaultPath(path: string): string {
  const end = path.lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}

/** RFC 6265 section 5.1.1: whatever stands between delimiters may be a time, a day, a month or a year. */
export function parseCookieDate(text: string): number | undefined {
  let time: readonly [number, number, number] | undefined;
  let day: number | undefined;
  let month: number | undefined;
  let year: number | undefined;
  for (const token of text.split(DELIMITERS)) {
    const clock = time === undefined ? /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)/.exec(token) : null;
    if (clock !== null) {
      time = [Number(clock[1]), Number(clock[2]), Number(clock[3])];
      continue;
    }
    const number = /^(\d{1,4})(?:\D|$)/.exec(token)?.[1];
    if (day === undefined && number !== undefined && number.length <= 2) day = Number(number);
    else if (month === undefined && MONTHS.includes(token.slice(0, 3).toLowerCase())) {
      month = MONTHS.indexOf(token.slice(0, 3).toLowerCase());
    } else if (year === undefined && number !== undefined && number.length >= 2) year = Number(number);
  }
  if (time === undefined || day === undefined || month === undefined || year === undefined) return undefined;
  if (year < 100) year += year >= 70 ? 1900 : 2000;
  const [hours, minutes, seconds] = time;
  if (day < 1 || day > 31 || year < 1601 || hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const date = new Date(Date.UTC(year, month, day, hours, minutes, seconds));
  return date.getUTCDate() === day ? date.getTime() : undefined;
}

/** Without the space and tab around it; in linear time, whatever a server sends. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

const DELIMITERS = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Octets of name and value together, as browsers have it. */
const MAX_PAIR = 4_096;
// What a file of cookies could not hold.
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f]/;
