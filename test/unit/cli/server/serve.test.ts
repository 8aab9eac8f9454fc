import { describe, expect, it } from 'vitest';
import { Serving } from '../../../../cli/server/serve.ts';
import type { DrainServerOptions, RunningServer } from '../../../../src/server/index.ts';
import { TestContext } from '../test-context.ts';

class FakeServer implements RunningServer {
  readonly endpoints = [];
  readonly http3Endpoints = [];
  readonly url = '';
  readonly connections = new Set<never>();
  readonly drains: DrainServerOptions[] = [];
  requests = 0;
  readonly closed: Promise<void>;
  end: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
  }

  updateTls(): void {}
  async drain(options: DrainServerOptions = {}): Promise<void> {
    this.drains.push(options);
  }
  async close(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

function serving(): { readonly context: TestContext; readonly told: string[]; readonly serving: Serving } {
  const context = new TestContext();
  const told: string[] = [];
  return {
    context,
    told,
    serving: new Serving(context, { drainTimeout: 2_500, tell: (line) => void told.push(line) }),
  };
}

describe('Serving', () => {
  it('drains at the first signal and ends with 0', async () => {
    const { context, told, serving: run } = serving();
    const server = new FakeServer();
    server.requests = 2;
    const code = run.untilEnd(server);
    context.signal('SIGTERM');
    expect(server.drains).toEqual([{ timeout: 2_500 }]);
    expect(told).toEqual(['waiting for 2 running requests, 2.5 s at most; a second signal ends them at once']);
    server.end();
    expect(await code).toBe(0);
    run.close();
    expect(context.listening).toBe(false);
    expect(context.exits).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once at a second signal: %s, %d', (signal, expected) => {
    const { context, told, serving: run } = serving();
    const server = new FakeServer();
    server.requests = 1;
    void run.untilEnd(server);
    context.signal('SIGINT');
    context.signal(signal);
    expect(context.exits).toEqual([expected]);
    expect(told).toEqual(['waiting for one running request, 2.5 s at most; a second signal ends them at once']);
  });

  it('gives up a start that a signal interrupts', () => {
    const { context, serving: run } = serving();
    expect(run.startSignal.aborted).toBe(false);
    context.signal('SIGINT');
    expect(run.startSignal.aborted).toBe(true);
    expect(run.interrupted).toBe('SIGINT');
  });

  it('drains a server that a signal overtook', () => {
    const { context, serving: run, told } = serving();
    context.signal('SIGINT');
    const server = new FakeServer();
    void run.untilEnd(server);
    expect(server.drains).toHaveLength(1);
    expect(told).toEqual(['ending']);
  });

  it('fails when the server fails', async () => {
    const { serving: run } = serving();
    const server = new FakeServer();
    const code = run.untilEnd(server);
    server.fail(new Error('no listener'));
    await expect(code).rejects.toThrow('no listener');
  });
});
