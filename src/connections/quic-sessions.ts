/**
 * What a QUIC client keeps of a server for next time: sessions to resume, tokens that prove its address, where it answered.
 *
 * Owns a bounded store, least recently used out first. Tickets and tokens are used once (RFC 8446 appendix C.4,
 * RFC 9000 section 8.1.3).
 *
 * Invariant: what was trusted under one TLS configuration is never resumed under another, nor for another host.
 *
 * @module
 */
import type { ClientTlsConfig } from '../common/index.ts';
import type { QuicSession } from '../protocols/quic/index.ts';

/** How many servers are remembered under one configuration. */
const SERVERS = 256;
/** How many tickets and tokens of one server: it gives a few per connection. */
const PER_SERVER = 4;

/** What is kept of one server. */
interface Remembered {
  readonly sessions: QuicSession[];
  readonly tokens: Uint8Array[];
  /** `host:port` at which it answered last. */
  address: string | undefined;
}

/** Sessions and tokens by configuration and server. */
export class QuicSessions {
  readonly #byConfig: WeakMap<ClientTlsConfig, ServerMemory>;

  constructor() {
    this.#byConfig = new WeakMap();
  }

  /** What is kept under a configuration. */
  of(config: ClientTlsConfig): ServerMemory {
    let memory = this.#byConfig.get(config);
    if (memory === undefined) {
      memory = new ServerMemory();
      this.#byConfig.set(config, memory);
    }
    return memory;
  }
}

/** Sessions and tokens by server. */
export class ServerMemory {
  readonly #servers: Map<string, Remembered>;

  constructor() {
    this.#servers = new Map();
  }

  /** How many servers are remembered. */
  get size(): number {
    return this.#servers.size;
  }

  /** The newest session, which is then forgotten. */
  takeSession(server: string): QuicSession | undefined {
    return this.#servers.get(server)?.sessions.pop();
  }

  /** The newest token, which is then forgotten. */
  takeToken(server: string): Uint8Array | undefined {
    return this.#servers.get(server)?.tokens.pop();
  }

  /** The address at which it answered last, where something is kept of it. */
  addressOf(server: string): string | undefined {
    return this.#servers.get(server)?.address;
  }

  /** It has answered at this address. */
  answeredAt(server: string, address: string): void {
    this.#remembered(server).address = address;
  }

  /** Keeps a session; one with the same ticket is replaced by it. */
  addSession(server: string, session: QuicSession): void {
    const { sessions } = this.#remembered(server);
    const same = sessions.findIndex((kept) => sameBytes(kept.tls.ticket, session.tls.ticket));
    if (same >= 0) sessions.splice(same, 1);
    sessions.push(session);
    if (sessions.length > PER_SERVER) sessions.shift();
  }

  /** Keeps a token. */
  addToken(server: string, token: Uint8Array): void {
    const { tokens } = this.#remembered(server);
    tokens.push(token);
    if (tokens.length > PER_SERVER) tokens.shift();
  }

  #remembered(server: string): Remembered {
    const known = this.#servers.get(server) ?? { sessions: [], tokens: [], address: undefined };
    this.#servers.delete(server);
    this.#servers.set(server, known);
    if (this.#servers.size > SERVERS) {
      for (const oldest of this.#servers.keys()) {
        this.#servers.delete(oldest);
        break;
      }
    }
    return known;
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
