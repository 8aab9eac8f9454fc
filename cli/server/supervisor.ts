/**
 * Keeps processes that serve, and ends them together.
 *
 * Owns their number, what happens when one goes (another takes its place, later and later when that goes on), the
 * restart when the app's files change, and the drain of all. What a signal means is as in one process: the first drains,
 * the second ends at once.
 *
 * Invariants: no process is left when `run` has ended; a place has at most one process that takes sockets.
 *
 * @module
 */
import path from 'node:path';
import type { CommandContext, EndSignal } from '../context.ts';
import { exitCodeOfSignal } from '../context.ts';
import type { Failure } from '../report.ts';
import { CommandError } from '../report.ts';
import { shellWord } from '../shell-word.ts';
import { AppWatch } from './app-watch.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { ServerOutput } from './output.ts';
import type { Processes } from './processes.ts';
import { runningText } from './serve.ts';
import type { FromWorker, PlainTls, StartMessage } from './worker-messages.ts';
import type { WorkerEnd, WorkerHandle, WorkerHandler, WorkerProcessOptions } from './worker-process.ts';
import { WorkerProcess } from './worker-process.ts';

/** What a supervisor is made of. */
export interface SupervisorParts {
  readonly context: CommandContext;
  readonly output: ServerOutput;
  readonly dispatcher: Dispatcher;
  readonly processes: Processes;
  /** `app.js`, as it was typed. */
  readonly app: string;
  /** Milliseconds. */
  readonly drainTimeout: number;
  readonly start: Omit<StartMessage, 'lastConnectionId'>;
  /** Closes what was opened. */
  readonly stopListening: () => Promise<void>;
  /** All of the workers serve. Told once. */
  readonly started: (app: Started) => void;
  /** Makes a process; tests make others. */
  readonly spawn?: ((options: WorkerProcessOptions, handler: WorkerHandler) => WorkerHandle) | undefined;
}

/** What the first workers said of the app. */
export interface Started {
  readonly title: string;
  readonly remark: string | undefined;
}

/** A process and what is known of it. */
interface Seat {
  readonly worker: WorkerHandle;
  state: 'starting' | 'ready' | 'leaving';
  readyAt: number;
  /** Why it cannot serve, as it said. */
  failure: CommandError | undefined;
  /** Requests that ran when it began to drain; `undefined` before. */
  requests: number | undefined;
}

