/**
 * A worker as the command sees it: a process that says what became of it.
 *
 * Owns the process, its channel and its output, which is passed on in whole lines.
 *
 * @module
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { LineOutput } from '../context.ts';
import { LineSplitter } from './line-splitter.ts';
import type { FromWorker, StartMessage, ToWorker } from './worker-messages.ts';

/** How a process ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that serves. */
export interface WorkerHandle {
  /** From 1; another process may have the place later. */
  readonly place: number;
  /** The process's id; 0 when there is none. */
  readonly pid: number;
  /** Sends a message. One that cannot be sent is lost: the worker is going. */
  send(message: ToWorker): void;
  /** Sends a message with a socket, which stays open here as well. */
  sendSocket(message: ToWorker, socket: Socket): void;
  /** Ends it at once. */
  kill(): void;
}

/** Who is told of a worker. */
export interface WorkerHandler {
  message(worker: WorkerHandle, message: FromWorker): void;
  /** It has imported a file of the app, a path or a URL; only where that was asked for. */
  imported(worker: WorkerHandle, file: string): void;
  /** It says nothing more, and takes nothing more. */
  lost(worker: WorkerHandle): void;
  /** The process is over, and all of its output was taken. */
  ended(worker: WorkerHandle, end: WorkerEnd): void;
}

/** How a worker is started. */
export interface WorkerProcessOptions {
  /** From 1; another process may have the place later. */
  readonly place: number;
  readonly start: StartMessage;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether it shall tell what it imports. */
  readonly tellImports: boolean;
  readonly stdout: LineOutput;
  readonly stderr: LineOutput;
}

/** {@link WorkerHandle} by a child process. */
export class WorkerProcess implements WorkerHandle {
  readonly place: number;
  readonly #child: ChildProcess;
  #lost: boolean;
  #ended: boolean;

  constructor(options: WorkerProcessOptions, handler: WorkerHandler) {
    const { start, environment, tellImports } = options;
    this.place = options.place;
    this.#lost = false;
    this.#ended = false;
    this.#child = fork(PROGRAM, ['server', ...start.words], {
      cwd: options.directory,
      // Node tells the process that made it what is imported, as its own --watch wants it.
      env: {
        ...environment,
        HFACE_WORKER: String(options.place),
        ...(tellImports ? { WATCH_REPORT_DEPENDENCIES: '1' } : {}),
      },
      // Two processes cannot listen for one debugger.
      execArgv: process.execArgv.filter((word) => !word.startsWith('--inspect')),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#pass(this.#child.stdout, options.stdout);
    this.#pass(this.#child.stderr, options.stderr);
    this.#child.on('message', (message) => this.#received(message, handler));
    // Without a listener a message that cannot be sent ends the command.
    this.#child.on('error', (error) => this.#failed(error, options.stderr, handler));
    this.#child.once('disconnect', () => this.#isLost(handler));
    this.#child.once('exit', (code, signal) => {
      // What the process started may keep its output open.
      const patience = setTimeout(() => this.#isEnded(handler, { code, signal }), OUTPUT_PATIENCE);
      this.#child.once('close', () => {
        clearTimeout(patience);
        this.#isEnded(handler, { code, signal });
      });
    });
    this.send(start);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, ignore);
  }

  sendSocket(message: ToWorker, socket: Socket): void {
    if (this.#child.connected) this.#child.send(message, socket, { keepOpen: true }, ignore);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #received(message: unknown, handler: WorkerHandler): void {
    if (typeof message !== 'object' || message === null) return;
    const { 'watch:import': urls, 'watch:require': paths } = message as Readonly<Record<string, unknown>>;
    if (Array.isArray(urls) || Array.isArray(paths)) {
      for (const file of [urls, paths].flat()) if (typeof file === 'string') handler.imported(this, file);
    } else if (MESSAGES.has((message as { readonly type?: unknown }).type)) {
      handler.message(this, message as FromWorker);
    }
  }

  #failed(error: Error, stderr: LineOutput, handler: WorkerHandler): void {
    if (this.#child.pid !== undefined) return;
    stderr.line(`error: a process could not be started reason="${error.message}"`);
    this.#isEnded(handler, { code: null, signal: null });
  }

  #pass(stream: Readable | null, output: LineOutput): void {
    const splitter = new LineSplitter((line) => output.line(line));
    stream?.on('data', (chunk: Uint8Array) => splitter.push(chunk));
    stream?.once('close', () => splitter.end());
    stream?.on('error', ignore);
  }

  #isLost(handler: WorkerHandler): void {
    if (this.#lost) return;
    this.#lost = true;
    handler.lost(this);
  }

  #isEnded(handler: WorkerHandler, end: WorkerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#isLost(handler);
    handler.ended(this, end);
  }
}

/** An app may send messages of its own. */
const MESSAGES: ReadonlySet<unknown> = new Set<FromWorker['type']>(['ready', 'failed', 'taken', 'refused', 'draining']);

/** Beside this file, compiled or not. */
const PROGRAM: string = fileURLToPath(import.meta.url).replace(/worker-process(\.[jt]s)$/, 'worker-main$1');

/** Milliseconds. */
const OUTPUT_PATIENCE = 500;

function ignore(): void {}
