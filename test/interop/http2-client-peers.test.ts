/**
 * Our client against foreign servers over HTTP/2, with TLS and with prior knowledge: nginx, Caddy, nghttpd, hypercorn,
 * node:http2.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/index.ts';
import type { ClientSession } from '../../src/index.ts';
import { startHttp2Caddy, startHttp2Nginx, startHypercorn, startNghttpd } from './support/http2-peers.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { ForeignServer, Workshop } from './support/peers.ts';
import { digest, pattern } from './support/server-app.ts';

const MIB = 1 << 20;
const large = pattern(100 * MIB);
const largeDigest = digest(large);

let workshop: Workshop;
let root: string;
/** HTTP/2 whatever the scheme. */
let session: ClientSession;
let backend: http.Server;

beforeAll(async () => {
  workshop = await openWorkshop();
  root = path.join(workshop.folder, 'files');
  mkdirSync(root, { mode: 0o755 });
  writeFileSync(path.join(root, 'hello.txt'), 'Hello from a file\n');
  writeFileSync(path.join(root, 'large.bin'), large);
  session = new Client({ protocol: ['http2'], tls: { extraCa: workshop.caPem } }).session();
  backend = http.createServer((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Uint8Array) => hash.update(chunk));
    request.on('end', () => response.end(JSON.stringify({ digest: hash.digest('hex') })));
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await session.close();
  backend.closeAllConnections();
  backend.close();
  workshop.dispose();
});

function backendPort(): number {
  return (backend.address() as AddressInfo).port;
}

/** The digest of a body as it streams by. */
async function digestOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < large.length; offset += 100_000) {
    yield await Promise.resolve(large.subarray(offset, offset + 100_000));
  }
}

/** What every server can be asked. */
function asksServer(server: () => ForeignServer, scheme: 'http' | 'https'): void {
  const url = (target: string): string => `${server()[scheme]}${target}`;

  it('gets a file', async () => {
    const response = await session.dispatch({ url: url('/hello.txt') });
    expect([response.status, response.httpVersion, response.rawNames]).toEqual([200, '2', undefined]);
    expect(await response.text()).toBe('Hello from a file\n');
    expect(response.connection.tls?.alpn).toBe(scheme === 'https' ? 'h2' : undefined);
    expect(response.connection.endVerified).toBe(true);
  });

  it('downloads 100 MiB', async () => {
    const response = await session.dispatch({ url: url('/large.bin') });
    expect(response.header('content-length')).toBe(String(large.length));
    expect(await digestOf(response.body)).toBe(largeDigest);
  });

  it('sends a hundred requests at once over few connections', async () => {
    const ids = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await session.dispatch({ url: url('/hello.txt') });
        expect(await response.text()).toBe('Hello from a file\n');
        return response.connection.id;
      }),
    );
    // nginx ends a connection after 50 requests here, and some of them are refused and sent again.
    expect(new Set(ids).size).toBeLessThan(10);
  });

  it('gives up downloads, and the connection goes on', async () => {
    const controller = new AbortController();
    const response = await session.fetch(url('/large.bin'), { signal: controller.signal });
    controller.abort();
    await expect(response.arrayBuffer()).rejects.toThrow();
    const next = await session.dispatch({ url: url('/hello.txt') });
    expect(await next.text()).toBe('Hello from a file\n');
    expect(session.running).toBe(0);
  });
}

function uploads(server: () => ForeignServer, scheme: 'http' | 'https'): void {
  it('uploads 100 MiB', async () => {
    const url = `${server()[scheme]}/digest`;
    const response = await session.dispatch({ url, method: 'POST', body: pieces() });
    expect([response.status, await response.json()]).toEqual([200, { digest: largeDigest }]);
  });

  it('takes an error status as an answer', async () => {
    const response = await session.fetch(`${server()[scheme]}/teapot`);
    expect([response.status, await response.text()]).toEqual([418, 'short and stout']);
  });
}

const peers = [
  { name: 'nginx', program: 'nginx', start: startHttp2Nginx },
  { name: 'Caddy', program: 'caddy', start: startHttp2Caddy },
  { name: 'hypercorn', program: 'hypercorn', start: startHypercorn },
] as const;

for (const { name, program, start } of peers) {
  const found = findProgram(program);
  describe.skipIf(found === undefined)(name, () => {
    let server: ForeignServer;
    beforeAll(async () => {
      server = await start(found ?? '', workshop, root, backendPort());
    });
    afterAll(() => server.stop());
    describe.each(['http', 'https'] as const)('over %s', (scheme) => {
      asksServer(() => server, scheme);
      uploads(() => server, scheme);
    });

    it('agrees on HTTP/2 by ALPN where HTTP/1.1 would do', async () => {
      await new Client({ tls: { extraCa: workshop.caPem } }).withSession(async (both) => {
        const answers = await Promise.all(
          Array.from({ length: 20 }, async () => {
            const response = await both.dispatch({ url: `${server.https}/hello.txt` });
            await response.text();
            return `${response.httpVersion} ${response.connection.id}`;
          }),
        );
        expect(new Set(answers).size).toBe(1);
        expect(answers[0]).toMatch(/^2 /);
      });
    });
  });
}

