/**
 * Which host names a server answers to.
 *
 * Owns the comparison. Addresses pass: a page of another site can point its own name at this machine (DNS rebinding),
 * but cannot make the browser send an address in Host. RFC 9110 sections 7.2 and 15.5.20.
 *
 * @module
 */

/** A set of host names with wildcards. */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  readonly #suffixes: readonly string[];

  /** @param names - names, and `*.example.com` for those below */
  constructor(names: readonly string[]) {
    const lower = names.map((name) => name.toLowerCase());
    this.#names = new Set(lower.filter((name) => !name.startsWith('*.')));
    this.#suffixes = lower.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
  }

  /** Whether a request with that authority may be answered. An HTTP/1.0 request without Host may. */
  allows(authority: string): boolean {
    const host = hostOf(authority);
    if (host === '' || isAddress(host) || this.#names.has(host)) return true;
    return this.#suffixes.some((suffix) => host.length > suffix.length && host.endsWith(suffix));
  }
}

/** What a development server answers to, besides addresses. */
export function developmentHosts(endpointHosts: readonly string[]): readonly string[] {
  return ['localhost', '*.localhost', ...endpointHosts.filter((host) => host !== '')];
}

function hostOf(authority: string): string {
  if (authority.startsWith('[')) return authority.slice(0, authority.indexOf(']') + 1).toLowerCase();
  const colon = authority.indexOf(':');
  const host = (colon === -1 ? authority : authority.slice(0, colon)).toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host);
}
