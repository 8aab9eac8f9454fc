/**
 * A server for HTTP/3 on a real socket under a flood of datagrams from another process: requests are answered meanwhile,
 * and nothing is held for what was dropped. Datagrams without bytes count as others do (CVE-2026-11352).
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/client/index.ts';
import type { ClientSession } from '../../src/client/index.ts';
import { AppServer } from '../../src/server/index.ts';
import type { RunningServer } from '../../src/server/index.ts';
import { MemoryWatch } from '../support/attack/memory.ts';
import { testPki } from '../support/test-certificates.ts';

const MIB = 1 << 20;
const FLOOD = 1_000;
const pki = testPki();
let server: RunningServer;
let session: ClientSession;
let attacker: ChildProcess;

interface Flooded {
  readonly sent: number;
  readonly received: number;
}

beforeAll(async () => {
  const { cert, key } = pki.server;
  server = await new AppServer(() => new Response('still there'), { protocol: ['http3'] }).listen({
    endpoint: 'https://127.0.0.1:0',
    tls: { cert, key },
  });
  session = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert } }).session();
  attacker = fork(path.join(import.meta.dirname, '..', 'support', 'attack', 'datagram-process.js'), { execArgv: [] });
});

afterAll(async () => {
  await session.close();
  await server.close();
  attacker.disconnect();
});

function flood(kind: string): Promise<Flooded> {
  const port = server.endpoints[0]?.port ?? 0;
  return new Promise((resolve, reject) => {
    attacker.once('message', (answer) => {
      resolve(answer as Flooded);
    });
    attacker.once('exit', () => {
      reject(new Error('the attacker has ended'));
    });
    attacker.send({ port, kind, milliseconds: FLOOD });
  });
}

async function served(): Promise<string> {
  const response = await session.fetch(new URL('/', server.url));
  return response.text();
}

describe('a flood of datagrams', () => {
  it.each(['empty', 'junk', 'short', 'initial', 'version'])(
    '%s: requests are answered meanwhile',
    async (kind) => {
      expect(await served()).toBe('still there');
      const watch = new MemoryWatch();
      const flooding = new Set([kind]);
      let answered = 0;
      const end = flood(kind).finally(() => {
        flooding.clear();
      });
      while (flooding.size > 0) {
        // A new connection has to get through as well, now and then.
        if (answered % 4 === 3) {
          await session.close();
          session = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert } }).session();
        }
        expect(await served()).toBe('still there');
        answered += 1;
      }
      const { sent, received } = await end;
      expect(sent).toBeGreaterThan(1_000);
      expect(answered).toBeGreaterThan(0);
      // What is reflected is a small part of what came (RFC 9000 section 8).
      expect(received).toBeLessThan(sent * 100);
      expect(await watch.retained(8 * MIB)).toBeLessThan(8 * MIB);
      watch.stop();
      expect(server.connections.size).toBeLessThan(64);
    },
    60_000,
  );
});