const nghttpd = findProgram('nghttpd');
describe.skipIf(nghttpd === undefined)('nghttpd', () => {
  let server: ForeignServer;
  beforeAll(async () => {
    server = await startNghttpd(nghttpd ?? '', workshop, root);
  });
  afterAll(() => server.stop());
  describe.each(['http', 'https'] as const)('over %s', (scheme) => {
    asksServer(() => server, scheme);

    it('has 100 MiB echoed, both ways at once, with a trailer behind', async () => {
      const response = await session.dispatch({ url: `${server[scheme]}/echo`, method: 'POST', body: pieces() });
      expect(await digestOf(response.body)).toBe(largeDigest);
      expect(await response.trailers).toEqual(['x-after', 'yes']);
    });
  });
});

const hypercorn = findProgram('hypercorn');
describe.skipIf(hypercorn === undefined)('a WebSocket by extended CONNECT to hypercorn (RFC 8441)', () => {
  let server: ForeignServer;
  beforeAll(async () => {
    mkdirSync(path.join(workshop.folder, 'tunnel'));
    server = await startHypercorn(hypercorn ?? '', { ...workshop, folder: path.join(workshop.folder, 'tunnel') }, root);
  });
  afterAll(() => server.stop());

  it.each(['http', 'https'] as const)('is opened and echoes over %s', async (scheme) => {
    const text = Buffer.from('hello');
    // A masked text frame, the mask all zeros (RFC 6455 section 5.2).
    const message = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
    const controller = new AbortController();
    const response = await session.dispatch({
      url: `${server[scheme]}/`,
      method: 'CONNECT',
      protocol: 'websocket',
      headers: { 'sec-websocket-version': '13' },
      body: (async function* () {
        yield message;
        await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
      })(),
    });
    expect(response.status).toBe(200);
    let received = Buffer.alloc(0);
    for await (const chunk of response.body) {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 + text.length) break;
    }
    controller.abort();
    expect(received).toEqual(Buffer.concat([Buffer.from([0x81, text.length]), text]));
  });
});

describe.each(['http', 'https'] as const)('node:http2 over %s', (scheme) => {
  let server: http2.Http2Server | http2.Http2SecureServer;
  let url: string;

  beforeAll(async () => {
    const settings = { enableConnectProtocol: true };
    server =
      scheme === 'http'
        ? http2.createServer({ settings })
        : http2.createSecureServer({ settings, cert: workshop.certPem, key: workshop.keyPem });
    server.on('stream', (stream: http2.ServerHttp2Stream, headers) => void answer(stream, headers));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });

  async function answer(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined);
    if (headers[':protocol'] === 'echo') {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
      return;
    }
    if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('trailers', (fields) => (trailers = fields));
    const hash = createHash('sha256');
    for await (const chunk of stream) hash.update(chunk as Uint8Array);
    if (headers[':path'] === '/hints') stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
    stream.respond({ ':status': 200, trailer: 'x-after' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'yes' }));
    stream.end(JSON.stringify({ digest: hash.digest('hex'), check: trailers['x-check'] ?? null }));
  }

  it('takes 100 MiB and trailers, and answers with trailers', async () => {
    const response = await session.dispatch({ url, method: 'POST', body: pieces(), trailers: { 'x-check': 'sum' } });
    expect(await response.json()).toEqual({ digest: largeDigest, check: 'sum' });
    expect(await response.trailers).toEqual(['x-after', 'yes']);
  });

  it('is asked by Expect and answers 100 (Continue); sends early hints', async () => {
    const body = pattern(50_000);
    const response = await session.dispatch({ url, method: 'PUT', body, expectContinue: true });
    expect(await response.json()).toMatchObject({ digest: digest(body) });
    expect(response.informational.map(({ status }) => status)).toEqual([100]);
    const hinted = await session.dispatch({ url: `${url}/hints` });
    await hinted.text();
    expect(hinted.informational.map(({ status }) => status)).toEqual([103]);
  });

  it('opens a tunnel by extended CONNECT, half-closed from each side', async () => {
    const response = await session.dispatch({ url, method: 'CONNECT', protocol: 'echo', body: pieces() });
    expect(response.status).toBe(200);
    expect(await digestOf(response.body)).toBe(largeDigest);
  });
});
