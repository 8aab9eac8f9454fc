/**
 * The examples and the command line over HTTP/2: what runs over HTTP/1.1 runs unchanged.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppServer, Client } from '../../src/index.ts';
import type { ClientRequest, ClientResponse, ClientSession } from '../../src/index.ts';
import { runNode, startChild } from '../support/child.ts';
import type { RunningChild } from '../support/child.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
const started: RunningChild[] = [];
let session: ClientSession;

beforeAll(() => {
  session = new Client({ protocol: ['http2'] }).session();
});
afterAll(async () => {
  await session.close();
  await Promise.all(started.map((child) => child.stop('SIGKILL')));
  await commands.close();
});

/** Serves an example over cleartext, HTTP/2 alone. */
async function serve(name: string): Promise<[RunningChild, string]> {
  const { child, urls } = await commands.serve([`hface-ts/examples/${name}`, '-p', '0', '--http2']);
  return [child, urls[0] ?? ''];
}

async function ask(url: string, request: Omit<ClientRequest, 'url'> = {}): Promise<[ClientResponse, string]> {
  const response = await session.dispatch({ url, ...request });
  expect([response.httpVersion, response.status]).toEqual(['2', request.headers === undefined ? 200 : 206]);
  return [response, await response.text()];
}

async function text(url: string, request?: Omit<ClientRequest, 'url'>): Promise<string> {
  return (await ask(url, request))[1];
}

