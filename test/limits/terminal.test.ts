/**
 * What a peer may do to a terminal, to files and to secrets through the command line and the logs: nothing.
 *
 * Control characters (C0, C1, and those that turn the writing direction) are escaped wherever people read; names of
 * files come from the user's URL alone; credentials stand in no log.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import { formatLogLine, lineLogger, redactHeaders } from '../../src/common/index.ts';
import { AppServer } from '../../src/server/index.ts';
import { makeCertificate } from '../support/test-certificates.ts';
import { Lure } from '../support/attack/lure.ts';
import type { Trap } from '../support/attack/lure.ts';
import { TestContext } from '../unit/cli/test-context.ts';

const lure = new Lure();
let trap: Trap;
let folder: string;

beforeAll(async () => {
  trap = await lure.trap();
  folder = mkdtempSync(path.join(tmpdir(), 'hface-terminal-'));
});
afterAll(async () => {
  await lure.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that a terminal obeys, save line feeds and tabs; and what turns the writing direction. */
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
/** The same as octets: ESC and C0; C1 alone or in UTF-8; bidirectional overrides in UTF-8. */
const OBEYED_OCTETS = /[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]/;

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the client command; the hostile server answers with `reply`. */
async function client(words: readonly string[], reply: string, terminal = true): Promise<Run> {
  const context = new TestContext({ terminal, directory: folder });
  const running = main(['client', ...words, trap.url], context);
  const socket = await trap.asked();
  await socket.write(reply);
  await socket.end();
  const code = await running;
  await socket.destroy();
  return { code, stdout: context.stdout, stderr: context.stderr };
}

const attacks: readonly (readonly [name: string, text: string])[] = [
  ['clear the screen', '\x1b[2J\x1b[H'],
  ['set the title', '\x1b]0;owned\x07'],
  ['ask for an answer', '\x1b[6n\x1b[c\x1bP$q"p\x1b\\'],
  ['write the clipboard', '\x1b]52;c;ZXZpbA==\x07'],
  ['a link', '\x1b]8;;http://evil.example\x07here\x1b]8;;\x07'],
  ['C1 as one octet', '\x9b2J\x90\x9d0;owned\x9c'],
  ['C1 in UTF-8', '\xc2\x9b2J\xc2\x9d0;owned\xc2\x9c'],
  ['overwrite a line', 'harmless\rEVIL'],
  ['backspaces', 'rm -rf\b\b\b\b\b\bls    '],
  ['bells', '\x07\x07\x07'],
  ['the other direction', '\xe2\x80\xaetxt.exe\xe2\x81\xa6'],
  ['line separators', '\xe2\x80\xa8\xe2\x80\xa9'],
];

