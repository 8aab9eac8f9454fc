/**
 * An ASGI-style app with its lifespan.
 *
 * Owns startup and shutdown (ASGI's lifespan protocol 2.0): the app is called once with scope `lifespan`, is told
 * `lifespan.startup`, and its answer decides whether the server may listen. An app that throws, or returns, before it
 * has answered does not support lifespan and is served without.
 *
 * @module
 */
import { AppError } from '../common/index.ts';
import { Latch } from '../concurrency/index.ts';
import type { AppHost, MountedApp } from './app-host.ts';
import { AsgiExchange } from './asgi-exchange.ts';
import { asgiLifespanVersion } from './asgi-scope.ts';
import type { AsgiApp, AsgiReceiveEvent, AsgiSendEvent } from './asgi-types.ts';

/** Mounts an ASGI-style app. */
export function mountAsgiApp(app: AsgiApp, host: AppHost): MountedApp {
  const lifespan = new AsgiLifespan(app, host);
  return {
    style: 'asgi',
    answer: (exchange) => new AsgiExchange(exchange, host).answer(app, lifespan.state),
    startup: () => lifespan.startup(),
    shutdown: () => lifespan.shutdown(),
  };
}

/** The app's life, from startup to shutdown. */
class AsgiLifespan {
  /** What the app put into its scope's state. */
  readonly state: Record<string, unknown>;
  readonly #app: AsgiApp;
  readonly #host: AppHost;
  readonly #started: Latch;
  readonly #stopping: Latch;
  readonly #stopped: Latch;
  /** What `receive` tells next. */
  #phase: 'startup' | 'running' | 'shutdown' | 'over';
  #supported: boolean;

  constructor(app: AsgiApp, host: AppHost) {
    this.state = {};
    this.#app = app;
    this.#host = host;
    this.#started = new Latch();
    this.#stopping = new Latch();
    this.#stopped = new Latch();
    this.#phase = 'startup';
    this.#supported = false;
  }

  /** Calls the app and waits until it has started, or has shown that it knows no lifespan. */
  startup(): Promise<void> {
    void this.#run();
    return this.#started.wait();
  }

  /** Tells the app to stop and waits until it has. */
  async shutdown(): Promise<void> {
    if (!this.#supported) return;
    this.#stopping.open();
    await this.#stopped.wait();
  }

  async #run(): Promise<void> {
    const scope = { type: 'lifespan', asgi: asgiLifespanVersion, state: this.state } as const;
    try {
      await this.#app(
        scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
    } catch (error) {
      // Before the answer to startup it says that there is no lifespan; afterwards it is a failure.
      if (this.#supported) this.#host.report(error, 'lifespan', undefined);
    }
    this.#phase = 'over';
    this.#started.open();
    this.#stopped.open();
  }

  async #receive(): Promise<AsgiReceiveEvent> {
    if (this.#phase === 'startup') {
      this.#phase = 'running';
      return { type: 'lifespan.startup' };
    }
    await this.#stopping.wait();
    this.#phase = 'shutdown';
    return { type: 'lifespan.shutdown' };
  }

  #send(event: AsgiSendEvent): Promise<void> {
    switch (event.type) {
      case 'lifespan.startup.complete':
        this.#supported = true;
        this.#started.open();
        break;
      case 'lifespan.startup.failed':
        this.#started.fail(new AppError(`the app failed to start${because(event.message)}`, 'ERR_APP_STARTUP'));
        break;
      case 'lifespan.shutdown.complete':
        this.#stopped.open();
        break;
      case 'lifespan.shutdown.failed':
        this.#host.report(
          new AppError(`the app failed to stop${because(event.message)}`, 'ERR_APP_SHUTDOWN'),
          'lifespan',
          undefined,
        );
        this.#stopped.open();
        break;
      default: {
        const refused = Promise.reject(new AppError(`scope lifespan does not know ${event.type}`, 'ERR_APP_EVENT'));
        refused.catch(() => undefined);
        return refused;
      }
    }
    return Promise.resolve();
  }
}

function because(message: unknown): string {
  return typeof message === 'string' && message !== '' ? `: ${message}` : '';
}
