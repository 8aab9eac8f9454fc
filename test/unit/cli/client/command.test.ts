import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../../cli/main.ts';
import { TestContext } from '../test-context.ts';
import type { Peer } from './peers.ts';
import { parseForm } from './parse-form.ts';
import { httpPeer, rawPeer, runClient } from './peers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-client-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Answers with what it was asked, as JSON; some paths do more. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://host');
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const redirect = /^\/redirect\/(\d+)\/(.*)$/.exec(url.pathname);
    if (redirect !== null) {
      response.writeHead(Number(redirect[1]), { location: `/${redirect[2] ?? ''}`, 'content-type': 'text/plain' });
      response.end('moved');
    } else if (url.pathname === '/away') {
      response.writeHead(302, { location: url.searchParams.get('to') ?? '' }).end();
    } else if (url.pathname === '/status') {
      response.writeHead(Number(url.searchParams.get('code'))).end('the body');
    } else if (url.pathname === '/text') {
      response.end(url.searchParams.get('say') ?? 'text');
    } else if (url.pathname === '/gzip') {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('zipped'));
    } else if (url.pathname === '/bytes') {
      response.end(Buffer.alloc(Number(url.searchParams.get('count')), 'abcdefgh'));
    } else if (url.pathname === '/hints') {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end('hinted');
    } else {
      const { method, headers, rawHeaders } = request;
      const body = Buffer.concat(chunks).toString('latin1');
      response.end(
        JSON.stringify({ method, url: request.url, headers, rawHeaders, body, port: request.socket.remotePort }),
      );
    }
  });
}

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly port: number;
}

let peer: Peer;
let other: Peer;
beforeAll(async () => {
  peer = await httpPeer(answer);
  other = await httpPeer(answer);
});
afterAll(async () => {
  await peer.close();
  await other.close();
});

async function asked(...words: string[]): Promise<Asked> {
  const run = await runClient([...words, `${peer.url}/echo`], { directory: folder });
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(run.stdout) as Asked;
}

