/**
 * New certificates for `hface-ts server` while it runs: by their files, by SIGHUP, under load, in several processes.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { symlinkSync, unlinkSync } from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningChild } from '../support/child.ts';
import { makeCertificate } from '../support/test-certificates.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
const root = makeCertificate({ authority: true });
const posix = process.platform !== 'win32';

beforeAll(() => {
  commands.write('app.js', 'export default () => new Response(String(process.pid));\n');
});
let current: RunningChild | undefined;
afterEach(async () => {
  await current?.stop('SIGKILL');
  current = undefined;
});
afterAll(() => commands.close());

interface Made {
  readonly cert: string;
  readonly key: string;
}

/** A certificate, and its serial number. */
function make(): Made & { readonly serial: string } {
  const { cert, key } = makeCertificate({ issuer: root });
  const { serialNumber } = new X509Certificate(cert);
  return { cert, key, serial: serialNumber };
}

/** Puts both files in place. */
async function put({ cert, key }: Made, folder = '.'): Promise<void> {
  for (const [name, text] of [
    ['cert.pem', cert],
    ['key.pem', key],
  ] as const) {
    await writeFile(commands.path(`${folder}/${name}.new`), text);
    await rename(commands.path(`${folder}/${name}.new`), commands.path(`${folder}/${name}`));
  }
}

async function serve(...words: string[]): Promise<{ child: RunningChild; port: number }> {
  const files = ['--cert', 'cert.pem', '--key', 'key.pem'];
  const { child, urls } = await commands.serve(['app.js', 'https://localhost:0', ...files, ...words]);
  current = child;
  return { child, port: Number(new URL(urls[0] ?? '').port) };
}

/** The serial number that a new connection is shown, and the process that answers. */
function ask(port: number, agent: https.Agent | false = false): Promise<{ serial: string; pid: string }> {
  return new Promise((resolve, reject) => {
    const request = https.get({ port, host: 'localhost', ca: root.certPem, agent }, (response) => {
      const { socket } = response;
      const serial = socket instanceof tls.TLSSocket ? socket.getPeerCertificate().serialNumber : '';
      let pid = '';
      response.setEncoding('utf8').on('data', (part: string) => (pid += part));
      response.on('end', () => resolve({ serial, pid }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a certificate', () => {
  it('is taken when its files change; connections stay', async () => {
    const [first, second] = [make(), make()];
    await put(first);
    const { child, port } = await serve();
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    expect((await ask(port, agent)).serial).toBe(first.serial);
    await put(second);
    await child.waitFor(/^info: new connections get the new certificate file=\S*cert\.pem$/m);
    expect((await ask(port)).serial).toBe(second.serial);
    // The same connection as before.
    expect((await ask(port, agent)).serial).toBe(first.serial);
    agent.destroy();
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('is taken under load without a failure', async () => {
    await put(make());
    const { child, port } = await serve();
    let ending = false;
    let answered = 0;
    const serials = new Set<string>();
    const lane = async (agent: https.Agent | false): Promise<void> => {
      while (!ending) {
        serials.add((await ask(port, agent)).serial);
        answered += 1;
      }
    };
    const agent = new https.Agent({ keepAlive: true });
    const lanes = Promise.all([lane(false), lane(false), lane(agent)]);
    for (let round = 0; round < 4; round += 1) {
      const next = make();
      await put(next);
      if (posix) process.kill(child.pid, 'SIGHUP');
      const before = answered;
      await until(() => serials.has(next.serial) && answered > before + 10);
    }
    ending = true;
    await lanes;
    agent.destroy();
    expect(serials.size).toBe(5);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('that cannot be used changes nothing, and is told in one line', async () => {
    const [first, second, third] = [make(), make(), make()];
    await put(first);
    const { child, port } = await serve();
    await put({ cert: second.cert, key: first.key });
    await child.waitFor(/^warn: the old certificate stays in use: .*key\.pem does not belong to .*cert\.pem.*$/m);
    expect((await ask(port)).serial).toBe(first.serial);
    await put({ cert: second.key, key: second.cert });
    await child.waitFor(/^warn: the old certificate stays in use: .* try="swap the two"$/m);
    unlinkSync(commands.path('key.pem'));
    await child.waitFor(/^warn: the old certificate stays in use: there is no key file .*key\.pem/m);
    expect((await ask(port)).serial).toBe(first.serial);
    await put(third);
    await until(async () => (await ask(port)).serial === third.serial);
    const { stderr } = await child.stop();
    // Each once, however often the files were looked at.
    const warnings = stderr.match(/^warn: .*$/gm) ?? [];
    expect(warnings.filter((line, index) => line === warnings[index - 1])).toEqual([]);
  });

  it.skipIf(!posix)('is taken from behind a symbolic link that is turned elsewhere, as certbot does', async () => {
    const [first, second] = [make(), make()];
    commands.write('archive/cert1.pem', first.cert);
    commands.write('archive/key1.pem', first.key);
    commands.write('archive/cert2.pem', second.cert);
    commands.write('archive/key2.pem', second.key);
    commands.write('live/README', '');
    for (const name of ['cert', 'key']) symlinkSync(`../archive/${name}1.pem`, commands.path(`live/${name}.pem`));
    const words = ['app.js', 'https://localhost:0', '--cert', 'live/cert.pem', '--key', 'live/key.pem'];
    const { child, urls } = await commands.serve(words);
    current = child;
    const port = Number(new URL(urls[0] ?? '').port);
    expect((await ask(port)).serial).toBe(first.serial);
    for (const name of ['cert', 'key']) {
      symlinkSync(`../archive/${name}2.pem`, commands.path('live/new'));
      await rename(commands.path('live/new'), commands.path(`live/${name}.pem`));
    }
    await until(async () => (await ask(port)).serial === second.serial);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it.skipIf(!posix)('is read again at SIGHUP, which says so in any case', async () => {
    await put(make());
    const { child } = await serve();
    process.kill(child.pid, 'SIGHUP');
    await child.waitFor(/^info: the certificate is the one in use file=\S*cert\.pem$/m);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('reaches all workers, and those that are made later', async () => {
    const [first, second] = [make(), make()];
    await put(first);
    const { child, port } = await serve('--workers', '2');
    const serials = async (): Promise<Set<string>> => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(port)));
      expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
      return new Set(answers.map(({ serial }) => serial));
    };
    expect([...(await serials())]).toEqual([first.serial]);
    await put(second);
    await child.waitFor(/new connections get the new certificate/);
    await until(async () => {
      const seen = await serials();
      return seen.size === 1 && seen.has(second.serial);
    });
    const { pid } = await ask(port);
    process.kill(Number(pid), 'SIGKILL');
    await child.waitFor(/another one takes its place/);
    await until(async () =>
      (await Promise.all(Array.from({ length: 8 }, () => ask(port)))).some((answer) => answer.pid !== pid),
    );
    await until(
      async () =>
        new Set((await Promise.all(Array.from({ length: 8 }, () => ask(port)))).map((answer) => answer.pid)).size === 2,
    );
    expect([...(await serials())]).toEqual([second.serial]);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });
});
