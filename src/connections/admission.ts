/**
 * How many connections are taken, in total and from one address.
 *
 * Owns the counts. IPv6 peers count by their /64. Unix sockets count in the total only. One object may serve several
 * listeners, so that the limits hold over all of them.
 *
 * @module
 */
import type { SocketAddress } from '../common/index.ts';
import { addressPrefix } from '../common/index.ts';

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
  return address.family === 'unix' ? undefined : addressPrefix(address.host);
}
