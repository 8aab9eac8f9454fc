/**
 * `hface-ts client` beside curl: the same options against the same server, and the same mistakes.
 *
 * What is compared is the request on the wire, the output, the files and the exit code. Where ours differs on purpose
 * the row says so.
 *
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientCommand } from '../../cli/client/options.ts';
import { main } from '../../cli/main.ts';
import { runChild } from '../support/child.ts';
import { TestContext } from '../unit/cli/test-context.ts';
import { findProgram } from './support/peers.ts';

const curl = findProgram('curl') ?? '';
const base = mkdtempSync(path.join(tmpdir(), 'hface-ts-curl-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A request as it came. */
interface Seen {
  readonly method: string;
  readonly target: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

const seen: Seen[] = [];
let failures = 0;

function respond(request: http.IncomingMessage, response: http.ServerResponse, body: string): void {
  const { pathname } = new URL(request.url ?? '/', 'http://host');
  seen.push({ method: request.method ?? '', target: request.url ?? '', fields: comparable(request.headers), body });
  switch (pathname) {
    case '/cookie':
      response.setHeader('set-cookie', [
        'a=1; Path=/',
        'b=2; Path=/; HttpOnly',
        'c=3; Path=/elsewhere',
        'd=4; Domain=x.test',
      ]);
      response.end('cookies\n');
      return;
    case '/set-and-go':
      response.writeHead(302, { 'set-cookie': 'went=1; Path=/', location: '/there' }).end();
      return;
    case '/named':
      response.setHeader('content-disposition', 'attachment; filename="given name.txt"');
      response.end('named\n');
      return;
    case '/again':
      response.writeHead(307, { location: '/there' }).end();
      return;
    case '/gzip':
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('zipped'.repeat(1_000)));
      return;
    case '/404':
      response.writeHead(404).end('missing\n');
      return;
    case '/flaky':
      failures += 1;
      response.writeHead(failures < 3 ? 503 : 200, failures < 3 ? { 'retry-after': '0' } : {}).end(`try ${failures}\n`);
      return;
    default:
      response.end('ok\n');
  }
}

/** Fields without what names the client itself, its connection or a boundary. */
function comparable(headers: http.IncomingHttpHeaders): Record<string, string> {
  const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(
    fields
      .filter(([name, value]) => name !== 'expect' && name !== 'connection' && !/^(curl|hface-ts)\//.test(value))
      .map(([name, value]) => [name, value.replace(/boundary=.*/, 'boundary')]),
  );
}

let server: http.Server;
let url = '';
let port = 0;
let closedPort = 0;
beforeAll(async () => {
  server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => respond(request, response, body));
  });
  const closed = net.createServer();
  for (const each of [server, closed]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  closedPort = (closed.address() as AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));
  url = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  failures = 0;
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly requests: readonly Seen[];
  readonly files: Readonly<Record<string, string>>;
}

let folders = 0;
/** A folder with what the rows read. */
function newFolder(): string {
  folders += 1;
  const folder = path.join(base, String(folders));
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'f.txt'), 'line 1\nline 2\r\n');
  writeFileSync(path.join(folder, 'jar.txt'), '127.0.0.1\tFALSE\t/\tFALSE\t1999999999\tkept\tyes\n');
  return folder;
}

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => name !== 'f.txt' && name !== 'jar.txt');
  return Object.fromEntries(
    files.map((name) => {
      const at = path.join(folder, name);
      return [name, existsSync(at) && readdirSyncOrUndefined(at) === undefined ? readFileSync(at, 'latin1') : 'folder'];
    }),
  );
}

function readdirSyncOrUndefined(at: string): string[] | undefined {
  try {
    return readdirSync(at);
  } catch {
    return undefined;
  }
}

function filled(words: readonly string[]): string[] {
  return words.map((word) =>
    word.replaceAll('{url}', url).replaceAll('{port}', String(port)).replaceAll('{closed}', String(closedPort)),
  );
}

async function byCurl(words: readonly string[], input: string): Promise<Outcome> {
  const folder = newFolder();
  seen.length = 0;
  failures = 0;
  const { code, stdout } = await runChild(curl, ['-sS', ...filled(words)], { cwd: folder, input, env: { HOME: base } });
  return { code, stdout, requests: [...seen], files: filesOf(folder) };
}

async function byOurs(words: readonly string[], input: string): Promise<Outcome & { readonly stderr: string }> {
  const directory = newFolder();
  seen.length = 0;
  failures = 0;
  const context = new TestContext({ directory, input, environment: { HFACE_DATA_DIR: base } });
  const code = await main(['client', '-sS', ...filled(words)], context);
  const { stdout, stderr } = context;
  return { code, stdout, stderr, requests: [...seen], files: filesOf(directory) };
}

/** Ours and curl's are the same in all that is compared. */
async function expectAlike(words: readonly string[], input = ''): Promise<Outcome> {
  const theirs = await byCurl(words, input);
  const { stderr, ...ours } = await byOurs(words, input);
  expect(ours, stderr).toEqual(theirs);
  return theirs;
}

