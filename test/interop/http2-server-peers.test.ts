/**
 * Foreign clients against our server over HTTP/2, with TLS and with prior knowledge: curl, nghttp, h2load, undici,
 * node:http2, Chromium. One server, one port for each scheme, which HTTP/1.1 shares.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { Pool as UndiciPool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acceptTunnel,
  defaultServerFactory,
  HttpOverTcpListener,
  offeredTunnel,
  serveExchanges,
  systemNetworking,
} from '../../src/connections/index.ts';
import type { HttpListening, ServerExchange } from '../../src/connections/index.ts';
import { AppServer } from '../../src/index.ts';
import type { RequestRecord, RunningServer } from '../../src/index.ts';
import { runChild } from '../support/child.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { Workshop } from './support/peers.ts';
import { digest, pattern, serverApp } from './support/server-app.ts';

const curlProgram = findProgram('curl');
const nghttpProgram = findProgram('nghttp');
const h2loadProgram = findProgram('h2load');
const chromiumProgram = findProgram('chromium');
const MIB = 1 << 20;

let workshop: Workshop;
let server: RunningServer;
let base: { http: string; https: string };
const records: RequestRecord[] = [];
const large = pattern(100 * MIB);
let largeFile: string;

beforeAll(async () => {
  workshop = await openWorkshop();
  const tls = { cert: workshop.certPem, key: workshop.keyPem };
  server = await new AppServer(serverApp, { tls, onRequest: (record) => records.push(record) }).listen([
    'http://localhost:0',
    'https://localhost:0',
  ]);
  const [plain, secure] = server.endpoints;
  base = { http: `http://localhost:${plain?.port ?? 0}`, https: `https://localhost:${secure?.port ?? 0}` };
  largeFile = path.join(workshop.folder, 'large');
  writeFileSync(largeFile, large);
});

afterAll(async () => {
  await server.close();
  workshop.dispose();
});

/** A client's output; fails the test with its message when it ends with an error. */
async function run(program: string | undefined, args: readonly string[]): Promise<string> {
  const result = await runChild(program ?? '', args, { timeout: 90_000 });
  // nghttp checks certificates against the system's authorities, and goes on.
  const complaints = result.stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('[WARNING] Certificate'));
  expect([result.code, complaints]).toEqual([0, []]);
  return result.stdout;
}