describe('apps over HTTP/2', () => {
  it('hello, and its line in the log', async () => {
    const [child, url] = await serve('hello');
    expect(await text(url)).toBe('Hello from hface-ts\n');
    expect(await child.stop()).toMatchObject({ code: 0 });
    expect(child.output()).toMatch(/ HTTP\/2 {2}200 {2}GET \/ /);
  });

  it('echo', async () => {
    const [child, url] = await serve('echo');
    const body = 'x'.repeat(300_000);
    expect(await text(url, { method: 'POST', body })).toBe(body);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('fetch-app', async () => {
    const [child, url] = await serve('fetch-app');
    const [page] = await ask(url);
    expect(page.informational.map(({ status }) => status)).toEqual([103]);
    expect(JSON.parse(await text(`${url}whoami`))).toMatchObject({ version: '2' });
    const [counted, lines] = await ask(`${url}count`);
    expect(lines).toMatch(/^line 1\n[^]*line 10\n$/);
    expect(await counted.trailers).toEqual(['x-lines', '10']);
    expect(await text(`${url}length`, { method: 'POST', body: 'four' })).toBe('4\n');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('asgi-app', async () => {
    const [child, url] = await serve('asgi-app');
    expect(await text(`${url}a`, { method: 'POST', body: 'four' })).toBe('POST /a, 4 bytes\n');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('static-folder', async () => {
    const [child, url] = await serve('static-folder');
    expect(await text(url)).toContain('hello.js');
    expect(await text(`${url}hello.js`, { headers: { range: 'bytes=0-9' } })).toHaveLength(10);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('streaming', async () => {
    const [child, url] = await serve('streaming');
    expect(await text(`${url}upload`, { method: 'PUT', body: 'x'.repeat(100_000) })).toBe('100000 bytes\n');
    expect((await text(`${url}download?bytes=200000`)).length).toBe(200_000);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });
});

describe('programs over HTTP/2', () => {
  async function start(name: string, pattern: RegExp, ...words: string[]): Promise<[RunningChild, string]> {
    const child = startChild(process.execPath, [`examples/${name}.js`, ...words], { env: commands.environment });
    started.push(child);
    const [, port = ''] = await child.waitFor(pattern);
    return [child, port];
  }

  it('server', async () => {
    const [child, port] = await start('server', /listening on http:\/\/localhost:(\d+)\//, 'http://localhost:0');
    expect(JSON.parse(await text(`http://localhost:${port}/a`))).toMatchObject({ method: 'GET', version: '2' });
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it.skipIf(process.platform === 'win32')('custom-server', async () => {
    const [child, port] = await start('custom-server', /listening on port (\d+)/, '0');
    const url = `http://localhost:${port}/`;
    const answers = await Promise.all(['a', 'b', 'c'].map((body) => text(url, { method: 'POST', body })));
    expect(answers).toEqual(['A', 'B', 'C']);
    expect(await child.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  it('priorities', async () => {
    const { code, stdout, stderr } = await runNode(['examples/priorities.js'], { env: commands.environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const order = [...stdout.matchAll(/^\/(\S+) ended/gm)].map(([, name]) => name);
    expect(order.slice(0, 3)).toEqual(['news', 'style', 'script']);
    expect(order).toHaveLength(5);
  });

  it('ten-thousand-streams', async () => {
    const { code, stdout, stderr } = await runNode(['examples/ten-thousand-streams.js'], { env: commands.environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/10000 requests are open on one connection, \d+ MB in use\n10000 answers\n$/);
  });
});

describe('hface-ts client over HTTP/2', () => {
  it('speaks it with prior knowledge, and shows each frame', async () => {
    await new AppServer(() => new Response('Hello\n')).withServer('http://localhost:0', async (server) => {
      const result = await commands.run(['client', '--http2', '-i', '-v', `${server.url}/`, '-u', 'user:secret']);
      expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^HTTP\/2 200 \r\n[^]*\r\n\r\nHello\n$/) });
      expect(result.stderr).toMatch(/^> 1 frame PREFACE 24 bytes$/m);
      expect(result.stderr).toMatch(/^> 1 frame SETTINGS \d+ bytes, ENABLE_PUSH=0, /m);
      expect(result.stderr).toMatch(/^> 1\.1 frame HEADERS \d+ bytes, END_STREAM, END_HEADERS$/m);
      expect(result.stderr).toMatch(/^< 1 frame SETTINGS \d+ bytes, [^\n]*ENABLE_CONNECT_PROTOCOL=1/m);
      expect(result.stderr).toMatch(/^< 1 frame SETTINGS 0 bytes, ACK$/m);
      expect(result.stderr).toMatch(/^< 1\.1 frame DATA 6 bytes, END_STREAM$/m);
      expect(result.stderr).toMatch(/^< 1\.1 HeadersReceived HTTP\/2$/m);
      expect(result.stderr).toMatch(/^> 1 frame GOAWAY 8 bytes, last stream 0, NO_ERROR$/m);
      expect(result.stderr).not.toContain(Buffer.from('user:secret').toString('base64'));
    });
  });

  it('falls back to nothing: a server without HTTP/2 is an error', async () => {
    const plain = new AppServer(() => new Response('Hello\n'), { protocol: ['http1'] });
    await plain.withServer('http://localhost:0', async (server) => {
      const result = await commands.run(['client', '--http2', `${server.url}/`]);
      expect(result.code).not.toBe(0);
      expect(result.stdout).toBe('');
      expect((await commands.run(['client', '--http1', '--http2', `${server.url}/`])).stdout).toBe('Hello\n');
      expect((await commands.run(['client', '--tcp', `${server.url}/`])).stdout).toBe('Hello\n');
    });
  });

  it('has no more transfers at once than --parallel allows, over one connection', async () => {
    let running = 0;
    let most = 0;
    const app = async (): Promise<Response> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 30));
      running -= 1;
      return new Response('x');
    };
    await new AppServer(app).withServer('http://localhost:0', async (server) => {
      const urls = Array.from({ length: 30 }, (_, index) => `${server.url}/${index}`);
      const all = await commands.run(['client', '--http2', '--parallel', '5', ...urls]);
      expect(all).toMatchObject({ code: 0, stdout: 'x'.repeat(30) });
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(5);
      const one = await commands.run(['client', '--http2', '--parallel', '30', '-v', ...urls]);
      expect(one.stderr.match(/^\* connected to /gm)).toHaveLength(1);
    });
  });

  it('takes its implementation by name', async () => {
    const result = await commands.run(['client', '--http2-impl', 'hfac', 'http://localhost:1/']);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('option --http2-impl cannot be "hfac"') });
  });
});
