/**
 * A server that listens, until nothing of it is left.
 *
 * Owns the order of the end: accepting stops, requests and the promises of `waitUntil` finish within the bound, what
 * is left is ended, the app is told to stop, `closed` resolves. Ending twice is ending once; a later call can only
 * make it sooner.
 *
 * @module
 */
import type { MountedApp } from '../app/index.ts';
import { formatEndpoint } from '../common/index.ts';
import type { Clock, Endpoint, NetworkError, ServerTlsConfig } from '../common/index.ts';
import { Deadline, Latch, onAbort, raceAbort } from '../concurrency/index.ts';
import type { TaskGroup } from '../concurrency/index.ts';
import type { HttpConnection, HttpListening } from '../connections/index.ts';
import type { ServerTimeouts } from './limits.ts';
import { endpointOf } from './option-checks.ts';
import type { ServerHost } from './server-host.ts';

/** How a server ends. */
export interface DrainServerOptions {
  /** How long running requests and `waitUntil` may go on, in milliseconds. Default: the timeout `drain`. */
  readonly timeout?: number | undefined;
  /** Ends at once what still runs. */
  readonly signal?: AbortSignal | undefined;
}

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  /** Where it listens, with the ports it really has. */
  readonly endpoints: readonly Endpoint[];
  /** Those of them that speak HTTP/3, on UDP. */
  readonly http3Endpoints: readonly Endpoint[];
  /** The first endpoint as a URL: `http://localhost:5080`. */
  readonly url: string;
  /** Those that are open now. */
  readonly connections: ReadonlySet<HttpConnection>;
  /** How many requests are running now. */
  readonly requests: number;
  /** Resolves when nothing of the server is left. Rejects, then as well, when a listener failed for good. */
  readonly closed: Promise<void>;
  /**
   * Replaces the TLS configuration, certificate and key above all, for handshakes to come; connections stay. What the
   * new one leaves out (`clientCertificate`, `serverNames`) is at its default. Tickets of the old one are not accepted
   * any more, unless both have the same `ticketKeys`.
   *
   * @param endpoint - one of `endpoints`; every https endpoint when it is left out
   * @throws ConfigurationError when it cannot be used, or there is no such https endpoint; the old one stays then
   */
  updateTls(tls: ServerTlsConfig, endpoint?: string | URL | Endpoint): void;
  /** Stops accepting, finishes what runs within a bound, and ends. Resolves when nothing is left. */
  drain(options?: DrainServerOptions): Promise<void>;
  /** Ends now: running requests are reset. Resolves when nothing is left. */
  close(): Promise<void>;
  /** {@link RunningServer.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a running server is made of. */
export interface RunningServerParts {
  readonly clock: Clock;
  readonly timeouts: ServerTimeouts;
  readonly app: MountedApp;
  readonly host: ServerHost;
  readonly listening: HttpListening;
  /** Those of its endpoints that speak HTTP/3. */
  readonly http3Endpoints: readonly Endpoint[];
  /** The promises of `waitUntil`. */
  readonly background: TaskGroup;
}

/** @see {@link RunningServer} */
export class RunningAppServer implements RunningServer {
  readonly endpoints: readonly Endpoint[];
  readonly http3Endpoints: readonly Endpoint[];
  readonly url: string;
  readonly #parts: RunningServerParts;
  readonly #force: AbortController;
  readonly #ended: Latch;
  readonly #closed: Promise<void>;
  #ending: Promise<void> | undefined;
  #failure: NetworkError | undefined;
  #stopListening: () => void;

  /** @param signal - drains the server when it aborts */
  constructor(parts: RunningServerParts, signal: AbortSignal | undefined) {
    this.endpoints = parts.listening.endpoints;
    this.http3Endpoints = parts.http3Endpoints;
    this.url = formatEndpoint(this.endpoints[0] as Endpoint);
    this.#parts = parts;
    this.#force = new AbortController();
    this.#ended = new Latch();
    this.#closed = this.#ended.wait();
    // Who does not ask for it does not learn of it: the failure was logged.
    this.#closed.catch(ignore);
    this.#ending = undefined;
    this.#failure = undefined;
    this.#stopListening = ignore;
    this.#stopListening = onAbort(signal, () => void this.drain());
  }

  get connections(): ReadonlySet<HttpConnection> {
    return this.#parts.listening.connections;
  }

  get requests(): number {
    return this.#parts.host.running;
  }

  get closed(): Promise<void> {
    return this.#closed;
  }

  /** @inheritdoc */
  updateTls(tls: ServerTlsConfig, endpoint?: string | URL | Endpoint): void {
    this.#parts.listening.updateTls(tls, endpoint === undefined ? undefined : endpointOf(endpoint));
  }

  /** @inheritdoc */
  async drain(options: DrainServerOptions = {}): Promise<void> {
    const release = onAbort(options.signal, () => this.#force.abort());
    try {
      await this.#end(options.timeout ?? this.#parts.timeouts.drain);
    } finally {
      release();
    }
  }

  /** @inheritdoc */
  async close(): Promise<void> {
    this.#force.abort();
    await this.#end(0);
  }

  /** @inheritdoc */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A listener failed for good: a server that hears nothing is none. */
  listenerFailed(error: NetworkError): void {
    this.#failure ??= error;
    void this.close();
  }

  #end(timeout: number): Promise<void> {
    this.#ending ??= this.#finish(timeout);
    return this.#ending;
  }

  async #finish(timeout: number): Promise<void> {
    const { clock, listening, timeouts, app, host } = this.#parts;
    this.#stopListening();
    const deadline = new Deadline(clock, { timer: 'drain', milliseconds: timeout, signal: this.#force.signal });
    try {
      if (deadline.signal.aborted) await listening.close();
      else await listening.drain({ timeout, signal: deadline.signal });
      await this.#finishBackground(deadline.signal);
    } catch (error) {
      host.log('error', 'the server did not end as it should', error);
    } finally {
      deadline[Symbol.dispose]();
    }
    await stopApp(app, host, clock, timeouts.shutdown);
    if (this.#failure === undefined) this.#ended.open();
    else this.#ended.fail(this.#failure);
  }

  async #finishBackground(signal: AbortSignal): Promise<void> {
    const { background, host } = this.#parts;
    try {
      await raceAbort(background.join(), signal);
    } catch {
      if (background.running > 0)
        host.log('warn', 'promises of waitUntil were left behind', undefined, { count: background.running });
    }
    await background.close();
  }
}

/** Tells the app to stop, and waits for it within a bound. */
export async function stopApp(app: MountedApp, host: ServerHost, clock: Clock, timeout: number): Promise<void> {
  const deadline = new Deadline(clock, { timer: 'shutdown', milliseconds: timeout });
  try {
    await raceAbort(app.shutdown(), deadline.signal);
  } catch (error) {
    host.report(error, 'lifespan', undefined);
  } finally {
    deadline[Symbol.dispose]();
  }
}

function ignore(): void {}
