/**
 * A process that takes part in a benchmark, alone on its core where the system can pin it there.
 *
 * Owns its start, its end and its accounts: the time that the system says it has computed.
 *
 * @module
 */
import { fork, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** Where servers run, and where load comes from. */
export const cores = { server: '0', load: '1' } as const;

let pinning: boolean | undefined;

/** Whether processes can be pinned to a core here. */
export function canPin(): boolean {
  pinning ??= spawnSync('taskset', ['-c', cores.load, process.execPath, '-e', '']).status === 0;
  return pinning;
}

/** A server that answers on loopback. */
export class Contender {
  readonly name: string;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(name: string, url: string, child: ChildProcess) {
    this.name = name;
    this.url = url;
    this.#child = child;
  }

  /**
   * Starts one. The script is given the name and the words, and sends `{ url }` when it listens.
   *
   * @param script - the compiled program
   * @param core - where it runs
   */
  static async start(
    script: URL,
    name: string,
    core: string = cores.server,
    words: readonly string[] = [],
  ): Promise<Contender> {
    const node = [process.execPath, ...flags()];
    const pinned = canPin() ? { execPath: 'taskset', execArgv: ['-c', core, ...node] } : { execArgv: flags() };
    const child = fork(script, [name, ...words], { ...pinned, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const { url } = (await answer(child)) as { url: string };
    return new Contender(name, url, child);
  }

  /** Microseconds that it has computed since it began, in user code and in the system. */
  async computed(): Promise<number> {
    this.#child.send('computed');
    return (await answer(this.#child)) as number;
  }

  /** What it holds in memory after a collection, in bytes; see {@link flags}, which have to expose it. */
  async memory(): Promise<{ readonly heap: number; readonly resident: number }> {
    this.#child.send('memory');
    return (await answer(this.#child)) as { heap: number; resident: number };
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }
}

/** In the process: tells where it listens, answers what is asked, and ends when its parent lets go of it. */
export function serveContender(url: string): void {
  process.on('message', (question) => {
    if (question === 'memory') {
      for (let round = 0; round < 4; round += 1) (globalThis as { readonly gc?: () => void }).gc?.();
      const { heapUsed, external, rss } = process.memoryUsage();
      process.send?.({ heap: heapUsed + external, resident: rss });
      return;
    }
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ url });
}

/** What is given to node besides: HFACE_BENCH_FLAGS="--cpu-prof --cpu-prof-dir=…". */
export function flags(): string[] {
  return ['--expose-gc', ...(process.env['HFACE_BENCH_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '')];
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a contender has ended'));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}
