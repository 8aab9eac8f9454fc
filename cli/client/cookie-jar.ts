/**
 * The cookies of one command: kept, matched to URLs, bounded (RFC 6265 sections 5.3 and 5.4).
 *
 * Invariants: one cookie for each name, domain and path; at most {@link MAX_COOKIES}, of which the oldest give way; a
 * field Cookie no longer than {@link MAX_FIELD}.
 *
 * @module
 */
import type { Cookie } from './cookie.ts';
import { domainMatches, hostOf, parseSetCookie } from './cookie.ts';
import { isLoopback } from './targets.ts';

/** All cookies. */
export class CookieJar {
  /** In the order of their making. */
  readonly #cookies: Map<string, Cookie>;
  readonly #now: () => number;

  /** @param now - milliseconds since 1970 */
  constructor(now: () => number) {
    this.#cookies = new Map();
    this.#now = now;
  }

  /** The cookies in the order of their making, without those that have expired. */
  all(): Cookie[] {
    const now = this.#now();
    return [...this.#cookies.values()].filter((cookie) => cookie.expires === undefined || cookie.expires > now);
  }

  /** Takes what a response to `url` sets. */
  receive(fields: readonly string[], url: URL): void {
    for (const field of fields) {
      const cookie = parseSetCookie(field, url, this.#now());
      if (cookie !== undefined) this.add(cookie);
    }
  }

  /** Keeps a cookie in place of the one of the same name, domain and path; an expired one only takes that away. */
  add(cookie: Cookie): void {
    const key = [cookie.name, cookie.domain, cookie.path].join('\n');
    if (cookie.expires !== undefined && cookie.expires <= this.#now()) {
      this.#cookies.delete(key);
      return;
    }
    // A map keeps the place of a key that is set again, as section 5.3 wants it of the creation time.
    this.#cookies.set(key, cookie);
    if (this.#cookies.size <= MAX_COOKIES) return;
    const [oldest] = this.#cookies.keys();
    if (oldest !== undefined) this.#cookies.delete(oldest);
  }

  /** The value of Cookie for a URL, or `undefined` when there is none to send. */
  fieldFor(url: URL): string | undefined {
    const host = hostOf(url);
    const path = url.pathname;
    const safe = url.protocol === 'https:' || isLoopback(url);
    const matching = this.all().filter(
      (cookie) =>
        (cookie.hostOnly ? cookie.domain === host : domainMatches(host, cookie.domain)) &&
        pathMatches(path, cookie.path) &&
        (safe || !cookie.secure),
    );
    // Longer paths first; sorting keeps the order of making among equals.
    matching.sort((left, right) => right.path.length - left.path.length);
    let field = '';
    for (const { name, value } of matching) {
      const next = `${field}${field === '' ? '' : '; '}${name}=${value}`;
      if (next.length > MAX_FIELD) break;
      field = next;
    }
    return field === '' ? undefined : field;
  }
}

/** RFC 6265 section 5.1.4. */
function pathMatches(path: string, cookiePath: string): boolean {
  if (!path.startsWith(cookiePath)) return false;
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/';
}

const MAX_COOKIES = 3_000;
/** Octets; more than most servers take. */
const MAX_FIELD = 8_190;
