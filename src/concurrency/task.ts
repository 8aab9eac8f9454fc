/**
 * One piece of work that a task group owns.
 *
 * Owns: starting it, its own signal, and telling how it ended. Does not own what its end means for others: that is the
 * group's (task-group.ts).
 *
 * @module
 */

import { CancelledError, isCancellation } from './abort.ts';

/** How a task stands: `cancelled` means that it was told to stop and ended for that reason. */
export type TaskState = 'running' | 'completed' | 'failed' | 'cancelled';

/** The work of a task. It should end soon after its signal aborts; its group cannot end before it does. */
export type TaskWork<T> = (signal: AbortSignal) => PromiseLike<T> | T;

/** A running or ended piece of work. */
export interface Task<T> {
  /** What it is called in messages and in `TaskGroup.describe`. */
  readonly name: string;
  /** How it stands. */
  readonly state: TaskState;
  /** What its work was given: aborts with the group, or by {@link Task.cancel}. */
  readonly signal: AbortSignal;
  /**
   * What its work returned or threw. Need not be awaited: a rejection here is never unhandled. A failure reaches the
   * group whether or not it was seen here.
   */
  readonly result: Promise<T>;
  /** Tells this task alone to stop. Without an error as `reason` its signal's reason is a `CancelledError`. */
  cancel(reason?: unknown): void;
}

/** What a task tells its group. */
export interface TaskOwner {
  /** The task has ended; `error` is what it threw, when it failed. */
  taskEnded(task: RunningTask<unknown>, error: unknown): void;
}

/** The implementation of {@link Task}, known to groups only. */
export class RunningTask<T> implements Task<T> {
  readonly name: string;
  readonly #controller: AbortController;
  readonly #owner: TaskOwner;
  #state: TaskState;
  #result: Promise<T> | undefined;

  constructor(name: string, owner: TaskOwner) {
    this.name = name;
    this.#owner = owner;
    this.#controller = new AbortController();
    this.#state = 'running';
    this.#result = undefined;
  }

  get state(): TaskState {
    return this.#state;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get result(): Promise<T> {
    // The group starts a task before it hands it out.
    return this.#result as Promise<T>;
  }

  /** Calls the work, in the caller's turn; its end is noticed in a later one. */
  start(work: TaskWork<T>): void {
    this.#result = new Promise<T>((resolve) => {
      resolve(work(this.#controller.signal));
    });
    this.#result.then(
      () => {
        this.#end('completed', undefined);
      },
      (error: unknown) => {
        this.#end(isCancellation(error, this.#controller.signal) ? 'cancelled' : 'failed', error);
      },
    );
  }

  cancel(reason?: unknown): void {
    if (this.#controller.signal.aborted || this.#state !== 'running') return;
    this.#controller.abort(reason === undefined ? new CancelledError(`task "${this.name}" was cancelled`) : reason);
  }

  /** One line for `TaskGroup.describe`. */
  describe(): string {
    const waits = this.#state === 'running' && this.#controller.signal.aborted;
    return `task "${this.name}": ${waits ? 'still running, though it was told to stop' : this.#state}`;
  }

  #end(state: TaskState, error: unknown): void {
    this.#state = state;
    this.#owner.taskEnded(this, error);
  }
}
