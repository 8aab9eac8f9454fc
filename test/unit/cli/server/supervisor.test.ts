import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseCommand } from '../../../../cli/parse-command.ts';
import { Dispatcher } from '../../../../cli/server/dispatcher.ts';
import { serverCommand } from '../../../../cli/server/options.ts';
import { ServerOutput } from '../../../../cli/server/output.ts';
import { MAX_DEATHS, Supervisor } from '../../../../cli/server/supervisor.ts';
import type { ToWorker } from '../../../../cli/server/worker-messages.ts';
import type {
  WorkerEnd,
  WorkerHandle,
  WorkerHandler,
  WorkerProcessOptions,
} from '../../../../cli/server/worker-process.ts';
import { TestContext } from '../test-context.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process that does what the test says. */
class FakeWorker implements WorkerHandle {
  readonly place: number;
  readonly pid: number;
  readonly options: WorkerProcessOptions;
  readonly sent: ToWorker[] = [];
  readonly #handler: WorkerHandler;
  killed = false;

  constructor(options: WorkerProcessOptions, handler: WorkerHandler, pid: number) {
    this.place = options.place;
    this.pid = pid;
    this.options = options;
    this.#handler = handler;
  }

  send(message: ToWorker): void {
    this.sent.push(message);
  }

  sendSocket(message: ToWorker): void {
    this.sent.push(message);
  }

  kill(): void {
    if (this.killed) return;
    this.killed = true;
    queueMicrotask(() => this.end({ code: null, signal: 'SIGKILL' }));
  }

  ready(): void {
    this.#handler.message(this, { type: 'ready', title: 'app.js', remark: undefined });
  }

  fails(cause: string): void {
    this.#handler.message(this, {
      type: 'failed',
      failure: { cause, place: 'app.js:1', next: undefined },
      exitCode: 1,
      stack: undefined,
    });
    this.end({ code: 1, signal: null });
  }

  draining(requests: number): void {
    this.#handler.message(this, { type: 'draining', requests });
  }

  end(end: WorkerEnd = { code: 0, signal: null }): void {
    this.#handler.lost(this);
    this.#handler.ended(this, end);
  }
}

interface Supervised {
  readonly context: TestContext;
  readonly workers: FakeWorker[];
  readonly supervisor: Supervisor;
  readonly code: Promise<number>;
  readonly started: unknown[];
  readonly counts: { closed: number };
}

async function supervise(count: number, watched?: string): Promise<Supervised> {
  const context = new TestContext();
  const values = await parseCommand(['app.js'], serverCommand, context);
  if (values === undefined) throw new Error('help');
  const workers: FakeWorker[] = [];
  const started: unknown[] = [];
  const counts = { closed: 0 };
  const supervisor = new Supervisor({
    context,
    output: new ServerOutput(values, context),
    dispatcher: new Dispatcher(() => undefined),
    processes: { count, watched },
    app: 'app.js',
    drainTimeout: 10_000,
    start: { type: 'start', words: ['app.js'], endpoints: [], tls: undefined },
    stopListening: async () => {
      counts.closed += 1;
    },
    started: (app) => started.push(app),
    spawn: (options, handler) => {
      const worker = new FakeWorker(options, handler, 100 + workers.length);
      workers.push(worker);
      return worker;
    },
  });
  const code = supervisor.run();
  code.catch(() => undefined);
  return { context, workers, supervisor, code, started, counts };
}

const drain = { type: 'drain', timeout: 10_000 };

