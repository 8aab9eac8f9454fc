/**
 * 200 HTTP/2 connections with 100 streams each, over and over, some of them given up: the heap comes back to where it
 * was, `drain()` in the middle of it loses no answer, and nothing is left.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AppServer, Client } from '../../src/index.ts';
import type { ClientSession, RunningServer } from '../../src/index.ts';
import { mebibytes, recordFigures } from '../support/figures.ts';
import { expectNoSocketsBesides, openSockets } from '../support/leaks.ts';

const CONNECTIONS = 200;
const STREAMS = 100;
/** Of so many one is given up. */
const GIVEN_UP = 20;
const ROUNDS = 6;
const BODY = 3_000;
/** What is timed to be let go of a little later has been let go of by then. */
const REST = 3_000;

/** Every stream of every connection once; how many were answered whole. */
async function round(sessions: readonly ClientSession[], url: string): Promise<number> {
  const counts = await Promise.all(
    sessions.map(async (session) => {
      const answers = await Promise.allSettled(
        Array.from({ length: STREAMS }, async (_, index) => {
          const controller = new AbortController();
          const response = await session.dispatch({ url, method: 'POST', body: 'x', signal: controller.signal });
          if (index % GIVEN_UP === 0) controller.abort();
          return (await response.bytes()).length;
        }),
      );
      return answers.filter((answer) => answer.status === 'fulfilled' && answer.value === BODY).length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function heap(): Promise<number> {
  await sleep(REST);
  for (let turn = 0; turn < 4; turn += 1) {
    globalThis.gc?.();
    await sleep(50);
  }
  return process.memoryUsage().heapUsed;
}

describe('200 connections with 100 streams each', () => {
  it('leave the heap as it was, and no answer behind', async () => {
    expect(globalThis.gc).toBeTypeOf('function');
    const baseline = openSockets();
    const content = new Uint8Array(BODY);
    let wait = 0;
    const app = async (request: Request): Promise<Response> => {
      await request.text();
      if (wait > 0) await sleep(wait);
      return new Response(content);
    };
    const server: RunningServer = await new AppServer(app, { timeouts: { keepAlive: Infinity } }).listen(
      'http://127.0.0.1:0',
    );
    const client = new Client({ protocol: ['http2'], pool: { idleTimeout: 3_600_000 } });
    const sessions = Array.from({ length: CONNECTIONS }, () => client.session());
    const whole = CONNECTIONS * STREAMS;
    const least = whole - (CONNECTIONS * STREAMS) / GIVEN_UP;

    for (let index = 0; index < 2; index += 1) expect(await round(sessions, server.url)).toBeGreaterThanOrEqual(least);
    expect(server.connections.size).toBe(CONNECTIONS);
    const before = await heap();
    for (let index = 0; index < ROUNDS; index += 1) {
      expect(await round(sessions, server.url)).toBeGreaterThanOrEqual(least);
    }
    const after = await heap();
    expect([server.connections.size, server.requests]).toEqual([CONNECTIONS, 0]);
    const requests = (ROUNDS + 2) * whole;
    recordFigures('200 HTTP/2 connections with 100 streams each, both ends in one process', [
      { requests, 'heap before': mebibytes(before), 'heap after': mebibytes(after) },
    ]);
    expect(after).toBeLessThan(before * 1.05 + (2 << 20));

    // The end, with everything under way.
    wait = 2_000;
    const last = round(sessions, server.url);
    await expect.poll(() => server.requests, { timeout: 60_000 }).toBe(whole);
    await server.drain({ timeout: 60_000 });
    expect(await last).toBeGreaterThanOrEqual(least);
    await Promise.all(sessions.map((session) => session.close()));
    await expectNoSocketsBesides(baseline);
  }, 300_000);
});
