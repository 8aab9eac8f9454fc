/**
 * What a pool has for one origin: open connections, attempts to open more, and requests that wait.
 *
 * Owns the choice of a connection (the one used last, so that surplus ones grow idle and close), the queue, and when to
 * open another connection: one per waiting request where a connection carries one at a time, one for all where it
 * carries many. Which it is tell the connections of before; until there was one, the opener's expectation, and where
 * that is unknown the first connection is waited for.
 *
 * When an attempt fails, or a connection ends that never carried a request, and nothing else of the origin is open or
 * being opened, all that waits fails with it: a dead host is told at once, and never tried in a circle. While other
 * connections are open, what waits goes on waiting for them.
 *
 * Invariants: a request waits only while a connection is open, being opened, or due from the pool; the places that the
 * origin holds are its attempts and its connections until their sockets are gone.
 *
 * @module
 */
import { HfaceError, LimitError, toHfaceError } from '../common/index.ts';
import type { Clock } from '../common/index.ts';
import type { ConnectTimings } from '../networking/index.ts';
import type { HttpConnection } from './http-connection.ts';
import type { HttpOpener, HttpOpenOptions } from './http-opener.ts';
import type { PoolLimits } from './limits.ts';
import { PoolConnection } from './pool-connection.ts';
import type { PoolConnectionOwner } from './pool-connection.ts';
import { PoolQueue } from './pool-queue.ts';
import type { PoolRequest, PoolRequestOwner } from './pool-request.ts';
import type { SharedConnections } from './pool-sharing.ts';

/** Where requests go. */
export type PoolTarget = Pick<HttpOpenOptions, 'origin' | 'unixPath' | 'tls' | 'family' | 'upgradable'>;

/** What the last connection to an origin was like: what the next is taken to be until it has shown itself. */
export interface SeenOrigin {
  /** Whether it carried many requests at once. */
  readonly multiplexed: boolean;
  /** How many its server allowed; `Infinity` when it did not say. */
  readonly streams: number;
}

/** What an origin asks of its pool. */
export interface PoolOriginOwner {
  readonly clock: Clock;
  readonly opener: HttpOpener;
  readonly limits: PoolLimits;
  /** Takes one of the pool's places. False: none is free; `openMore` is called when one is. */
  takePlace(origin: PoolOrigin): boolean;
  /** Gives a place back. */
  releasePlace(): void;
  /** A connection was opened: the pool sees to its end, and calls `released` once its socket is gone. */
  opened(connection: HttpConnection, released: () => void): void;
  /** Nothing of the origin is left. */
  emptied(origin: PoolOrigin): void;
  /** Whether somebody else wants a place. */
  placeWanted(): boolean;
  /** What connections to origins were like, when one was last opened. */
  readonly seen: { get(key: string): SeenOrigin | undefined; set(key: string, seen: SeenOrigin): void };
  /** Connections that serve further origins; `undefined`: none does. */
  readonly sharing: SharedConnections | undefined;
}

/** One origin's part of a pool. */
export class PoolOrigin implements PoolConnectionOwner, PoolRequestOwner {
  /** What the pool knows it by. */
  readonly key: string;
  readonly #target: PoolTarget;
  readonly #owner: PoolOriginOwner;
  /** Those that take requests. */
  readonly #connections: Set<PoolConnection>;
  /** Of them those that carry many at once. */
  readonly #multiplexed: Set<PoolConnection>;
  /** Of those that carry one request at a time: the idle ones, the last used on top. */
  readonly #idle: PoolConnection[];
  readonly #attempts: Set<AbortController>;
  readonly #queue: PoolQueue;
  #places: number;
  /** Whether one attempt is made for all that waits: connections carry many requests, or the first will tell. */
  #together: boolean;
  /** An attempt has failed: no further one is made until a request comes, or a connection comes or goes. */
  #discouraged: boolean;
  #closed: boolean;

