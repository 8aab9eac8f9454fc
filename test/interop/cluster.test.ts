/**
 * `AppServer` in the workers of `node:cluster`, which know nothing of each other.
 *
 * @module
 */
import https from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startChild } from '../support/child.ts';
import { root } from '../support/repository.ts';
import { makeCertificate } from '../support/test-certificates.ts';
import { CommandFolder } from './support/cli.ts';

const commands = new CommandFolder();
afterAll(() => commands.close());

const entry = (name: string): string => JSON.stringify(pathToFileURL(path.join(root, `dist/src/${name}`)).href);

/** Two workers on port 0 of localhost, http and https; another takes the place of one that goes. */
const program = `
  import cluster from 'node:cluster';
  import { readFileSync } from 'node:fs';
  import { AppServer } from ${entry('index.js')};
  import { startConnectionIds } from ${entry('connections/index.js')};

  if (cluster.isPrimary) {
    let ending = false;
    cluster.on('message', (worker, url) => console.log('listening ' + worker.id + ' ' + url));
    cluster.on('exit', () => {
      if (!ending) cluster.fork();
      else if (Object.keys(cluster.workers).length === 0) process.exit();
    });
    process.on('SIGTERM', () => {
      ending = true;
      for (const worker of Object.values(cluster.workers)) worker.send('drain');
    });
    cluster.fork();
    cluster.fork();
  } else {
    startConnectionIds(cluster.worker.id * 36 ** 6);
    const app = async (request, context) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/die') process.kill(process.pid, 'SIGKILL');
      if (pathname === '/wait') {
        console.log('waiting');
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      return Response.json({ pid: process.pid, id: context.requestId });
    };
    const tls = { cert: readFileSync('cert.pem'), key: readFileSync('key.pem'), ticketKeys: new Uint8Array(48).fill(5) };
    const running = await new AppServer(app, { tls }).listen(['http://localhost:0', 'https://localhost:0']);
    process.send(running.endpoints.map(({ port }) => port).join(' '));
    process.on('message', () => void running.drain().then(() => process.exit()));
  }
`;

interface Answer {
  readonly pid: number;
  readonly id: string;
}

describe('AppServer under node:cluster', () => {
  it('shares its ports, resumes sessions of other workers, survives one, and drains', async () => {
    const ca = makeCertificate({ authority: true });
    const { cert, key } = makeCertificate({ issuer: ca });
    commands.write('cert.pem', cert);
    commands.write('key.pem', key);
    const child = startChild(process.execPath, [commands.write('cluster.mjs', program)], { cwd: commands.folder });
    try {
      const [, first, second] = await child.waitFor(/listening \d (.*)\n[^]*listening \d (.*)\n/);
      expect(second).toBe(first);
      const [http, secure] = (first ?? '').split(' ').map(Number);
      const ask = async (target = ''): Promise<Answer> => {
        const response = await fetch(`http://127.0.0.1:${String(http)}/${target}`, {
          headers: { connection: 'close' },
        });
        return (await response.json()) as Answer;
      };
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask()));
      expect(new Set(answers.map(({ id }) => id)).size).toBe(20);
      const pids = new Set(answers.map(({ pid }) => pid));
      while (pids.size < 2) pids.add((await ask()).pid);

      let session: Buffer | undefined;
      for (let round = 0; round < 4; round += 1) {
        const options = {
          port: secure,
          host: 'localhost',
          ca: ca.certPem,
          agent: new https.Agent({ maxCachedSessions: 0 }),
          session,
        };
        const resumed = await new Promise<boolean>((resolve, reject) => {
          const request = https.get(options, (response) => {
            response.resume().on('end', () => resolve(wasResumed(request.socket)));
          });
          request.on('socket', (socket) => socket.once('session', (made: Buffer) => (session ??= made)));
          request.on('error', reject);
        });
        options.agent.destroy();
        expect(resumed).toBe(round > 0);
      }

      await ask('die').catch(() => undefined);
      await child.waitFor(/listening 3 /);
      expect(await ask()).toMatchObject({ pid: expect.any(Number) });
      const running = ask('wait');
      await child.waitFor(/^waiting$/m);
      const ended = child.stop('SIGTERM');
      expect(await running).toMatchObject({ pid: expect.any(Number) });
      expect(await ended).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await child.stop('SIGKILL');
    }
  });
});

function wasResumed(socket: Socket | null): boolean {
  return socket instanceof TLSSocket && socket.isSessionReused();
}
