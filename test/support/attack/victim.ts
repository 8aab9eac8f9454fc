/**
 * A server of this process under attack from another, and a bystander in a third who must be served meanwhile.
 *
 * @module
 */
import { expect } from 'vitest';
import type { App, FetchApp } from '../../../src/app/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import type { AppServerOptions, EndpointEntry, RunningServer } from '../../../src/server/index.ts';
import { MemoryWatch } from './memory.ts';
import { Peer } from './peer.ts';
import type { PeerTarget, PeerTls } from './peer.ts';

const MIB = 1 << 20;

/** Bounds of {@link Siege.withstands}. */
export interface Bounds {
  /** What may be reachable more than before while the attack lasts. Default 4 MiB. */
  readonly retained?: number;
  /** By how much the resident size may grow. Default 96 MiB. */
  readonly resident?: number;
}

/** A server, an attacker and a bystander. */
export class Siege {
  readonly attacker: Peer;
  readonly #bystander: Peer;
  readonly #servers: RunningServer[];

  constructor() {
    this.attacker = Peer.start();
    this.#bystander = Peer.start();
    this.#servers = [];
  }

  /** Starts a server on loopback. Its app must answer `/meanwhile`, which is the bystander's, with 200. */
  serve(app: FetchApp, options: AppServerOptions = {}, entry: Partial<EndpointEntry> = {}): Promise<Victim> {
    return this.serveApp(app, options, entry);
  }

  /** The same for an app of any style. */
  async serveApp(app: App, options: AppServerOptions = {}, entry: Partial<EndpointEntry> = {}): Promise<Victim> {
    const server = new AppServer(app, { logger: QUIET, ...options });
    const running = await server.listen({ endpoint: 'http://127.0.0.1:0', ...entry });
    this.#servers.push(running);
    return new Victim(running);
  }

  /** One request of the bystander, on a connection of its own, with the path `/meanwhile`. */
  async meanwhile(victim: Victim, secure?: PeerTls): Promise<void> {
    const target: PeerTarget = secure === undefined ? victim.target : { ...victim.target, secure };
    const request = `GET /meanwhile HTTP/1.1\r\nHost: ${victim.host}\r\nConnection: close\r\n\r\n`;
    const { text } = await this.#bystander.exchange(target, request, 5_000);
    expect(text.slice(0, 15), 'a second client is served meanwhile').toBe('HTTP/1.1 200 OK');
  }

  /**
   * Plays an attack: `play` gets a function to be called while the attack is at its height, which serves the bystander
   * and looks at the memory.
   */
  async withstands(
    victim: Victim,
    play: (atItsHeight: () => Promise<void>) => Promise<void>,
    bounds: Bounds & { readonly secure?: PeerTls } = {},
  ): Promise<void> {
    // What is made once is not the attack's doing.
    await this.meanwhile(victim, bounds.secure);
    const watch = new MemoryWatch();
    let looked = 0;
    const look = async (): Promise<void> => {
      looked += 1;
      await this.meanwhile(victim, bounds.secure);
      const bound = bounds.retained ?? 4 * MIB;
      expect(await watch.retained(bound), 'memory held at the height of the attack').toBeLessThanOrEqual(bound);
    };
    try {
      await play(look);
      if (looked === 0) await look();
    } finally {
      expect(watch.stop(), 'growth of the resident size').toBeLessThan(bounds.resident ?? 96 * MIB);
    }
  }

  /** Ends all servers and both processes. */
  async stop(): Promise<void> {
    await Promise.all([this.attacker.stop(), this.#bystander.stop()]);
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** A server under attack. */
export class Victim {
  readonly running: RunningServer;
  readonly port: number;

  constructor(running: RunningServer) {
    this.running = running;
    this.port = running.endpoints[0]?.port ?? 0;
  }

  get target(): PeerTarget {
    return { port: this.port };
  }

  /** What stands in Host. */
  get host(): string {
    return `127.0.0.1:${String(this.port)}`;
  }
}

const QUIET = { isEnabled: () => false, log: () => undefined };
