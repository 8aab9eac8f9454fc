/**
 * A client that takes part in a benchmark: a process of its own, alone on the core where servers are alone otherwise,
 * which asks a server on the other core as often as it can.
 *
 * Owns its start, its end, and the measuring inside of it: requests by the clock, and what the system says that the
 * process has computed meanwhile.
 *
 * @module
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { canPin, cores } from './contender.ts';
import type { Measurement } from './rounds.ts';

/** What is asked for, and by how many at once. */
export interface Traffic {
  readonly url: string;
  /** Sent with each request, which is a POST then. */
  readonly body: string | undefined;
  /** Requests under way at any time. */
  readonly parallel: number;
  /** The most connections. */
  readonly connections: number;
}

/** What a client was told. */
export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** A client, made ready for some traffic. */
export interface BenchClient {
  /** One request, whose answer is looked at. */
  check(): Promise<Answer>;
  /** One lane of traffic: request after request while `going()`; resolves when the last one is done. */
  run(going: () => boolean): Promise<void>;
  close(): Promise<void>;
}

interface Order {
  readonly what: 'check' | 'measure';
  readonly traffic: Traffic;
  readonly seconds: number;
}

/** The parent's side. */
export class ClientContender {
  readonly name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /** Starts one. The script is given the name and calls {@link serveClient}. */
  static async start(script: URL, name: string): Promise<ClientContender> {
    const flags = (process.env['HFACE_BENCH_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
    const pinned = canPin()
      ? { execPath: 'taskset', execArgv: ['-c', cores.server, process.execPath, ...flags] }
      : { execArgv: flags };
    const child = fork(script, [name], { ...pinned, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await reply(child);
    return new ClientContender(name, child);
  }

  /** Asks once. */
  async check(traffic: Traffic): Promise<Answer> {
    this.#child.send({ what: 'check', traffic, seconds: 0 } satisfies Order);
    return (await reply(this.#child)) as Answer;
  }

  /** Asks for so long. */
  async measure(traffic: Traffic, seconds: number): Promise<Measurement> {
    this.#child.send({ what: 'measure', traffic, seconds } satisfies Order);
    return (await reply(this.#child)) as Measurement;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }
}

/** In the process: follows orders until its parent lets go of it. The client of some traffic is made once. */
export function serveClient(make: (traffic: Traffic) => BenchClient): void {
  const clients = new Map<string, BenchClient>();
  const obey = async ({ what, traffic, seconds }: Order): Promise<Answer | Measurement> => {
    const key = JSON.stringify(traffic);
    const client = clients.get(key) ?? make(traffic);
    clients.set(key, client);
    return what === 'check' ? client.check() : measure(client, traffic.parallel, seconds);
  };
  process.on('message', (order: Order) => {
    obey(order).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

async function measure(client: BenchClient, parallel: number, seconds: number): Promise<Measurement> {
  let asked = 0;
  let over = false;
  const going = (): boolean => {
    if (over) return false;
    asked += 1;
    return true;
  };
  const begun = process.hrtime.bigint();
  const before = process.cpuUsage();
  const timer = setTimeout(() => (over = true), seconds * 1000);
  await Promise.all(Array.from({ length: parallel }, () => client.run(going)));
  clearTimeout(timer);
  const { user, system } = process.cpuUsage(before);
  const elapsed = Number(process.hrtime.bigint() - begun) / 1e9;
  return { rate: asked / elapsed, cost: (user + system) / asked };
}

function reply(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a contender has ended'));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}
