/**
 * TLS sessions that a client may resume.
 *
 * Owns a bounded store, least recently used out first. A TLS 1.3 ticket is used once (RFC 8446 appendix C.4), a
 * TLS 1.2 session until a newer one comes.
 *
 * Invariant: the key holds all that a session's acceptance rested on, so that no configuration profits from the trust
 * of another.
 *
 * @module
 */

/** How many tickets are kept for one key: a server gives out two per connection. */
const TICKETS_PER_KEY = 4;

/** A kept session. */
interface StoredSession {
  readonly data: Buffer;
  readonly reusable: boolean;
}

/** A bounded store of sessions. */
export class TlsSessionCache {
  readonly #limit: number;
  readonly #sessions: Map<string, StoredSession[]>;

  /** @param limit - how many keys are kept */
  constructor(limit = 256) {
    this.#limit = limit;
    this.#sessions = new Map();
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#sessions.size;
  }

  /** A session to resume, or `undefined`. */
  take(key: string): Buffer | undefined {
    const kept = this.#sessions.get(key);
    const newest = kept?.at(-1);
    if (kept === undefined || newest === undefined) return undefined;
    this.#sessions.delete(key);
    if (!newest.reusable) kept.pop();
    if (kept.length > 0) this.#sessions.set(key, kept);
    return newest.data;
  }

  /** Keeps a session. */
  store(key: string, data: Buffer, version: string): void {
    const reusable = version !== 'TLSv1.3';
    const kept = this.#sessions.get(key) ?? [];
    this.#sessions.delete(key);
    if (reusable) kept.length = 0;
    kept.push({ data, reusable });
    if (kept.length > TICKETS_PER_KEY) kept.shift();
    this.#sessions.set(key, kept);
    if (this.#sessions.size <= this.#limit) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      break;
    }
  }
}
