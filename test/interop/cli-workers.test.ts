/**
 * `hface-ts server --workers`: one port for several processes, one end for all, and what a crash may cost.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningChild } from '../support/child.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
const posix = process.platform !== 'win32';

beforeAll(() => {
  commands.write(
    'app.js',
    `let running = 0;
    export default async (request, context) => {
      const { pathname } = new URL(request.url);
      running += 1;
      try {
        if (pathname === '/die') process.kill(process.pid, 'SIGKILL');
        if (pathname === '/exit') process.exit(3);
        if (pathname === '/wait') {
          console.error('waiting ' + process.pid);
          await new Promise((resolve) => setTimeout(resolve, 1_500));
        }
        if (pathname === '/forever') {
          console.error('waiting ' + process.pid);
          await new Promise(() => {});
        }
        if (pathname === '/print') console.log('line ' + 'x'.repeat(6_000) + ' end');
        return Response.json({ pid: process.pid, worker: process.env.HFACE_WORKER, id: context.requestId });
      } finally {
        running -= 1;
      }
    };`,
  );
  commands.write('exits.js', 'process.exit(3);\n');
  commands.write('syntax.js', 'export default () => {\n  return new Response(\n};\n');
});
let current: RunningChild | undefined;
afterEach(async () => {
  await current?.stop('SIGKILL');
  current = undefined;
});
afterAll(() => commands.close());

async function serve(...words: string[]): Promise<{ child: RunningChild; urls: readonly string[] }> {
  const serving = await commands.serve(words);
  current = serving.child;
  return serving;
}

interface Answer {
  readonly pid: number;
  readonly worker: string;
  readonly id: string;
}

/** One request on a connection of its own. */
function ask(url: string, options: http.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent: false, ...options }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(JSON.parse(text) as Answer));
        response.on('error', reject);
      })
      .on('error', reject);
  });
}

/** Asks until every worker has answered. */
async function askAll(url: string, count: number): Promise<Map<string, number>> {
  const pids = new Map<string, number>();
  while (pids.size < count) {
    const { worker, pid } = await ask(url);
    pids.set(worker, pid);
  }
  return pids;
}

