/**
 * The programs in examples/ as their first lines say: apps by `hface-ts server`, programs by node.
 *
 * @module
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { ChildResult, RunningChild } from '../support/child.ts';
import { runNode, startChild } from '../support/child.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
const started: RunningChild[] = [];
afterAll(async () => {
  await Promise.all(started.map((child) => child.stop('SIGKILL')));
  await commands.close();
});

/** Runs an example by node, from the repository. */
function run(name: string, ...words: string[]): Promise<ChildResult> {
  return runNode([`examples/${name}.js`, ...words], { env: commands.environment });
}

/** Starts an example that listens; answers its port. */
async function start(name: string, pattern: RegExp, ...words: string[]): Promise<[RunningChild, string]> {
  const child = startChild(process.execPath, [`examples/${name}.js`, ...words], { env: commands.environment });
  started.push(child);
  const [, port = ''] = await child.waitFor(pattern);
  return [child, port];
}

async function serve(name: string): Promise<[RunningChild, string]> {
  const { child, urls } = await commands.serve([`hface-ts/examples/${name}`, '-p', '0']);
  return [child, urls[0] ?? ''];
}

async function text(url: string, init?: RequestInit): Promise<string> {
  return (await fetch(url, init)).text();
}

describe('apps', () => {
  it('hello', async () => {
    const [child, url] = await serve('hello');
    expect(await text(url)).toBe('Hello from hface-ts\n');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('echo', async () => {
    const [child, url] = await serve('echo');
    const response = await fetch(url, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('{"a":1}');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('fetch-app, and client against it', async () => {
    const [child, url] = await serve('fetch-app');
    expect(await text(`${url}style.css`)).toBe('p { font-family: sans-serif }');
    const client = await run('client', url);
    expect(client).toMatchObject({ code: 0, stderr: '' });
    expect(client.stdout).toMatch(/^200 \{/);
    expect(client.stdout).toContain('[ 0, 1, 2, 3, 4 ]');
    expect(client.stdout).toContain("103 [ 'link', '</style.css>; rel=preload; as=style' ]");
    expect(client.stdout).toContain('line 1\nline 2\n');
    expect(client.stdout).toMatch(/\[ 'x-lines', '10' \] true [\d.]+ ms/);
    expect(client.stdout).toContain('ERR_CONNECTION_REFUSED network ');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('asgi-app', async () => {
    const [child, url] = await serve('asgi-app');
    expect(await text(`${url}a`, { method: 'POST', body: 'four' })).toBe('POST /a, 4 bytes\n');
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('static-folder', async () => {
    const [child, url] = await serve('static-folder');
    expect(await text(`${url}time`)).toMatch(/^\{"time":"\d{4}-/);
    expect(await text(url)).toContain('hello.js');
    const part = await fetch(`${url}hello.js`, { headers: { range: 'bytes=0-9' } });
    expect(part.status).toBe(206);
    expect(await part.text()).toHaveLength(10);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('streaming, as an app and by itself', async () => {
    const [child, url] = await serve('streaming');
    expect(await text(`${url}upload`, { method: 'PUT', body: 'x'.repeat(100_000) })).toBe('100000 bytes\n');
    expect((await (await fetch(`${url}download?bytes=200000`)).arrayBuffer()).byteLength).toBe(200_000);
    expect(await child.stop()).toMatchObject({ code: 0 });
    const alone = await run('streaming');
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    expect(alone.stdout.match(/^(?:upload|download) 100 %$/gm)).toEqual(['upload 100 %', 'download 100 %']);
    expect(alone.stdout.match(/^33554432 bytes$/gm)).toHaveLength(2);
  });
});

describe('programs', () => {
  it('server', async () => {
    const [child, port] = await start(
      'server',
      /listening on http:\/\/localhost:(\d+)\//,
      'http://localhost:0',
      'https://localhost:0',
    );
    expect(JSON.parse(await text(`http://localhost:${port}/a`))).toMatchObject({ method: 'GET', version: '1.1' });
    expect(await child.stop()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^GET \/a 200 [\d.]+ ms$/m) });
    expect(child.output()).toContain('everything is answered');
  });

  it.skipIf(process.platform === 'win32')('custom-server, and custom-client against it', async () => {
    const [child, port] = await start('custom-server', /listening on port (\d+)/, '0');
    const client = await run('custom-client', `http://localhost:${port}/`);
    expect(client).toMatchObject({
      code: 0,
      stderr: '',
      stdout: 'connected, HTTP version 1.1\nstatus 200\nHELLO\nstatus 200\nAGAIN, OVER THE SAME CONNECTION\n',
    });
    expect(await text(`http://localhost:${port}/x`)).toBe('');
    expect(await child.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  it('protocol', async () => {
    const { code, stdout, stderr } = await run('protocol');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('POST / HTTP/1.1\r\n');
    expect(stdout).toContain('HTTP/1.1 103 Early Hints\r\n');
    expect(stdout).toMatch(/^client: InformationalReceived\nclient: HeadersReceived\nclient: DataReceived$/m);
    expect(stdout).toMatch(
      /^client: TrailersReceived\nclient: StreamClosed\nidle until \d+\nserver: ConnectionTerminated\n$/m,
    );
  });
});
