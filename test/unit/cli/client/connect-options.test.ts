/**
 * Where connections go: --unix-socket, -4, -6, --resolve, --connect-to, --connect-timeout.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readConnectOptions } from '../../../../cli/client/connect-options.ts';
import { clientCommand } from '../../../../cli/client/options.ts';
import { valuesOf } from '../option-values.ts';
import { httpPeer, runClient } from './peers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-connect-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function choice(...words: string[]): Promise<ReturnType<typeof readConnectOptions>> {
  return readConnectOptions(await valuesOf(clientCommand, ...words, 'u'), folder);
}

describe('--resolve', () => {
  const v4 = (host: string, port = 80): object => ({ family: 'ipv4', host, port });
  const v6 = (host: string, port = 80): object => ({ family: 'ipv6', host, port });

  it.each<[words: string[], host: string, expected: object[]]>([
    [['a:80:127.0.0.1'], 'a', [v4('127.0.0.1')]],
    [['A:80:127.0.0.1'], 'a', [v4('127.0.0.1')]],
    [['+a:80:127.0.0.1'], 'a', [v4('127.0.0.1')]],
    [['a:80:[::1],127.0.0.2'], 'a', [v6('::1'), v4('127.0.0.2')]],
    [['a:80:::1'], 'a', [v6('::1')]],
    [['*:80:127.0.0.1'], 'b', [v4('127.0.0.1')]],
    [['a:80:127.0.0.2', '*:80:127.0.0.1'], 'a', [v4('127.0.0.2')]],
    [['a:80:127.0.0.1', 'a:80:127.0.0.2'], 'a', [v4('127.0.0.2')]],
    // As the system says: an address is its own.
    [['127.0.0.9:81:127.0.0.1'], '127.0.0.9', [v4('127.0.0.9')]],
    [['127.0.0.9:80:127.0.0.1', '-127.0.0.9:80'], '127.0.0.9', [v4('127.0.0.9')]],
  ])('%j: %s', async (words, host, expected) => {
    const { resolver } = await choice(...words.flatMap((word) => ['--resolve', word]));
    expect(await resolver?.(host, 80)).toEqual(expected);
  });

  it.each(['a', 'a:80', 'a:80:', 'a:80:b', 'a:80:127.0.0.1,', 'a:99999:127.0.0.1', ':80:127.0.0.1', '-a'])(
    '%j is none: exit code 49',
    async (word) => {
      await expect(choice('--resolve', word)).rejects.toMatchObject({ exitCode: 49 });
    },
  );
});

describe('--connect-to', () => {
  it.each<[words: string[], expected: object | undefined]>([
    [['a.example:80:b:81'], { host: 'b', port: 81 }],
    [['A.Example:80:b:81'], { host: 'b', port: 81 }],
    [['::b:81'], { host: 'b', port: 81 }],
    [['a.example::b:'], { host: 'b', port: 80 }],
    [['::[::1]:'], { host: '::1', port: 80 }],
    [[':80::81'], { host: 'a.example', port: 81 }],
    [['a.example:443:b:81'], undefined],
    [['c:80:b:81'], undefined],
    [['c:80:b:81', '::d:1', '::e:2'], { host: 'd', port: 1 }],
    [[':::'], undefined],
  ])('%j', async (words, expected) => {
    const { client } = await choice(...words.flatMap((word) => ['--connect-to', word]));
    const move = client.connectTo as ((target: { host: string; port: number }) => unknown) | undefined;
    expect(move?.({ host: 'a.example', port: 80 })).toEqual(expected);
  });

  it.each(['a', 'a:80:b', 'a:80:b:x', 'a:80:b:99999', 'a b:80:c:d:e'])('%j is none', async (word) => {
    await expect(choice('--connect-to', word)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('the rest', () => {
  it('-4 and -6 exclude each other', async () => {
    expect((await choice('-4')).client.family).toBe('ipv4');
    expect((await choice('-6')).client.family).toBe('ipv6');
    await expect(choice('-4', '-6')).rejects.toMatchObject({ exitCode: 2 });
  });

  it("--connect-timeout is curl's 300 seconds unless told otherwise", async () => {
    expect((await choice()).timeout).toBe(300_000);
    expect((await choice('--connect-timeout', '0')).timeout).toBe(300_000);
    expect((await choice('--connect-timeout', '2.5')).timeout).toBe(2_500);
  });

  it.skipIf(process.platform === 'win32')('--unix-socket connects there, whatever the URL says', async () => {
    const server = http.createServer((request, response) => response.end(request.headers.host));
    await new Promise<void>((resolve) => {
      server.listen(path.join(folder, 's.sock'), resolve);
    });
    const run = await runClient(['--unix-socket', 's.sock', 'http://any.example/'], { directory: folder });
    expect(run).toEqual({ code: 0, stdout: 'any.example', stderr: '' });
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });

  it('the time of connecting does not bound what comes after it', async () => {
    const peer = await httpPeer((_request, response) => setTimeout(() => response.end('late'), 2_500));
    const run = await runClient(['--connect-timeout', '2', peer.url]);
    expect(run).toEqual({ code: 0, stdout: 'late', stderr: '' });
    await peer.close();
  });
});
