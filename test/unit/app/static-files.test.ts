import { execFileSync } from 'node:child_process';
import {
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mountFetchApp } from '../../../src/app/fetch-exchange.ts';
import { staticFiles } from '../../../src/app/index.ts';
import type { AppContext, StaticFilesOptions } from '../../../src/app/index.ts';
import { FakeExchange, FakeHost } from './fake-exchange.ts';
import type { FakeRequest } from './fake-exchange.ts';

let folder = '';
let root = '';
const PATIENT = { interval: 1, timeout: 20_000 };
const windows = path.sep === '\\';
const text = (name: string, content: string): Promise<void> => writeFile(path.join(root, name), content);

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'hface-static-')));
  root = path.join(folder, 'public');
  await mkdir(path.join(root, 'sub', 'empty'), { recursive: true });
  await mkdir(path.join(root, 'list'));
  await mkdir(path.join(root, '.hidden'));
  await mkdir(path.join(folder, 'public-private'));
  await writeFile(path.join(folder, 'secret.txt'), 'secret');
  await writeFile(path.join(folder, 'public-private', 'secret.txt'), 'secret');
  await text('index.html', '<h1>home</h1>');
  await text('sub/index.html', '<h1>sub</h1>');
  await text('hello.txt', 'hello world');
  await text('empty.txt', '');
  await text('.env', 'SECRET=1');
  await text('.hidden/a.txt', 'hidden');
  await text('app.js', 'console.log("plain");');
  await text('app.js.br', 'brotli');
  await text('app.js.gz', 'gzip');
  await text('stale.js', 'new');
  await text('stale.js.br', 'old');
  await utimes(path.join(root, 'stale.js.br'), 1, 1);
  await writeFile(path.join(root, 'big.bin'), Buffer.alloc(1_000_000, 1));
  await text('list/b.txt', '');
  await text('list/a & <b>.txt', '');
  await text('list/.hidden', '');
  await mkdir(path.join(root, 'list', 'folder'));
  if (windows) return;
  await symlink(path.join(folder, 'secret.txt'), path.join(root, 'out.txt'));
  await symlink(folder, path.join(root, 'outside'));
  await symlink('hello.txt', path.join(root, 'inside.txt'));
  await symlink('.env', path.join(root, 'env.txt'));
  await symlink('loop', path.join(root, 'loop'));
  await symlink(path.join(folder, 'secret.txt'), path.join(root, 'list', 'out.txt'));
  execFileSync('mkfifo', [path.join(root, 'fifo')]);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function get(
  target: string,
  headers: Record<string, string> = {},
  options: StaticFilesOptions = {},
): Promise<Response> {
  return ask('GET', target, headers, options);
}

async function ask(
  method: string,
  target: string,
  headers: Record<string, string> = {},
  options: StaticFilesOptions = {},
): Promise<Response> {
  const request = new Request(`http://example.com${target}`, { method, headers });
  return staticFiles(root, options).fetch(request, undefined as unknown as AppContext);
}

/** Through the adapter, as a server does it. */
async function serve(request: FakeRequest, options: StaticFilesOptions = {}): Promise<FakeExchange> {
  const exchange = new FakeExchange(request);
  mountFetchApp(staticFiles(root, options), new FakeHost()).answer(exchange);
  await vi.waitFor(() => {
    exchange.drain();
    expect(exchange.responseEnded || exchange.abortedWith !== undefined).toBe(true);
  }, PATIENT);
  return exchange;
}

/** How many files this process has open, where the system tells. */
/** How many files of the folder this process has open; other descriptors come and go with Node itself. */
async function openFiles(): Promise<number> {
  if (windows) return 0;
  const names = await readdir('/proc/self/fd').catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder + path.sep)).length;
}

async function allClosed(): Promise<void> {
  await vi.waitFor(async () => expect(await openFiles()).toBe(0), PATIENT);
}

