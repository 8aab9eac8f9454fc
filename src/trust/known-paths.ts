/**
 * Paths that were found good before.
 *
 * Owns a bounded store by the digest of the chain that was shown, the least recently used first out. A client meets the
 * same few chains again and again, and a search costs milliseconds.
 *
 * Invariants: only what was accepted is kept, with the time in which all its certificates are valid; outside of it the
 * path is searched anew. A store belongs to one set of authorities, one purpose and one set of limits.
 *
 * @module
 */
import { createHash } from 'node:crypto';

/** A good path. */
export interface KnownPath {
  /** From the leaf to the authority, in DER. */
  readonly path: readonly Uint8Array[];
  /** When the last of its certificates begins to be valid, in milliseconds since 1970. */
  readonly from: number;
  /** When the first of them ends. */
  readonly until: number;
}

/** How many are kept: a chain has some kilobytes. */
const KEPT = 64;

/** Good paths by chain. */
export class KnownPaths {
  readonly #paths: Map<string, KnownPath>;

  constructor() {
    this.#paths = new Map();
  }

  /** How many are kept. */
  get size(): number {
    return this.#paths.size;
  }

  /** What a chain is kept under. */
  static keyOf(chain: readonly Uint8Array[]): string {
    const hash = createHash('sha256');
    for (const der of chain) hash.update(`${String(der.length)}\n`).update(der);
    return hash.digest('base64');
  }

  /** The path of a chain, if it is good at that time. */
  get(key: string, time: number): KnownPath | undefined {
    const known = this.#paths.get(key);
    if (known === undefined || time < known.from || time > known.until) return undefined;
    this.#paths.delete(key);
    this.#paths.set(key, known);
    return known;
  }

  /** Keeps a path. */
  set(key: string, path: KnownPath): void {
    this.#paths.delete(key);
    this.#paths.set(key, path);
    if (this.#paths.size <= KEPT) return;
    for (const oldest of this.#paths.keys()) {
      this.#paths.delete(oldest);
      return;
    }
  }
}