/** Resolves when it is so. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Resolves when the process is no more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('hface-ts server --workers', () => {
  it('serves at one port by several processes, tells so once, and knows their requests apart', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '3');
    const [url = ''] = urls;
    const pids = await askAll(url, 3);
    expect(new Set(pids.values()).size).toBe(3);
    expect([...pids.keys()].sort()).toEqual(['1', '2', '3']);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(url)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(30);
    // In turn: none is left out.
    for (const pid of pids.values()) expect(answers.filter((answer) => answer.pid === pid).length).toBe(10);
    // localhost is two addresses with one port, where the machine has both.
    const { port } = new URL(url);
    await ask(`http://127.0.0.1:${port}/`);
    const { code, stdout, stderr } = await child.stop();
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `serving app.js, a Fetch-style app\n  ${url}\nending\n`,
    });
    const ids = stdout.match(/^\S+(?= {2}HTTP\/1\.1 {2}200 {2}GET \/ )/gm) ?? [];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(30);
    for (const pid of pids.values()) await gone(pid);
  });

  it('prints what workers print in whole lines', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    await Promise.all(Array.from({ length: 40 }, () => ask(`${urls[0] ?? ''}print`)));
    const { stdout } = await child.stop();
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line === `line ${'x'.repeat(6_000)} end`)).toHaveLength(40);
    expect(lines.filter((line) => / {2}GET \/print {2}/.test(line))).toHaveLength(40);
    expect(lines).toHaveLength(80);
  });

  it.skipIf(!posix)('replaces a worker that is killed, and loses no request of another', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    const [url = ''] = urls;
    const pids = await askAll(url, 2);
    const slow = [ask(`${url}wait`), ask(`${url}wait`)];
    const [, first] = await child.waitFor(/waiting (\d+)[^]*waiting \d+/);
    process.kill(Number(first), 'SIGKILL');
    const outcomes = await Promise.allSettled(slow);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await child.waitFor(
      /^error: a worker ended; another one takes its place worker=\d pid=\d+ reason="killed by SIGKILL"$/m,
    );
    const after = await askAll(url, 2);
    expect([...after.values()]).not.toContain(Number(first));
    expect([...after.values()].filter((pid) => [...pids.values()].includes(pid))).toHaveLength(1);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it.skipIf(!posix)('gives connections that were on their way to a worker that went to another', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    const [url = ''] = urls;
    const pids = await askAll(url, 2);
    const stopped = pids.get('1') ?? 0;
    process.kill(stopped, 'SIGSTOP');
    const answers = Array.from({ length: 60 }, () => ask(url));
    // The other one serves what is not stuck: all but the sixteen that a worker may leave unconfirmed.
    await until(() => (child.output().match(/GET \/ {2}/g)?.length ?? 0) >= 40);
    process.kill(stopped, 'SIGKILL');
    const served = await Promise.all(answers);
    expect(served.map(({ pid }) => pid)).not.toContain(stopped);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('replaces workers that end in the middle of a request, under load', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    const [url = ''] = urls;
    let ending = false;
    let answered = 0;
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      while (!ending) {
        await ask(url).then(
          () => (answered += 1),
          (error: unknown) => failures.push(error),
        );
      }
    };
    const lanes = [lane(), lane(), lane()];
    for (const round of [1, 2, 3]) {
      const before = answered;
      const path = round === 2 ? 'exit' : 'die';
      await expect(ask(`${url}${path}`)).rejects.toMatchObject({ code: 'ECONNRESET' });
      await until(() => child.output().match(/a worker ended; /g)?.length === round && answered >= before + 20);
    }
    ending = true;
    await Promise.all(lanes);
    // What the one that went had taken goes with it, and nothing else: three lanes have at most one request each there.
    expect(failures.length).toBeLessThanOrEqual(9);
    for (const error of failures) expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('drains all workers at once, and refuses what comes meanwhile', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    const [url = ''] = urls;
    const slow = [ask(`${url}wait`), ask(`${url}wait`)];
    await child.waitFor(/waiting \d+[^]*waiting \d+/);
    const ended = child.stop('SIGTERM');
    await child.waitFor(/^waiting for 2 running requests, 10 s at most; a second signal ends them at once$/m);
    await expect(ask(url)).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN(?:REFUSED|RESET)$/) });
    const answers = await Promise.all(slow);
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once at a second %s: %d', async (signal, code) => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    const request = ask(`${urls[0] ?? ''}forever`).catch((error: unknown) => error);
    const [, pid] = await child.waitFor(/waiting (\d+)/);
    process.kill(child.pid, signal);
    await child.waitFor(/waiting for one running request/);
    process.kill(child.pid, signal);
    expect(await child.ended).toMatchObject({ code });
    await request;
    await gone(Number(pid));
  });

  it('ends what is left after --drain-timeout', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2', '--drain-timeout', '0.2');
    const failed = expect(ask(`${urls[0] ?? ''}forever`)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await child.waitFor(/waiting \d+/);
    expect(await child.stop('SIGINT')).toMatchObject({ code: 0 });
    await failed;
  });

  it.skipIf(!posix)('leaves no worker behind when the command itself is killed', async () => {
    const { child, urls } = await serve('app.js', '-p', '0', '--workers', '2');
    const pids = await askAll(urls[0] ?? '', 2);
    await child.stop('SIGKILL');
    for (const pid of pids.values()) await gone(pid);
    expect(pids.size).toBe(2);
  });

  it('tells an app that ends before it serves in three lines', async () => {
    const { code, stdout, stderr } = await commands.run(['server', 'exits.js', '-p', '0', '--workers', '2']);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'hface-ts: a worker ended 5 times before it served: exit code 3\n' +
        '  at exits.js\n  try: hface-ts server exits.js, in one process\n',
    });
  });

  it('tells an app that cannot be loaded once', async () => {
    const { code, stderr } = await commands.run(['server', 'syntax.js', '-p', '0', '--workers', '3']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^hface-ts: syntax error in the app: .*\n {2}at \S*syntax\.js:3\n$/),
    });
  });

  it('tells a port that is in use once, and ends with 1', async () => {
    const busy = net.createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address() as AddressInfo;
    const { code, stderr } = await commands.run(['server', 'app.js', `127.0.0.1:${String(port)}`, '--workers', '2']);
    await new Promise((resolve) => busy.close(resolve));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^hface-ts: .*: the address is in use\n {2}try: end the server that has it, or .*\n$/,
      ),
    });
  });

  it.skipIf(!posix)('serves a unix socket and takes its file away', async () => {
    const socketPath = commands.path('app.sock');
    const { child } = await serve('app.js', `unix:${socketPath}`, '--workers', '2');
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('http://localhost/', { socketPath })));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    expect(await child.stop()).toMatchObject({ code: 0 });
    expect(existsSync(socketPath)).toBe(false);
  });

  it('shows errors in full with --dev, and logs as JSON', async () => {
    commands.write('throws.js', 'export default () => {\n  throw new Error("on purpose");\n};\n');
    const { child, urls } = await serve('throws.js', '-p', '0', '--workers', '2', '--dev');
    const response = await fetch(urls[0] ?? '');
    expect({ status: response.status, text: await response.text() }).toEqual({
      status: 500,
      text: expect.stringContaining('throws.js:2'),
    });
    await child.waitFor(/Error: on purpose\n\s+at /);
    expect(await child.stop()).toMatchObject({ code: 0 });
    const json = commands.start(['server', 'app.js', '-p', '0', '--workers', '2', '--log-format', 'json']);
    current = json;
    await json.waitFor(/"message":"http:[^"]*"/);
    const { stderr } = await json.stop();
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: 'info' });
  });
});

describe('TLS of several workers', () => {
  it('has one development certificate, and resumes with one worker what began with another', async () => {
    const { child, urls } = await serve('app.js', 'https://localhost:0', '--workers', '2');
    expect(child.output().match(/^made a development CA/gm)).toHaveLength(1);
    expect(child.output().match(/^issued a certificate/gm)).toHaveLength(1);
    const port = Number(new URL(urls[0] ?? '').port);
    let session: Buffer | undefined;
    const pids = new Set<number>();
    for (let round = 0; round < 6 || pids.size < 2; round += 1) {
      const agent = new https.Agent({ maxCachedSessions: 0 });
      const options = { port, host: 'localhost', agent, rejectUnauthorized: false, session };
      const { answer, resumed } = await new Promise<{ answer: Answer; resumed: boolean }>((resolve, reject) => {
        const request = https.get(options, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () =>
            resolve({ answer: JSON.parse(text) as Answer, resumed: wasResumed(request.socket) }),
          );
        });
        request.on('socket', (socket) => socket.once('session', (made: Buffer) => (session ??= made)));
        request.on('error', reject);
      });
      pids.add(answer.pid);
      // The first one has made the session.
      expect(resumed).toBe(round > 0);
      agent.destroy();
    }
    expect(session).toBeDefined();
    expect(await child.stop()).toMatchObject({ code: 0 });
  });
});

function wasResumed(socket: Socket | null): boolean {
  return socket instanceof tls.TLSSocket && socket.isSessionReused();
}
