import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { staticFiles } from '../../../src/app/index.ts';
import type { RequestRecord, RunningServer } from '../../../src/server/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import { RawClient, request, start } from './loopback.ts';

let folder = '';
let server: RunningServer;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'hface-www-')));
  await mkdir(path.join(folder, 'www', 'sub'), { recursive: true });
  await writeFile(path.join(folder, 'secret.txt'), 'TOP SECRET');
  await writeFile(path.join(folder, 'www', '.env'), 'TOP SECRET');
  await writeFile(path.join(folder, 'www', 'a.txt'), 'hello');
  await writeFile(path.join(folder, 'www', 'big.bin'), Buffer.alloc(5_000_000, 7));
  server = await start(staticFiles(path.join(folder, 'www')));
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('files over a socket', () => {
  it.each([
    '/../secret.txt',
    '/../../../../../../etc/passwd',
    '/sub/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/\\..\\secret.txt',
    '//../secret.txt',
    '//secret.txt',
    '/.env',
    '/%2eenv',
    '/./.env',
    '/sub/%2e%2e/.env',
    '/a.txt%00',
    '/a.txt::$DATA',
    '/c:/secret.txt',
    '/%c0%ae%c0%ae/secret.txt',
    '/%252e%252e/secret.txt',
    'http://localhost/../secret.txt',
  ])('%s leads nowhere', async (target) => {
    const text = await request(server, `GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(text).not.toMatch(/SECRET|root:/);
  });

  it('come whole, in ranges and by HEAD on one connection', async () => {
    const client = new RawClient(server);
    client.write('GET /a.txt HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await client.until('hello');
    client.write(
      'HEAD /a.txt HTTP/1.1\r\nhost: localhost\r\n\r\nGET /a.txt HTTP/1.1\r\nhost: localhost\r\nrange: bytes=1-2\r\n\r\n',
    );
    await client.until('\r\n\r\nel');
    client.write('GET /big.bin HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    const text = await client.end();
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 206', 'HTTP/1.1 200']);
    expect(text.endsWith('\u0007'.repeat(5_000_000))).toBe(true);
  });
});

describe('other requests over a socket', () => {
  it('of a unix domain socket have no client address', async () => {
    const records: RequestRecord[] = [];
    const socketPath = path.join(folder, 'app.sock');
    const app = new AppServer((incoming) => new Response(incoming.url), {
      onRequest: (record) => records.push(record),
    });
    await app.withServer(`unix:${socketPath}`, async (running) => {
      expect(running.url).toBe(`http+unix:${socketPath}`);
      const text = await new Promise<string>((resolve, reject) => {
        http
          .get({ socketPath, path: '/a', host: 'app.test', agent: false }, (response) => {
            let body = '';
            response.on('data', (chunk: Buffer) => (body += chunk.toString()));
            response.on('end', () => resolve(body));
          })
          .on('error', reject);
      });
      expect(text).toBe('http://app.test/a');
    });
    expect(records[0]?.clientAddress).toBe('');
  });

  it('that offer an upgrade are answered without one (RFC 9110 section 7.8)', async () => {
    const running = await start((incoming) => new Response(incoming.headers.get('upgrade') ?? 'plain'));
    const text = await request(
      running,
      'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*plain$/);
    await running.close();
  });

  it('by CONNECT and TRACE do not reach the app', async () => {
    const running = await start(() => new Response('reached'));
    for (const line of ['CONNECT example.com:443', 'TRACE /', 'get /']) {
      const text = await request(
        running,
        `${line} HTTP/1.1\r\nhost: ${line.includes('443') ? 'example.com:443' : 'localhost'}\r\nconnection: close\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1\.1 501 /);
    }
    const star = await request(running, 'OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    expect(star).toMatch(/^HTTP\/1\.1 204 /);
    await running.close();
  });
});