describe.skipIf(curl === '')('beside curl', () => {
  it.each<readonly string[]>([
    ['{url}/'],
    ['-A', 'me', '{url}/'],
    ['-A', '', '{url}/'],
    ['-A', 'a', '-H', 'User-Agent: b', '{url}/'],
    ['-e', 'http://before/', '{url}/'],
    ['-L', '-e', 'http://before/;auto', '{url}/again'],
    ['-L', '-e', 'http://before/', '{url}/again'],
    ['-d', 'a=1', '-d', '@f.txt', '{url}/'],
    ['-d', 'a', '--data-raw', '@f.txt', '--data-binary', '@f.txt', '--data-ascii', 'z', '{url}/'],
    ['--data-urlencode', 'a b', '--data-urlencode', '=c&', '--data-urlencode', 'n=é/*~-._', '{url}/'],
    ['--data-urlencode', 'n@f.txt', '--data-urlencode', '@f.txt', '{url}/'],
    ['--json', '{"a":1}', '{url}/'],
    ['--json', '{"a":', '--json', '1}', '{url}/'],
    ['--json', '1', '-d', 'x', '-H', 'Accept: y', '{url}/'],
    ['-d', 'x', '--json', '@f.txt', '{url}/'],
    ['-G', '-d', 'a=1', '-d', 'b=2', '{url}/p?q=0'],
    ['-G', '--data-urlencode', 'a=b c&d', '{url}/p'],
    ['-G', '-I', '-d', 'a', '-o', '/dev/null', '{url}/p'],
    ['-G', '--json', 'a', '{url}/p'],
    ['-G', '{url}/p'],
    ['-X', 'GET', '-d', 'x', '{url}/'],
    ['-T', 'f.txt', '{url}/folder/'],
    ['-T', 'f.txt', '{url}'],
    ['-T', 'f.txt', '{url}/name'],
    ['-T', 'f.txt', '-X', 'POST', '{url}/name'],
    ['-T', 'f.txt', '-H', 'Content-Type: a/b', '{url}/name'],
    ['-L', '-T', 'f.txt', '{url}/again'],
    ['-L', '-d', 'x', '{url}/again'],
    ['-b', 'a=b; c=d', '{url}/'],
    ['-b', 'a=b', '-H', 'Cookie: x=y', '{url}/'],
    ['-L', '-b', '', '{url}/set-and-go'],
    ['-L', '{url}/set-and-go'],
    ['-b', 'jar.txt', '{url}/'],
    ['-b', 'jar.txt', '-b', 'more=1', '{url}/'],
    ['-b', 'nofile', '{url}/'],
    ['-j', '-b', 'jar.txt', '{url}/'],
    ['-O', '-J', '{url}/named'],
    ['-O', '-J', '{url}/unnamed'],
    ['-O', '{url}/named'],
    ['--create-dirs', '-o', 'a/b/c', '{url}/'],
    ['-N', '{url}/'],
    ['-#', '{url}/'],
    ['--no-progress-meter', '{url}/'],
    ['-f', '{url}/404'],
    ['--fail-with-body', '{url}/404'],
    ['--fail-with-body', '{url}/'],
    ['--connect-to', 'foo.test:80:127.0.0.1:{port}', 'http://foo.test/'],
    ['--connect-to', '::127.0.0.1:{port}', 'http://foo.test/'],
    ['--connect-to', 'other.test:80:127.0.0.1:9', '{url}/'],
    ['--resolve', 'foo.test:{port}:127.0.0.1', 'http://foo.test:{port}/'],
    ['--resolve', 'foo.test:{port}:[::1],127.0.0.1', 'http://foo.test:{port}/'],
    ['--resolve', '*:{port}:127.0.0.1', 'http://any.test:{port}/'],
    ['-4', 'http://localhost:{port}/'],
    ['--retry', '3', '--retry-delay', '1', '{url}/flaky', '-o', 'out'],
    ['-w', '%{http_code} %{response_code} %{size_download} %{size_upload} %{num_redirects} %{num_connects}', '{url}/'],
    ['-w', '%{url} %{url_effective} %{urlnum} %{http_version} %{method} %{content_type}', '{url}/'],
    ['-w', '%{remote_ip} %{remote_port} %{local_ip} %{exitcode} [%{errormsg}] %{filename_effective}', '{url}/'],
    ['-w', '%{redirect_url} %{ssl_verify_result} %{time_appconnect}', '{url}/again'],
    ['-L', '-w', '%{num_redirects} %{url_effective} [%{redirect_url}]', '{url}/again'],
    ['-e', 'r', '-w', '%{referer} %{http_connect}', '{url}/'],
    ['-w', '%header{content-length} %header{None}', '{url}/'],
    ['-w', '%%{x} \\n\\t\\\\n \\x %', '{url}/'],
    ['-d', 'abc', '-w', '%{size_upload}', '{url}/'],
    ['--compressed', '-H', 'Accept-Encoding: gzip', '-w', '%{size_download}', '{url}/gzip'],
    ['-w', 'a%{stderr}b%{stdout}c', '{url}/'],
    ['-f', '-w', '%{exitcode} %{onerror}failed', '{url}/404'],
    ['-w', '%{exitcode} %{onerror}failed', '{url}/'],
  ])('%j %j %j %j %j %j', async (...words) => {
    await expectAlike(words);
  });

  it('uploads stdin in chunks', async () => {
    const { requests } = await expectAlike(['-T', '-', '{url}/x'], 'typed\n');
    expect(requests).toEqual([
      expect.objectContaining({
        method: 'PUT',
        body: 'typed\n',
        fields: expect.objectContaining({ 'transfer-encoding': 'chunked' }),
      }),
    ]);
  });

  it.each<readonly [words: readonly string[], code: number]>([
    [['http://127.0.0.1:{closed}/'], 7],
    [['--retry', '1', '--retry-delay', '1', '--retry-connrefused', 'http://127.0.0.1:{closed}/'], 7],
    [['http://host.invalid/'], 6],
    [['ftp://127.0.0.1/'].map((word) => word.replace('ftp', 'nosuch')), 1],
    [['-6', '{url}/'], 7],
    [['--unix-socket', 'nosocket', '{url}/'], 7],
    [['--resolve', 'foo.test:80', 'http://foo.test/'], 49],
    [['--resolve', 'foo.test:80:nowhere', 'http://foo.test/'], 49],
    [['-G', '-d', 'a b', '{url}/'], 3],
    [['-T', 'nofile', '{url}/'], 26],
    [['-F', 'a=@nofile', '{url}/'], 26],
    [['-T', 'f.txt', '-d', 'x', '{url}/'], 2],
    [['-T', 'f.txt', '-F', 'x=y', '{url}/'], 2],
    [['-T', 'f.txt', '-I', '{url}/'], 2],
    [['-G', '-d', 'a', '-T', 'f.txt', '{url}/'], 2],
    [['-I', '-d', 'x', '{url}/'], 2],
    [['-O', '-J', '-i', '{url}/named'], 2],
    [['-f', '--fail-with-body', '{url}/'], 2],
    [['--retry', 'often', '{url}/'], 2],
    [['--connect-timeout', 'soon', '{url}/'], 2],
    [['-o', 'no/such/folder', '{url}/'], 23],
    [['-O', '{url}/'], 23],
    [['-f', '{url}/404'], 22],
    [['--fail-with-body', '{url}/404'], 22],
    [['-L', '--max-redirs', '0', '{url}/again'], 47],
    [['-L', '-T', '-', '{url}/again'], 65],
    [['--nosuchoption', '{url}/'], 2],
    [['-c', 'no/such/jar', '{url}/cookie'], 0],
  ])('%j: both end with %i', async (words, code) => {
    const theirs = await byCurl(words, 'typed');
    const ours = await byOurs(words, 'typed');
    expect({ curl: theirs.code, ours: ours.code }, ours.stderr).toEqual({ curl: code, ours: code });
  });

  it('-c writes a file that curl reads, and reads the one that curl writes', async () => {
    const theirs = await byCurl(['-c', 'new.txt', '{url}/cookie'], '');
    const ours = await byOurs(['-c', 'new.txt', '{url}/cookie'], '');
    const lines = (text = ''): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
    expect(lines(ours.files['new.txt']).sort()).toEqual(lines(theirs.files['new.txt']).sort());
    const folder = newFolder();
    writeFileSync(path.join(folder, 'ours.txt'), ours.files['new.txt'] ?? '');
    seen.length = 0;
    await runChild(curl, ['-sS', '-b', path.join(folder, 'ours.txt'), `${url}/elsewhere`]);
    expect(seen[0]?.fields['cookie']?.split('; ').sort()).toEqual(['a=1', 'b=2', 'c=3']);
  });

  it('has every option of curl, or refuses it by its name', async () => {
    const { stdout } = await runChild(curl, ['--help', 'all']);
    const names = [...stdout.matchAll(/^ *(?:-(.), )?--([\w.-]+)/gm)];
    expect(names.length).toBeGreaterThan(200);
    const rows = clientCommand.options;
    const known = (name: string): boolean =>
      clientCommand.refused.has(name) || rows.some((row) => row.name === name || row.short === name);
    const strangers = names.flatMap(([, letter, name = '']) =>
      [letter, name].filter((each) => each !== undefined && !known(each)),
    );
    expect(strangers.filter((name) => name !== 'help' && name !== 'h')).toEqual([]);
    // And nothing is refused that is there.
    expect(
      rows.flatMap((row) => [row.name, row.short ?? '']).filter((name) => clientCommand.refused.has(name)),
    ).toEqual([]);
  });
});