describe.skipIf(curlProgram === undefined)('curl', () => {
  const prior = { http: ['--http2-prior-knowledge'], https: ['--http2'] };

  function curl(scheme: 'http' | 'https', args: readonly string[]): Promise<string> {
    return run(curlProgram, ['-sS', '--cacert', workshop.caFile, ...prior[scheme], ...args]);
  }

  describe.each(['http', 'https'] as const)('over %s', (scheme) => {
    it('gets, with the fields of our own', async () => {
      const output = await curl(scheme, ['-i', `${base[scheme]}/hello`]);
      expect(output).toMatch(/^HTTP\/2 200 \r\n[^]*\r\n\r\nHello\n$/);
      expect(output).toMatch(/\r\nx-version: 2\r\n/);
      expect(output).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} /);
      expect(output).not.toMatch(/\r\n(?:connection|keep-alive|transfer-encoding):/i);
    });

    it('asks for the head alone', async () => {
      expect(await curl(scheme, ['-I', `${base[scheme]}/bytes?count=1000`])).toMatch(/content-length: 1000/);
    });

    it('uploads 100 MiB, waiting for 100 (Continue), and downloads them', async () => {
      const output = await curl(scheme, ['-H', 'Expect: 100-continue', '-T', largeFile, `${base[scheme]}/digest`]);
      expect(JSON.parse(output)).toEqual({ digest: digest(large), trailer: null });
      const target = path.join(workshop.folder, `down-${scheme}`);
      const format = '%{http_version} %{size_download}';
      const told = await curl(scheme, ['-o', target, '-w', format, `${base[scheme]}/bytes?count=${100 * MIB}`]);
      expect(told).toBe(`2 ${100 * MIB}`);
      const hash = createHash('sha256');
      for await (const chunk of (await import('node:fs')).createReadStream(target)) hash.update(chunk as Uint8Array);
      expect(hash.digest('hex')).toBe(digest(large));
    });

    it('sees early hints (RFC 8297)', async () => {
      const output = await curl(scheme, ['-i', `${base[scheme]}/hints`]);
      expect(output).toMatch(/^HTTP\/2 103 [^]*link: <\/style\.css>[^]*HTTP\/2 200 [^]*hinted\n$/);
    });
  });

  // With prior knowledge this version of curl does not get that far with any server.
  it('asks for many at once over one connection', async () => {
    const urls = Array.from({ length: 50 }, (_, index) => ['-o', '/dev/null', `${base.https}/bytes?count=${index}`]);
    const args = [
      '--no-progress-meter',
      '-Z',
      '--parallel-max',
      '50',
      '-w',
      '%{http_code} %{num_connects} %{size_download}\n',
      ...urls.flat(),
    ];
    const lines = (await curl('https', args)).trim().split('\n');
    expect(lines).toHaveLength(50);
    expect(lines.every((line) => line.startsWith('200 '))).toBe(true);
    const sizes = lines.map((line) => Number(line.split(' ')[2]));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe((50 * 49) / 2);
  });

  it('speaks HTTP/1.1 on the same ports', async () => {
    const args = ['-sS', '--cacert', workshop.caFile, '--http1.1', '-w', '%{http_version}'];
    expect(await run(curlProgram, [...args, `${base.http}/hello`])).toBe('Hello\n1.1');
    expect(await run(curlProgram, [...args, `${base.https}/hello`])).toBe('Hello\n1.1');
    // The Upgrade to h2c of RFC 7540 is gone (RFC 9113 section 3.1): it is not taken up.
    expect(await run(curlProgram, ['-sS', '--http2', '-w', '%{http_version}', `${base.http}/hello`])).toBe(
      'Hello\n1.1',
    );
  });

  it('is in the record of requests', async () => {
    records.length = 0;
    await curl('https', [`${base.https}/hello`]);
    await expect.poll(() => records.length).toBe(1);
    expect(records[0]).toMatchObject({
      httpVersion: '2',
      status: 200,
      path: '/hello',
      bytesSent: 6,
      aborted: undefined,
    });
  });
});

describe.skipIf(nghttpProgram === undefined)('nghttp', () => {
  describe.each(['http', 'https'] as const)('over %s', (scheme) => {
    it('gets many, with priorities, padding and tiny windows', async () => {
      const urls = Array.from({ length: 20 }, (_, index) => `${base[scheme]}/bytes?count=${index * 5_000}`);
      const args = ['-n', '-s', '-w', '14', '-W', '14', '--padding', '100', '--weight', '10', ...urls];
      const output = await run(nghttpProgram, args);
      expect(output.match(/ 200 /g)).toHaveLength(20);
    });

    it('uploads with trailers and reads those of the response', async () => {
      const file = path.join(workshop.folder, 'small');
      writeFileSync(file, 'abc');
      const upload = ['-d', file, '--trailer', 'x-check: seen', '-H', ':method: POST', `${base[scheme]}/digest`];
      expect(JSON.parse(await run(nghttpProgram, upload))).toEqual({
        digest: digest(Buffer.from('abc')),
        trailer: 'seen',
      });
      const output = await run(nghttpProgram, ['-nv', `${base[scheme]}/stream?count=70000`]);
      expect(output).toMatch(/x-sum: 70000/);
      expect(output).toMatch(/END_STREAM/);
    });

    it('waits for 100 (Continue)', async () => {
      const args = ['--expect-continue', '-v', '-d', largeFile, `${base[scheme]}/refuse`];
      const output = await run(nghttpProgram, args);
      expect(output).toMatch(/:status: 413/);
    });
  });
});

describe.skipIf(h2loadProgram === undefined)('h2load', () => {
  it.each([
    ['http', []],
    ['https', []],
    ['https', ['-d']],
  ] as const)('loads over %s %s without an error', async (scheme, options) => {
    const file = path.join(workshop.folder, 'body');
    writeFileSync(file, pattern(10_000));
    const upload = options.length > 0 ? ['-d', file] : [];
    const target = upload.length > 0 ? 'echo' : 'hello';
    const args = ['-n', '3000', '-c', '10', '-m', '32', ...upload, `${base[scheme]}/${target}`];
    const output = await run(h2loadProgram, args);
    expect(output).toMatch(/3000 total, 3000 started, 3000 done, 3000 succeeded, 0 failed, 0 errored, 0 timeout/);
    expect(output).toMatch(/status codes: 3000 2xx/);
  });
});

