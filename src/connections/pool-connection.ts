/**
 * One connection of a pool.
 *
 * Owns its use (how many requests it has carried, whether it can take one now) and its idle time.
 *
 * Invariant: it closes itself once it is idle for too long, or once it can take no further request and none runs.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';
import type { Timer } from '../concurrency/index.ts';
import { ClientExchanges } from './client-exchange.ts';
import type { ClientExchangesHandler } from './client-exchange.ts';
import type { HttpEvent } from '../protocols/index.ts';
import type { HttpConnection } from './http-connection.ts';
import type { PoolRequest } from './pool-request.ts';
import { timerOn } from './timers.ts';

/** What a pooled connection tells its origin. */
export interface PoolConnectionOwner {
  /** It may be able to take a request again. */
  released(connection: PoolConnection): void;
  /** It takes no request any more. */
  retired(connection: PoolConnection, error: HfaceError | undefined): void;
  /** Its server allows so many streams at once; `Infinity` when it did not say (RFC 9113 section 6.5.2). */
  streamsAllowed(connection: PoolConnection, streams: number): void;
  /** Its server answers for these origins too (RFC 8336). */
  originsNamed(connection: PoolConnection, origins: readonly string[]): void;
}

/** A connection that carries one origin's requests, and those of origins that it is shared with. */
export class PoolConnection implements ClientExchangesHandler {
  readonly connection: HttpConnection;
  /** Whose it is: whoever sends on it otherwise tells this one when nothing was sent. */
  readonly owner: PoolConnectionOwner;
  readonly #exchanges: ClientExchanges;
  readonly #idleTimeout: number;
  /** Armed when the connection first rests; a request does not disarm it, so that resting between two costs nothing. */
  readonly #timer: Timer;
  /** When it was last left without a request. */
  #restingSince: number;
  #requests: number;
  /** How many at once until the server has said what it allows: more would come back refused. */
  #assumedStreams: number;
  #retired: boolean;

  /** Attaches itself to the connection. */
  constructor(connection: HttpConnection, owner: PoolConnectionOwner, idleTimeout: number, assumedStreams: number) {
    this.connection = connection;
    this.owner = owner;
    this.#idleTimeout = idleTimeout;
    this.#requests = 0;
    this.#assumedStreams = assumedStreams;
    this.#retired = false;
    this.#restingSince = 0;
    this.#timer = timerOn(connection.clock, (now) => this.#timedOut(now));
    this.#exchanges = new ClientExchanges(connection, this);
    connection.attach(this.#exchanges);
  }

  /** Whether it can take a request now. */
  get available(): boolean {
    return !this.#retired && this.#exchanges.available && this.#exchanges.active < this.#assumedStreams;
  }

  /**
   * Whether it can take this very request, once it is available: an extended CONNECT waits for the server's SETTINGS, what
   * is not safe to be sent twice for the end of the handshake.
   */
  canTake(request: PoolRequest): boolean {
    if (this.connection.early && !request.mayBeEarly) return false;
    if (request.request.protocol === undefined || !this.multiplexed) return true;
    return this.#exchanges.extendedConnect !== undefined;
  }

  /** Whether no request runs on it. */
  get idle(): boolean {
    return this.#exchanges.active === 0;
  }

  /** How many requests were sent on it. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether several requests can run on it. */
  get multiplexed(): boolean {
    return this.connection.protocol.multiplexed;
  }

  /**
   * Sends a request on it. False: the request was malformed and has failed; the connection is as before.
   *
   * @param shared - the connection was opened for another origin
   */
  send(request: PoolRequest, shared = false): boolean {
    const reused = this.#requests > 0;
    const sent = request.start(this.#exchanges, reused, shared);
    if (sent) this.#requests += 1;
    return sent;
  }

  /** Nothing runs on it: it is kept for its idle time. */
  rest(): void {
    this.#restingSince = this.connection.time();
    if (this.#timer.deadline === undefined) this.#timer.set(this.#restingSince + this.#idleTimeout);
  }

  /** Takes no request any more; what runs is finished, then it closes. */
  retire(): void {
    if (this.#retired) return;
    this.#retire(undefined);
    void this.connection.shutdown();
  }

  /** Ends it now, with all that runs on it. */
  close(error: HfaceError): void {
    this.#retire(error);
    // On a connection with one request a reset is all that stops the server; otherwise it is told in good order.
    if (!this.multiplexed && !this.idle) this.connection.abort(error);
    else void this.connection.close();
  }

  /** An exchange is over or there is room for more. */
  availabilityChanged(): void {
    if (this.#retired) return;
    if (this.#exchanges.expired) this.retire();
    else this.owner.released(this);
  }

  /** What concerns the connection as a whole. */
  eventReceived(event: HttpEvent): void {
    if (event.type === 'OriginReceived') {
      if (!this.#retired) this.owner.originsNamed(this, event.origins);
      return;
    }
    if (event.type === 'HandshakeCompleted') {
      if (!this.#retired) this.owner.released(this);
      return;
    }
    if (event.type === 'SettingsReceived') {
      const streams = event.settings.get(MAX_CONCURRENT_STREAMS);
      if (streams !== undefined || this.#assumedStreams !== Infinity) {
        this.#assumedStreams = Infinity;
        this.owner.streamsAllowed(this, streams ?? Infinity);
      }
      if (!this.#retired) this.owner.released(this);
      return;
    }
    // What waits for a stream here need not wait for those that run (RFC 9113 section 6.8).
    if (event.type === 'GoawayReceived' && this.multiplexed && this.#exchanges.expired) this.retire();
  }

  /** The engine has ended. */
  terminated(error: HfaceError | undefined): void {
    this.#retire(error);
  }

  #timedOut(now: number): void {
    // It rests anew after what runs.
    if (!this.idle) return;
    const due = this.#restingSince + this.#idleTimeout;
    if (now >= due) this.retire();
    else this.#timer.set(due);
  }

  #retire(error: HfaceError | undefined): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#timer.cancel();
    this.owner.retired(this, error);
  }
}

/** RFC 9113 section 6.5.2. */
const MAX_CONCURRENT_STREAMS = 0x3;