/** Keeps the workers of one command. */
export class Supervisor implements WorkerHandler {
  readonly #parts: SupervisorParts;
  readonly #seats: Map<WorkerHandle, Seat>;
  /** Those that wait before they take a place again. */
  readonly #timers: Set<NodeJS.Timeout>;
  readonly #watch: AppWatch | undefined;
  readonly #outcome: Promise<number>;
  #settle: (outcome: number | CommandError) => void;
  #tls: PlainTls | undefined;
  #made: number;
  /** Processes that went before they served, or soon after, one behind the other. */
  #deaths: number;
  #started: boolean;
  #first: EndSignal | undefined;
  #ending: number | CommandError | undefined;
  #told: boolean;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#seats = new Map();
    this.#timers = new Set();
    this.#tls = parts.start.tls;
    this.#made = 0;
    this.#deaths = 0;
    this.#started = false;
    this.#first = undefined;
    this.#ending = undefined;
    this.#told = false;
    this.#settle = () => undefined;
    this.#outcome = new Promise((resolve, reject) => {
      this.#settle = (outcome) => {
        if (typeof outcome === 'number') resolve(outcome);
        else reject(outcome);
      };
    });
    const { watched } = parts.processes;
    this.#watch = watched === undefined ? undefined : new AppWatch(watched, (file) => this.#changed(file));
  }

  /** Serves until a signal ends it. Resolves to the exit code. @throws CommandError when the app cannot be served */
  async run(): Promise<number> {
    const { context, processes, stopListening } = this.#parts;
    const forget = context.onSignal((signal) => this.#signalled(signal));
    try {
      for (let place = 1; place <= processes.count; place += 1) this.#spawn(place);
      return await this.#outcome;
    } finally {
      forget();
      this.#watch?.close();
      await stopListening();
    }
  }

  /** Gives every worker another certificate. */
  updateTls(tls: PlainTls): void {
    this.#tls = tls;
    for (const { worker } of this.#seats.values()) worker.send({ type: 'tls', tls });
  }

  /** @inheritdoc */
  message(worker: WorkerHandle, message: FromWorker): void {
    const seat = this.#seats.get(worker);
    if (seat === undefined) return;
    switch (message.type) {
      case 'ready':
        this.#ready(seat, message);
        break;
      case 'failed':
        seat.failure = failureError(message.failure, message.exitCode, message.stack);
        break;
      case 'taken':
        this.#parts.dispatcher.taken(worker, message.id);
        break;
      case 'refused':
        this.#parts.dispatcher.declined(worker, message.id);
        break;
      case 'draining':
        seat.requests = message.requests;
        this.#tellDrain();
        break;
    }
  }

  /** @inheritdoc */
  imported(_worker: WorkerHandle, file: string): void {
    this.#watch?.imported(file);
  }

  /** @inheritdoc */
  lost(worker: WorkerHandle): void {
    this.#parts.dispatcher.lose(worker);
  }

  /** @inheritdoc */
  ended(worker: WorkerHandle, end: WorkerEnd): void {
    const seat = this.#seats.get(worker);
    this.#seats.delete(worker);
    if (this.#ending !== undefined) {
      this.#tellDrain();
      if (this.#seats.size === 0) this.#settle(this.#ending);
    } else if (seat?.state === 'leaving') {
      this.#afterLeaving();
    } else if (seat !== undefined) {
      this.#died(seat, end);
    }
  }

  #spawn(place: number): void {
    const { context, output, start, spawn, processes } = this.#parts;
    this.#made += 1;
    const options: WorkerProcessOptions = {
      place,
      // Ids of connections begin with the number of the process that they are of.
      start: { ...start, tls: this.#tls, lastConnectionId: this.#made * 36 ** 6 },
      directory: context.directory,
      environment: context.environment,
      tellImports: processes.watched !== undefined,
      stdout: output.accesses,
      stderr: output.messages,
    };
    const worker = spawn === undefined ? new WorkerProcess(options, this) : spawn(options, this);
    this.#seats.set(worker, { worker, state: 'starting', readyAt: 0, failure: undefined, requests: undefined });
  }

  #spawnLater(place: number, delay: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#spawn(place);
    }, delay);
    this.#timers.add(timer);
  }

  #ready(seat: Seat, app: Started): void {
    if (seat.state !== 'starting') return;
    seat.state = 'ready';
    seat.readyAt = Date.now();
    const { dispatcher, output, processes, started } = this.#parts;
    if (this.#watch !== undefined) this.#watch.broken = false;
    dispatcher.add(seat.worker);
    const ready = [...this.#seats.values()].filter(({ state }) => state === 'ready').length;
    if (this.#started) {
      if (processes.watched !== undefined) output.tell(`serving ${app.title}`);
    } else if (ready === processes.count) {
      this.#started = true;
      started(app);
    }
  }

  /** A worker is gone that nobody asked to go. */
  #died(seat: Seat, end: WorkerEnd): void {
    const { output, processes } = this.#parts;
    const served = seat.state === 'ready';
    const lived = served ? Date.now() - seat.readyAt : 0;
    this.#deaths = lived >= SETTLED ? 0 : this.#deaths + 1;
    if (!served && processes.watched !== undefined) {
      this.#waitForChange(seat.failure ?? this.#deathError(end));
      return;
    }
    if (!served && (this.#deaths >= MAX_DEATHS || (seat.failure !== undefined && !this.#started))) {
      this.#end(seat.failure ?? this.#deathError(end), this.#parts.drainTimeout);
      return;
    }
    if (seat.failure === undefined) {
      const what = served ? 'a worker ended; another one takes its place' : 'a worker ended before it served';
      // Before anything serves the last word is enough.
      output.logger.log(this.#started ? 'error' : 'debug', what, {
        worker: seat.worker.place,
        pid: seat.worker.pid,
        reason: endText(end),
      });
    } else {
      output.fail(seat.failure);
    }
    this.#spawnLater(
      seat.worker.place,
      this.#deaths === 0 ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#deaths - 1)),
    );
  }

  #deathError(end: WorkerEnd): CommandError {
    const { app, processes } = this.#parts;
    const often = this.#deaths > 1 ? `${String(this.#deaths)} times ` : '';
    const who = processes.watched === undefined ? 'a worker' : 'the app';
    return new CommandError({
      cause: `${who} ended ${often}before it served: ${endText(end)}`,
      place: app,
      next: `hface-ts server ${shellWord(app)}, in one process`,
    });
  }

  /** The app cannot be served as it is: with `--watch` that is no end. */
  #waitForChange(error: CommandError): void {
    const { cause, place } = error.failure;
    const next = 'change it and save: it is started anew';
    this.#parts.output.fail(new CommandError({ cause, place, next }, 1, error.cause));
    if (this.#watch !== undefined) this.#watch.broken = true;
  }

  /** A file of the app has changed: its process ends, another begins. */
  #changed(file: string): void {
    if (this.#ending !== undefined) return;
    const { output, context, dispatcher, drainTimeout } = this.#parts;
    output.tell(`${path.relative(context.directory, file)} has changed: starting anew`);
    this.#deaths = 0;
    this.#clearTimers();
    for (const seat of this.#seats.values()) {
      if (seat.state === 'leaving') continue;
      if (seat.state === 'ready') {
        dispatcher.retire(seat.worker);
        seat.worker.send({ type: 'drain', timeout: drainTimeout });
      } else {
        seat.worker.kill();
      }
      seat.state = 'leaving';
    }
    // Two at once may want the same of the machine; but what still runs shall not hold a restart up for long.
    this.#spawnLater(1, this.#seats.size === 0 ? 0 : PATIENCE);
  }

  #afterLeaving(): void {
    if (this.#seats.size > 0 || this.#timers.size === 0) return;
    this.#clearTimers();
    this.#spawn(1);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #signalled(signal: EndSignal): void {
    if (this.#first !== undefined) {
      for (const { worker } of this.#seats.values()) worker.kill();
      this.#parts.context.exit(exitCodeOfSignal(signal));
      return;
    }
    this.#first = signal;
    // Also while the first workers start: the endpoints are open already.
    if (this.#ending === undefined) this.#end(0, this.#parts.drainTimeout);
  }

  /** Ends all workers, those that serve within the timeout. */
  #end(outcome: number | CommandError, timeout: number): void {
    this.#ending = outcome;
    const { dispatcher, stopListening } = this.#parts;
    void stopListening();
    this.#clearTimers();
    dispatcher.close();
    for (const { worker, state } of this.#seats.values()) {
      if (state === 'starting') worker.kill();
      else worker.send({ type: 'drain', timeout });
    }
    if (this.#seats.size === 0) {
      this.#tellDrain();
      this.#settle(outcome);
      return;
    }
    const kill = (): void => {
      for (const { worker } of this.#seats.values()) worker.kill();
    };
    this.#timers.add(setTimeout(kill, timeout + END_PATIENCE).unref());
    this.#timers.add(setTimeout(() => this.#tellDrain(true), TELL_PATIENCE).unref());
  }

  /** Tells how many requests are waited for, once each worker has told its own or the patience is over. */
  #tellDrain(now = false): void {
    if (this.#told || this.#first === undefined || this.#ending !== 0) return;
    const seats = [...this.#seats.values()];
    if (!now && seats.some(({ requests, state }) => requests === undefined && state !== 'starting')) return;
    this.#told = true;
    const requests = seats.reduce((sum, seat) => sum + (seat.requests ?? 0), 0);
    this.#parts.output.tell(runningText(requests, this.#parts.drainTimeout));
  }
}

function failureError(failure: Failure, exitCode: number, stack: string | undefined): CommandError {
  const origin = new Error(failure.cause);
  if (stack !== undefined) origin.stack = stack;
  return new CommandError(failure, exitCode, origin);
}

function endText({ code, signal }: WorkerEnd): string {
  if (signal !== null) return `killed by ${signal}`;
  return code === null ? 'no process' : `exit code ${String(code)}`;
}

/** Processes that go before they serve, one behind the other, until the command gives up. */
export const MAX_DEATHS = 5;
/** Milliseconds: who served so long was well. */
const SETTLED = 5_000;
/** Milliseconds before the next process; doubled each time. */
const FIRST_WAIT = 100;
/** Milliseconds. */
const LONGEST_WAIT = 10_000;
/** Milliseconds that a restart waits for requests that run; they go on beyond it. */
const PATIENCE = 1_000;
/** Milliseconds that a worker may take beyond the drain: its app has ten seconds to shut down. */
const END_PATIENCE = 12_000;
/** Milliseconds until it is told what is waited for, whoever has not answered. */
const TELL_PATIENCE = 1_000;
