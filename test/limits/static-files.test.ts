/**
 * An attacker's tour of a served folder: paths that lead out of it, names that are more than names, files that are
 * none, ranges that cost more than the file.
 *
 * RFC 3986 sections 2.1, 5.2.4, 7.3; RFC 9110 sections 4.2.3, 14.2, 17.3, 17.15. CVE-2011-3192 and the many about
 * `..`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { staticFiles } from '../../src/app/index.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';

const SECRET = 'TOP-SECRET';
const POSIX = process.platform !== 'win32';
const siege = new Siege();
let folder: string;
let victim: Victim;
let socketFile: ReturnType<typeof createServer> | undefined;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hface-static-'));
  const root = path.join(folder, 'public');
  const write = (name: string, content: string): void => writeFileSync(path.join(folder, name), content);
  mkdirSync(path.join(root, 'sub', 'deep'), { recursive: true });
  mkdirSync(path.join(root, '.git'));
  mkdirSync(path.join(folder, 'publicity'));
  write('secret.txt', SECRET);
  write('publicity/secret.txt', SECRET);
  write('public/index.html', 'index');
  write('public/meanwhile', 'meanwhile');
  write('public/a.txt', 'hello');
  write('public/big.bin', 'x'.repeat(1 << 20));
  write('public/sub/b.txt', 'below');
  write('public/.env', SECRET);
  write('public/.git/config', SECRET);
  write('public/sub/.htpasswd', SECRET);
  write('public/~', 'tilde');
  if (POSIX) {
    // What Linux takes for a name, and Windows for something else.
    for (const name of ['a.txt:stream', 'con', 'AUX.txt', 'prn .txt', 'lpt1', 'trail.', 'trail ', 'PROGRA~1', 'x\\y']) {
      write(`public/${name}`, SECRET);
    }
    symlinkSync('../secret.txt', path.join(root, 'link-out'));
    symlinkSync('..', path.join(root, 'link-up'));
    symlinkSync('/', path.join(root, 'link-root'));
    symlinkSync('/etc/passwd', path.join(root, 'link-passwd'));
    symlinkSync('.env', path.join(root, 'link-dotfile'));
    symlinkSync('.git', path.join(root, 'link-git'));
    symlinkSync('link-loop', path.join(root, 'link-loop'));
    symlinkSync('../publicity', path.join(root, 'link-beside'));
    symlinkSync('/dev/zero', path.join(root, 'link-zero'));
    symlinkSync('/dev/stdin', path.join(root, 'link-stdin'));
    symlinkSync('/proc/self/environ', path.join(root, 'link-proc'));
    symlinkSync('a.txt', path.join(root, 'link-in'));
    execFileSync('mkfifo', [path.join(root, 'fifo')]);
    socketFile = createServer();
    await new Promise<void>((resolve) => socketFile?.listen(path.join(root, 'socket'), resolve));
  }
  victim = await siege.serve(staticFiles(root, { listing: true }));
});
afterAll(async () => {
  await siege.stop();
  await new Promise<void>((resolve) => {
    if (socketFile === undefined) resolve();
    else socketFile.close(() => resolve());
  });
  rmSync(folder, { recursive: true, force: true });
});

async function get(target: string, fields = ''): Promise<string> {
  const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`;
  return (await siege.attacker.exchange(victim.target, request)).text;
}

const up = (separator: string, dots = '..'): string[] => [1, 2, 3, 8].map((depth) => (dots + separator).repeat(depth));

const traversals: readonly string[] = [
  // Dot segments, plain and encoded (RFC 3986 section 5.2.4).
  ...up('/').map((dots) => `/${dots}secret.txt`),
  ...up('/').map((dots) => `/sub/${dots}secret.txt`),
  ...up('/', '%2e%2e').map((dots) => `/${dots}secret.txt`),
  ...up('/', '.%2e').map((dots) => `/${dots}secret.txt`),
  ...up('/', '%2E.').map((dots) => `/${dots}secret.txt`),
  ...up('%2f').map((dots) => `/${dots}secret.txt`),
  ...up('%2F', '%2e%2e').map((dots) => `/${dots}secret.txt`),
  ...up('\\').map((dots) => `/${dots}secret.txt`),
  ...up('%5c').map((dots) => `/${dots}secret.txt`),
  ...up('%5C', '%2e%2e').map((dots) => `/${dots}secret.txt`),
  // Decoded twice.
  ...up('/', '%252e%252e').map((dots) => `/${dots}secret.txt`),
  ...up('%252f').map((dots) => `/${dots}secret.txt`),
  ...up('%255c').map((dots) => `/${dots}secret.txt`),
  '/%25252e%25252e/secret.txt',
  // Overlong and other UTF-8 (RFC 3629 section 10), IIS's %u.
  ...up('/', '%c0%ae%c0%ae').map((dots) => `/${dots}secret.txt`),
  ...up('%c0%af').map((dots) => `/${dots}secret.txt`),
  ...up('%c1%9c').map((dots) => `/${dots}secret.txt`),
  '/%e0%80%ae%e0%80%ae/secret.txt',
  '/%f0%80%80%ae%f0%80%80%ae/secret.txt',
  '/%uff0e%uff0e/secret.txt',
  '/%u002e%u002e/secret.txt',
  '/%ef%bc%8e%ef%bc%8e/secret.txt',
  '/%ef%bc%8e%ef%bc%8e%ef%bc%8fsecret.txt',
  '/..%e2%88%95secret.txt',
  '/%ff%fe/secret.txt',
  '/%ed%a0%80/secret.txt',
  // Mixed with what is there.
  '/sub/../../secret.txt',
  '/sub/%2e%2e/%2e%2e/secret.txt',
  '/./../secret.txt',
  '/.%00./secret.txt',
  '/..;/secret.txt',
  '/..%3b/secret.txt',
  '/...//secret.txt',
  '/....//secret.txt',
  '/..././secret.txt',
  '/a.txt/../../secret.txt',
  '//../secret.txt',
  '///etc/passwd',
  '//etc/passwd',
  '/%2fetc%2fpasswd',
  '/%2f%2fetc/passwd',
  '/../publicity/secret.txt',
  '/../public/../secret.txt',
  // Absolute-form, with a path to climb.
  'http://a/../secret.txt',
  'http://a/%2e%2e%2fsecret.txt',
  // NUL cuts a name in C.
  '/a.txt%00.html',
  '/%00',
  '/sub%00/../../secret.txt',
  // Other control characters.
  '/a.txt%0a',
  '/a.txt%0d%0aX-Injected:%20yes',
  '/%1b[2J',
  '/a.txt%7f',
  // Drives, UNC names, device names, streams, short names, trailing dots and spaces (Windows).
  '/C:/Windows/win.ini',
  '/C%3a%5cWindows%5cwin.ini',
  '/c:secret.txt',
  '//server/share/secret.txt',
  '/%5c%5cserver%5cshare%5csecret.txt',
  '/%5c%5c%3f%5cC:%5csecret.txt',
  '/%5c%5c.%5cPhysicalDrive0',
  '/a.txt::$DATA',
  '/a.txt%3a%3a$DATA',
  '/index.html::$INDEX_ALLOCATION',
  '/a.txt:stream',
  '/a.txt%3Astream',
  '/con',
  '/CON',
  '/con.txt',
  '/AUX.txt',
  '/aux.txt',
  '/prn%20.txt',
  '/nul',
  '/sub/nul.html',
  '/com1',
  '/COM%C2%B9',
  '/lpt1',
  '/LPT9.log',
  '/CONIN$',
  '/PROGRA~1',
  '/SECRET~1.TXT',
  '/INDEX~1.HTM',
  '/trail.',
  '/trail%20',
  '/a.txt.',
  '/a.txt%20',
  '/a.txt%20.',
  '/x%5cy',
  // Dotfiles.
  '/.env',
  '/%2eenv',
  '/.git/config',
  '/%2egit/config',
  '/sub/.htpasswd',
  '/sub/%2ehtpasswd',
  '/.git',
  '/.git/',
  // Links out, and files that are none.
  '/link-out',
  '/link-up/secret.txt',
  '/link-up/',
  '/link-root/etc/passwd',
  '/link-passwd',
  '/link-dotfile',
  '/link-git/config',
  '/link-loop',
  '/link-loop/a.txt',
  '/link-beside/secret.txt',
  '/link-zero',
  '/link-stdin',
  '/link-proc',
  '/fifo',
  '/socket',
  // A file is no folder.
  '/a.txt/',
  '/a.txt/b',
  '/sub/b.txt/',
  // Sizes.
  `/${'a'.repeat(300)}`,
  `/${'a/'.repeat(3_000)}`,
  `/${'%2e/'.repeat(1_000)}secret.txt`,
  `/${'a'.repeat(8_000)}`,
];

describe('a path that leads elsewhere', () => {
  const named = [...new Set(traversals)].map((target) => [target.slice(0, 60), target] as const);

  it.each(named)('%s is not found', async (_name, target) => {
    const text = await get(target);
    expect(text).toMatch(/^HTTP\/1\.1 (404|400|301) /);
    expect(text).not.toContain(SECRET);
    expect(text).not.toMatch(/root:|X-Injected/i);
    // A redirect stays on this server: `//host/` would not.
    const location = /^location: (.*)\r$/im.exec(text)?.[1];
    if (text.startsWith('HTTP/1.1 301')) expect(location).toMatch(/^[^/\\:]+\/(\?.*)?$/);
  });

  it('raw octets above 127 are refused before a file is looked for', async () => {
    for (const target of ['/..\xc0\xafsecret.txt', '/\xff', '/\xe9'])
      expect(await get(target)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('every one of them together leaves memory, descriptors and others alone', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(traversals.slice(0, 100).map((target) => get(target)));
      }
      await atItsHeight();
    });
  });

  it('what belongs to the folder is served', async () => {
    expect(await get('/')).toContain('index');
    expect(await get('/a.txt')).toContain('hello');
    expect(await get('/%61.txt')).toContain('hello');
    expect(await get('/sub/b.txt')).toContain('below');
    expect(await get('/sub/../a.txt')).toContain('hello');
    for (const target of ['/.', '/..', '/%2e', '/sub/%2E%2e/']) expect(await get(target)).toContain('index');
    if (POSIX) expect(await get('/link-in')).toContain('hello');
  });

  it('a list of a folder shows neither dotfiles nor what is not served, and escapes names', async () => {
    if (POSIX) {
      writeFileSync(path.join(folder, 'public', 'sub', '<img src=x onerror=alert(1)>'), 'x');
      writeFileSync(path.join(folder, 'public', 'sub', '"onmouseover="x'), 'x');
      writeFileSync(path.join(folder, 'public', 'sub', 'javascript'), 'x');
    }
    const text = await get('/sub/');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('b.txt');
    expect(text).not.toContain('.htpasswd');
    expect(text).not.toContain('<img');
    expect(text).not.toContain('"onmouseover="x"');
    expect(text).toMatch(/content-security-policy: default-src 'none'/i);
    expect(await get('/')).not.toContain('link-out');
  });

  it('a method that writes is refused', async () => {
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH', 'MKCOL', 'PROPFIND', 'MOVE', 'COPY']) {
      const request = `${method} /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`;
      const { text } = await siege.attacker.exchange(victim.target, request);
      expect(text, method).toMatch(/^HTTP\/1\.1 405 /);
      expect(text).toMatch(/^allow: GET, HEAD/im);
    }
    expect(await get('/a.txt')).toContain('hello');
  });
});

describe('a request for ranges', () => {
  it('of many overlapping pieces costs no more than the file (CVE-2011-3192)', async () => {
    await siege.withstands(victim, async (atItsHeight) => {
      const ranges = Array.from({ length: 1_000 }, (_, index) => `${String(index)}-`).join(',');
      const lengths = await Promise.all(
        Array.from({ length: 10 }, async () => {
          const text = await get('/big.bin', `Range: bytes=0-,${ranges}\r\n`);
          return Number(/^content-length: (\d+)\r$/im.exec(text)?.[1]);
        }),
      );
      for (const length of lengths) expect(length).toBeLessThan(2 << 20);
      await atItsHeight();
    });
  });

  it.each(
    [
      'bytes=0-18446744073709551615',
      'bytes=18446744073709551614-18446744073709551615',
      'bytes=-18446744073709551616',
      'bytes=9223372036854775807-',
      'bytes=5-4',
      'bytes=--5',
      'bytes=+0-4',
      'bytes=0x0-0x4',
      'bytes=,,,,,',
      'bytes=0-4,0-4,0-4',
      'bytes=-0',
      'bytes=a-b',
      'bytes',
      'lines=0-4',
      `bytes=${'0-0,'.repeat(5_000)}0-0`,
      'bytes=0-4\t,\t 2-3',
      'bytes=1e3-',
    ].map((range) => [range.slice(0, 60), range] as const),
  )('%s is answered with 200, 206 or 416, within the size of the file', async (_name, range) => {
    const text = await get('/a.txt', `Range: ${range}\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 (200|206|416) /);
    expect(text).not.toContain(SECRET);
    expect(Number(/^content-length: (\d+)\r$/im.exec(text)?.[1])).toBeLessThan(2_000);
  });

  it('maxOpenFiles: of readers that do not read leaves no file open beyond the bound', async () => {
    const small = await siege.serve(staticFiles(path.join(folder, 'public'), { maxOpenFiles: 3 }));
    const request = 'GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n';
    const sockets = await Promise.all(Array.from({ length: 10 }, () => siege.attacker.connect(small.target)));
    for (const socket of sockets) await socket.pause();
    for (const socket of sockets) await socket.write(request.repeat(8));
    await sleep(100);
    await siege.attacker.destroy(
      sockets.map((socket) => socket.id),
      { reset: true },
    );
    // All places are given back.
    for (let round = 0; round < 5; round += 1) {
      await siege.meanwhile(small);
      await sleep(20);
    }
    expect(small.running.connections.size).toBeLessThanOrEqual(10);
  });
});

describe('a condition', () => {
  it.each(
    [
      ['If-None-Match', `${'"x",'.repeat(5_000)}"y"`],
      ['If-None-Match', '"unterminated'],
      ['If-None-Match', 'W/"\xff"'],
      ['If-Match', '*, *'],
      ['If-Modified-Since', 'Thu, 99 Foo 99999 99:99:99 GMT'],
      ['If-Modified-Since', '9'.repeat(10_000)],
      ['If-Range', '"unterminated'],
      ['Accept-Encoding', `${'gzip;q=0.001,'.repeat(2_000)}*;q=0`],
      ['Accept-Encoding', 'gzip;q=9999999, br;q=-1, *;q=x'],
    ].map(([name, value]) => [name, value?.slice(0, 30), value] as const),
  )('%s with %s costs nothing', async (name, _shown, value) => {
    const began = performance.now();
    const text = await get('/a.txt', `${String(name)}: ${String(value)}\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 (200|304|400|412) /);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
