/**
 * Connections to many origins, kept open and shared between requests.
 *
 * Owns the origins and the total of their connections. What concerns one origin is in pool-origin.ts, the life of one
 * request in pool-request.ts. Nothing here makes a promise per request: when a connection is at hand, `request` sends
 * at once and everything else is told by calls on the handler. Sending again what failed is the client's work; the pool
 * tells truly whether the server may have acted (`processed`).
 *
 * Invariants: open connections and attempts together never exceed `maxConnections`; after `close` every request has had
 * its last call, and no connection, attempt or timer is left.
 *
 * @module
 */
import { formatOrigin, resolveLimits } from '../common/index.ts';
import type { ClientTlsConfig, Clock, HfaceError } from '../common/index.ts';
import { CancelledError, Semaphore } from '../concurrency/index.ts';
import { ConnectionSet } from './connection-set.ts';
import type { ClientExchangeRequest } from './exchange.ts';
import type { HttpOpener } from './http-opener.ts';
import { poolLimits } from './limits.ts';
import type { PoolLimitOptions, PoolLimits } from './limits.ts';
import { PoolOrigin } from './pool-origin.ts';
import type { PoolOriginOwner, PoolTarget, SeenOrigin } from './pool-origin.ts';
import { PoolRequest } from './pool-request.ts';
import type { PoolRequestHandler, PoolRequestOptions } from './pool-request.ts';
import { SharedConnections } from './pool-sharing.ts';

/** What a pool is made of. */
export interface HttpPoolOptions {
  /** Opens the connections; its factory decides which protocols they may speak. */
  readonly opener: HttpOpener;
  /** The networking's clock. */
  readonly clock: Clock;
  readonly limits?: PoolLimitOptions | undefined;
  /**
   * Whether a connection may carry requests of other origins that its server names by an ORIGIN frame and its verified
   * certificate is for (RFC 9113 section 9.1.1, RFC 8336). Default true.
   */
  readonly sharing?: boolean | undefined;
}

/** What a pool holds at a moment. */
export interface HttpPoolState {
  /** Origins with a connection, an attempt or a waiting request. */
  readonly origins: number;
  /** Connections that are open or being opened. */
  readonly connections: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
}

