import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../../../src/client/index.ts';
import { eventually, handles, httpServer, rawServer } from './loopback.ts';
import type { Loopback } from './loopback.ts';
import { SteppingNetworking } from './stepping.ts';

const MIB = 0x100000;
let server: Loopback | undefined;

afterEach(() => server?.close());

/** Waits until a figure stands still. */
async function settled(figure: () => number): Promise<number> {
  let last = -1;
  for (let still = 0; still < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    still = figure() === last ? still + 1 : 0;
    last = figure();
  }
  return last;
}

describe('a slow reader', () => {
  it('of a 64 MiB download holds a bounded piece of it at any time', async () => {
    const size = 64 * MIB;
    server = await rawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${String(size)}\r\n\r\n`);
      socket.write(Buffer.alloc(size));
    });
    const networking = new SteppingNetworking(() => {});
    await new Client({ networking }).withSession(async (session) => {
      const response = await session.dispatch({ url: server!.url });
      const queued: number[] = [];
      let taken = 0;
      for (let piece = await response.body.read(); piece !== undefined; piece = await response.body.read()) {
        taken += piece.byteLength;
        queued.push(networking.bytesRead - taken);
        if (taken < 4 * MIB) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(taken).toBe(size);
      expect(Math.max(...queued)).toBeLessThan(512 * 1024);
    });
  });

  it('that stops, stops the server', async () => {
    server = await httpServer((_request, response) => {
      response.on('error', () => {});
      const more = (): void => {
        while (response.write(Buffer.alloc(65536)));
        response.once('drain', more);
      };
      more();
    });
    const networking = new SteppingNetworking(() => {});
    await new Client({ networking }).withSession(async (session) => {
      const response = await session.fetch(server!.url);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      expect(await settled(() => networking.bytesRead)).toBeLessThan(512 * 1024);
      await reader.cancel();
      expect(session.running).toBe(0);
    });
  });

  it('of a decoded body stops the server as well', async () => {
    const coded = gzipSync(Buffer.alloc(16 * MIB), { level: 0 });
    server = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(coded);
    });
    const networking = new SteppingNetworking(() => {});
    await new Client({ networking }).withSession(async (session) => {
      const response = await session.fetch(server!.url);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      expect(await settled(() => networking.bytesRead)).toBeLessThan(768 * 1024);
      let length = 0;
      reader.releaseLock();
      for await (const piece of response.body as ReadableStream<Uint8Array>) length += piece.byteLength;
      expect(length).toBeGreaterThan(15 * MIB);
    });
  });
});

describe('a slow server', () => {
  it.each([
    ['a stream', true],
    ['a Blob', false],
  ])('takes an upload of %s no faster than it reads', async (_name, streaming) => {
    let paused: IncomingMessage | undefined;
    let received = 0;
    server = await httpServer((request, response) => {
      paused = request;
      request.pause();
      request.on('data', (piece: Buffer) => (received += piece.length));
      request.on('end', () => response.end(String(received)));
      request.pause();
    });
    let made = 0;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 64; index += 1) {
        made += MIB;
        yield new Uint8Array(MIB);
      }
    }
    await new Client().withSession(async (session) => {
      const body = streaming ? pieces() : new Blob([new Uint8Array(64 * MIB)]);
      const pending = session.dispatch({ url: server!.url, method: 'POST', body });
      await eventually(() => paused !== undefined);
      const before = await settled(() => made);
      // What the system's socket buffers take is not the client's to bound.
      expect(before).toBeLessThan(24 * MIB);
      paused!.resume();
      expect(await (await pending).text()).toBe(String(64 * MIB));
    });
  });
});

describe('after a session', () => {
  it('no handle or timer is left', async () => {
    server = await httpServer((_request, response) => response.end('x'));
    const before = handles();
    await new Client().withSession(async (session) => {
      for (let index = 0; index < 5; index += 1) await (await session.fetch(server!.url)).text();
      void session.fetch(server!.url).catch(() => {});
      await session.fetch(server!.url);
    });
    await eventually(() => server!.open === 0);
    const after = handles();
    expect(after).not.toContain('TCPSocketWrap');
    expect(after.length).toBeLessThanOrEqual(before.length);
  });
});