describe('a response on a terminal', () => {
  it.each(attacks)('%s in the body', async (_name, text) => {
    const { stdout, stderr } = await client(
      [],
      `HTTP/1.1 200 OK\r\nContent-Length: ${String(text.length)}\r\n\r\n${text}`,
    );
    expect(stdout).not.toMatch(OBEYED_OCTETS);
    expect(stderr).not.toMatch(OBEYED);
  });

  it.each(attacks)('%s in fields, trailers and reason', async (_name, text) => {
    for (const words of [['-i'], ['-v'], ['-i', '-v'], ['-I']]) {
      const reply =
        `HTTP/1.1 200 ${text}\r\nX-Evil: ${text}\r\nContent-Type: text/${text}\r\n` +
        `Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ${text}\r\n\r\n`;
      const { stdout, stderr } = await client(words, reply);
      expect(stdout.replaceAll('\r\n', '\n'), words.join(' ')).not.toMatch(OBEYED_OCTETS);
      expect(stderr, words.join(' ')).not.toMatch(OBEYED);
    }
  });

  it.each(attacks)('%s in an error', async (_name, text) => {
    for (const reply of [
      text,
      `HTTP/1.1 ${text}\r\n\r\n`,
      `HTTP/1.1 302 Found\r\nLocation: ${text}://x\r\n\r\n`,
      `HTTP/1.1 302 Found\r\nLocation: http://${text}/\r\n\r\n`,
      `HTTP/1.1 200 OK\r\nContent-Length: ${text}\r\n\r\n`,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${text}\r\n\r\n`,
      `HTTP/1.1 200 OK\r\nContent-Encoding: ${text}\r\nContent-Length: 1\r\n\r\nx`,
    ]) {
      const { stdout, stderr } = await client(['-L', '--max-redirs', '0', '-m', '5', '--compressed', '-v'], reply);
      expect(stdout).not.toMatch(OBEYED_OCTETS);
      expect(stderr).not.toMatch(OBEYED);
    }
  });

  it('a write-out of what the server said', async () => {
    for (const [, text] of attacks) {
      const { stdout } = await client(
        ['-s', '-w', '%{http_code} %{content_type} %{redirect_url} %{url_effective}\\n'],
        `HTTP/1.1 302 Found\r\nContent-Type: text/${text}\r\nLocation: /${text}\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(stdout).not.toMatch(OBEYED_OCTETS);
    }
  });

  it('a body with NUL is refused unless asked for', async () => {
    const { code, stdout } = await client([], 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b');
    expect(code).toBe(23);
    expect(stdout).not.toContain('\0');
    const asked = await client(['-o', '-'], 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b');
    expect(asked).toMatchObject({ code: 0, stdout: 'a\0b' });
  });

  it('a sequence that is cut in two pieces', async () => {
    const context = new TestContext({ terminal: true });
    const running = main(['client', trap.url], context);
    const socket = await trap.asked();
    await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
    await socket.pieces(['\xc2', '\x9b2', 'J', '\x1b', '['], 20);
    await running;
    expect(context.stdout).not.toMatch(OBEYED_OCTETS);
    await socket.destroy();
  });

  it('what is not a terminal gets every octet as it came', async () => {
    for (const [, text] of attacks) {
      const reply = `HTTP/1.1 200 OK\r\nContent-Length: ${String(text.length)}\r\n\r\n${text}`;
      expect((await client([], reply, false)).stdout).toBe(text);
    }
  });

  it("a certificate's names", async () => {
    const evil = makeCertificate({ names: ['a.example'], commonName: 'x\x1b[2J\x9b0m' });
    const server = await lure.peer.listen({ cert: evil.certPem, key: evil.key });
    const context = new TestContext({ terminal: true });
    const code = await main(['client', '-v', `https://localhost:${String(server.port)}/`], context);
    expect(code).toBe(60);
    expect(context.stderr).not.toMatch(OBEYED);
    await server.close();
  });

  it('what the user typed comes back escaped as well', async () => {
    for (const words of [
      ['--\x1b[2J'],
      ['-X', 'G\x1b[2JT', 'http://127.0.0.1:1/'],
      ['-H', 'a: \x1b[2J', 'http://127.0.0.1:1/'],
      ['http://\x1b[2J/'],
    ]) {
      const context = new TestContext({ terminal: true });
      await main(['client', ...words], context);
      expect(context.stderr).not.toMatch(OBEYED);
    }
  });
});

describe("a server's logs", () => {
  const SECRETS = {
    authorization: 'Basic c2VjcmV0',
    cookie: 'session=c2VjcmV0',
    'proxy-authorization': 'Bearer c2VjcmV0',
    'set-cookie': 'session=c2VjcmV0',
  };

  it('escape what an app throws, and hold no credentials', async () => {
    const lines: string[] = [];
    const app = new AppServer(
      (request) => {
        const error = new Error(`failed \x1b[2J for ${request.url}\u202e`);
        error.name = 'Evil\x1b]0;x\x07';
        throw error;
      },
      { logger: lineLogger('debug', (line) => lines.push(line)) },
    );
    const running = await app.listen('http://127.0.0.1:0');
    const port = running.endpoints[0]?.port ?? 0;
    const fields = Object.entries(SECRETS).map(([name, value]) => `${name}: ${value}\r\n`);
    await lure.peer.exchange(
      { port },
      `GET /\x7e%1b[2J HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields.join('')}\r\n`,
    );
    await lure.peer.exchange({ port }, `GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n`);
    await lure.peer.exchange({ port }, `\x1b]0;owned\x07\r\n\r\n`);
    await running.close();
    expect(lines.length).toBeGreaterThanOrEqual(1);
    for (const line of lines) {
      expect(line).not.toMatch(OBEYED);
      expect(line).not.toContain('c2VjcmV0');
    }
  });

  it('of requests hold neither control characters nor credentials, in all forms', async () => {
    writeFileSync(path.join(folder, 'app.mjs'), 'export default () => new Response("hello");\n');
    for (const format of ['pretty', 'json', 'clf']) {
      const context = new TestContext({ directory: folder, terminal: true, environment: { HFACE_DATA_DIR: folder } });
      const words = ['server', path.join(folder, 'app.mjs'), 'http://127.0.0.1:0', '--log-format', format];
      const running = main(words, context);
      const [, port] = await context.until(/http:\/\/127\.0\.0\.1:(\d+)/);
      const target = { port: Number(port) };
      const fields = Object.entries(SECRETS).map(([name, value]) => `${name}: ${value}\r\n`);
      const query = 'access_token=c2VjcmV0&password=c2VjcmV0&a=b';
      await lure.peer.exchange(
        target,
        `GET /x?${query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields.join('')}\r\n`,
      );
      await lure.peer.exchange(target, 'GET /%1b[2J%0d%0aFORGED HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await lure.peer.exchange(target, 'GET /"quoted"\\ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      context.signal('SIGTERM');
      expect(await running).toBe(0);
      const log = context.stdout + context.stderr;
      expect(log).not.toMatch(OBEYED);
      expect(log).not.toContain('c2VjcmV0');
      expect(log).not.toMatch(/^FORGED/m);
      expect(log).toContain('%1b[2J');
      if (format === 'clf') expect(log).toContain('\\"quoted\\"');
      if (format === 'json') {
        for (const line of context.stdout.split('\n').filter((text) => text.startsWith('{'))) {
          expect(() => JSON.parse(line) as unknown).not.toThrow();
        }
      }
    }
  });

  it('fields of a message cannot make a line of their own', () => {
    const line = formatLogLine('error', 'a\nerror: forged', { path: '/x\nerror: forged', 'a b': '"\x1b[2J"' });
    expect(line.split('\n')).toHaveLength(1);
    expect(line).not.toMatch(OBEYED);
  });

  it('redactHeaders leaves no credential', () => {
    const list = Object.entries(SECRETS).flat();
    expect(redactHeaders(list).join(' ')).not.toContain('c2VjcmV0');
  });
});

describe("a client's secrets", () => {
  it('stand neither in -v nor in errors', async () => {
    const words = [
      '-v',
      '-u',
      'user:c2VjcmV0-plain',
      '-H',
      'Cookie: a=c2VjcmV0-plain',
      '-H',
      'Proxy-Authorization: c2VjcmV0-plain',
    ];
    const reply = 'HTTP/1.1 200 OK\r\nSet-Cookie: a=c2VjcmV0-plain\r\nContent-Length: 0\r\n\r\n';
    for (const answer of [reply, 'nonsense']) {
      const { stderr } = await client(words, answer);
      expect(stderr).not.toContain('c2VjcmV0-plain');
      expect(stderr).not.toContain(Buffer.from('user:c2VjcmV0-plain').toString('base64'));
    }
  });

  it('of a URL do not come back in errors', async () => {
    for (const url of [
      'http://user:c2VjcmV0@127.0.0.1:1/',
      'http://user:c2VjcmV0@[::',
      'http://user:c2VjcmV0@127.0.0.1:99999/',
      'ftp://user:c2VjcmV0@127.0.0.1/',
    ]) {
      const context = new TestContext();
      expect(await main(['client', '-v', url], context)).not.toBe(0);
      expect(context.stderr, url).not.toContain('c2VjcmV0');
    }
  });

  it('and a Host of its own do not follow a redirect to another origin', async () => {
    const [from, other] = [await lure.trap(), await lure.trap()];
    const context = new TestContext();
    const running = main(
      ['client', '-L', '-u', 'a:b', '-H', 'Host: inside.example', '-H', 'Cookie: a=b', from.url],
      context,
    );
    const first = await from.asked();
    await first.write(`HTTP/1.1 302 Found\r\nLocation: ${other.url}\r\nContent-Length: 0\r\n\r\n`);
    const second = await other.asked();
    const { text } = await second.state();
    await second.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(await running).toBe(0);
    expect(text).not.toMatch(/authorization|cookie|inside\.example/i);
    await Promise.all([first.destroy(), second.destroy()]);
  });
});

describe('the name of a file (-O)', () => {
  it.each([
    '',
    '.bashrc',
    '..',
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e%2fx',
    '%2Fetc%2Fpasswd',
    'a%5c..%5cb',
    'a%00b',
    'a:b',
    'C:x',
    'con',
    'NUL.txt',
    'a|b',
  ])('%j is refused, and nothing is written', async (name) => {
    const before = readdirSync(folder);
    const context = new TestContext({ directory: folder });
    const code = await main(['client', '-O', trap.url + name], context);
    expect(code).not.toBe(0);
    expect(readdirSync(folder)).toEqual(before);
    expect(existsSync(path.join(folder, '..', 'x'))).toBe(false);
  });

  it('is that of the URL, whatever Content-Disposition or a redirect say', async () => {
    const context = new TestContext({ directory: folder });
    const running = main(['client', '-L', '-O', `${trap.url}wanted.txt`], context);
    const first = await trap.asked();
    await first.write(
      'HTTP/1.1 302 Found\r\nLocation: /.ssh/authorized_keys\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    const second = await trap.asked();
    await second.write(
      'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="../../.profile"\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody',
    );
    expect(await running).toBe(0);
    expect(readFileSync(path.join(folder, 'wanted.txt'), 'utf8')).toBe('body');
    expect(readdirSync(folder)).not.toContain('.profile');
    await Promise.all([first.destroy(), second.destroy()]);
  });

  it.each([
    ['../../.profile', undefined],
    ['.bashrc', undefined],
    ['..\\\\..\\\\given.txt', 'given.txt'],
    ['/etc/given.txt', 'given.txt'],
    ['con', undefined],
  ])('with -J is at most the last part of what the server says: %s', async (said, expected) => {
    const inner = mkdtempSync(path.join(folder, 'named-'));
    const context = new TestContext({ directory: inner });
    const running = main(['client', '-O', '-J', `${trap.url}of-the-url.txt`], context);
    const socket = await trap.asked();
    await socket.write(
      `HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="${said}"\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody`,
    );
    expect(await running).toBe(0);
    expect(readdirSync(inner)).toEqual([expected ?? 'of-the-url.txt']);
    await socket.destroy();
  });

  it('of a file or a link that is there is not written to', async () => {
    writeFileSync(path.join(folder, 'precious'), 'mine');
    if (process.platform !== 'win32') symlinkSync('precious', path.join(folder, 'link'));
    for (const name of process.platform === 'win32' ? ['precious'] : ['precious', 'link']) {
      const context = new TestContext({ directory: folder });
      const running = main(['client', '-O', trap.url + name], context);
      const socket = await trap.asked();
      await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nevil');
      expect(await running).toBe(23);
      expect(readFileSync(path.join(folder, 'precious'), 'utf8')).toBe('mine');
      await socket.destroy();
    }
  });
});
