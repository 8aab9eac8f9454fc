/**
 * The first minute of a stranger: clone, install, start the server by the README's command, ask it with curl over http
 * and https, by the lines that the server printed.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChild, runNode, startChild } from '../support/child.ts';
import type { RunningChild } from '../support/child.ts';
import { root } from '../support/repository.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-clone-'));
const clone = path.join(folder, 'hface-ts');
const npm = path.join(root, 'tools/npm.js');
const environment = { HFACE_DATA_DIR: path.join(folder, 'data'), HOME: folder, NO_COLOR: '1' };
const greeting = 'Hello from hface-ts\n';
const hasCurl = (await runChild('curl', ['--version'])).code === 0;

let server: RunningChild | undefined;
let seconds = 0;

/** Whether the server's default ports are free on this machine; if not, others are named on the command line. */
async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

beforeAll(async () => {
  const cloned = await runChild('git', ['clone', '--quiet', '--no-hardlinks', root, clone], { cwd: folder });
  expect(cloned, cloned.stderr).toMatchObject({ code: 0 });
  const started = performance.now();
  const npmOptions = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const installed = await runNode([npm, 'ci', ...npmOptions], { cwd: clone, timeout: 110_000 });
  expect(installed, installed.stdout + installed.stderr).toMatchObject({ code: 0 });
  const free = (await isFree(5080)) && (await isFree(5443));
  const endpoints = free ? [] : ['http://localhost:25080', 'https://localhost:25443'];
  // `npx NAME` is `npm exec -- NAME`; in a clone NAME is the package's own program.
  server = startChild(process.execPath, [npm, 'exec', '--', 'hface-ts', 'server', 'examples/hello.js', ...endpoints], {
    cwd: clone,
    env: environment,
    timeout: 110_000,
    group: true,
  });
  await server.waitFor(/https:\/\/localhost:\d+/, 60_000);
  await server.waitFor(/curl --cacert .*/, 10_000);
  seconds = (performance.now() - started) / 1000;
}, 240_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!hasCurl)('a fresh clone with curl', () => {
  it('answers http', async () => {
    const url = /http:\/\/localhost:\d+/.exec(server?.output() ?? '')?.[0] ?? '';
    const { code, stdout, stderr } = await runChild('curl', ['-sS', url]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: greeting, stderr: '' });
  });

  it('answers https by the line that the server printed', async () => {
    const line = /curl --cacert ("[^"]*"|'[^']*'|\S+) (https:\S+)/.exec(server?.output() ?? '');
    const ca = (line?.[1] ?? '').replace(/^["']|["']$/g, '');
    const { code, stdout, stderr } = await runChild('curl', ['-sS', '--cacert', ca, line?.[2] ?? '']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: greeting, stderr: '' });
  });

  it('is there within a minute of npm ci', () => {
    expect(seconds).toBeLessThan(60);
  });

  it('ends with 0 when it is told to', async () => {
    const end = await server?.stop('SIGTERM');
    expect(end).toMatchObject({ timedOut: false });
  });
});
