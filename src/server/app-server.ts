/**
 * The server of apps: options, and running servers made from them.
 *
 * Owns the order of the beginning: options and app are checked, the app starts, then all endpoints are opened, or
 * none. A server is a plain object without state; {@link RunningServer} has some. It installs no signal handler.
 *
 * @module
 */
import { checkApp, mountApp } from '../app/index.ts';
import type { App } from '../app/index.ts';
import { lineLogger, resolveLimits } from '../common/index.ts';
import type { Endpoint, Logger } from '../common/index.ts';
import { Deadline, raceAbort, TaskGroup, throwIfAborted } from '../concurrency/index.ts';
import { ConnectionAdmission, HttpMultiListener, systemNetworking } from '../connections/index.ts';
import { endpointListener } from './endpoint-listener.ts';
import { AllowedHosts, developmentHosts } from './allowed-hosts.ts';
import { serverLimits, serverTimeouts } from './limits.ts';
import type { ServerLimits, ServerTimeouts } from './limits.ts';
import { RunningAppServer, stopApp } from './running-server.ts';
import type { RunningServer } from './running-server.ts';
import { ServerConnections } from './server-connections.ts';
import { ServerHost } from './server-host.ts';
import { checkServerOptions, resolveEndpoints } from './option-checks.ts';
import type { AppServerOptions, EndpointInit, ResolvedEndpoint, ServerNetworking } from './server-options.ts';

/** How a server is started. */
export interface ListenOptions {
  /** Before the server listens: gives up. Afterwards: drains it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Serves an app over every HTTP version.
 *
 * @example
 * ```ts
 * const server = new AppServer(() => new Response('hello'));
 * const running = await server.listen('http://localhost:5080');
 * ```
 */
export class AppServer {
  readonly #app: App;
  readonly #options: AppServerOptions;

  /** @throws ConfigurationError for options that do not exist or cannot be met, and for what is no app */
  constructor(app: App, options: AppServerOptions = {}) {
    checkServerOptions(options);
    checkApp(app, options.appStyle);
    this.#app = app;
    this.#options = options;
  }

  /**
   * Starts the app and listens, at one endpoint or several, secure and insecure: at all of them or at none.
   *
   * @throws ConfigurationError, NetworkError (phase `listen`), AppError when the app says that it cannot start,
   * TimeoutError (`startup`), or the signal's reason
   */
  async listen(endpoints: EndpointInit | readonly EndpointInit[], options: ListenOptions = {}): Promise<RunningServer> {
    const resolved = resolveEndpoints(endpoints, this.#options);
    const starting = new ServerStart(this.#app, this.#options, resolved);
    return starting.start(options.signal);
  }

  /** Listens until the signal drains the server, and resolves when nothing of it is left. @throws as `listen` */
  async run(endpoints: EndpointInit | readonly EndpointInit[], options: ListenOptions = {}): Promise<void> {
    const running = await this.listen(endpoints, options);
    await running.closed;
  }

  /** Runs `work` with a running server and closes it afterwards, whatever happened. */
  async withServer<T>(
    endpoints: EndpointInit | readonly EndpointInit[],
    work: (server: RunningServer) => T | PromiseLike<T>,
  ): Promise<T> {
    const running = await this.listen(endpoints);
    try {
      return await work(running);
    } finally {
      await running.close();
    }
  }
}

/** One start of a server. */
class ServerStart {
  readonly #app: App;
  readonly #options: AppServerOptions;
  readonly #endpoints: readonly ResolvedEndpoint[];
  readonly #limits: ServerLimits;
  readonly #timeouts: ServerTimeouts;
  readonly #networking: ServerNetworking;

  constructor(app: App, options: AppServerOptions, endpoints: readonly ResolvedEndpoint[]) {
    this.#app = app;
    this.#options = options;
    this.#endpoints = endpoints;
    this.#limits = resolveLimits('server', serverLimits, options.limits);
    this.#timeouts = resolveLimits('server timeouts', serverTimeouts, options.timeouts);
    this.#networking = options.networking ?? systemNetworking();
  }

  async start(signal: AbortSignal | undefined): Promise<RunningServer> {
    throwIfAborted(signal);
    const { clock } = this.#networking;
    const background = new TaskGroup({ name: 'waitUntil' });
    const host = new ServerHost(this.#options, this.#options.logger ?? standardErrorLogger(), clock, background);
    const app = mountApp(this.#app, host, this.#options.appStyle);
    const listener = this.#listener();
    const deadline = new Deadline(clock, { timer: 'startup', milliseconds: this.#timeouts.startup, signal });
    try {
      await raceAbort(app.startup(), deadline.signal);
    } finally {
      deadline[Symbol.dispose]();
    }
    let running: RunningAppServer | undefined;
    const connections = new ServerConnections({
      app,
      host,
      clock,
      allowedHosts: this.#allowedHosts(),
      maxRequests: this.#limits.maxRequests,
      listenerFailed: (error) => running?.listenerFailed(error),
    });
    try {
      const listening = await listener.listen(connections);
      host.advertise(alternatives(this.#endpoints, listening.endpoints));
      const http3Endpoints = listening.endpoints.filter(
        (_, index) => this.#endpoints[index]?.quicFactory !== undefined,
      );
      running = new RunningAppServer(
        { clock, timeouts: this.#timeouts, app, host, listening, http3Endpoints, background },
        signal,
      );
    } catch (error) {
      await stopApp(app, host, clock, this.#timeouts.shutdown);
      throw error;
    }
    if (signal?.aborted === true) {
      await running.close();
      throwIfAborted(signal);
    }
    return running;
  }

  #listener(): HttpMultiListener {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const admission = new ConnectionAdmission(maxConnections, maxConnectionsPerAddress);
    const parts = {
      networking: this.#networking,
      admission,
      limits: { maxConnections, maxConnectionsPerAddress, handshakeTimeout: this.#timeouts.handshake },
      options: this.#options,
    };
    return new HttpMultiListener(
      this.#endpoints.map((resolved) => ({ listener: endpointListener(resolved, parts), endpoint: resolved.endpoint })),
    );
  }

  #allowedHosts(): AllowedHosts | undefined {
    const { allowedHosts, dev } = this.#options;
    if (allowedHosts !== undefined) return new AllowedHosts(allowedHosts);
    if (dev !== true) return undefined;
    return new AllowedHosts(developmentHosts(this.#endpoints.map(({ endpoint }) => endpoint.host)));
  }
}

/** How long a client may rely on an alternative, in seconds (RFC 7838 section 3.1: its default, a day). */
const ALTERNATIVE_AGE = 86_400;

/** What Alt-Svc says at each port: HTTP/3 on the same one. */
function alternatives(wanted: readonly ResolvedEndpoint[], open: readonly Endpoint[]): ReadonlyMap<number, string> {
  const ports = new Map<number, string>();
  for (const [index, { factory, quicFactory, quic }] of wanted.entries()) {
    const port = open[index]?.port;
    if (port === undefined || factory === undefined || quicFactory === undefined || quic.advertise === false) continue;
    ports.set(port, `h3=":${String(port)}"; ma=${String(ALTERNATIVE_AGE)}`);
  }
  return ports;
}

/** An app that fails in silence cannot be mended. */
function standardErrorLogger(): Logger {
  return lineLogger('warn', (line) => void process.stderr.write(`${line}\n`));
}
