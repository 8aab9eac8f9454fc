import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDevelopmentCa } from '../../../../src/certificates/index.ts';
import { exitCodeOfTransfer } from '../../../../cli/client/exit-codes.ts';
import { NetworkError, RemoteProtocolError } from '../../../../src/common/index.ts';
import { SystemNetworking } from '../../../../src/networking/index.ts';
import { makeCertificate } from '../../../support/test-certificates.ts';
import type { Peer } from './peers.ts';
import { listening, rawPeer, runClient } from './peers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-codes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = path.join(folder, 'data');
const options = { directory: folder, environment: { HFACE_DATA_DIR: data } };

const ok = 'HTTP/1.1 200 OK\r\n';
/** How the server answers a request for each path. */
const answers: Readonly<Record<string, (socket: net.Socket) => void>> = {
  '/close': (socket) => socket.end(),
  '/reset': (socket) => socket.resetAndDestroy(),
  '/half-head': (socket) => socket.end(`${ok}Content-Le`),
  '/short': (socket) => socket.end(`${ok}Content-Length: 10\r\n\r\nabc`),
  '/short-chunks': (socket) => socket.end(`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`),
  '/bad-chunk': (socket) => socket.end(`${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`),
  '/reset-body': (socket) =>
    socket.write(`${ok}Content-Length: 10\r\n\r\nabc`, () => setImmediate(() => socket.resetAndDestroy())),
  '/ssh': (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
  '/no-colon': (socket) => socket.end(`${ok}foo\r\n\r\n`),
  '/two-framings': (socket) => socket.end(`${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`),
  '/huge-head': (socket) => socket.end(`${ok}A: ${'x'.repeat(200_000)}\r\n\r\n`),
  '/hang': () => undefined,
  '/drip': (socket) => socket.write(`${ok}Content-Length: 10\r\n\r\nabc`),
  '/loop': (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /loop\r\nConnection: close\r\n\r\n'),
  '/ftp': (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: ftp://localhost/\r\nContent-Length: 0\r\n\r\n'),
  '/bad-location': (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n'),
  '/missing': (socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
  '/again': (socket) => socket.end('HTTP/1.1 307 Again\r\nLocation: /again\r\nConnection: close\r\n\r\n'),
  '/bad-gzip': (socket) => socket.end(`${ok}Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc`),
  '/close-delimited': (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nabc'),
};

let raw: Peer;
beforeAll(async () => {
  raw = await rawPeer((socket, request) => answers[request.split(' ')[1] ?? '']?.(socket));
});
afterAll(() => raw.close());

/** Three lines at most: the cause, the place, the next command. */
function expectFailure(stderr: string): void {
  const lines = stderr.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^hface-ts: \S/);
  expect(lines.length).toBeLessThanOrEqual(3);
  for (const line of lines.slice(1)) expect(line).toMatch(/^ {2}(at|try:) \S/);
}

describe("curl's exit codes, from real failures", () => {
  it.each([
    ['/close', [], 52],
    ['/reset', [], 56],
    ['/half-head', [], 56],
    ['/short', [], 18],
    ['/short-chunks', [], 18],
    ['/bad-chunk', [], 56],
    ['/reset-body', [], 56],
    ['/ssh', [], 1],
    ['/no-colon', [], 8],
    ['/two-framings', [], 8],
    ['/huge-head', [], 56],
    ['/hang', ['-m', '0.05'], 28],
    ['/drip', ['-m', '0.05'], 28],
    ['/loop', ['-L'], 47],
    ['/ftp', ['-L'], 1],
    ['/bad-location', ['-L'], 3],
    ['/missing', ['-f'], 22],
    ['/bad-gzip', ['--compressed'], 61],
    ['/close-delimited', [], 0],
    ['/missing', [], 0],
    ['/close', ['-o', '/no/such/folder/file'], 52],
    ['/close-delimited', ['-o', '/no/such/folder/file'], 23],
    ['/close', ['-d', '@no-such-file'], 26],
    ['/close', ['-F', 'a=@no-such-file'], 26],
    ['/close', ['-H', 'a b: c'], 2],
    ['/close', ['-H', 'a: b\nc'], 2],
    ['/close', ['-X', 'A B'], 2],
    ['/close', ['-H', 'connection: close'], 2],
    ['/close', ['--cacert', 'no-such-file'], 77],
    ['/close', ['--cert', 'no-such-file'], 58],
    ['/close', ['--nonsense'], 2],
    ['/close', ['--resolve', 'localhost:80'], 49],
    ['/again', ['-L', '-T', '-'], 65],
    ['/missing', ['--fail-with-body'], 22],
    ['/close', ['-G', '-d', 'a b'], 3],
    ['/close', ['-T', 'no-such-file'], 26],
    ['/close', ['-T', '.', '-d', 'a'], 2],
    ['/close', ['--unix-socket', 'no-such-socket'], 7],
    ['/close', ['-6'], 7],
  ])('%s %j: %d', async (target, words, expected) => {
    const run = await runClient([...words, `${raw.url}${target}`], options);
    expect(run.code).toBe(expected);
    if (expected === 0) expect(run.stderr).toBe('');
    else expectFailure(run.stderr);
  });

  it.each([
    ['http://[', 3],
    ['ftp://localhost/', 1],
    ['http://127.0.0.1:1/', 7],
  ])('%s: %d', async (url, expected) => {
    const run = await runClient([url], options);
    expect(run.code).toBe(expected);
    expectFailure(run.stderr);
  });

  it.each([
    // SETTINGS, then DATA on the connection, which has none (RFC 9113 section 6.1).
    ['breaks the rules of HTTP/2', '000000040000000000' + '00000100000000000078', 16],
    // SETTINGS, then RST_STREAM with INTERNAL_ERROR.
    ['resets a stream of HTTP/2', '000000040000000000' + '00000403000000000100000002', 92],
  ])('a server that %s: %s, %d', async (_name, frames, expected) => {
    const peer = await rawPeer((socket) => socket.write(Buffer.from(frames, 'hex')));
    const run = await runClient(['--http2', peer.url], options);
    expect(run.code, run.stderr).toBe(expected);
    expectFailure(run.stderr);
    await peer.close();
  });

  it('connecting that takes too long: 28', async () => {
    // A resolver that never answers stands for packets that are dropped.
    const networking = new SystemNetworking({ resolver: () => new Promise(() => undefined) });
    const run = await runClient(['--connect-timeout', '0.05', 'http://host.example/'], { ...options, networking });
    expect(run).toMatchObject({ code: 28, stderr: expect.stringContaining('connecting took longer than 50 ms') });
    expectFailure(run.stderr);
  });

  it('what a machine cannot be brought to do by itself', () => {
    expect(exitCodeOfTransfer(new NetworkError('broken pipe', { phase: 'write' }), false)).toBe(55);
    const wire = { scope: 'connection', wireCode: 0x102 } as const;
    expect(exitCodeOfTransfer(new RemoteProtocolError('H3_INTERNAL_ERROR', wire), false)).toBe(95);
  });

  it('a file that changes while it is sent: 26', async () => {
    // More than sockets hold: the rest is read after the change.
    writeFileSync(path.join(folder, 'growing'), 'x');
    truncateSync(path.join(folder, 'growing'), 64 << 20);
    const target = await rawPeer(() => {
      // The head has come, so the form was opened; what is read of it from now on is another file.
      writeFileSync(path.join(folder, 'growing'), 'y');
    });
    const run = await runClient(['-m', '20', '-F', 'f=@growing', target.url], options);
    expect(run.code).toBe(26);
    expectFailure(run.stderr);
    await target.close();
  });

  it('an unknown host: 6', async () => {
    const resolver = async (): Promise<never> => {
      throw new NetworkError('cannot resolve no-such-host.example: the name is unknown', { phase: 'resolve' });
    };
    const networking = new SystemNetworking({ resolver });
    const run = await runClient(['http://no-such-host.example/'], { ...options, networking });
    expect(run).toMatchObject({ code: 6, stderr: expect.stringContaining('the name is unknown') });
    expectFailure(run.stderr);
  });
});

describe('TLS', () => {
  const root = makeCertificate({ authority: true, commonName: 'test root' });
  const localhost = makeCertificate({ issuer: root, names: ['localhost', '127.0.0.1'] });
  const elsewhere = makeCertificate({ issuer: root, names: ['example.com'] });
  const expired = makeCertificate({ issuer: root, names: ['localhost'], notAfter: new Date(Date.now() - 1_000) });
  const selfSigned = makeCertificate({ names: ['localhost'] });
  const client = makeCertificate({ issuer: root, usage: 'client' });
  const peers: Peer[] = [];
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return name;
  };
  const ca = file('root.pem', root.certPem);

  async function secure(identity: https.ServerOptions): Promise<string> {
    const server = https.createServer(identity, (_request, response) => response.end('secret'));
    const peer = await listening(server, () => server.closeAllConnections());
    peers.push(peer);
    return `https://localhost:${peer.port}/`;
  }
  afterAll(() => Promise.all(peers.map((peer) => peer.close())));

  it('checks certificates, and tells what would help: 60', async () => {
    for (const [identity, words, cause] of [
      [localhost, [], 'comes from an authority that is not trusted'],
      [selfSigned, [], 'self-signed'],
      [expired, ['--cacert', ca], 'has expired'],
      [elsewhere, ['--cacert', ca], 'localhost'],
    ] as const) {
      const url = await secure(identity);
      const run = await runClient([...words, url], options);
      expect(run).toMatchObject({ code: 60, stdout: '', stderr: expect.stringContaining(cause) });
      expectFailure(run.stderr);
      expect(run.stderr).toMatch(/ {2}try: .*-k/);
      expect(await runClient(['-k', url], options)).toMatchObject({ code: 0, stdout: 'secret' });
    }
  });

  it('trusts --cacert', async () => {
    expect(await runClient(['--cacert', ca, await secure(localhost)], options)).toMatchObject({
      code: 0,
      stdout: 'secret',
    });
  });

  it('shows --cert and --key, and says when one is wanted: 35 or 56', async () => {
    const url = await secure({ ...localhost, ca: root.certPem, requestCert: true });
    const both = file('client.pem', client.cert + client.key);
    const cert = file('client-cert.pem', client.cert);
    const key = file('client-key.pem', client.key);
    expect(await runClient(['--cacert', ca, '-E', both, url], options)).toMatchObject({ code: 0, stdout: 'secret' });
    expect(await runClient(['--cacert', ca, '--cert', cert, '--key', key, url], options)).toMatchObject({ code: 0 });
    const without = await runClient(['--cacert', ca, url], options);
    expect([35, 56]).toContain(without.code);
    expectFailure(without.stderr);
    expect(await runClient(['--cert', cert, url], options)).toMatchObject({ code: 58 });
    expect(await runClient(['--key', key, url], options)).toMatchObject({ code: 2 });
  });

  it('tells a server without TLS: 35', async () => {
    const plain = http.createServer((_request, response) => response.end());
    const peer = await listening(plain, () => plain.closeAllConnections());
    peers.push(peer);
    const run = await runClient([`https://localhost:${peer.port}/`], options);
    expect(run).toMatchObject({ code: 35, stderr: expect.stringContaining(`try: http://localhost:${peer.port}/`) });
    expectFailure(run.stderr);
  });

  it('writes secrets with --keylog', async () => {
    await runClient(['-k', '--keylog', 'keys', await secure(localhost)], options);
    expect(readFileSync(path.join(folder, 'keys'), 'utf8')).toMatch(
      /^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]+ [0-9a-f]+\n/m,
    );
  });

  describe('the development CA', () => {
    it('is trusted for loopback names, unless other trust is asked for', async () => {
      const development = await openDevelopmentCa({ directory: data });
      const { certPem, keyPem } = await development.leaf();
      const url = await secure({ cert: certPem, key: keyPem });
      expect(await runClient([url], options)).toMatchObject({ code: 0, stdout: 'secret', stderr: '' });
      expect(await runClient(['--no-dev-ca', url], options)).toMatchObject({ code: 60 });
      expect(await runClient(['--cacert', ca, url], options)).toMatchObject({ code: 60 });
      const elsewhereData = { directory: folder, environment: { HFACE_DATA_DIR: path.join(folder, 'none') } };
      expect(await runClient([url], elsewhereData)).toMatchObject({ code: 60 });
    });

    it('is not trusted for other names, whatever they resolve to', async () => {
      const development = await openDevelopmentCa({ directory: data });
      // A CA that somebody got hold of: its constraints would stop it as well, so the leaf is for a name that it may sign.
      const { certPem, keyPem } = await development.issue({ names: ['app.localhost'] });
      const url = new URL(await secure({ cert: certPem, key: keyPem }));
      const networking = new SystemNetworking({
        resolver: async (_host, port) => [{ family: 'ipv4', host: '127.0.0.1', port }],
      });
      const run = await runClient([`https://app.example:${url.port}/`], { ...options, networking });
      expect(run).toMatchObject({ code: 60, stdout: '' });
      expect(run.stderr).toContain('authority');
      const local = await runClient([`https://app.localhost:${url.port}/`], { ...options, networking });
      expect(local).toMatchObject({ code: 0, stdout: 'secret' });
    });

    it('that is damaged is a warning, not an error', async () => {
      const damaged = path.join(folder, 'damaged');
      await openDevelopmentCa({ directory: damaged });
      writeFileSync(path.join(damaged, 'development-ca.pem'), 'no certificate');
      const url = await secure(localhost);
      const run = await runClient([url], { directory: folder, environment: { HFACE_DATA_DIR: damaged } });
      expect(run).toMatchObject({ code: 60, stderr: expect.stringContaining('the development CA is not trusted: ') });
    });
  });
});
