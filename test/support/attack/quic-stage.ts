/**
 * A server for HTTP/3 on the loopback, raw clients that break its rules, and a bystander who is served meanwhile.
 *
 * @module
 */
import { expect } from 'vitest';
import { Client } from '../../../src/client/index.ts';
import type { ClientSession } from '../../../src/client/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import type { AppServerOptions, RunningServer } from '../../../src/server/index.ts';
import type { RawOptions } from '../quic/raw-client.ts';
import { testPki } from '../test-certificates.ts';
import { QuicRogue } from './quic-rogue.ts';

const SERVED = 'still there';
const QUIET = { isEnabled: () => false, log: () => undefined };

/** What an end looks like on the wire. */
export interface Ended {
  readonly errorCode: number;
  /** Whether it is the application's: 0x1d. */
  readonly application?: boolean;
  readonly frameType?: number;
}

/** The server, its bystander and its rogues. */
export class QuicStage {
  readonly server: RunningServer;
  readonly #session: ClientSession;
  readonly #rogues: QuicRogue[];

  private constructor(server: RunningServer) {
    this.server = server;
    this.#session = new Client({ protocol: ['http3'], tls: { ca: testPki().ca.cert } }).session();
    this.#rogues = [];
  }

  /** Starts the server; `/read` answers when a request is whole, `/large` by a MiB. The bystander has its connection before the first rogue comes. */
  static async start(options: AppServerOptions = {}): Promise<QuicStage> {
    const { cert, key } = testPki().server;
    const app = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname === '/read') await request.arrayBuffer();
      return new Response(pathname === '/large' ? new Uint8Array(1 << 20) : SERVED);
    };
    const server = await new AppServer(app, { protocol: ['http3'], logger: QUIET, ...options }).listen({
      endpoint: 'https://127.0.0.1:0',
      tls: { cert, key },
    });
    const stage = new QuicStage(server);
    await stage.expectServed();
    return stage;
  }

  get port(): number {
    return this.server.endpoints[0]?.port ?? 0;
  }

  /** A socket of somebody who has sent nothing yet. */
  async rogue(options: RawOptions = {}): Promise<QuicRogue> {
    const rogue = await QuicRogue.open(this.port, options);
    this.#rogues.push(rogue);
    return rogue;
  }

  /** A rogue whose handshake is confirmed. */
  async connected(options: RawOptions = {}): Promise<QuicRogue> {
    const rogue = await QuicRogue.connect(this.port, options);
    this.#rogues.push(rogue);
    return rogue;
  }

  /** Somebody else is served, on a connection that was there before. */
  async expectServed(): Promise<void> {
    const response = await this.#session.fetch(new URL('/', this.server.url));
    expect(await response.text()).toBe(SERVED);
  }

  /** Nothing is left of the rogues' connections. */
  async expectAlone(): Promise<void> {
    const rogue = this.#rogues.at(-1);
    await rogue?.until(() => this.server.connections.size === 1);
    expect(this.server.connections.size).toBe(1);
  }

  /** The rogue is told that it is the end, with a code; others are served, and nothing is left of it. */
  async expectSentAway(rogue: QuicRogue, ended: Ended): Promise<void> {
    await rogue.untilClosed();
    expect(rogue.raw.closed).toMatchObject({ application: false, ...ended });
    await this.expectServed();
    await this.expectAlone();
    await rogue.leave();
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const rogue of this.#rogues) await rogue.leave();
    await this.#session.close();
    await this.server.close();
  }
}