describe('undici with allowH2', () => {
  it('asks for many at once, uploads and downloads', async () => {
    const pool = new UndiciPool(base.https, {
      allowH2: true,
      connections: 1,
      pipelining: 50,
      connect: { ca: workshop.caPem },
    });
    try {
      const sizes = Array.from({ length: 60 }, (_, index) => index * 997);
      const digests = await Promise.all(
        sizes.map(async (size) => {
          const { body, headers } = await pool.request({ method: 'GET', path: `/bytes?count=${size}` });
          expect(headers['content-length']).toBe(String(size));
          return digest(new Uint8Array(await body.arrayBuffer()));
        }),
      );
      expect(digests).toEqual(sizes.map((size) => digest(pattern(size))));
      const hello = await pool.request({ method: 'GET', path: '/hello' });
      expect([await hello.body.text(), hello.headers['x-version']]).toEqual(['Hello\n', '2']);
      const upload = await pool.request({ method: 'POST', path: '/digest', body: Buffer.from(large) });
      expect(await upload.body.json()).toEqual({ digest: digest(large), trailer: null });
      const download = await pool.request({ method: 'GET', path: `/bytes?count=${100 * MIB}` });
      expect(digest(new Uint8Array(await download.body.arrayBuffer()))).toBe(digest(large));
    } finally {
      await pool.destroy();
    }
  });
});

/** A session of node's own client, for as long as `work` takes. */
async function withSession<T>(url: string, work: (session: http2.ClientHttp2Session) => Promise<T>): Promise<T> {
  // It counts what waits to be sent as memory of the session.
  const session = http2.connect(url, { ca: workshop.caPem, maxSessionMemory: 1_000 });
  session.on('error', () => undefined);
  try {
    return await work(session);
  } finally {
    session.destroy();
  }
}

/** What came of one stream of node's client. */
interface Seen {
  readonly status: number;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly informational: number[];
}

function receive(stream: http2.ClientHttp2Stream): Promise<Seen> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const chunks: Buffer[] = [];
    const informational: number[] = [];
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on('headers', (headers) => informational.push(Number(headers[':status'])));
    stream.on('response', (headers) => (status = Number(headers[':status'])));
    stream.on('trailers', (headers: http2.IncomingHttpHeaders) => {
      trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve({ status, body: Buffer.concat(chunks), trailers, informational }));
    stream.on('error', reject);
  });
}

describe.each(['http', 'https'] as const)('node:http2 over %s', (scheme) => {
  it('sends and receives trailers and interim responses', async () => {
    await withSession(base[scheme], async (session) => {
      const upload = session.request(
        { ':method': 'POST', ':path': '/digest' },
        { waitForTrailers: true, endStream: false },
      );
      upload.on('wantTrailers', () => upload.sendTrailers({ 'x-check': 'seen' }));
      upload.end('abc');
      const uploaded = await receive(upload);
      expect(JSON.parse(uploaded.body.toString())).toEqual({ digest: digest(Buffer.from('abc')), trailer: 'seen' });
      const streamed = await receive(session.request({ ':path': '/stream?count=70000' }));
      expect([streamed.body.length, streamed.trailers['x-sum']]).toEqual([70_000, '70000']);
      expect((await receive(session.request({ ':path': '/hints' }))).informational).toEqual([103]);
    });
  });

  it('echoes both ways at once', async () => {
    await withSession(base[scheme], async (session) => {
      const stream = session.request({ ':method': 'POST', ':path': '/echo' }, { endStream: false });
      const content = Buffer.from(large.subarray(0, 20 * MIB));
      const receiving = receive(stream);
      stream.end(content);
      expect(digest((await receiving).body)).toBe(digest(content));
    });
  });

  it('resets one of many; the others and the connection go on', async () => {
    await withSession(base[scheme], async (session) => {
      const streams = Array.from({ length: 20 }, () => session.request({ ':path': '/bytes?count=300000' }));
      const results = streams.map((stream, index) => {
        if (index % 2 === 0) return receive(stream);
        stream.on('error', () => undefined);
        stream.close(http2.constants.NGHTTP2_CANCEL);
        return Promise.resolve(undefined);
      });
      const bodies = (await Promise.all(results)).filter((result) => result !== undefined);
      expect(bodies.map(({ body }) => body.length)).toEqual(Array.from({ length: 10 }, () => 300_000));
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error === null ? resolve() : reject(error)));
      });
    });
  });

  it('is told of 128 streams and of extended CONNECT by our SETTINGS, and of no push', async () => {
    await withSession(base[scheme], async (session) => {
      await new Promise((resolve) => session.once('remoteSettings', resolve));
      expect(session.remoteSettings).toMatchObject({ maxConcurrentStreams: 128, enableConnectProtocol: true });
    });
  });

  it('is answered 421 for a host that is not served here (RFC 9110 section 15.5.20)', async () => {
    const tls = { cert: workshop.certPem, key: workshop.keyPem };
    const picky = await new AppServer(serverApp, { tls, allowedHosts: ['localhost'] }).listen(
      `${scheme}://localhost:0`,
    );
    await withSession(picky.url, async (session) => {
      expect((await receive(session.request({ ':path': '/hello', ':authority': 'other.example' }))).status).toBe(421);
      expect((await receive(session.request({ ':path': '/hello' }))).status).toBe(200);
    });
    await picky.close();
  });
});

