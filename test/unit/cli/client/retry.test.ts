/**
 * `--retry` and its kin, by the clock, and on the wire.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exitCode } from '../../../../cli/client/exit-codes.ts';
import { Retries } from '../../../../cli/client/retry.ts';
import type { RetrySettings } from '../../../../cli/client/retry.ts';
import { CommandError } from '../../../../cli/report.ts';
import { NetworkError } from '../../../../src/common/index.ts';
import { httpPeer, rawPeer, runClient } from './peers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-retry-'));
afterAll(() => rmSync(folder, { recursive: true }));

const settings: RetrySettings = {
  most: 3,
  delay: undefined,
  maxTime: Infinity,
  connectionRefused: false,
  allErrors: false,
};
const failure = (code: number): CommandError =>
  new CommandError({ cause: 'x', place: undefined, next: undefined }, code);

describe('tries', () => {
  it('wait twice as long each time, up to ten minutes, and end', () => {
    const retries = new Retries({ ...settings, most: 12 }, 0);
    const delays = Array.from({ length: 13 }, () => retries.afterResponse(503, undefined, 0));
    expect(delays.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(delays.slice(9)).toEqual([512_000, 600_000, 600_000, undefined]);
    expect(retries).toMatchObject({ used: 12, left: 0 });
  });

  it('wait as long as they are told', () => {
    const retries = new Retries({ ...settings, delay: 50 }, 0);
    expect(retries.afterResponse(429, undefined, 0)).toBe(50);
    expect(retries.afterResponse(429, 7_000, 0)).toBe(7_000);
  });

  it('end with --retry-max-time, also when Retry-After is longer than what is left', () => {
    const retries = new Retries({ ...settings, maxTime: 5_000 }, 100);
    expect(retries.afterResponse(500, 5_000, 101)).toBeUndefined();
    expect(retries.afterResponse(500, undefined, 5_000)).toBe(1_000);
    expect(retries.afterResponse(500, undefined, 5_100)).toBeUndefined();
  });

  it.each([408, 429, 500, 502, 503, 504])('are for %i', (status) => {
    expect(new Retries(settings, 0).afterResponse(status, undefined, 0)).toBe(1_000);
  });

  it.each([200, 301, 400, 404, 501, 505])('are not for %i', (status) => {
    expect(new Retries({ ...settings, allErrors: true }, 0).afterResponse(status, undefined, 0)).toBeUndefined();
  });

  it('are for errors that may pass, and for others when asked', () => {
    const refused = new NetworkError('no', { code: 'ERR_CONNECTION_REFUSED', phase: 'connect' });
    const after = (error: unknown, code: number, more: Partial<RetrySettings> = {}): number | undefined =>
      new Retries({ ...settings, ...more }, 0).afterError(error, failure(code), 0);
    expect(after(new Error('x'), exitCode.timeout)).toBe(1_000);
    expect(after(new Error('x'), exitCode.couldNotResolve)).toBe(1_000);
    expect(after(refused, exitCode.couldNotConnect)).toBeUndefined();
    expect(after(refused, exitCode.couldNotConnect, { connectionRefused: true })).toBe(1_000);
    expect(after(new Error('x', { cause: refused }), exitCode.couldNotConnect, { connectionRefused: true })).toBe(
      1_000,
    );
    expect(after(new Error('x'), exitCode.receiveError, { connectionRefused: true })).toBeUndefined();
    expect(after(new Error('x'), exitCode.receiveError, { allErrors: true })).toBe(1_000);
  });
});

describe('on the wire', () => {
  it('the answer that counts is printed alone, and each failed try is told', async () => {
    let count = 0;
    const peer = await httpPeer((_request, response) => {
      count += 1;
      response.writeHead(count < 3 ? 503 : 200).end(`try ${count}`);
    });
    const run = await runClient(['--retry', '5', '--retry-delay', '0.01', '-w', ' %{num_retries}', peer.url]);
    expect(run).toMatchObject({ code: 0, stdout: 'try 3 2' });
    expect(run.stderr).toBe(
      'hface-ts: the server answered 503; trying again in 0 s, 4 left\n' +
        'hface-ts: the server answered 503; trying again in 0 s, 3 left\n',
    );
    await peer.close();
  });

  it('the last answer is printed when there is no try left', async () => {
    const peer = await httpPeer((_request, response) => response.writeHead(503).end('no'));
    const run = await runClient(['-s', '--retry', '1', '--retry-delay', '0.01', peer.url]);
    expect(run).toEqual({ code: 0, stdout: 'no', stderr: '' });
    const failed = await runClient(['-sf', '--retry', '1', '--retry-delay', '0.01', peer.url]);
    expect(failed).toEqual({ code: 22, stdout: '', stderr: '' });
    await peer.close();
  });

  it('what a broken try wrote to a file is taken back; what it printed is not', async () => {
    let count = 0;
    const peer = await rawPeer((socket) => {
      count += 1;
      const body = count % 2 === 1 ? 'half of it' : 'all';
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${count % 2 === 1 ? 100 : 3}\r\n\r\n${body}`);
    });
    const words = ['-s', '--retry', '1', '--retry-delay', '0.01', '--retry-all-errors', peer.url];
    const toFile = await runClient(['-o', 'a', ...words], { directory: folder });
    expect(toFile.code).toBe(0);
    expect(readFileSync(path.join(folder, 'a'), 'latin1')).toBe('all');
    const printed = await runClient(words);
    expect(printed).toMatchObject({ code: 18, stdout: 'half of it' });
    await peer.close();
  });

  it('a body of stdin is sent once, that of a file again', async () => {
    const bodies: string[] = [];
    const peer = await httpPeer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(503).end();
      });
    });
    const words = ['-s', '--retry', '1', '--retry-delay', '0.01', peer.url];
    await runClient(['-T', '-', ...words], { input: 'typed' });
    expect(bodies).toEqual(['typed']);
    writeFileSync(path.join(folder, 'f'), 'kept');
    await runClient(['-T', 'f', ...words], { directory: folder });
    expect(bodies).toEqual(['typed', 'kept', 'kept']);
    await peer.close();
  });

  it.each(['--retry-delay', '--retry-max-time'])('%s is for --retry', async (name) => {
    expect(await runClient([name, '1', 'http://127.0.0.1:1/'])).toMatchObject({ code: 2 });
  });
});
