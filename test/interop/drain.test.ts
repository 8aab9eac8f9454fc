/**
 * The end of `hface-ts server` by signals while much is on its way: downloads and uploads, over cleartext and TLS, get
 * their last byte; who comes new is refused; who is idle is let go of; a second signal waits for nobody.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from '../../src/index.ts';
import type { ClientSession } from '../../src/index.ts';
import { startChild } from '../support/child.ts';
import type { RunningChild } from '../support/child.ts';
import { root } from '../support/repository.ts';
import { makeCertificate } from '../support/test-certificates.ts';

const MIB = 1 << 20;
const BYTES = 10 * MIB;
const RATE = 4 * MIB;

let folder: string;
let ca: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-drain-'));
  const identity = makeCertificate({ names: ['127.0.0.1'] });
  ca = identity.cert;
  writeFileSync(path.join(folder, 'cert.pem'), identity.cert);
  writeFileSync(path.join(folder, 'key.pem'), identity.key);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The server of the paced app on both kinds of endpoint, and its URLs. */
async function serve(): Promise<{ child: RunningChild; urls: readonly string[] }> {
  const identity = ['--cert', path.join(folder, 'cert.pem'), '--key', path.join(folder, 'key.pem')];
  const app = path.join(root, 'test/support/flow/paced-app.js');
  const endpoints = ['http://127.0.0.1:0', 'https://127.0.0.1:0'];
  const args = [path.join(root, 'cli/hface-ts.js'), 'server', app, ...endpoints, ...identity];
  const child = startChild(process.execPath, args);
  const [, first = '', second = ''] = await child.waitFor(/^ {2}(http:\S+)\/\n {2}(https:\S+)\/ {2}\(HTTP\/3 too\)$/m);
  return { child, urls: [first, second] };
}

/** Bytes that came or went, their digest, and a promise of the first quarter. */
class Progress {
  readonly begun: Promise<void>;
  bytes: number;
  readonly #hash: ReturnType<typeof createHash>;
  #begin: () => void;

  constructor() {
    this.bytes = 0;
    this.#hash = createHash('sha256');
    this.#begin = () => undefined;
    this.begun = new Promise((resolve) => (this.#begin = resolve));
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    if (this.bytes >= BYTES / 4) this.#begin();
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

async function download(session: ClientSession, url: string, progress: Progress): Promise<string> {
  const response = await session.dispatch({ url: `${url}/down?bytes=${BYTES}&rate=${RATE}` });
  for await (const chunk of response.body) progress.add(chunk);
  return progress.digest();
}

async function* content(progress: Progress): AsyncGenerator<Uint8Array, void> {
  for (let index = 0; progress.bytes < BYTES; index += 1) {
    const chunk = new Uint8Array(Math.min(30_000, BYTES - progress.bytes)).fill(index);
    progress.add(chunk);
    yield chunk;
  }
}

async function upload(session: ClientSession, url: string, progress: Progress): Promise<string> {
  const request = { url: `${url}/up?rate=${RATE}`, method: 'PUT', body: content(progress) };
  const response = await session.dispatch(request);
  return response.text();
}

/** The digest of what the paced app writes. */
async function expectedDownload(session: ClientSession, url: string): Promise<string> {
  const response = await session.dispatch({ url: `${url}/down?bytes=${BYTES}&rate=${1024 * MIB}` });
  return createHash('sha256')
    .update(await response.bytes())
    .digest('hex');
}

/** A connection that has had an answer and stays open. */
async function idleConnection(url: string): Promise<net.Socket> {
  const { host, port } = new URL(url);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(socket, 'data');
  return socket;
}

describe.skipIf(process.platform === 'win32')('hface-ts server at SIGTERM', () => {
  it('gives downloads and uploads their last byte, refuses who comes new, ends with 0', async () => {
    const { child, urls } = await serve();
    const session = new Client({ tls: { ca } }).session();
    try {
      const whole = await expectedDownload(session, urls[0] ?? '');
      const idle = await idleConnection(urls[0] ?? '');
      const transfers = urls.flatMap((url) => {
        const [down, up] = [new Progress(), new Progress()];
        return [
          { progress: down, done: download(session, url, down), expected: () => whole },
          { progress: up, done: upload(session, url, up), expected: () => up.digest() },
        ];
      });
      let over = 0;
      for (const { done } of transfers) done.then(() => (over += 1)).catch(() => undefined);
      await Promise.all(transfers.map(({ progress }) => progress.begun));

      process.kill(child.pid, 'SIGTERM');
      await child.waitFor(/waiting for 4 running requests, 10 s at most/);
      for (const url of urls) {
        // What the system had accepted before the socket closed is reset, and then everybody is refused.
        await vi.waitFor(async () => {
          const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
          const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
          expect(error.code).toBe('ECONNREFUSED');
        }, 5_000);
      }
      if (!idle.readableEnded) await once(idle.resume(), 'end');
      idle.destroy();
      expect(over, 'transfers that were over by then').toBe(0);

      const digests = await Promise.all(transfers.map(({ done }) => done));
      expect(digests).toEqual(transfers.map(({ expected }) => expected()));
      expect(transfers.map(({ progress }) => progress.bytes)).toEqual([BYTES, BYTES, BYTES, BYTES]);
      expect(await child.ended).toMatchObject({ code: 0, signal: null, timedOut: false });
    } finally {
      await session.close();
      await child.stop('SIGKILL');
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once at a second %s, with %i, and whoever waits is told', async (signal, code) => {
    const { child, urls } = await serve();
    const session = new Client({ tls: { ca }, retry: false }).session();
    try {
      const [down, up] = [new Progress(), new Progress()];
      const transfers = [download(session, urls[0] ?? '', down), upload(session, urls[1] ?? '', up)];
      const outcome = Promise.allSettled(transfers);
      const stuck = await session.dispatch({ url: `${urls[0] ?? ''}/stuck` });
      await Promise.all([down.begun, up.begun]);
      process.kill(child.pid, 'SIGTERM');
      await child.waitFor(/waiting for 3 running requests/);
      process.kill(child.pid, signal);
      expect(await child.ended).toMatchObject({ code, signal: null, timedOut: false });
      // Nobody takes what was cut off for the whole.
      expect((await outcome).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      await expect(stuck.bytes()).rejects.toThrow();
    } finally {
      await session.close();
      await child.stop('SIGKILL');
    }
  });
});