/** A pool of client connections. */
export class HttpPool implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #limits: PoolLimits;
  readonly #origins: Map<string, PoolOrigin>;
  /** Origins that want a connection when a place is free, in the order in which they asked. */
  readonly #starving: Set<PoolOrigin>;
  readonly #set: ConnectionSet;
  readonly #moves: Semaphore;
  readonly #owner: PoolOriginOwner;
  readonly #tlsNames: WeakMap<ClientTlsConfig, number>;
  #lastTlsName: number;
  /** What was asked for last, and where that is; while it is known. */
  #lastTarget: PoolTarget | undefined;
  #lastOrigin: PoolOrigin | undefined;
  #places: number;
  #closing: HfaceError | undefined;
  #closed: Promise<void> | undefined;
  #whenEmpty: (() => void) | undefined;

  /** @throws ConfigurationError for limits that do not exist */
  constructor(options: HttpPoolOptions) {
    this.#clock = options.clock;
    this.#limits = resolveLimits('pool', poolLimits, options.limits);
    this.#origins = new Map();
    this.#starving = new Set();
    this.#set = new ConnectionSet(options.clock);
    this.#moves = new Semaphore({ permits: this.#limits.maxMovesAtOnce });
    this.#tlsNames = new WeakMap();
    this.#lastTlsName = 0;
    this.#lastTarget = undefined;
    this.#lastOrigin = undefined;
    this.#places = 0;
    this.#closing = undefined;
    this.#closed = undefined;
    this.#whenEmpty = undefined;
    this.#owner = {
      clock: options.clock,
      opener: options.opener,
      limits: this.#limits,
      takePlace: (origin) => this.#takePlace(origin),
      releasePlace: () => this.#releasePlace(),
      opened: (connection, released) => this.#set.add(connection, released),
      emptied: (origin) => this.#emptied(origin),
      placeWanted: () => this.#starving.size > 0,
      seen: new SeenOrigins(),
      sharing: options.sharing === false ? undefined : new SharedConnections((target) => this.#key(target)),
    };
  }

  /** What it holds now. */
  get state(): HttpPoolState {
    let waiting = 0;
    for (const origin of this.#origins.values()) waiting += origin.waiting;
    return { origins: this.#origins.size, connections: this.#places, waiting };
  }

  /**
   * Sends a request to a target, over an open connection or over a new one. The handler may be called before this
   * returns: `started` when a connection is at hand, `failed` and `closed` when the request cannot even wait.
   *
   * @param target - one object for many requests is found faster
   * @param now - the clock's time, if it was just asked
   * @returns the request, to cancel it
   */
  request(
    target: PoolTarget,
    request: ClientExchangeRequest,
    handler: PoolRequestHandler,
    options: PoolRequestOptions = NO_OPTIONS,
    now: number = this.#clock.now(),
  ): PoolRequest {
    const origin = this.#origin(target);
    const pooled = new PoolRequest(request, handler, options, origin, this.#clock, now);
    if (this.#closing !== undefined) pooled.fail(this.#closing, 'no');
    else if (pooled.begin()) origin.request(pooled);
    return pooled;
  }

  /** Closes every connection on which nothing runs. */
  closeIdle(): void {
    for (const origin of [...this.#origins.values()]) while (origin.closeIdle());
  }

  /**
   * Has every connection go on from another local port, as far as it can, a few at a time; see `HttpConnection.migrate`.
   * Resolves with how many did. Never rejects.
   */
  async migrate(): Promise<number> {
    const moves = await Promise.all(
      [...this.#set.connections].map((connection) => this.#moves.run(() => connection.migrate())),
    );
    return moves.filter((moved) => moved).length;
  }

  /** Ends every request and every connection. Resolves when nothing is left. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** {@link HttpPool.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const error = new CancelledError('the pool was closed');
    this.#closing = error;
    for (const origin of [...this.#origins.values()]) origin.close(error);
    await this.#set.close();
    // An attempt that heeds its signal late.
    if (this.#places > 0) await new Promise<void>((resolve) => (this.#whenEmpty = resolve));
  }

  #origin(target: PoolTarget): PoolOrigin {
    if (target === this.#lastTarget && this.#lastOrigin !== undefined) return this.#lastOrigin;
    const key = this.#key(target);
    let origin = this.#origins.get(key);
    if (origin === undefined) {
      origin = new PoolOrigin(key, target, this.#owner);
      if (this.#closing !== undefined) return origin;
      this.#origins.set(key, origin);
    }
    this.#lastTarget = target;
    this.#lastOrigin = origin;
    return origin;
  }

  /** Requests with one key may share a connection. */
  #key(target: PoolTarget): string {
    const { origin, unixPath, tls, family } = target;
    let key = formatOrigin(origin);
    if (target.upgradable === true) key += ' upgradable';
    if (unixPath !== undefined) key += ` unix:${unixPath}`;
    if (family !== undefined) key += ` ${family}`;
    if (tls !== undefined && origin.scheme === 'https') key += ` tls:${String(this.#tlsName(tls))}`;
    return key;
  }

  #tlsName(tls: ClientTlsConfig): number {
    let name = this.#tlsNames.get(tls);
    if (name === undefined) {
      name = this.#lastTlsName += 1;
      this.#tlsNames.set(tls, name);
    }
    return name;
  }

  #takePlace(origin: PoolOrigin): boolean {
    if (this.#places < this.#limits.maxConnections) {
      this.#places += 1;
      return true;
    }
    this.#starving.add(origin);
    for (const other of [...this.#origins.values()]) if (other !== origin && other.closeIdle()) break;
    return false;
  }

  #releasePlace(): void {
    this.#places -= 1;
    for (const origin of [...this.#starving]) {
      if (this.#places >= this.#limits.maxConnections) return;
      this.#starving.delete(origin);
      origin.openMore();
    }
    if (this.#places === 0) this.#whenEmpty?.();
  }

  #emptied(origin: PoolOrigin): void {
    this.#starving.delete(origin);
    if (this.#origins.get(origin.key) === origin) this.#origins.delete(origin.key);
    if (this.#lastOrigin === origin) this.#lastOrigin = undefined;
  }
}

/** What the origins last connected to were like. */
class SeenOrigins {
  readonly #seen: Map<string, SeenOrigin>;

  constructor() {
    this.#seen = new Map();
  }

  get(key: string): SeenOrigin | undefined {
    return this.#seen.get(key);
  }

  set(key: string, origin: SeenOrigin): void {
    this.#seen.delete(key);
    this.#seen.set(key, origin);
    if (this.#seen.size <= SEEN_ORIGINS) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }
}

/** A guess for the next connection is all that is lost beyond it. */
const SEEN_ORIGINS = 1_000;
const NO_OPTIONS: PoolRequestOptions = {};
