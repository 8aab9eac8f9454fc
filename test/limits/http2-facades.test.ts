/**
 * Attacks over HTTP/2 on AppServer and Client as a whole: what the engine bounds is bounded for apps too, and who behaves
 * is served meanwhile.
 *
 * CVE-2023-44487 (rapid reset), CVE-2025-8671 (MadeYouReset), CVE-2019-9517 (internal data buffering), CVE-2019-9514.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { AppServer, Client } from '../../src/index.ts';
import type { App, AppServerOptions, RunningServer } from '../../src/index.ts';
import { numbers, rawFrame, RawPeer, T } from '../support/raw-http2-server.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** GET http://localhost/, by the static table and one literal (RFC 7541 Appendix A). */
const GET = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, 9]), Buffer.from('localhost')]);

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(app: App, options: AppServerOptions = {}): Promise<RunningServer> {
  const server = await new AppServer(app, options).listen('http://127.0.0.1:0');
  ends.push(() => server.close());
  return server;
}

/** A client that says what it likes. */
class Attacker {
  readonly socket: Socket;
  /** Frames received: type and payload. */
  readonly frames: { type: number; payload: Buffer }[] = [];
  closed = false;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(server: RunningServer) {
    this.socket = connect(server.endpoints[0]?.port ?? 0, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
    this.socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      while (this.#buffer.length >= 9 && this.#buffer.length >= 9 + this.#buffer.readUIntBE(0, 3)) {
        const end = 9 + this.#buffer.readUIntBE(0, 3);
        this.frames.push({ type: this.#buffer.readUInt8(3), payload: this.#buffer.subarray(9, end) });
        this.#buffer = this.#buffer.subarray(end);
      }
    });
    ends.push(() => Promise.resolve(this.socket.destroy()));
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.closed) this.socket.write(Buffer.concat(frames));
  }

  /** The code of the GOAWAY that came. */
  get goaway(): number | undefined {
    return this.frames.find(({ type }) => type === T.goaway)?.payload.readUInt32BE(4);
  }
}

const CALM = 0xb;

describe('a server', () => {
  it.each([
    ['by the client (CVE-2023-44487)', (id: number): Buffer => rawFrame(T.rstStream, 0, id, numbers(8))],
    // A WINDOW_UPDATE of 0 makes the server reset it (RFC 9113 section 6.9).
    ['by the server, which was made to (CVE-2025-8671)', (id: number) => rawFrame(T.windowUpdate, 0, id, numbers(0))],
  ])('has few handlers at once, however many streams are reset %s', async (_who, reset) => {
    let running = 0;
    let most = 0;
    const server = await start(async (request) => {
      if (request.headers.has('x-honest')) return new Response('served');
      running += 1;
      most = Math.max(most, running);
      await sleep(100);
      running -= 1;
      return new Response('');
    });
    const attacker = new Attacker(server);
    attacker.send(PREFACE, rawFrame(T.settings, 0, 0));
    for (let burst = 0; burst < 50; burst += 1) {
      const frames: Buffer[] = [];
      for (let index = 0; index < 100; index += 1) {
        const id = (burst * 100 + index) * 2 + 1;
        frames.push(rawFrame(T.headers, 0x5, id, GET), reset(id));
      }
      attacker.send(...frames);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Client({ protocol: ['http2'] }).withSession(async (session) => {
      const response = await session.fetch(server.url, { headers: { 'x-honest': 'yes' } });
      expect(await response.text()).toBe('served');
    });
    await expect.poll(() => attacker.goaway).toBe(CALM);
    // maxLiveHandlers.
    expect(most).toBeLessThanOrEqual(256);
    await expect.poll(() => [running, server.requests]).toEqual([0, 0]);
  });

  it('holds little for streams whose windows stay closed, and serves the others (CVE-2019-9517)', async () => {
    let made = 0;
    const server = await start((request) => {
      if (request.headers.has('x-honest')) return new Response('served');
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          made += 65_536;
          controller.enqueue(new Uint8Array(65_536));
        },
      });
      return new Response(body);
    });
    const attacker = new Attacker(server);
    const heads = Array.from({ length: 100 }, (_, index) => rawFrame(T.headers, 0x5, index * 2 + 1, GET));
    // SETTINGS_INITIAL_WINDOW_SIZE 0.
    attacker.send(PREFACE, rawFrame(T.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])), ...heads);
    await expect.poll(() => server.requests).toBe(100);
    await new Client({ protocol: ['http2'] }).withSession(async (session) => {
      const response = await session.fetch(server.url, { headers: { 'x-honest': 'yes' } });
      expect(await response.text()).toBe('served');
    });
    // A send buffer and what a stream reads ahead, for each.
    expect(made).toBeLessThan(100 * 65_536 * 6);
    attacker.socket.destroy();
    await expect.poll(() => server.requests, { timeout: 8_000 }).toBe(0);
  });
});

describe('a client', () => {
  async function attacked(onHead: Parameters<typeof RawPeer.start>[0]): Promise<unknown> {
    const peer = await RawPeer.start(onHead);
    ends.push(() => peer.stop());
    return new Client({ protocol: ['http2'], retry: false, timeouts: { total: 10_000 } }).withSession(
      async (session) => {
        const failure = await session.dispatch({ url: peer.url }).then(
          async (response) => {
            await response.bytes();
            return 'answered';
          },
          (error: unknown) => error,
        );
        return failure;
      },
    );
  }

  it('ends a connection on which frames flood that move nothing (CVE-2019-9515)', async () => {
    const failure = await attacked(({ type }, connection) => {
      if (type !== T.headers) return;
      for (let index = 0; index < 10; index += 1) {
        connection.send(...Array.from({ length: 1_000 }, () => rawFrame(T.settings, 0, 0)));
      }
    });
    expect(failure).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  });

  it('gives up a response with interim ones without end', async () => {
    const failure = await attacked(({ type, streamId }, connection) => {
      if (type !== T.headers) return;
      // :status 103, a literal.
      const interim = Buffer.concat([Buffer.from([0x08, 3]), Buffer.from('103')]);
      connection.send(...Array.from({ length: 100 }, () => rawFrame(T.headers, 0x4, streamId, interim)));
    });
    expect(failure).toMatchObject({ name: 'LimitError' });
  });

  it('refuses what is no HTTP/2 at once', async () => {
    const failure = await attacked(({ type }, connection) => {
      if (type === T.headers) connection.send(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
    });
    expect(failure).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  });
});