describe.each(['http', 'https'] as const)('extended CONNECT from node:http2 over %s (RFC 8441)', (scheme) => {
  let listening: HttpListening;

  beforeAll(async () => {
    const listener = new HttpOverTcpListener({
      networking: systemNetworking(),
      factory: defaultServerFactory(),
      tls: { cert: workshop.certPem, key: workshop.keyPem },
    });
    listening = await listener.listen(
      { scheme, host: 'localhost', port: 0, unixPath: undefined },
      { connectionAccepted: (connection) => void serveExchanges(connection, { exchangeReceived: echoTunnel }) },
    );
  });
  afterAll(() => listening.close());

  it('carries bytes both ways and is half-closed from each side', async () => {
    const url = `${scheme}://localhost:${listening.endpoints[0]?.port ?? 0}`;
    await withSession(url, async (session) => {
      await new Promise((resolve) => session.once('remoteSettings', resolve));
      const head = { ':method': 'CONNECT', ':protocol': 'echo', ':path': '/', ':scheme': scheme };
      const stream = session.request(head, { endStream: false });
      const receiving = receive(stream);
      const content = Buffer.from(pattern(500_000));
      stream.end(content);
      const { status, body } = await receiving;
      expect(status).toBe(200);
      expect(digest(body)).toBe(digest(content));
      expect((await receive(session.request({ ':path': '/' }))).status).toBe(404);
    });
  });
});

/** Accepts a tunnel for `echo`, whatever the version calls it. */
function echoTunnel(exchange: ServerExchange): void {
  let sending = Promise.resolve();
  let roomed: (() => void) | undefined;
  exchange.start({
    dataReceived(data, length, endStream) {
      sending = sending.then(async () => {
        if (!exchange.sendData(data, endStream) && !endStream) await new Promise<void>((resolve) => (roomed = resolve));
        exchange.dataConsumed(length);
      });
    },
    trailersReceived: () => undefined,
    writable: () => roomed?.(),
    aborted: () => undefined,
    closed: () => exchange.handlerEnded(),
  });
  if (offeredTunnel(exchange, 'echo') === undefined) exchange.respond(404, [], undefined);
  else acceptTunnel(exchange, 'echo');
}

describe.skipIf(chromiumProgram === undefined)('Chromium', () => {
  it('loads a page and posts from it over HTTP/2', async () => {
    const browser = await chromium.launch({
      executablePath: chromiumProgram ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
      await page.goto(`${base.https}/page`);
      await page.waitForFunction('document.title !== "page"');
      expect(await page.title()).toBe('posted h2 https:');
      const sizes = await page.evaluate(`Promise.all(Array.from({ length: 100 }, async (_, index) =>
        (await (await fetch('/bytes?count=' + index * 1000)).arrayBuffer()).byteLength))`);
      expect(sizes).toEqual(Array.from({ length: 100 }, (_, index) => index * 1000));
    } finally {
      await browser.close();
    }
  });
});