describe('the request', () => {
  it('is a GET with few fields', async () => {
    const { method, headers, url } = await asked();
    expect({ method, url }).toEqual({ method: 'GET', url: '/echo' });
    expect(Object.keys(headers).sort()).toEqual(['accept', 'host', 'user-agent']);
    expect(headers).toMatchObject({ accept: '*/*', 'user-agent': expect.stringMatching(/^hface-ts\/\d/) });
  });

  it('has the fields of -H, in their spelling, and none that -H takes away', async () => {
    const { headers, rawHeaders } = await asked(
      '-H',
      'X-Custom: a',
      '-HUser-Agent:',
      '-H',
      'Accept: b',
      '-H',
      'Empty;',
    );
    expect(rawHeaders).toEqual(expect.arrayContaining(['X-Custom', 'a', 'Accept', 'b', 'Empty', '']));
    expect(headers).not.toHaveProperty('user-agent');
    expect(headers['accept']).toBe('b');
    expect((await asked('-H', 'host: example.com')).headers['host']).toBe('example.com');
  });

  it('has the method of -X', async () => {
    expect((await asked('-X', 'DELETE')).method).toBe('DELETE');
    expect((await asked('-XPUT', '-d', 'a')).method).toBe('PUT');
  });

  it('has the body of -d', async () => {
    const { method, headers, body } = await asked('-d', 'a=1', '--data', 'b=2');
    expect({ method, body }).toEqual({ method: 'POST', body: 'a=1&b=2' });
    expect(headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded', 'content-length': '7' });
    expect((await asked('-d', '{}', '-H', 'content-type: application/json')).headers['content-type']).toBe(
      'application/json',
    );
    expect((await asked('-d', '{}', '-H', 'content-type:')).headers).not.toHaveProperty('content-type');
  });

  it('reads -d @- from stdin', async () => {
    const run = await runClient(['-d', '@-', `${peer.url}/echo`], { input: 'typed\n' });
    expect((JSON.parse(run.stdout) as Asked).body).toBe('typed');
  });

  it('has the form of -F', async () => {
    writeFileSync(path.join(folder, 'upload.txt'), 'content');
    const { headers, body, method } = await asked('-F', 'a=1', '-F', 'f=@upload.txt');
    expect(method).toBe('POST');
    const form = await parseForm(Buffer.from(body, 'latin1'), headers['content-type'] ?? '');
    expect([...form]).toEqual([
      ['a', '1'],
      ['f', 'upload.txt: content'],
    ]);
    expect(headers['content-length']).toBe(String(body.length));
  });

  it('carries the credentials of -u or of the URL', async () => {
    expect((await asked('-u', 'me:pass:word')).headers['authorization']).toBe(`Basic ${btoa('me:pass:word')}`);
    const run = await runClient([`${peer.url.replace('//', '//you:secret@')}/echo`]);
    expect((JSON.parse(run.stdout) as Asked).headers['authorization']).toBe(`Basic ${btoa('you:secret')}`);
  });

  it('asks for codings with --compressed, and undoes them', async () => {
    expect((await asked('--compressed')).headers['accept-encoding']).toContain('gzip');
    expect((await runClient(['--compressed', `${peer.url}/gzip`])).stdout).toBe('zipped');
    expect((await runClient([`${peer.url}/gzip`])).stdout).toBe(gzipSync('zipped').toString('latin1'));
  });
});

describe('the response', () => {
  it('has its head before it with -i, interim heads as well', async () => {
    const run = await runClient(['-i', `${peer.url}/text`]);
    expect(run.stdout).toMatch(/^HTTP\/1\.1 200 \r\n(?:[A-Za-z-]+: [^\r\n]+\r\n)+\r\ntext$/);
    expect((await runClient(['-i', `${peer.url}/hints`])).stdout).toMatch(
      /^HTTP\/1\.1 103 \r\nLink: <\/a>; rel=preload\r\n\r\nHTTP\/1\.1 200 \r\n/,
    );
  });

  it('is its head alone with -I', async () => {
    const run = await runClient(['-I', `${peer.url}/text`]);
    expect(run.stdout).toMatch(/^HTTP\/1\.1 200 \r\n[^]*\r\n\r\n$/);
    expect((await runClient(['-I', '-X', 'GET', `${peer.url}/text`])).stdout).toMatch(/\r\n\r\n$/);
  });

  it('passes untouched, and only as fast as stdout takes it', async () => {
    const context = new TestContext();
    let waiting = 0;
    context.onWrite = async () => {
      waiting += 1;
      expect(waiting, 'one write at a time').toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      waiting -= 1;
    };
    const count = 3_000_000;
    expect(await main(['client', `${peer.url}/bytes?count=${count}`], context)).toBe(0);
    expect(createHash('sha256').update(context.stdout).digest('hex')).toBe(
      createHash('sha256').update(Buffer.alloc(count, 'abcdefgh')).digest('hex'),
    );
  });

  it('goes to the files of -o and -O', async () => {
    const words = ['-o', 'one', '-o', '-', `${peer.url}/text?say=1`, `${peer.url}/text?say=2`];
    expect(await runClient(words, { directory: folder })).toEqual({ code: 0, stdout: '2', stderr: '' });
    expect(readFileSync(path.join(folder, 'one'), 'utf8')).toBe('1');
    expect((await runClient(['-O', `${peer.url}/text`], { directory: folder })).code).toBe(0);
    expect(readFileSync(path.join(folder, 'text'), 'utf8')).toBe('text');
    const again = await runClient(['-O', `${peer.url}/text`], { directory: folder });
    expect(again).toMatchObject({ code: 23, stderr: expect.stringContaining('the file is there already') });
  });

  it('is an error from 400 on with -f, and has no body', async () => {
    const run = await runClient(['-f', `${peer.url}/status?code=404`]);
    expect(run).toMatchObject({ code: 22, stdout: '', stderr: expect.stringContaining('the server answered 404') });
    expect(await runClient(['-f', `${peer.url}/status?code=399`])).toMatchObject({ code: 0, stdout: 'the body' });
    expect(await runClient([`${peer.url}/status?code=500`])).toMatchObject({ code: 0, stdout: 'the body' });
  });

  it('is summed up by -w', async () => {
    const format = '[%{http_code} %{method} %{size_download} %{num_redirects} %{url_effective} %header{x-none}]';
    const run = await runClient(['-L', '-w', format, `${peer.url}/redirect/302/text`]);
    expect(run.stdout).toBe(`text[200 GET 4 1 ${peer.url}/text ]`);
    const failed = await runClient(['-s', '-w', '%{http_code} %{exitcode} %{errormsg}', 'http://127.0.0.1:1/']);
    expect(failed).toMatchObject({ code: 7, stdout: expect.stringMatching(/^000 7 .*refused/), stderr: '' });
    const idle = await runClient(['-w', ' %{redirect_url}', `${peer.url}/redirect/301/x`]);
    expect(idle.stdout).toBe(`moved ${peer.url}/x`);
  });

  it('lets no field that -w prints move the cursor', async () => {
    const nasty = await rawPeer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Odd: a\xc2\x9b2J\xc3\xa4\r\n\r\n', 'latin1'),
    );
    const words = ['-w', '%header{x-odd}\\n', nasty.url];
    const shown = await runClient(words, { terminal: true });
    expect(Buffer.from(shown.stdout, 'latin1').toString('utf8')).toBe('a\\x{9b}2Jä\n');
    expect((await runClient(words)).stdout).toBe('a\xc2\x9b2J\xc3\xa4\n');
    await nasty.close();
  });

  it('is silent about errors with -s, unless -S', async () => {
    expect((await runClient(['-s', 'http://127.0.0.1:1/'])).stderr).toBe('');
    expect((await runClient(['-sS', 'http://127.0.0.1:1/'])).stderr).toContain('connection refused');
  });
});