describe('Supervisor', () => {
  it('tells once that all serve, drains them together, and ends with 0', async () => {
    const { context, workers, code, started, counts } = await supervise(2);
    expect(workers.map(({ place }) => place)).toEqual([1, 2]);
    expect(new Set(workers.map(({ options }) => options.start.lastConnectionId)).size).toBe(2);
    workers[1]?.ready();
    expect(started).toEqual([]);
    workers[0]?.ready();
    expect(started).toHaveLength(1);
    context.signal('SIGTERM');
    expect(counts.closed).toBe(1);
    expect(workers.map(({ sent }) => sent)).toEqual([[drain], [drain]]);
    workers[0]?.draining(2);
    expect(context.stderr).toBe('');
    workers[1]?.draining(1);
    expect(context.stderr).toBe('waiting for 3 running requests, 10 s at most; a second signal ends them at once\n');
    workers[0]?.end();
    workers[1]?.end();
    expect(await code).toBe(0);
    expect(context.listening).toBe(false);
  });

  it('kills what does not end in time', async () => {
    const { context, workers, code } = await supervise(1);
    workers[0]?.ready();
    context.signal('SIGINT');
    await vi.advanceTimersByTimeAsync(1_500);
    expect(context.stderr).toBe('ending\n');
    await vi.advanceTimersByTimeAsync(25_000);
    expect(workers[0]?.killed).toBe(true);
    expect(await code).toBe(0);
  });

  it('ends at once at a second signal', async () => {
    const { context, workers } = await supervise(2);
    for (const worker of workers) worker.ready();
    context.signal('SIGINT');
    context.signal('SIGTERM');
    expect(context.exits).toEqual([143]);
    expect(workers.map(({ killed }) => killed)).toEqual([true, true]);
  });

  it('drains also while workers start', async () => {
    const { context, workers, code } = await supervise(2);
    workers[0]?.ready();
    context.signal('SIGINT');
    expect(workers[1]?.killed).toBe(true);
    workers[0]?.end();
    expect(await code).toBe(0);
  });

  it('replaces a worker at its place: at once, then later and later', async () => {
    const { context, workers } = await supervise(2);
    for (const worker of workers) worker.ready();
    await vi.advanceTimersByTimeAsync(6_000);
    workers[1]?.end({ code: null, signal: 'SIGKILL' });
    expect(context.stderr).toBe(
      'error: a worker ended; another one takes its place worker=2 pid=101 reason="killed by SIGKILL"\n',
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(workers[2]?.place).toBe(2);
    for (const [index, delay] of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].entries()) {
      workers[2 + index]?.ready();
      workers[2 + index]?.end({ code: 3, signal: null });
      await vi.advanceTimersByTimeAsync(delay - 1);
      expect(workers).toHaveLength(3 + index);
      await vi.advanceTimersByTimeAsync(1);
      expect(workers).toHaveLength(4 + index);
    }
    // One that serves for long is well.
    workers.at(-1)?.ready();
    await vi.advanceTimersByTimeAsync(6_000);
    const before = workers.length;
    workers.at(-1)?.end({ code: 3, signal: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(workers).toHaveLength(before + 1);
  });

  it('ends with an error when workers end before they serve', async () => {
    const { context, workers, code } = await supervise(1);
    for (let death = 1; death <= MAX_DEATHS; death += 1) {
      workers.at(-1)?.end({ code: 3, signal: null });
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(workers).toHaveLength(MAX_DEATHS);
    await expect(code).rejects.toMatchObject({
      exitCode: 1,
      failure: { cause: `a worker ended ${MAX_DEATHS} times before it served: exit code 3`, place: 'app.js' },
    });
    expect(context.stderr).toBe('');
  });

  it('ends with what the first worker says, and drains those that serve when a later one cannot', async () => {
    const first = await supervise(2);
    first.workers[0]?.fails('syntax error');
    await expect(first.code).rejects.toMatchObject({ failure: { cause: 'syntax error' } });
    const later = await supervise(2);
    for (const worker of later.workers) worker.ready();
    await vi.advanceTimersByTimeAsync(6_000);
    later.workers[1]?.end({ code: 1, signal: null });
    await vi.advanceTimersByTimeAsync(0);
    for (let death = 1; death <= MAX_DEATHS; death += 1) {
      later.workers.at(-1)?.fails('no database');
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(later.context.stderr).toMatch(/hface-ts: no database\n {2}at app\.js:1\n/);
    expect(later.workers[0]?.sent).toEqual([drain]);
    later.workers[0]?.end();
    await expect(later.code).rejects.toMatchObject({ failure: { cause: 'no database' } });
  });

  it('gives new certificates to all workers, and to those that come', async () => {
    const { workers, supervisor } = await supervise(1);
    const tls = {
      cert: 'c',
      key: 'k',
      passphrase: undefined,
      ca: undefined,
      clientCertificate: undefined,
      ticketKeys: '',
    };
    supervisor.updateTls(tls);
    expect(workers[0]?.sent).toEqual([{ type: 'tls', tls }]);
    workers[0]?.end({ code: 3, signal: null });
    await vi.advanceTimersByTimeAsync(100);
    expect(workers[1]?.options.start.tls).toEqual(tls);
  });
});
