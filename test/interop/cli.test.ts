/**
 * The built command line as users run it: the server with curl, the client with foreign servers, signals, pipes.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childEnvironment, runChild } from '../support/child.ts';
import { root } from '../support/repository.ts';
import { commandsOf } from '../support/snippets.ts';
import { CommandFolder, script } from './support/cli.ts';
import { findProgram, openWorkshop, startCaddy, startNginx } from './support/peers.ts';
import type { ForeignServer, Workshop } from './support/peers.ts';

const curl = findProgram('curl') ?? '';
const commands = new CommandFolder();
afterAll(() => commands.close());

const app = `
export default async (request, context) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/slow' || pathname === '/forever') console.error('began');
  if (pathname === '/throw') throw new Error('thrown on purpose');
  if (pathname === '/later') setTimeout(() => { throw new Error('thrown later'); }, 1);
  if (pathname === '/forever') await new Promise(() => {});
  if (pathname === '/slow') {
    let count = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.enqueue(new TextEncoder().encode(String(count)));
        count += 1;
        if (count === 10) controller.close();
      },
    }));
  }
  return new Response(\`\${request.method} \${pathname}\\n\`);
};
setInterval(() => {}, 1_000_000);
`;
commands.write('app.js', app);

/** Asks once, with a connection of its own. */
function ask(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

describe('hface-ts server', () => {
  it.skipIf(curl === '')('answers curl on http and https, by the line that it prints', async () => {
    const { child, urls } = await commands.serve(['hface-ts/examples/hello', '-p', '0', 'https://localhost:0']);
    expect(urls).toHaveLength(2);
    const plain = await runChild(curl, ['-sS', '-i', urls[0] ?? '']);
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nHello from hface-ts\n$/);
    const line = /^ {2}(curl --cacert .*)$/m.exec(child.output())?.[1] ?? '';
    const [command] = commandsOf(line);
    const secure = await runChild(curl, ['-sS', ...(command?.words.slice(1) ?? [])]);
    expect(secure).toMatchObject({ code: 0, stdout: 'Hello from hface-ts\n', stderr: '' });
    const untrusted = await runChild(curl, ['-sS', urls[1] ?? '']);
    expect(untrusted.code).toBe(60);
    expect(await child.stop('SIGINT')).toMatchObject({ code: 0, signal: null });
    expect(child.output()).toMatch(/HTTP\/1\.1 {2}200 {2}GET \/ /);
  });

  it.skipIf(curl === '')('serves a folder', async () => {
    commands.write('site/index.html', '<p>home</p>');
    commands.write('site/sub/a.txt', 'a');
    commands.write('site/.secret', 's');
    const { child, urls } = await commands.serve(['site', '--list', '-p', '0']);
    const get = (target: string): Promise<{ stdout: string }> =>
      runChild(curl, ['-s', '-o', '-', '-w', '|%{http_code}', '--path-as-is', `${urls[0] ?? ''}${target}`]);
    expect((await get('')).stdout).toBe('<p>home</p>|200');
    expect((await get('sub/')).stdout).toMatch(/a\.txt[^]*\|200$/);
    expect((await get('.secret')).stdout).toMatch(/\|404$/);
    expect((await get('../app.js')).stdout).toMatch(/\|404$/);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it.skipIf(curl === '' || process.platform === 'win32')(
    'listens on a unix socket, and leaves none behind',
    async () => {
      const socket = commands.path('app.sock');
      const { child } = await commands.serve(['app.js', `unix:${socket}`]);
      const words =
        commandsOf(/^ {2}(curl --unix-socket .*)$/m.exec(child.output())?.[1] ?? '')[0]?.words.slice(1) ?? [];
      expect(await runChild(curl, ['-sS', ...words])).toMatchObject({ code: 0, stdout: 'GET /\n' });
      expect(await child.stop()).toMatchObject({ code: 0 });
      expect(existsSync(socket)).toBe(false);
    },
  );

  it.skipIf(curl === '')('serves those alone who show a certificate, with --client-ca', async () => {
    const files = ['--cert', 'client.pem', '--key', 'client-key.pem'];
    const issued = await commands.run(['cert', 'localhost', ...files, '--client-auth']);
    expect(issued).toMatchObject({ code: 0 });
    const ca = commands.path('data/development-ca.pem');
    const { child, urls } = await commands.serve([
      'app.js',
      'https://localhost:0',
      '--client-ca',
      ca,
      '--keylog',
      'keys',
    ]);
    const shown = await runChild(curl, ['-sS', '--cacert', ca, ...files, urls[0] ?? ''], { cwd: commands.folder });
    expect(shown).toMatchObject({ code: 0, stdout: 'GET /\n' });
    const bare = await runChild(curl, ['-sS', '--cacert', ca, urls[0] ?? '']);
    expect([35, 55, 56]).toContain(bare.code);
    expect(bare.stdout).toBe('');
    expect(await child.stop()).toMatchObject({ code: 0 });
    expect(readFileSync(commands.path('keys'), 'utf8')).toMatch(/^SERVER_HANDSHAKE_TRAFFIC_SECRET /m);
    if (process.platform !== 'win32') expect(statSync(commands.path('keys')).mode & 0o777).toBe(0o600);
  });

  it('takes the PORT variable, and --log-format json makes every line an object', async () => {
    const probe = net.createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const child = commands.start(['server', 'app.js', '--log-format', 'json'], { env: { PORT: String(port) } });
    await child.waitFor(new RegExp(`http://localhost:${port}/`));
    expect(await ask(`http://localhost:${port}/throw`)).toMatchObject({ status: 500 });
    expect(await ask(`http://localhost:${port}/a?b`)).toMatchObject({ body: 'GET /a\n' });
    const { stdout, stderr } = await child.stop();
    const [thrown, answered] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(thrown).toMatchObject({ status: 500, path: '/throw', httpVersion: '1.1', aborted: null });
    expect(answered).toMatchObject({ status: 200, method: 'GET', path: '/a?b', bytesSent: 7 });
    const messages = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(messages).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          level: 'error',
          error: 'Error: thrown on purpose',
          at: expect.stringMatching(/app\.js:5$/),
          request: 'GET /throw',
        }),
      ]),
    );
  });

  it('survives what the app throws outside of requests, and shows no stack without --dev', async () => {
    const { child, urls } = await commands.serve(['app.js', '-p', '0']);
    const url = urls[0] ?? '';
    expect(await ask(`${url}later`)).toMatchObject({ status: 200 });
    await child.waitFor(/the app threw outside any request; the server goes on error="Error: thrown later"/);
    expect(await ask(`${url}throw`)).toMatchObject({ status: 500 });
    expect(await ask(url)).toMatchObject({ status: 200 });
    const { code, stdout, stderr } = await child.stop();
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });

  it('is never held up by whoever reads its output', async () => {
    const child = spawn(process.execPath, [script, 'server', 'app.js', '-p', '0'], {
      cwd: commands.folder,
      env: childEnvironment(commands.environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      child.stderr.setEncoding('utf8');
      const url = await new Promise<string>((resolve) => {
        let text = '';
        child.stderr.on('data', (chunk: string) => {
          text += chunk;
          const match = /(http:\S+)/.exec(text)?.[1];
          if (match !== undefined) resolve(match);
        });
      });
      // Nobody reads stdout. More than a pipe and the writer's bound can hold is logged: 2,000 lines of 1 KiB.
      const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
      const long = 'x'.repeat(1_000);
      const once = (): Promise<number> =>
        new Promise((resolve, reject) => {
          http
            .get(`${url}${long}`, { agent }, (response) => {
              response.resume().on('end', () => {
                resolve(response.statusCode ?? 0);
              });
            })
            .on('error', reject);
        });
      for (let round = 0; round < 250; round += 1) {
        expect(await Promise.all(Array.from({ length: 8 }, once))).toEqual(Array.from({ length: 8 }, () => 200));
      }
      agent.destroy();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      // The last lines cannot be written: that does not hold the end up either.
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('the end of a server', () => {
  it('at SIGTERM comes after the last byte of what runs, and ends an app that leaves timers', async () => {
    const { child, urls } = await commands.serve(['app.js', '-p', '0']);
    const url = urls[0] ?? '';
    const running = ask(`${url}slow`);
    await child.waitFor(/^began$/m);
    const stopping = child.stop('SIGTERM');
    await child.waitFor(/waiting for one running request, 10 s at most; a second signal ends them at once/);
    // Refused, or reset when it came in the very moment of closing.
    await expect(ask(url)).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN(?:REFUSED|RESET)$/) });
    expect(await running).toEqual({ status: 200, body: '0123456789' });
    expect(await stopping).toMatchObject({ code: 0, signal: null });
  });

  it('comes at once with a second signal: 130 and 143', async () => {
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const { child, urls } = await commands.serve(['app.js', '-p', '0']);
      const running = ask(`${urls[0] ?? ''}forever`).catch((error: unknown) => error);
      await child.waitFor(/^began$/m);
      process.kill(child.pid, signal);
      await child.waitFor(/waiting for one running request/);
      process.kill(child.pid, signal);
      expect(await child.ended).toMatchObject({ code: expected, signal: null });
      await running;
    }
  });

  it('comes after --drain-timeout when a request does not end', async () => {
    const { child, urls } = await commands.serve(['app.js', '-p', '0', '--drain-timeout', '0.2']);
    const running = ask(`${urls[0] ?? ''}forever`);
    const failed = expect(running).rejects.toMatchObject({ code: 'ECONNRESET' });
    await child.waitFor(/^began$/m);
    expect(await child.stop('SIGINT')).toMatchObject({ code: 0 });
    await failed;
  });

  it('comes at once while the app still starts', async () => {
    commands.write(
      'starting.js',
      `import { asgi } from ${JSON.stringify(path.join(root, 'dist/src/index.js'))};
      export default asgi(async (scope, receive) => { if (scope.type === 'lifespan') { await receive(); console.error('starting'); await new Promise(() => setInterval(() => {}, 1000)); } });`,
    );
    const child = commands.start(['server', 'starting.js', '-p', '0']);
    await child.waitFor(/^starting$/m);
    expect(await child.stop('SIGINT')).toMatchObject({ code: 130, stdout: '' });
  });
});

describe('hface-ts client', () => {
  let workshop: Workshop;
  beforeAll(async () => {
    workshop = await openWorkshop();
  });
  afterAll(() => {
    workshop.dispose();
  });

  const foreign: readonly (readonly [
    string,
    (program: string, shop: Workshop, files: string) => Promise<ForeignServer>,
  ])[] = [
    ['nginx', startNginx],
    ['caddy', startCaddy],
  ];
  describe.each(foreign)('with %s', (name, start) => {
    const program = findProgram(name);
    let server: ForeignServer | undefined;
    beforeAll(async () => {
      commands.write('files/hello.txt', 'Hello from a file\n');
      commands.write('files/words.txt', 'the same words again '.repeat(2_000));
      if (program !== undefined) server = await start(program, workshop, commands.path('files'));
    });
    afterAll(() => server?.stop());
    const url = (scheme: 'http' | 'https', target: string): string => `${server?.[scheme] ?? ''}${target}`;

    it.skipIf(program === undefined)('gets files over http and https', async () => {
      const words = ['client', '--cacert', workshop.caFile, url('http', '/hello.txt'), url('https', '/hello.txt')];
      expect(await commands.run(words)).toMatchObject({ code: 0, stdout: 'Hello from a file\n'.repeat(2), stderr: '' });
    });

    it.skipIf(program === undefined)('follows, decodes, names files, shows heads', async () => {
      const followed = await commands.run(['client', '-sL', url('http', '/redirect')]);
      expect(followed).toMatchObject({ code: 0, stdout: 'Hello from a file\n' });
      const packed = name === 'nginx' ? '/packed/words.txt' : '/words.txt';
      const decoded = await commands.run(['client', '--compressed', '-i', url('http', packed)]);
      expect(decoded.stdout).toMatch(/^content-encoding: gzip\r$/im);
      expect(decoded.stdout).toContain('the same words again '.repeat(2_000));
      commands.write(`${name}/there.txt`, '');
      const named = { cwd: commands.path(name) };
      expect(await commands.run(['client', '-O', url('http', '/hello.txt')], named)).toMatchObject({ code: 0 });
      expect(readFileSync(commands.path(`${name}/hello.txt`), 'utf8')).toBe('Hello from a file\n');
      expect(await commands.run(['client', '-O', url('http', '/hello.txt')], named)).toMatchObject({ code: 23 });
      expect(await commands.run(['client', '-f', url('http', '/nothing')])).toMatchObject({ code: 22 });
      const head = await commands.run(['client', '-I', url('http', '/hello.txt')]);
      expect(head.stdout).toMatch(/^HTTP\/1\.1 200 \r\n[^]*content-length: 18\r\n[^]*\r\n\r\n$/i);
    });
  });

  it('gets 64 MiB through a pipe as they are', async () => {
    const { child, urls } = await commands.serve(['hface-ts/examples/echo', '-p', '0']);
    const megabytes = Buffer.alloc(64 << 20, 'abcdefghijklmnop');
    commands.write('large.bin', megabytes);
    const client = spawn(process.execPath, [script, 'client', '-X', 'POST', '-F', 'f=@large.bin', urls[0] ?? ''], {
      cwd: commands.folder,
      env: childEnvironment(commands.environment),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let length = 0;
    for await (const chunk of client.stdout) length += (chunk as Buffer).length;
    // The form's own lines stand around the file.
    expect(length).toBeGreaterThan(megabytes.length);
    expect(length).toBeLessThan(megabytes.length + 1_000);
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('ends with 23 when its reader leaves', async () => {
    const { child, urls } = await commands.serve(['files', '-p', '0']);
    commands.write('files/many.bin', Buffer.alloc(16 << 20, 'x'));
    const client = spawn(process.execPath, [script, 'client', `${urls[0] ?? ''}many.bin`], {
      cwd: commands.folder,
      env: childEnvironment(commands.environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let messages = '';
    client.stderr.setEncoding('utf8').on('data', (text: string) => {
      messages += text;
    });
    client.stdout.once('data', () => client.stdout.destroy());
    const code = await new Promise((resolve) => client.once('close', resolve));
    expect({ code, messages }).toEqual({
      code: 23,
      messages: expect.stringMatching(/^hface-ts: nobody reads the output any more\n {2}at http:.*\n$/),
    });
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('ends at once at Ctrl-C, without a word, though nobody reads its output', async () => {
    const { child, urls } = await commands.serve(['files', '-p', '0']);
    commands.write('files/many.bin', Buffer.alloc(16 << 20, 'x'));
    const client = spawn(process.execPath, [script, 'client', `${urls[0] ?? ''}many.bin`], {
      cwd: commands.folder,
      env: childEnvironment(commands.environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let messages = '';
    client.stderr.setEncoding('utf8').on('data', (text: string) => {
      messages += text;
    });
    // Some bytes are read, then no more: its writes are stuck.
    await new Promise((resolve) => client.stdout.once('readable', resolve));
    client.kill('SIGINT');
    const code = await new Promise((resolve) => client.once('exit', resolve));
    expect({ code, messages }).toEqual({ code: 130, messages: '' });
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('asks a server whose name nobody knows: 6', async () => {
    const run = await commands.run(['client', 'http://no-such-host.invalid/']);
    expect(run).toMatchObject({
      code: 6,
      stdout: '',
      stderr: expect.stringMatching(/^hface-ts: .*no-such-host\.invalid/),
    });
  });
});
