/**
 * Our client against foreign servers, over cleartext and TLS: nginx, Caddy, node:http.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/index.ts';
import type { ClientSession } from '../../src/index.ts';
import { findProgram, openWorkshop, startCaddy, startNginx } from './support/peers.ts';
import type { ForeignServer, Workshop } from './support/peers.ts';
import { digest, pattern } from './support/server-app.ts';

const nginxProgram = findProgram('nginx');
const caddyProgram = findProgram('caddy');

let workshop: Workshop;
let session: ClientSession;
let root: string;
const large = pattern(8 << 20);

beforeAll(async () => {
  workshop = await openWorkshop();
  root = path.join(workshop.folder, 'files');
  mkdirSync(root, { mode: 0o755 });
  writeFileSync(path.join(root, 'hello.txt'), 'Hello from a file\n');
  writeFileSync(path.join(root, 'large.bin'), large);
  writeFileSync(path.join(root, 'words.txt'), 'the same words again and again '.repeat(4000));
  session = new Client({ tls: { extraCa: workshop.caPem } }).session();
});

afterAll(async () => {
  await session.close();
  workshop.dispose();
});

/** What every file server can be asked. */
function asksFileServer(server: () => ForeignServer, scheme: 'http' | 'https', packed: string): void {
  const url = (target: string): string => `${server()[scheme]}${target}`;

  it('gets a file, its fields as they came', async () => {
    const response = await session.dispatch({ url: url('/hello.txt') });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('Hello from a file\n');
    expect(response.connection.httpVersion).toBe('1.1');
    expect(response.connection.endVerified).toBe(true);
    expect(response.rawNames?.map((name) => name.toLowerCase())).toEqual(
      response.headers.filter((_, index) => index % 2 === 0),
    );
  });

  it('gets 8 MiB whole', async () => {
    const response = await session.fetch(url('/large.bin'));
    expect(digest(new Uint8Array(await response.arrayBuffer()))).toBe(digest(large));
  });

  it('asks for the head alone', async () => {
    const response = await session.fetch(url('/large.bin'), { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe(String(large.length));
    expect(await response.text()).toBe('');
  });

  it('asks for a range (RFC 9110 section 14.2)', async () => {
    const response = await session.fetch(url('/large.bin'), { headers: { range: 'bytes=1000-1999' } });
    expect(response.status).toBe(206);
    expect(digest(new Uint8Array(await response.arrayBuffer()))).toBe(digest(large.subarray(1000, 2000)));
  });

  it('is told that nothing changed (RFC 9110 section 13.1.2)', async () => {
    const first = await session.fetch(url('/hello.txt'));
    await first.text();
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
    const second = await session.fetch(url('/hello.txt'), { headers });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
  });

  it('follows a redirect', async () => {
    const response = await session.fetch(url('/redirect'));
    expect(response.redirected).toBe(true);
    expect(await response.text()).toBe('Hello from a file\n');
  });

  it('undoes gzip', async () => {
    const response = await session.fetch(url(packed));
    expect((await response.text()).length).toBe('the same words again and again '.length * 4000);
  });

  it('takes an error status as an answer', async () => {
    const response = await session.fetch(url('/teapot'));
    expect(response.status).toBe(418);
    expect(await response.text()).toBe('short and stout');
  });

  it('sends forty requests at once over a few connections', async () => {
    const ids = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const response = await session.dispatch({ url: url('/hello.txt') });
        await response.text();
        return response.connection.id;
      }),
    );
    expect(ids.length).toBe(40);
    expect(new Set(ids).size).toBeLessThan(40);
  });

  it('leaves nothing when a download is given up', async () => {
    const controller = new AbortController();
    const response = await session.fetch(url('/large.bin'), { signal: controller.signal });
    controller.abort();
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(session.running).toBe(0);
  });
}

