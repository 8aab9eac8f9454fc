/**
 * Foreign clients against our server over HTTP/1.1, cleartext and TLS: curl, undici, node:http, wrk, Chromium.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { Readable } from 'node:stream';
import { chromium } from 'playwright-core';
import { Client as UndiciClient, Pool as UndiciPool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppServer } from '../../src/index.ts';
import type { RunningServer } from '../../src/index.ts';
import { runChild } from '../support/child.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { Workshop } from './support/peers.ts';
import { digest, pattern, serverApp } from './support/server-app.ts';

const curlProgram = findProgram('curl');
const wrkProgram = findProgram('wrk');
const chromiumProgram = findProgram('chromium');

let workshop: Workshop;
let server: RunningServer;
let base: { http: string; https: string; unix: string };

beforeAll(async () => {
  workshop = await openWorkshop();
  const unix = path.join(workshop.folder, 'server.sock');
  const tls = { cert: workshop.certPem, key: workshop.keyPem };
  server = await new AppServer(serverApp, { tls, protocol: ['http1'] }).listen([
    'http://localhost:0',
    'https://localhost:0',
    `unix:${unix}`,
  ]);
  const [plain, secure] = server.endpoints;
  base = { http: `http://localhost:${plain?.port ?? 0}`, https: `https://localhost:${secure?.port ?? 0}`, unix };
});

afterAll(async () => {
  await server.close();
  workshop.dispose();
});

/** curl's output; fails the test with curl's message when it ends with an error. */
async function curl(args: readonly string[]): Promise<string> {
  const result = await runChild(curlProgram ?? 'curl', ['-sS', '--cacert', workshop.caFile, ...args]);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return result.stdout;
}

describe.skipIf(curlProgram === undefined)('curl', () => {
  describe.each(['http', 'https'] as const)('over %s', (scheme) => {
    it('gets, on IPv4 and IPv6', async () => {
      for (const family of ['-4', '-6']) {
        expect(await curl([family, '-i', `${base[scheme]}/hello`])).toMatch(
          /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nHello\n$/,
        );
      }
    });

    it('asks for the head alone (RFC 9110 section 9.3.2)', async () => {
      const head = await curl(['-I', `${base[scheme]}/bytes?count=1000`]);
      expect(head).toMatch(/content-length: 1000/i);
    });

    it('posts a file, waiting for 100 Continue (RFC 9110 section 10.1.1)', async () => {
      const file = path.join(workshop.folder, `upload-${scheme}`);
      const content = pattern(3 << 20);
      writeFileSync(file, content);
      const output = await curl(['-H', 'Expect: 100-continue', '--data-binary', `@${file}`, `${base[scheme]}/digest`]);
      expect(JSON.parse(output)).toEqual({ digest: digest(content), trailer: null });
    });

    it('posts chunked (RFC 9112 section 7.1)', async () => {
      const file = path.join(workshop.folder, `chunked-${scheme}`);
      const content = pattern(200_001);
      writeFileSync(file, content);
      const args = ['-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`, `${base[scheme]}/digest`];
      expect(JSON.parse(await curl(args))).toEqual({ digest: digest(content), trailer: null });
    });

    it('keeps a connection for two requests (RFC 9112 section 9.3)', async () => {
      const format = '%{num_connects} %{http_version}\n';
      const url = `${base[scheme]}/empty`;
      expect(await curl(['-w', format, url, url])).toBe('1 1.1\n0 1.1\n');
    });

    it('speaks HTTP/1.0 and gets a body that the connection ends (RFC 9112 section 6.3)', async () => {
      const output = await curl(['--http1.0', '-i', `${base[scheme]}/stream?count=40000`]);
      expect(output).toMatch(/^HTTP\/1\.1 200/);
      expect(output).not.toMatch(/transfer-encoding/i);
      expect(output.split('\r\n\r\n')[1]).toBe('a'.repeat(40_000));
    });

    it('sees early hints (RFC 8297)', async () => {
      const output = await curl(['-i', `${base[scheme]}/hints`]);
      expect(output).toMatch(/^HTTP\/1\.1 103 [^]*link: <\/style\.css>[^]*HTTP\/1\.1 200 OK[^]*hinted\n$/i);
    });

    it('gets an answer before its upload has ended, and stops (RFC 9112 section 9.5)', async () => {
      const file = path.join(workshop.folder, `early-${scheme}`);
      writeFileSync(file, pattern(4 << 20));
      const args = ['-H', 'Expect:', '-w', '%{http_code}', '--data-binary', `@${file}`, `${base[scheme]}/refuse`];
      expect(await curl(args)).toBe('too large\n413');
    });
  });

  it('uses the unix socket', async () => {
    expect(await curl(['--unix-socket', base.unix, 'http://localhost/hello'])).toBe('Hello\n');
  });

  it.each(['1.2', '1.3'])('agrees on TLS %s', async (version) => {
    const output = await curl([`--tlsv${version}`, '--tls-max', version, `${base.https}/hello`]);
    expect(output).toBe('Hello\n');
  });

  it('refuses the certificate without the CA', async () => {
    const result = await runChild(curlProgram ?? 'curl', ['-sS', `${base.https}/hello`]);
    expect(result.code).toBe(60);
  });
});

describe('undici', () => {
  it.each(['http', 'https'] as const)('pipelines over %s (RFC 9112 section 9.3.2)', async (scheme) => {
    const pool = new UndiciPool(base[scheme], { connections: 2, pipelining: 8, connect: { ca: workshop.caPem } });
    try {
      const sizes = Array.from({ length: 60 }, (_, index) => index * 997);
      const digests = await Promise.all(
        sizes.map(async (size) => {
          const { body } = await pool.request({ method: 'GET', path: `/bytes?count=${size}` });
          return digest(new Uint8Array(await body.arrayBuffer()));
        }),
      );
      expect(digests).toEqual(sizes.map((size) => digest(pattern(size))));
    } finally {
      await pool.close();
    }
  });

  it('streams both ways and reads trailers', async () => {
    const client = new UndiciClient(base.http);
    try {
      const chunks = Array.from({ length: 50 }, (_, index) => Buffer.from(pattern(1000 + index)));
      const { body } = await client.request({ method: 'POST', path: '/echo', body: Readable.from(chunks) });
      expect(digest(new Uint8Array(await body.arrayBuffer()))).toBe(digest(Buffer.concat(chunks)));
      const streamed = await client.request({ method: 'GET', path: '/stream?count=100000' });
      expect((await streamed.body.text()).length).toBe(100_000);
      expect(streamed.trailers).toEqual({ 'x-sum': '100000' });
    } finally {
      await client.close();
    }
  });
});

/** One request by node's own client. */
function nodeRequest(
  url: string,
  options: https.RequestOptions,
  send: (request: http.ClientRequest) => void,
): Promise<{ status: number; body: string; trailers: NodeJS.Dict<string>; socketPort: number; hints: number[] }> {
  return new Promise((resolve, reject) => {
    const module = url.startsWith('https:') ? https : http;
    const hints: number[] = [];
    const request = module.request(url, { ca: workshop.caPem, ...options }, (response) => {
      let body = '';
      const socketPort = response.socket.localPort ?? 0;
      response.setEncoding('latin1');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body, trailers: response.trailers, socketPort, hints });
      });
      response.on('error', reject);
    });
    request.on('information', (information) => hints.push(information.statusCode));
    request.on('error', reject);
    send(request);
  });
}