  /** Made by the pool. */
  constructor(key: string, target: PoolTarget, owner: PoolOriginOwner) {
    this.key = key;
    this.#target = target;
    this.#owner = owner;
    this.#connections = new Set();
    this.#multiplexed = new Set();
    this.#idle = [];
    this.#attempts = new Set();
    this.#queue = new PoolQueue();
    this.#places = 0;
    const expected = target.upgradable === true ? 'one' : (owner.opener.expectedUse?.(target.origin.scheme) ?? 'one');
    this.#together = expected === 'unknown' ? (owner.seen.get(key)?.multiplexed ?? true) : expected === 'many';
    this.#discouraged = false;
    this.#closed = false;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Sends a request, at once or when there is a connection for it. */
  request(request: PoolRequest): void {
    const { fresh, own } = request.options;
    if (fresh === true) while (this.closeIdle());
    if (own === true) this.#owner.sharing?.forget(this.key);
    if (this.#queue.length === 0) {
      const connection = this.#available(request);
      if (connection !== undefined) {
        if (!connection.send(request)) this.released(connection);
        return;
      }
      const shared = own === true ? undefined : this.#owner.sharing?.find(this.key);
      if (shared !== undefined) {
        if (!shared.send(request, true)) shared.owner.released(shared);
        this.#tidy();
        return;
      }
    }
    const { maxQueueLength, queueTimeout } = this.#owner.limits;
    if (this.#queue.length >= maxQueueLength) {
      request.fail(tooMany(maxQueueLength), 'no');
      return;
    }
    this.#queue.push(request);
    request.wait(queueTimeout);
    this.#discouraged = false;
    this.openMore();
  }

  /** Opens connections for what waits, as far as places allow. */
  openMore(): void {
    const { maxConnectionsPerOrigin } = this.#owner.limits;
    if (this.#closed || this.#discouraged) return;
    while (this.#wanted() > this.#attempts.size && this.#places < maxConnectionsPerOrigin) {
      if (!this.#owner.takePlace(this)) return;
      this.#places += 1;
      void this.#open();
    }
  }

  /** Closes one connection that is idle, the one used the longest ago. False: there is none. */
  closeIdle(): boolean {
    if (this.#queue.length > 0) return false;
    let connection = this.#idle[0];
    if (connection === undefined) for (const other of this.#multiplexed) if (other.idle) connection = other;
    connection?.retire();
    return connection !== undefined;
  }

  /** Fails what waits, gives up attempts, and ends connections. */
  close(error: HfaceError): void {
    this.#closed = true;
    this.#abandonAttempts(error);
    this.#failWaiting(error);
    for (const connection of [...this.#connections]) connection.close(error);
  }

  /** A waiting request was cancelled. */
  withdrawn(request: PoolRequest): void {
    this.#queue.remove(request);
    // Nobody waits any more: what is being opened is not needed.
    if (this.#queue.length === 0) this.#abandonAttempts(undefined);
    this.#tidy();
  }

  /** A connection may take a request again. */
  released(connection: PoolConnection): void {
    while (connection.available) {
      const request = this.#queue.first;
      if (request === undefined || !connection.canTake(request)) break;
      this.#queue.remove(request);
      connection.send(request);
    }
    if (!connection.idle) return;
    if (this.#owner.placeWanted()) {
      connection.retire();
      return;
    }
    connection.rest();
    if (!connection.multiplexed && !this.#idle.includes(connection)) this.#idle.push(connection);
  }

  /** A connection's server has said how many streams it allows: it will say the same the next time. */
  streamsAllowed(_connection: PoolConnection, streams: number): void {
    this.#owner.seen.set(this.key, { multiplexed: true, streams });
  }

  /** A connection's server answers for further origins. */
  originsNamed(connection: PoolConnection, origins: readonly string[]): void {
    this.#owner.sharing?.add(connection, this.#target, origins);
  }

  /** A connection takes no request any more. */
  retired(connection: PoolConnection, error: HfaceError | undefined): void {
    this.#connections.delete(connection);
    if (this.#multiplexed.delete(connection)) this.#owner.sharing?.remove(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (connection.requests === 0) {
      this.#fruitless(error ?? refused());
      return;
    }
    this.#discouraged = false;
    this.openMore();
  }

  /** A connection that can take a request now. */
  #available(request: PoolRequest): PoolConnection | undefined {
    for (const connection of this.#multiplexed) {
      if (connection.available && connection.canTake(request)) return connection;
    }
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.available) return connection;
    }
    return undefined;
  }

  /** How many connections should be being opened. */
  #wanted(): number {
    const waiting = this.#queue.length;
    // What waits for a server's SETTINGS needs no further connection.
    for (const connection of this.#multiplexed) if (connection.available) return 0;
    return this.#together ? Math.min(1, waiting) : waiting;
  }

  /** Opens one connection. It holds a place already. */
  async #open(): Promise<void> {
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    const { clock, opener, limits } = this.#owner;
    const first = this.#queue.first;
    const options = first?.options;
    const timings: ConnectTimings = {
      started: clock.now(),
      resolved: undefined,
      connected: undefined,
      secured: undefined,
    };
    let connection: HttpConnection;
    try {
      connection = await opener.open({
        ...this.#target,
        signal: attempt.signal,
        connectTimeout: options?.connectTimeout,
        handshakeTimeout: options?.handshakeTimeout,
        early: first?.mayBeEarly === true,
        timings,
      });
    } catch (error) {
      this.#attempts.delete(attempt);
      if (!attempt.signal.aborted) this.#fruitless(toHfaceError(error, 'network'));
      this.#releasePlace();
      return;
    }
    this.#attempts.delete(attempt);
    this.#owner.opened(connection, () => this.#releasePlace());
    if (attempt.signal.aborted) {
      // It became ready in the moment in which it was given up.
      connection.abort();
      return;
    }
    let pooled: PoolConnection;
    try {
      const { multiplexed } = connection.protocol;
      const assumed = multiplexed ? (this.#owner.seen.get(this.key)?.streams ?? ASSUMED_STREAMS) : Infinity;
      pooled = new PoolConnection(connection, this, limits.idleTimeout, Math.max(1, assumed));
      this.#owner.seen.set(this.key, { multiplexed, streams: assumed });
    } catch (error) {
      // An opener gave out a connection that somebody receives from already.
      connection.abort();
      this.#fruitless(toHfaceError(error));
      return;
    }
    this.#connections.add(pooled);
    this.#discouraged = false;
    this.#together = pooled.multiplexed;
    if (pooled.multiplexed) this.#multiplexed.add(pooled);
    const next = this.#queue.first;
    if (next !== undefined) next.timings.connect = timings;
    this.released(pooled);
    // Now it is known how many connections the others need. One that takes nothing is no reason to open another.
    if (pooled.requests > 0) this.openMore();
  }

  /** An attempt brought nothing. */
  #fruitless(error: HfaceError): void {
    this.#discouraged = true;
    if (this.#connections.size === 0 && this.#attempts.size === 0) this.#failWaiting(error);
    this.#tidy();
  }

  #abandonAttempts(error: HfaceError | undefined): void {
    const attempts = [...this.#attempts];
    this.#attempts.clear();
    for (const attempt of attempts) attempt.abort(error);
  }

  #failWaiting(error: HfaceError): void {
    // What a handler asks for meanwhile is a new request, and not among those that fail here.
    for (const request of this.#queue.take()) request.fail(error, 'no');
  }

  #releasePlace(): void {
    this.#places -= 1;
    this.#owner.releasePlace();
    this.openMore();
    this.#tidy();
  }

  #tidy(): void {
    if (this.#places === 0 && this.#queue.length === 0) this.#owner.emptied(this);
  }
}

/** The least that RFC 9113 section 6.5.2 wants a server to allow. */
const ASSUMED_STREAMS = 100;

function tooMany(limit: number): LimitError {
  return new LimitError('too many requests wait for a connection to this origin', {
    limit: 'maxQueueLength',
    value: limit,
    initiator: 'application',
  });
}

function refused(): HfaceError {
  return new HfaceError('the server closed the connection before a request was sent', {
    code: 'ERR_CONNECTION_CLOSED',
    initiator: 'peer',
  });
}