describe.skipIf(nginxProgram === undefined)('nginx', () => {
  let server: ForeignServer;
  beforeAll(async () => {
    server = await startNginx(nginxProgram ?? '', workshop, root);
  });
  afterAll(async () => {
    await server.stop();
  });
  describe('over http', () => {
    asksFileServer(() => server, 'http', '/packed/words.txt');

    it('meets a connection that is closed after each answer', async () => {
      for (let index = 0; index < 5; index++) {
        const response = await session.fetch(`${server.http}/close`);
        expect(await response.text()).toBe('bye');
      }
    });

    it('ends a redirect loop', async () => {
      await expect(session.fetch(`${server.http}/loop`)).rejects.toThrow(TypeError);
    });

    it('is refused an upload that is too large, and goes on (RFC 9112 section 9.5)', async () => {
      const body = new Uint8Array(9 << 20);
      const response = await session.fetch(`${server.http}/hello.txt`, { method: 'POST', body });
      expect([405, 413]).toContain(response.status);
      await response.text();
      expect((await session.fetch(`${server.http}/hello.txt`)).status).toBe(200);
    });
  });
  describe('over https', () => {
    asksFileServer(() => server, 'https', '/packed/words.txt');

    it('refuses the certificate with another CA, and sends nothing', async () => {
      await new Client().withSession(async (strict) => {
        await expect(strict.dispatch({ url: `${server.https}/hello.txt` })).rejects.toMatchObject({ phase: 'tls' });
      });
    });
  });
});

describe.skipIf(caddyProgram === undefined)('Caddy', () => {
  let server: ForeignServer;
  beforeAll(async () => {
    server = await startCaddy(caddyProgram ?? '', workshop, root);
  });
  afterAll(async () => {
    await server.stop();
  });
  describe('over http', () => {
    asksFileServer(() => server, 'http', '/words.txt');
  });
  describe('over https', () => {
    asksFileServer(() => server, 'https', '/words.txt');
  });
});

describe('node:http', () => {
  let server: http.Server;
  let url: string;
  beforeAll(async () => {
    server = http.createServer((request, response) => {
      void answer(request, response);
    });
    server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
      response.writeContinue();
      void answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const facts = {
      digest: digest(Buffer.concat(chunks)),
      encoding: request.headers['transfer-encoding'] ?? null,
      trailers: request.trailers,
    };
    if (request.url === '/hints') response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.writeHead(200, { trailer: 'x-after', 'X-Mixed-Case': 'kept' });
    response.write(JSON.stringify(facts));
    response.addTrailers({ 'x-after': 'yes' });
    response.end();
  }

  it('takes a chunked upload and its trailers, and answers with trailers', async () => {
    const content = pattern(300_000);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < content.length; offset += 7000) yield content.subarray(offset, offset + 7000);
    }
    const response = await session.dispatch({ url, method: 'POST', body: pieces(), trailers: { 'x-check': 'sum' } });
    expect(response.rawNames).toContain('X-Mixed-Case');
    expect(await response.json()).toEqual({
      digest: digest(content),
      encoding: 'chunked',
      trailers: { 'x-check': 'sum' },
    });
    expect(await response.trailers).toEqual(['x-after', 'yes']);
  });

  it('is asked by Expect and answers 100 Continue (RFC 9110 section 10.1.1)', async () => {
    const body = pattern(50_000);
    const response = await session.dispatch({ url, method: 'PUT', body, expectContinue: true });
    expect(await response.json()).toMatchObject({ digest: digest(body), encoding: null });
    expect(response.informational.map(({ status }) => status)).toEqual([100]);
  });

  it('sends early hints (RFC 8297)', async () => {
    const response = await session.dispatch({ url: `${url}/hints` });
    await response.text();
    expect(response.informational.map(({ status }) => status)).toEqual([103]);
  });

  it('closes idle connections, and no request is lost', async () => {
    server.keepAliveTimeout = 20;
    try {
      for (let index = 0; index < 10; index++) {
        const response = await session.fetch(url);
        expect(response.status).toBe(200);
        await response.text();
        // Around the time at which the server gives up.
        await new Promise((resolve) => setTimeout(resolve, 15 + index));
      }
    } finally {
      server.keepAliveTimeout = 5000;
    }
  });
});