describe.each(['http', 'https'] as const)('node:http over %s', (scheme) => {
  it('reuses its connection', async () => {
    const agent = scheme === 'http' ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true });
    try {
      const get = (): ReturnType<typeof nodeRequest> =>
        nodeRequest(`${base[scheme]}/hello`, { agent }, (request) => request.end());
      const first = await get();
      const second = await get();
      expect([first.body, second.body]).toEqual(['Hello\n', 'Hello\n']);
      expect(second.socketPort).toBe(first.socketPort);
    } finally {
      agent.destroy();
    }
  });

  it('waits for 100 Continue, then sends', async () => {
    const content = pattern(100_000);
    const headers = { expect: '100-continue', 'content-length': content.length };
    const answer = await nodeRequest(`${base[scheme]}/digest`, { method: 'POST', headers }, (request) => {
      request.on('continue', () => request.end(content));
      request.flushHeaders();
    });
    expect(JSON.parse(answer.body)).toEqual({ digest: digest(content), trailer: null });
  });

  it('sends trailers (RFC 9110 section 6.5)', async () => {
    const headers = { trailer: 'x-check', 'transfer-encoding': 'chunked' };
    const answer = await nodeRequest(`${base[scheme]}/digest`, { method: 'POST', headers }, (request) => {
      request.write('abc');
      request.addTrailers({ 'x-check': 'seen' });
      request.end();
    });
    expect(JSON.parse(answer.body)).toEqual({ digest: digest(Buffer.from('abc')), trailer: 'seen' });
  });

  it('reads trailers and early hints', async () => {
    const streamed = await nodeRequest(`${base[scheme]}/stream?count=70000`, {}, (request) => request.end());
    expect(streamed.trailers).toEqual({ 'x-sum': '70000' });
    const hinted = await nodeRequest(`${base[scheme]}/hints`, {}, (request) => request.end());
    expect(hinted.hints).toEqual([103]);
  });
});

describe.skipIf(wrkProgram === undefined)('wrk', () => {
  it.each(['http', 'https'] as const)('loads over %s without an error', async (scheme) => {
    const result = await runChild(wrkProgram ?? 'wrk', ['-t1', '-c32', '-d2s', `${base[scheme]}/hello`]);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/[1-9]\d* requests in/);
    expect(result.stdout).not.toMatch(/Socket errors|Non-2xx/);
  });
});

describe.skipIf(chromiumProgram === undefined)('Chromium', () => {
  it.each(['http', 'https'] as const)('loads a page and posts from it over %s', async (scheme) => {
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
      await page.goto(`${base[scheme]}/page`);
      await page.waitForFunction('document.title !== "page"');
      expect(await page.title()).toBe(`posted http/1.1 ${scheme}:`);
    } finally {
      await browser.close();
    }
  });
});
