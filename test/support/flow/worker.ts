/**
 * A process of a flow test, as its test sees it: asked over IPC, watched for its memory, and seen to end by itself.
 *
 * @module
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child.ts';

/** What a process holds, in bytes. `heap` and `external` are what full collections leave. */
export interface MemoryFigures {
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  /** The highest resident size since the watch began. */
  readonly peak: number;
}

/** One end of a transfer. */
export interface TallyState {
  readonly bytes: number;
  /** SHA-256, once it is over. */
  readonly digest: string | undefined;
}

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly failure?: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The process. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, Waiting>;
  readonly #ended: Promise<number | null>;
  #calls: number;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#waiting = new Map();
    this.#calls = 0;
    child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.call);
      this.#waiting.delete(answer.call);
      if (answer.failure === undefined) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(answer.failure));
    });
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`the process has ended (${String(code)})`));
        this.#waiting.clear();
        resolve(code);
      });
    });
  }

  /**
   * Starts a script of this folder. The caller ends it with `stop`.
   *
   * @param flags - for V8
   */
  static start(script: string, flags: readonly string[] = []): Worker {
    return new Worker(
      fork(fileURLToPath(new URL(script, import.meta.url)), {
        execArgv: ['--expose-gc', ...flags],
        env: childEnvironment(),
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
  }

  /** Asks for an operation by name. */
  call(operation: string, details: object = {}): Promise<unknown> {
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#child.send({ call, operation, details });
    });
  }

  /** Begins to watch the memory. */
  async watchMemory(): Promise<MemoryFigures> {
    return (await this.call('watchMemory')) as MemoryFigures;
  }

  /** What the process holds now. */
  async memory(): Promise<MemoryFigures> {
    return (await this.call('memory')) as MemoryFigures;
  }

  /** One end of a transfer so far; `undefined` before it begins. */
  async tally(id: string): Promise<TallyState | undefined> {
    return (await this.call('tally', { id })) as TallyState | undefined;
  }

  /** What it holds of the system, by kind. */
  async resources(): Promise<Readonly<Record<string, number>>> {
    return (await this.call('resources')) as Record<string, number>;
  }

  /** Lets go of it: resolves with its exit code when nothing keeps it alive any more. */
  async untilEnd(): Promise<number | null> {
    await this.call('release');
    return this.#ended;
  }

  /** Ends it, however it is. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
