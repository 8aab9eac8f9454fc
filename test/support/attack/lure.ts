/**
 * A client of this process that is lured to a hostile server in another, and an honest server that must go on serving
 * the same session meanwhile.
 *
 * @module
 */
import { expect } from 'vitest';
import { Client } from '../../../src/client/index.ts';
import type { ClientOptions, ClientSession } from '../../../src/client/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import type { RunningServer } from '../../../src/server/index.ts';
import { MemoryWatch } from './memory.ts';
import { Peer } from './peer.ts';
import type { PeerServer, PeerSocket } from './peer.ts';
import type { Bounds } from './victim.ts';

const MIB = 1 << 20;

/** A hostile server, an honest one, and sessions between them. */
export class Lure {
  readonly peer: Peer;
  readonly #sessions: ClientSession[];
  readonly #servers: PeerServer[];
  #honest: RunningServer | undefined;

  constructor() {
    this.peer = Peer.start();
    this.#sessions = [];
    this.#servers = [];
    this.#honest = undefined;
  }

  /** A session, closed in the end. */
  session(options: ClientOptions = {}): ClientSession {
    const session = new Client(options).session();
    this.#sessions.push(session);
    return session;
  }

  /** A listening socket of the other process, and its URL. */
  async trap(): Promise<Trap> {
    const server = await this.peer.listen();
    this.#servers.push(server);
    return new Trap(server);
  }

  /** A request to the honest server. */
  async meanwhile(session: ClientSession): Promise<void> {
    this.#honest ??= await new AppServer(() => new Response('honest')).listen('http://127.0.0.1:0');
    const response = await session.fetch(`${this.#honest.url}/meanwhile`);
    expect(await response.text(), 'an honest server is heard meanwhile').toBe('honest');
  }

  /** Plays an attack on a session; see `Siege.withstands`. */
  async withstands(
    session: ClientSession,
    play: (atItsHeight: () => Promise<void>) => Promise<void>,
    bounds: Bounds = {},
  ): Promise<void> {
    await this.meanwhile(session);
    const watch = new MemoryWatch();
    let looked = 0;
    const look = async (): Promise<void> => {
      looked += 1;
      await this.meanwhile(session);
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

  /** Ends everything. */
  async stop(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()));
    await this.peer.stop();
    await this.#honest?.close();
  }
}

/** A hostile server. */
export class Trap {
  readonly server: PeerServer;
  readonly url: string;

  constructor(server: PeerServer) {
    this.server = server;
    this.url = `http://127.0.0.1:${String(server.port)}/`;
  }

  /** The next connection, once a whole request head has come on it. */
  async asked(): Promise<PeerSocket> {
    const socket = await this.server.accept();
    await socket.until('\r\n\r\n');
    return socket;
  }
}

/** What a promise was rejected with: the cause of fetch's TypeError, or the reason itself. */
export async function failure(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TypeError && error.cause instanceof Error) return error.cause;
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
