/**
 * How many connections are taken, in total and from one address.
 *
 * Owns the counts. IPv6 peers count by their /64, since one host commands all of it (RFC 6177, RFC 7934); an
 * IPv4-mapped address counts as the IPv4 address (RFC 4291 section 2.5.5.2). Unix sockets count in the total only.
 * One object may serve several listeners, so that the limits hold over all of them.
 *
 * @module
 */
import type { SocketAddress } from '../common/index.ts';

/** Places for connections. */
export class ConnectionAdmission {
  readonly #maximum: number;
  readonly #maximumPerAddress: number;
  readonly #perAddress: Map<string, number>;
  #total: number;
  #refused: number;

  /**
   * @param maximum - connections at once
   * @param maximumPerAddress - connections at once from one IPv4 address or one IPv6 /64
   */
  constructor(maximum: number, maximumPerAddress: number) {
    this.#maximum = maximum;
    this.#maximumPerAddress = maximumPerAddress;
    this.#perAddress = new Map();
    this.#total = 0;
    this.#refused = 0;
  }

  /** Places taken. */
  get total(): number {
    return this.#total;
  }

  /** Connections refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes a place; or the name of the limit that forbids it. */
  take(address: SocketAddress): 'maxConnections' | 'maxConnectionsPerAddress' | undefined {
    if (this.#total >= this.#maximum) {
      this.#refused += 1;
      return 'maxConnections';
    }
    const key = admissionKey(address);
    if (key !== undefined) {
      const count = this.#perAddress.get(key) ?? 0;
      if (count >= this.#maximumPerAddress) {
        this.#refused += 1;
        return 'maxConnectionsPerAddress';
      }
      this.#perAddress.set(key, count + 1);
    }
    this.#total += 1;
    return undefined;
  }

  /** Gives a place back. */
  release(address: SocketAddress): void {
    this.#total -= 1;
    const key = admissionKey(address);
    if (key === undefined) return;
    const count = this.#perAddress.get(key) ?? 0;
    if (count <= 1) this.#perAddress.delete(key);
    else this.#perAddress.set(key, count - 1);
  }
}

/** What the connections of one peer have in common: the IPv4 address, the IPv6 /64, or nothing. */
export function admissionKey(address: SocketAddress): string | undefined {
  if (address.family === 'unix') return undefined;
  if (address.family === 'ipv4') return address.host;
  const zone = address.host.indexOf('%');
  const literal = (zone < 0 ? address.host : address.host.slice(0, zone)).toLowerCase();
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
