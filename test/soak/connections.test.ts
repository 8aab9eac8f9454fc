/**
 * 2,000 connections that are kept, 200,000 requests over them, then rest: the heap of either process comes back to where it
 * was, with the connections and without them, and after `drain()` nothing of the server is left.
 *
 * Each state of rest is looked at after full collections, and compared with the same state before the requests: what is
 * compiled and cached once is there in both.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mebibytes, recordFigures } from '../support/figures.ts';
import { Worker } from '../support/flow/worker.ts';
import type { MemoryFigures } from '../support/flow/worker.ts';

const CONNECTIONS = 2_000;
const REQUESTS = 200_000;
/** What is timed to be let go of a little later has been let go of by then. */
const REST = 3_000;
/** How long connections are kept: longer than all of it takes, on a machine as busy as may be. */
const KEPT = 3_600_000;

type Side = 'server' | 'client';
type State = Readonly<Record<Side, MemoryFigures>>;

/** Both processes, and the two apps with half of the connections each. */
class Soak {
  readonly server: Worker;
  readonly client: Worker;
  #urls: readonly string[];

  constructor() {
    this.server = Worker.start('server-process.js');
    this.client = Worker.start('client-process.js');
    this.#urls = [];
  }

  async listen(): Promise<void> {
    const limits = { maxConnectionsPerAddress: CONNECTIONS };
    const timeouts = { keepAlive: KEPT };
    this.#urls = Object.values((await this.server.call('listen', { limits, timeouts })) as Record<string, string>);
  }

  async open(): Promise<void> {
    const pool = { maxConnections: CONNECTIONS, maxConnectionsPerOrigin: CONNECTIONS, idleTimeout: KEPT };
    await this.client.call('open', { pool });
  }

  async storm(requests: number): Promise<void> {
    const half = { requests: requests / 2, connections: CONNECTIONS / 2 };
    const right = await Promise.all(this.#urls.map((url) => this.client.call('storm', { url, ...half })));
    expect(right).toEqual(this.#urls.map(() => half.requests));
  }

  /** What both hold at rest, with so many connections. */
  async rest(connections: number): Promise<State> {
    await sleep(REST);
    expect(await this.server.call('open')).toEqual({ connections, requests: 0 });
    return { server: await this.server.memory(), client: await this.client.memory() };
  }

  async stop(): Promise<void> {
    await Promise.all([this.server.stop(), this.client.stop()]);
  }
}

describe('2,000 kept connections and 200,000 requests', () => {
  it('leave the heap as it was, within 5%, and no handle after drain()', async () => {
    const soak = new Soak();
    try {
      const resources = await soak.server.resources();
      await soak.listen();
      await soak.open();
      await soak.storm(REQUESTS / 5);
      await soak.client.call('close');
      const empty = await soak.rest(0);

      await soak.open();
      await soak.storm(REQUESTS / 5);
      const idle = await soak.rest(CONNECTIONS);
      const started = performance.now();
      await soak.storm(REQUESTS);
      const seconds = (performance.now() - started) / 1000;
      const idleAgain = await soak.rest(CONNECTIONS);
      await soak.client.call('close');
      const emptyAgain = await soak.rest(0);

      const states = { empty, idle, 'idle, after 200,000 requests': idleAgain, 'empty, after all': emptyAgain };
      recordFigures(
        '2,000 kept connections, 200,000 requests: heap at rest',
        (['server', 'client'] as const).map((side) => ({
          side,
          'seconds of requests': seconds.toFixed(0),
          ...Object.fromEntries(Object.entries(states).map(([name, state]) => [name, mebibytes(state[side].heap)])),
          'resident, after all': mebibytes(emptyAgain[side].resident),
        })),
      );
      for (const side of ['server', 'client'] as const) {
        expect(idleAgain[side].heap / idle[side].heap, `${side} with idle connections`).toBeLessThan(1.05);
        expect(emptyAgain[side].heap / empty[side].heap, `${side} without connections`).toBeLessThan(1.05);
      }
      await soak.server.call('drain');
      expect(await soak.server.resources()).toEqual(resources);
      expect(await Promise.all([soak.server.untilEnd(), soak.client.untilEnd()])).toEqual([0, 0]);
    } finally {
      await soak.stop();
    }
  });
});