describe('a folder of files', () => {
  it('answers with the file and its fields', async () => {
    const response = await get('/hello.txt');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('hello world');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('content-length')).toBe('11');
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-z-]+"$/);
    expect(response.headers.get('last-modified')).toMatch(/GMT$/);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('answers through the adapter without reading the stream', async () => {
    const exchange = await serve({ path: '/hello.txt' });
    expect(exchange.log).toEqual(['respond 200']);
    expect(exchange.text).toBe('hello world');
    expect(exchange.field('content-length')).toBe('11');
  });

  it('reads a large file while there is room, and no faster', async () => {
    const exchange = await serve({ path: '/big.bin', room: 0x10000 });
    expect(exchange.body.equals(Buffer.alloc(1_000_000, 1))).toBe(true);
    expect(exchange.peak).toBeLessThanOrEqual(0x10000 + 0x20000);
    await allClosed();
  });

  it('may be cloned, wrapped and read by middleware', async () => {
    const files = staticFiles(root);
    const body = Buffer.alloc(1_000_000, 1);
    for (const way of ['clone', 'wrap'] as const) {
      const exchange = new FakeExchange({ path: '/big.bin' });
      let copy: Promise<ArrayBuffer> | undefined;
      const app = async (incoming: Request, context: AppContext): Promise<Response> => {
        const response = await files.fetch(incoming, context);
        if (way === 'wrap') return new Response(response.body, response);
        copy = response.clone().arrayBuffer();
        return response;
      };
      mountFetchApp(app, new FakeHost()).answer(exchange);
      await vi.waitFor(() => expect(exchange.responseEnded).toBe(true), PATIENT);
      expect(exchange.body.equals(body)).toBe(true);
      if (way === 'clone') expect(Buffer.from((await copy) as ArrayBuffer).equals(body)).toBe(true);
    }
  });

  it('takes a file: URL, and says when there is no such folder', async () => {
    const app = staticFiles(pathToFileURL(root));
    const response = await app.fetch(new Request('http://a/hello.txt'), undefined as unknown as AppContext);
    expect(await response.text()).toBe('hello world');
    expect(() => staticFiles(path.join(folder, 'nothing'))).toThrow(/there is no folder/);
    expect(() => staticFiles(path.join(folder, 'secret.txt'))).toThrow(/is no folder/);
  });

  it('answers a folder with its index, and adds the slash without an absolute URL', async () => {
    expect(await (await get('/')).text()).toBe('<h1>home</h1>');
    expect(await (await get('/sub/')).text()).toBe('<h1>sub</h1>');
    const redirect = await get('/sub?a=b');
    expect(redirect.status).toBe(301);
    expect(redirect.headers.get('location')).toBe('sub/?a=b');
    expect((await get('/sub/empty/')).status).toBe(404);
    expect((await get('/', {}, { index: false })).status).toBe(404);
    expect((await get('/hello.txt/')).status).toBe(404);
  });

  it('answers HEAD with the same fields and no body, without opening the file', async () => {
    const exchange = await serve({ method: 'HEAD', path: '/big.bin', headers: ['range', 'bytes=0-9'] });
    expect(exchange.log).toEqual(['headers 200 end']);
    expect(exchange.field('content-length')).toBe('1000000');
    expect(exchange.field('etag')).toMatch(/^"/);
  });

  it('refuses other methods and tells which it knows (RFC 9110 sections 9.3.7, 15.5.6)', async () => {
    const post = await ask('POST', '/hello.txt');
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    const options = await ask('OPTIONS', '/hello.txt');
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('answers an empty file', async () => {
    const exchange = await serve({ path: '/empty.txt', headers: ['range', 'bytes=0-'] });
    expect(exchange.status).toBe(200);
    expect(exchange.field('content-length')).toBe('0');
  });
});

describe('conditional requests', () => {
  it('are answered by the file (RFC 9110 section 13)', async () => {
    const first = await get('/hello.txt');
    const tag = first.headers.get('etag') ?? '';
    const date = first.headers.get('last-modified') ?? '';
    await first.body?.cancel();
    const fresh = await get('/hello.txt', { 'if-none-match': tag }, { cacheControl: 'max-age=60' });
    expect(fresh.status).toBe(304);
    expect(fresh.headers.get('etag')).toBe(tag);
    expect(fresh.headers.get('cache-control')).toBe('max-age=60');
    expect(fresh.headers.get('content-type')).toBeNull();
    expect((await get('/hello.txt', { 'if-modified-since': date })).status).toBe(304);
    expect((await get('/hello.txt', { 'if-match': '"other"' })).status).toBe(412);
    expect((await get('/hello.txt', { range: 'bytes=0-4', 'if-range': tag })).status).toBe(206);
    expect((await get('/hello.txt', { range: 'bytes=0-4', 'if-range': '"other"' })).status).toBe(200);
  });

  it('see a change of the same length within the same second', async () => {
    await text('changing.txt', 'one');
    const before = (await get('/changing.txt')).headers.get('etag');
    const at = new Date(1_000_000_000_000);
    // The time of change cannot be set back, so a fixed time of modification does not hide the change.
    await vi.waitFor(async () => {
      await text('changing.txt', 'two');
      await utimes(path.join(root, 'changing.txt'), at, at);
      expect((await get('/changing.txt')).headers.get('etag')).not.toBe(before);
    });
  });
});

describe('ranges', () => {
  it('answers one with 206 (RFC 9110 section 15.3.7.1)', async () => {
    const exchange = await serve({ path: '/hello.txt', headers: ['range', 'bytes=6-'] });
    expect(exchange.status).toBe(206);
    expect(exchange.text).toBe('world');
    expect(exchange.field('content-range')).toBe('bytes 6-10/11');
    expect(exchange.field('content-length')).toBe('5');
  });

  it('answers several as multipart/byteranges (RFC 9110 section 14.6)', async () => {
    const response = await get('/hello.txt', { range: 'bytes=0-4,-5' });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBeNull();
    const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{40})$/.exec(
      response.headers.get('content-type') ?? '',
    )?.[1];
    const body = await response.text();
    expect(response.headers.get('content-length')).toBe(String(body.length));
    expect(body).toBe(
      [
        `--${String(boundary)}`,
        'content-type: text/plain; charset=utf-8',
        'content-range: bytes 0-4/11',
        '',
        'hello',
        `--${String(boundary)}`,
        'content-type: text/plain; charset=utf-8',
        'content-range: bytes 6-10/11',
        '',
        'world',
        `--${String(boundary)}--`,
        '',
      ].join('\r\n'),
    );
  });

  it('answers 416 with the length (RFC 9110 section 15.5.17)', async () => {
    const response = await get('/hello.txt', { range: 'bytes=11-' });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */11');
  });

  it('does not multiply a file (CVE-2011-3192)', async () => {
    const response = await get('/big.bin', { range: `bytes=${'0-,'.repeat(10)}0-` });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });
});

describe('stored variants', () => {
  it('are sent to who takes them, with Vary for all', async () => {
    const brotli = await get('/app.js', { 'accept-encoding': 'gzip, br' });
    expect(await brotli.text()).toBe('brotli');
    expect(brotli.headers.get('content-encoding')).toBe('br');
    expect(brotli.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(brotli.headers.get('vary')).toBe('accept-encoding');
    const gzip = await get('/app.js', { 'accept-encoding': 'gzip, br;q=0' });
    expect(await gzip.text()).toBe('gzip');
    const plain = await get('/app.js');
    expect(await plain.text()).toBe('console.log("plain");');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('vary')).toBe('accept-encoding');
    expect(new Set([brotli, gzip, plain].map((response) => response.headers.get('etag'))).size).toBe(3);
  });

  it('are left out when they are older than the file, or not wanted', async () => {
    expect(await (await get('/stale.js', { 'accept-encoding': 'br' })).text()).toBe('new');
    const off = await get('/app.js', { 'accept-encoding': 'br' }, { precompressed: false });
    expect(off.headers.get('vary')).toBeNull();
    expect(await off.text()).toBe('console.log("plain");');
  });
});

describe('listings', () => {
  it('are made on request only', async () => {
    expect((await get('/list/')).status).toBe(404);
  });

  it('are sorted, escaped, and show what is served', async () => {
    const response = await get('/list/', {}, { listing: true });
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    const html = await response.text();
    expect([...html.matchAll(/<li><a href="([^"]*)">([^<]*)</g)].map((match) => [match[1], match[2]])).toEqual([
      ['../', '../'],
      ['folder/', 'folder/'],
      ['a%20%26%20%3Cb%3E.txt', 'a &amp; &lt;b&gt;.txt'],
      ['b.txt', 'b.txt'],
    ]);
    expect(html).toContain('<title>Index of /list/</title>');
  });

  it('give way to an index', async () => {
    expect(await (await get('/sub/', {}, { listing: true })).text()).toBe('<h1>sub</h1>');
  });
});

describe('what is not served', () => {
  it.each([
    '/nothing',
    '/.env',
    '/%2eenv',
    '/.hidden/a.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/%2e%2e%2fpublic-private/secret.txt',
    '/hello.txt%00.html',
    '/hello.txt::$DATA',
    '//hello.txt',
    '/sub//index.html',
    '/hello.txt.',
    '/hello.txt%20',
    '/HELLO.TXT',
    '/Sub/index.html',
  ])('%s', async (target) => {
    const response = await get(target);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('404 Not Found\n');
  });

  it.skipIf(windows).each(['/out.txt', '/outside/secret.txt', '/outside/', '/outside', '/env.txt', '/loop', '/fifo'])(
    '%s, where links, loops and FIFOs lead',
    async (target) => {
      expect((await get(target, {}, { listing: true })).status).toBe(404);
    },
  );

  it.skipIf(windows)('but a link within the folder is', async () => {
    expect(await (await get('/inside.txt')).text()).toBe('hello world');
  });

  it.skipIf(windows)('follows the folder itself where a deployment moves a link', async () => {
    const releases = path.join(folder, 'releases');
    await mkdir(path.join(releases, 'one'), { recursive: true });
    await mkdir(path.join(releases, 'two'));
    await writeFile(path.join(releases, 'one', 'a.txt'), 'one');
    await writeFile(path.join(releases, 'two', 'a.txt'), 'two');
    await symlink('one', path.join(releases, 'current'));
    const app = staticFiles(path.join(releases, 'current'));
    const read = async (): Promise<string> =>
      (await app.fetch(new Request('http://a/a.txt'), undefined as unknown as AppContext)).text();
    expect(await read()).toBe('one');
    await symlink('two', path.join(releases, 'next'));
    await rename(path.join(releases, 'next'), path.join(releases, 'current'));
    expect(await read()).toBe('two');
  });
});

describe('a file that changes while it is sent', () => {
  async function sending(name: string, change: (file: string) => Promise<void>): Promise<FakeExchange> {
    const file = path.join(root, name);
    await writeFile(file, Buffer.alloc(500_000, 1));
    const exchange = new FakeExchange({ path: `/${name}`, room: 1 });
    mountFetchApp(staticFiles(root), new FakeHost()).answer(exchange);
    await vi.waitFor(() => expect(exchange.chunks.length).toBe(1));
    await change(file);
    await vi.waitFor(() => {
      exchange.drain();
      expect(exchange.responseEnded || exchange.abortedWith !== undefined).toBe(true);
    }, PATIENT);
    return exchange;
  }

  it('is reset when it was cut', async () => {
    const exchange = await sending('cut.bin', (file) => truncate(file, 200_000));
    expect(exchange.log.at(-1)).toBe('reset');
    expect(exchange.bytesSent).toBeLessThan(500_000);
  });

  it('is reset when it was written to', async () => {
    const exchange = await sending('written.bin', async (file) => {
      const handle = await open(file, 'r+');
      await handle.write(Buffer.alloc(10, 2), 0, 10, 300_000);
      await handle.close();
    });
    expect(exchange.log.at(-1)).toBe('reset');
  });

  it('is sent to its end when it was replaced or got another name', async () => {
    const exchange = await sending('replaced.bin', async (file) => {
      await link(file, `${file}.backup`);
      await writeFile(`${file}.new`, 'new');
      await rename(`${file}.new`, file);
    });
    expect(exchange.responseEnded).toBe(true);
    expect(exchange.bytesSent).toBe(500_000);
  });
});

describe('open files', () => {
  it('are closed when the client leaves', async () => {
    await allClosed();
    const exchange = new FakeExchange({ path: '/big.bin', room: 1 });
    mountFetchApp(staticFiles(root), new FakeHost()).answer(exchange);
    await vi.waitFor(() => expect(exchange.chunks.length).toBe(1), PATIENT);
    if (process.platform === 'linux') expect(await openFiles()).toBe(1);
    exchange.leave();
    await allClosed();
    expect(exchange.handlersEnded).toBe(1);
  });

  it('are not opened for a response that nobody reads', async () => {
    await allClosed();
    const responses = await Promise.all(Array.from({ length: 20 }, () => get('/big.bin')));
    expect(await openFiles()).toBe(0);
    for (const response of responses) await response.body?.cancel();
    await allClosed();
  });

  it('are bounded: further requests wait', async () => {
    const app = mountFetchApp(staticFiles(root, { maxOpenFiles: 2 }), new FakeHost());
    const exchanges = Array.from({ length: 5 }, () => new FakeExchange({ path: '/big.bin', room: 1 }));
    for (const exchange of exchanges) app.answer(exchange);
    await vi.waitFor(() => expect(exchanges.filter((exchange) => exchange.chunks.length > 0).length).toBe(2));
    await vi.waitFor(() => {
      for (const exchange of exchanges) exchange.drain();
      expect(exchanges.every((exchange) => exchange.responseEnded)).toBe(true);
    }, PATIENT);
    expect(exchanges.every((exchange) => exchange.bytesSent === 1_000_000)).toBe(true);
  });
});
