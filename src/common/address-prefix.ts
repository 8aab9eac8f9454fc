/**
 * What the addresses of one peer have in common.
 *
 * Owns the rule by which peers are counted: an IPv4 address stands for itself, an IPv6 address for its /64, since one
 * host commands all of it (RFC 6177, RFC 7934); an IPv4-mapped address counts as the IPv4 address (RFC 4291 section
 * 2.5.5.2).
 *
 * @module
 */

/** The IPv4 address itself, or the first four groups of the IPv6 address. @param host - a literal without brackets */
export function addressPrefix(host: string): string {
  if (!host.includes(':')) return host;
  const zone = host.indexOf('%');
  const literal = (zone < 0 ? host : host.slice(0, zone)).toLowerCase();
  const mapped = literal.lastIndexOf(':');
  if (literal.startsWith('::ffff:') && literal.includes('.')) return literal.slice(mapped + 1);
  return networkPrefix(literal);
}

/** The first four groups of an IPv6 literal, without leading zeros. */
function networkPrefix(literal: string): string {
  const gap = literal.indexOf('::');
  const head = (gap < 0 ? literal : literal.slice(0, gap)).split(':').filter((group) => group !== '');
  const tail =
    gap < 0
      ? []
      : literal
          .slice(gap + 2)
          .split(':')
          .filter((group) => group !== '');
  // An embedded IPv4 address stands for two groups.
  const width = (groups: readonly string[]): number => groups.length + (groups.at(-1)?.includes('.') === true ? 1 : 0);
  const zeros = gap < 0 ? 0 : 8 - width(head) - width(tail);
  const groups = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
