/**
 * What the client needs below it: somebody who finds or opens a connection for a request. The pool, in the session.
 *
 * Owns the interface, so that the client's rules are tested without sockets, and its making from a pool. Timers and
 * abort are the client's own, since they span retries and redirects; the pool is given those of connecting only.
 *
 * @module
 */
import type { ClientTlsConfig, HfaceError, Origin } from '../common/index.ts';
import type {
  ClientExchangeRequest,
  HttpPool,
  PoolRequestHandler,
  PoolRequestOptions,
  PoolTarget,
} from '../connections/index.ts';

/** How a connection is chosen for one request. */
export interface TransportOptions {
  /** Use none that was idle: one of them turned out to be dead. */
  readonly fresh: boolean;
  /** Use only one that was opened for the request's own origin: another's server has answered 421. */
  readonly own: boolean;
  /** Send it after a handshake only: it was sent before the end of one already. */
  readonly settled: boolean;
  /** TLS in place of the session's. */
  readonly tls: ClientTlsConfig | undefined;
  /** A unix socket in place of the session's way to connect. */
  readonly unixSocket: string | undefined;
}

/** A request that was handed over. */
export interface TransportTicket {
  /** No longer wanted, while it waits for a connection. */
  cancel(reason: HfaceError): void;
}

/** Finds connections for requests. */
export interface RequestTransport {
  /**
   * Hands a request over. `started` or `failed` may be called before this returns. A `failed` without a `started`
   * before it means that there was no connection.
   *
   * @param now - the clock's time
   */
  request(
    origin: Origin,
    request: ClientExchangeRequest,
    handler: PoolRequestHandler,
    options: TransportOptions,
    now: number,
  ): TransportTicket;
  /** Has connections go on from other local ports; how many did. Without this member none can. */
  migrate?(): Promise<number>;
  /** Ends all connections, those being opened included; resolves when none is left. */
  close(): Promise<void>;
}

/** How a session connects. */
export interface ConnectSettings {
  readonly tls: ClientTlsConfig | undefined;
  readonly unixSocket: string | undefined;
  readonly family: 'ipv4' | 'ipv6' | undefined;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly handshakeTimeout: number;
}

/** {@link RequestTransport} by a pool. */
export class PoolTransport implements RequestTransport {
  readonly #pool: HttpPool;
  readonly #settings: ConnectSettings;
  readonly #pooled: PoolRequestOptions;
  readonly #fresh: PoolRequestOptions;
  /** Of the request before. */
  #target: PoolTarget | undefined;

  constructor(pool: HttpPool, settings: ConnectSettings) {
    this.#pool = pool;
    this.#settings = settings;
    const { connectTimeout, handshakeTimeout } = settings;
    this.#pooled = { queueTimeout: Infinity, connectTimeout, handshakeTimeout };
    this.#fresh = { ...this.#pooled, fresh: true };
    this.#target = undefined;
  }

  request(
    origin: Origin,
    request: ClientExchangeRequest,
    handler: PoolRequestHandler,
    options: TransportOptions,
    now: number,
  ): TransportTicket {
    const target = this.#targetOf(origin, request, options);
    const pooled = options.fresh ? this.#fresh : this.#pooled;
    const { own, settled } = options;
    return this.#pool.request(target, request, handler, own || settled ? { ...pooled, own, settled } : pooled, now);
  }

  /** The same object as before, if it says the same: the pool finds that without a look-up. */
  #targetOf(origin: Origin, request: ClientExchangeRequest, options: TransportOptions): PoolTarget {
    const { family } = this.#settings;
    const tls = options.tls ?? this.#settings.tls;
    const unixPath = options.unixSocket ?? this.#settings.unixSocket;
    const upgradable = request.upgrade !== undefined && origin.scheme === 'https';
    const last = this.#target;
    if (last?.origin === origin && last.tls === tls && last.unixPath === unixPath && last.upgradable === upgradable) {
      return last;
    }
    this.#target = { origin, tls, unixPath, family, upgradable };
    return this.#target;
  }

  migrate(): Promise<number> {
    return this.#pool.migrate();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
