import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../../../cli/main.ts';
import { runClient } from '../client/peers.ts';
import { TestContext } from '../test-context.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-server-'));
afterAll(() => rmSync(folder, { recursive: true }));
const environment = { HFACE_DATA_DIR: path.join(folder, 'data') };

writeFileSync(
  path.join(folder, 'app.mjs'),
  `export const admin = () => new Response('admin');
  export default (request) => {
    if (new URL(request.url).pathname === '/throw') throw new Error('on purpose');
    return new Response(request.headers.get('host'));
  };`,
);
writeFileSync(path.join(folder, 'page.txt'), 'a page');

interface Run {
  readonly context: TestContext;
  readonly url: string;
  readonly code: Promise<number>;
}

/** Starts the command and waits for the first URL. */
async function serve(...words: string[]): Promise<Run> {
  const context = new TestContext({ directory: folder, environment });
  const code = main(['server', ...words], context);
  const [url] = await context.until(/https?:\/\/\S+\//);
  return { context, url, code };
}

async function end({ context, code }: Run): Promise<void> {
  context.signal('SIGTERM');
  expect(await code).toBe(0);
  expect(context.listening).toBe(false);
}

const ask = (...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  runClient(words, { directory: folder, environment });

describe('hface-ts server', () => {
  it('serves an app and logs each request', async () => {
    const run = await serve('app.mjs', '-p', '0');
    expect(run.context.stderr).toMatch(/^serving app\.mjs, a Fetch-style app\n {2}http:\/\/localhost:\d+\/\n$/);
    expect(await ask(`${run.url}a`)).toMatchObject({ code: 0, stdout: new URL(run.url).host });
    await run.context.until(/^[0-9a-z]+-1 {2}HTTP\/1\.1 {2}200 {2}GET \/a {2}15 B {2}/m);
    await end(run);
    expect(run.context.stderr).toMatch(/^ending$/m);
  });

  it('serves an export, a package export and a folder', async () => {
    const admin = await serve('app.mjs:admin', '-p', '0');
    expect(await ask(admin.url)).toMatchObject({ stdout: 'admin' });
    await end(admin);
    const hello = await serve('hface-ts/examples/hello', '-p', '0');
    expect(await ask(hello.url)).toMatchObject({ stdout: 'Hello from hface-ts\n' });
    await end(hello);
    const files = await serve('.', '-p', '0');
    expect(files.context.stderr).toContain('there is no index.html: / is 404 (--list shows the files)');
    expect(await ask(`${files.url}page.txt`)).toMatchObject({ stdout: 'a page' });
    expect(await ask(`${files.url}data/`)).toMatchObject({ stdout: '404 Not Found\n' });
    await end(files);
  });

  it('makes a certificate that the client trusts, and tells it once', async () => {
    const first = await serve('app.mjs', 'https://app.localhost:0');
    expect(first.context.stderr).toMatch(/^made a development CA: .*\nissued a certificate for .*app\.localhost/);
    expect(first.context.stderr).toMatch(/^ {2}curl --cacert \S+development-ca\.pem https:\/\/app\.localhost:\d+\/$/m);
    expect(await ask(first.url)).toMatchObject({ code: 0 });
    await end(first);
    const second = await serve('app.mjs', 'https://app.localhost:0');
    expect(second.context.stderr).toMatch(/^serving /);
    await end(second);
  });

  it('tells what the app throws, in full with --dev', async () => {
    const plain = await serve('app.mjs', '-p', '0');
    expect((await ask(`${plain.url}throw`)).stdout).not.toContain('on purpose');
    await plain.context.until(
      /error: the app failed error="Error: on purpose" at=\S*app\.mjs:3 request="GET \/throw" id=[0-9a-z]+-1$/m,
    );
    expect(plain.context.stderr).not.toMatch(/^\s+at /m);
    await end(plain);
    const dev = await serve('app.mjs', '-p', '0', '--dev');
    expect((await ask(`${dev.url}throw`)).stdout).toContain('on purpose');
    await dev.context.until(/Error: on purpose\n\s+at /);
    expect((await ask('-H', 'host: evil.example', dev.url)).stdout).toMatch(/^421 /);
    await end(dev);
  });

  it('prints as much as --log-level asks for', async () => {
    const context = new TestContext({ directory: folder, environment });
    const code = main(['server', 'app.mjs', 'unix:' + path.join(folder, 'a.sock'), '--log-level', 'error'], context);
    // Nothing says that it listens: a signal ends it, whenever that is.
    while (!context.listening) await new Promise((resolve) => setImmediate(resolve));
    context.signal('SIGINT');
    expect([0, 130]).toContain(await code);
    expect(context.stdout + context.stderr).toBe('');
  });

  it('takes an implementation from a module', async () => {
    writeFileSync(
      path.join(folder, 'engine.mjs'),
      `export function register(registry) {
        const [entry] = registry.entries('http1');
        registry.register({ ...entry, name: 'other', createServerFactory: (settings) => entry.createServerFactory({ ...settings, errorResponseHeaders: ['x-engine', 'other'] }) });
      }`,
    );
    const run = await serve('app.mjs', '-p', '0', '--engine-module', 'engine.mjs', '--http1-impl', 'other');
    expect(await ask(run.url)).toMatchObject({ code: 0 });
    await end(run);
  });

  it('takes an implementation of HTTP/3 from a module, and the client shows what passes over HTTP/3', async () => {
    writeFileSync(
      path.join(folder, 'engine3.mjs'),
      `export function register(registry) {
        if (registry.quicEntries().some(({ name }) => name === 'another')) return;
        const [entry] = registry.quicEntries();
        registry.registerQuic({ ...entry, name: 'another' });
      }`,
    );
    const options = ['--engine-module', 'engine3.mjs', '--http3-impl', 'another'];
    const run = await serve('app.mjs', 'https://three.localhost:0', '--http3', ...options);
    const told = await ask('--http3-only', '--http3-impl', 'another', '-v', '-u', 'user:secret', run.url);
    await end(run);
    expect(told).toMatchObject({ code: 0, stdout: new URL(run.url).host });
    expect(told.stderr).toMatch(/^< 1 CertificateReceived for three\.localhost$/m);
    expect(told.stderr).toMatch(/^< 1 HandshakeCompleted ALPN h3, TLS_\w+$/m);
    expect(told.stderr).toMatch(/^< 1 SettingsReceived 0x[0-9a-f]+=\d+/m);
    expect(told.stderr).toMatch(/^> 1\.0 Headers end\n> {3}:method: GET$/m);
    expect(told.stderr).toMatch(/^< 1\.0 HeadersReceived HTTP\/3\n< {3}:status: 200$/m);
    expect(told.stderr).toMatch(/^< 1\.0 DataReceived \d+ bytes/m);
    expect(told.stderr).not.toContain(Buffer.from('user:secret').toString('base64'));
  });

  it('refuses implementations of HTTP/3 that there are not', async () => {
    const refused = await ask('--http3-impl', 'hfac', 'https://localhost:1/');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('option --http3-impl cannot be "hfac"');
    expect(refused.stderr).toContain('--http3-impl hface');
    const context = new TestContext({ directory: folder, environment });
    expect(await main(['server', 'app.mjs', '-p', '0', '--http3-impl', 'none'], context)).toBe(2);
    expect(context.stderr).toContain('option --http3-impl cannot be "none"');
  });
});