describe('several URLs', () => {
  it('are asked at once and printed in order', async () => {
    let release: (() => void) | undefined;
    const slow = await httpPeer((request, response) => {
      if (request.url === '/last') {
        // It is here while the first one is unanswered: both are under way.
        response.end('3');
        release?.();
      } else if (request.url === '/first') release = () => response.end('1');
      else response.end(request.url?.slice(1));
    });
    try {
      const run = await runClient([`${slow.url}/first`, `${slow.url}/2`, `${slow.url}/last`, '-w', ';']);
      expect(run).toEqual({ code: 0, stdout: '1;2;3;', stderr: '' });
    } finally {
      await slow.close();
    }
  });

  it('share connections, and are more than there can be at once', async () => {
    const urls = Array.from({ length: 100 }, (_, index) => `${peer.url}/text?say=${index}.`);
    const run = await runClient(['-w', '%{num_connects}|', ...urls]);
    expect(run.code).toBe(0);
    const parts = run.stdout.split('|').slice(0, -1);
    expect(parts.map((part) => part.split('.')[0])).toEqual(urls.map((_, index) => String(index)));
    const connections = parts.reduce((sum, part) => sum + Number(part.split('.')[1]), 0);
    expect(connections).toBeLessThanOrEqual(32);
  });

  it('end with the code of the first that failed, and the others are printed', async () => {
    const urls = [
      `${peer.url}/text?say=a`,
      'http://127.0.0.1:1/',
      `${peer.url}/status?code=500`,
      `${peer.url}/text?say=b`,
    ];
    const run = await runClient(['-f', ...urls]);
    expect(run).toMatchObject({ code: 7, stdout: 'ab' });
    expect(run.stderr.match(/^hface-ts: /gm)).toHaveLength(2);
  });
});

describe('redirects', () => {
  it('are the answer without -L', async () => {
    expect(await runClient([`${peer.url}/redirect/302/text`])).toMatchObject({ code: 0, stdout: 'moved' });
  });

  it.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'a=b'],
    [308, 'POST', 'a=b'],
  ])('%d after a POST leads to a %s', async (status, method, body) => {
    const run = await runClient(['-L', '-d', 'a=b', `${peer.url}/redirect/${status}/echo`]);
    expect(JSON.parse(run.stdout)).toMatchObject({ method, body });
  });

  it('show each head with -i', async () => {
    const run = await runClient(['-iL', `${peer.url}/redirect/302/text`]);
    expect(run.stdout.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 302', 'HTTP/1.1 200']);
    expect(run.stdout).not.toContain('moved');
  });

  it('leave credentials behind when they lead to another origin, and -H fields not', async () => {
    const words = ['-L', '-u', 'me:secret', '-H', 'cookie: a', '-H', 'x-own: b'];
    const away = await runClient([...words, `${peer.url}/away?to=${encodeURIComponent(`${other.url}/echo`)}`]);
    const { headers } = JSON.parse(away.stdout) as Asked;
    expect(headers).toMatchObject({ 'x-own': 'b' });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    const home = await runClient([...words, `${peer.url}/away?to=/echo`]);
    expect((JSON.parse(home.stdout) as Asked).headers).toMatchObject({
      authorization: `Basic ${btoa('me:secret')}`,
      cookie: 'a',
    });
  });

  it('are bounded', async () => {
    const loop = `${peer.url}/redirect/302/redirect/302/redirect/302/text`;
    expect(await runClient(['-L', '--max-redirs', '3', loop])).toMatchObject({ code: 0, stdout: 'text' });
    expect(await runClient(['-L', '--max-redirs', '2', loop])).toMatchObject({ code: 47 });
    expect(await runClient(['-L', '--max-redirs', '0', loop])).toMatchObject({ code: 47 });
  });
});

