/**
 * How many connections a QUIC endpoint takes.
 *
 * Owns the counts, in total and for each address prefix, of connections and of handshakes under way, and what follows from
 * them for a first packet. The answer itself is the endpoint's.
 *
 * @module
 */
import { addressPrefix } from '../../common/index.ts';
import type { QuicEndpointLimitValues } from './limits.ts';
import { hostOf } from './paths.ts';

/** What is to be done with a first packet. */
export type Admission = 'offer' | 'retry' | 'refuse';

interface PrefixCount {
  total: number;
  halfOpen: number;
}

/** One connection's place. */
export interface AdmissionPlace {
  readonly prefix: string;
  halfOpen: boolean;
}

/** Places for accepted connections. */
export class EndpointAdmission {
  readonly #limits: QuicEndpointLimitValues;
  readonly #prefixes: Map<string, PrefixCount>;
  #total: number;
  #halfOpen: number;

  constructor(limits: QuicEndpointLimitValues) {
    this.#limits = limits;
    this.#prefixes = new Map();
    this.#total = 0;
    this.#halfOpen = 0;
  }

  /** Connections at present, handshakes included. */
  get total(): number {
    return this.#total;
  }

  /** Handshakes under way. */
  get halfOpen(): number {
    return this.#halfOpen;
  }

  /**
   * @param waiting - connections that were offered and are not decided on
   * @param validated - whether a token has proved the address
   */
  judge(remote: string, waiting: number, validated: boolean): Admission {
    const limits = this.#limits;
    const here = this.#prefixes.get(prefixOf(remote));
    if (this.#total + waiting >= limits.maxConnections || this.#halfOpen + waiting >= limits.maxHalfOpen) {
      return 'refuse';
    }
    const crowded =
      here !== undefined &&
      (here.total >= limits.maxConnectionsPerAddress || here.halfOpen >= limits.maxHalfOpenPerAddress);
    // Without proof the address may be somebody else's, who is not to be shut out by it.
    if (crowded) return validated ? 'refuse' : 'retry';
    return !validated && this.#halfOpen + waiting >= limits.retryAboveHalfOpen ? 'retry' : 'offer';
  }

  /** A connection was accepted. */
  take(remote: string): AdmissionPlace {
    const prefix = prefixOf(remote);
    const here = this.#prefixes.get(prefix) ?? { total: 0, halfOpen: 0 };
    this.#prefixes.set(prefix, here);
    here.total += 1;
    here.halfOpen += 1;
    this.#total += 1;
    this.#halfOpen += 1;
    return { prefix, halfOpen: true };
  }

  /** Its handshake is complete. */
  opened(place: AdmissionPlace): void {
    if (!place.halfOpen) return;
    place.halfOpen = false;
    this.#halfOpen -= 1;
    const here = this.#prefixes.get(place.prefix);
    if (here !== undefined) here.halfOpen -= 1;
  }

  /** It is over. */
  release(place: AdmissionPlace): void {
    this.opened(place);
    this.#total -= 1;
    const here = this.#prefixes.get(place.prefix);
    if (here === undefined) return;
    here.total -= 1;
    if (here.total === 0) this.#prefixes.delete(place.prefix);
  }
}

function prefixOf(remote: string): string {
  const host = hostOf(remote);
  return addressPrefix(host.startsWith('[') ? host.slice(1, -1) : host);
}