describe('-v', () => {
  it('says of a UDP port where nobody listens what happened, and shows no frame that was never sent', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const where = `127.0.0.1:${String(socket.address().port)}`;
    await new Promise<void>((resolve) => socket.close(resolve));
    const { code, stderr } = await runClient(['-v', '--http3-only', `https://${where}/`]);
    expect(code).toBe(7);
    expect(stderr).toContain(
      `* asking ${where} over UDP\n* ${where} over UDP: a datagram did not arrive: connection refused\n`,
    );
    expect(stderr).not.toMatch(/^[<>]/m);
  });

  it('shows each protocol event, without credentials', async () => {
    const words = ['-v', '-u', 'me:secret', '-d', 'x', '-H', 'x-odd: a\u009bb'];
    const run = await runClient([...words, `${peer.url}/echo`]);
    expect(run.code).toBe(0);
    const lines = run.stderr.split('\n');
    expect(lines[0]).toBe(`* connected to 127.0.0.1:${peer.port} at 127.0.0.1:${peer.port}`);
    expect(lines).toEqual(
      expect.arrayContaining(['> 1.1 Headers', '>   :method: POST', '>   authorization: [redacted]']),
    );
    expect(lines).toEqual(
      expect.arrayContaining(['> 1.1 Data 1 bytes, end', '< 1.1 HeadersReceived HTTP/1.1', '<   :status: 200']),
    );
    expect(lines).toEqual(expect.arrayContaining(['< 1.1 StreamClosed']));
    expect(run.stderr).toContain('x-odd: a\\x{9b}b');
    expect(run.stderr).not.toContain('secret');
    expect(run.stderr).not.toContain(btoa('me:secret'));
  });

  it('shows what did not work', async () => {
    const run = await runClient(['-v', '-s', 'http://127.0.0.1:1/']);
    expect(run.stderr).toMatch(/^\* no connection to 127\.0\.0\.1:1: .*connection refused\n$/);
  });
});

describe('ends that come early', () => {
  it('Ctrl-C aborts at once with 130, SIGTERM with 143', async () => {
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      let arrived: () => void = () => undefined;
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      let gone: () => void = () => undefined;
      const leaving = new Promise<void>((resolve) => {
        gone = resolve;
      });
      const hanging = await rawPeer((socket) => {
        socket.on('close', gone);
        arrived();
      });
      const context = new TestContext();
      const code = main(['client', `${hanging.url}/`], context);
      await arrival;
      context.signal(signal);
      expect(await code).toBe(expected);
      expect(context.stderr).toBe('');
      expect(context.listening).toBe(false);
      await leaving;
      await hanging.close();
    }
  });

  it('a reader of stdout that leaves ends the transfer with 23', async () => {
    const context = new TestContext();
    context.onWrite = () => {
      if (context.stdout.length > 0) throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    };
    expect(await main(['client', `${peer.url}/bytes?count=10000000`], context)).toBe(23);
    expect(context.stderr).toMatch(/^hface-ts: nobody reads the output any more\n/);
  });

  it('what came of a file stays when the transfer breaks off, as with curl', async () => {
    const breaking = await rawPeer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    try {
      const run = await runClient(['-o', 'part', breaking.url], { directory: folder });
      expect(run.code).toBe(18);
      expect(readFileSync(path.join(folder, 'part'), 'utf8')).toBe('abc');
    } finally {
      await breaking.close();
    }
  });

  it('no file is made when nothing came', async () => {
    expect((await runClient(['-o', 'nothing', 'http://127.0.0.1:1/'], { directory: folder })).code).toBe(7);
    expect(existsSync(path.join(folder, 'nothing'))).toBe(false);
  });
});
