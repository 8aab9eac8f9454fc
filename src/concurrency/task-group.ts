/**
 * Structured concurrency: whoever starts background work owns it.
 *
 * Theory of operation. A group is a scope. It runs tasks, and groups within it. It ends once, by {@link TaskGroup.join}
 * (wait until all have ended by themselves) or by {@link TaskGroup.close}, which `await using` calls (tell all to stop,
 * and wait). Three rules hold:
 *
 * 1. Ending waits. Neither resolves before every task, also of groups within, has ended. A task that ignores its
 *    signal therefore holds up the end; {@link TaskGroup.describe} names it.
 * 2. One failure ends all. The first task to fail cancels the others. Its error is thrown once, by the first `join` or
 *    `close` to be answered; errors that come after it are attached to it ({@link furtherErrors}). What a task throws
 *    because it was told to stop is no failure.
 * 3. Cancelling flows inward only: from a group to its tasks and to the groups within. The failure of a group within
 *    is thrown where that group is joined or closed; if it never is, by the group around it.
 *
 * Nothing here causes an unhandled rejection: who neither joins nor closes a group never learns of a failure.
 *
 * @module
 */

import { HfaceError, LocalProtocolError } from '../common/index.ts';
import { abortError, CancelledError, onAbort } from './abort.ts';
import { RunningTask } from './task.ts';
import type { Task, TaskOwner, TaskWork } from './task.ts';

/** What a task group may be given. */
export interface TaskGroupOptions {
  /** What it is called in messages and in {@link TaskGroup.describe}. Default `tasks`. */
  readonly name?: string;
  /** Cancels the group when it aborts, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The group around this one: cancels it, and does not end before it. */
  readonly parent?: TaskGroup | undefined;
}

/** What a task may be given. */
export interface TaskOptions {
  /** What it is called. Default: the name of its function, or its number. */
  readonly name?: string;
}

interface Ending {
  readonly joining: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A scope that owns the tasks started in it.
 */
export class TaskGroup implements AsyncDisposable {
  /** What it is called. */
  readonly name: string;
  readonly #controller: AbortController;
  readonly #parent: TaskGroup | undefined;
  readonly #tasks: Set<RunningTask<unknown>>;
  readonly #groups: Set<TaskGroup>;
  readonly #owner: TaskOwner;
  /** Tasks that run, and groups within that have any. */
  #active: number;
  #spawned: number;
  #closed: boolean;
  /** Whether the cancellation came from the parent or from the signal given. */
  #cancelledFromOutside: boolean;
  #anyTaskCancelled: boolean;
  readonly #failures: Error[];
  #endings: Ending[];
  #stopListening: () => void;

  constructor(options: TaskGroupOptions = {}) {
    this.name = options.name ?? 'tasks';
    this.#controller = new AbortController();
    this.#parent = options.parent;
    this.#tasks = new Set();
    this.#groups = new Set();
    this.#owner = {
      taskEnded: (task, error) => {
        this.#taskEnded(task, error);
      },
    };
    this.#active = 0;
    this.#spawned = 0;
    this.#closed = false;
    this.#cancelledFromOutside = false;
    this.#anyTaskCancelled = false;
    this.#failures = [];
    this.#endings = [];
    this.#stopListening = nothing;
    if (options.parent !== undefined) options.parent.#adopt(this);
    this.#stopListening = onAbort(options.signal, (reason) => {
      this.#cancelFromOutside(reason);
    });
  }

  /** Aborts when the group is cancelled, when a task fails, and when it is closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the group takes no more tasks: it was closed, or joined and has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many tasks run, those of groups within included. */
  get running(): number {
    let count = this.#tasks.size;
    for (const group of this.#groups) count += group.running;
    return count;
  }

  /**
   * Starts work in this group; its function is called at once, in the caller's turn. In a group that was cancelled but
   * not closed it is still called, with a signal that has aborted, so that what it was given to care for is cared for.
   *
   * @throws LocalProtocolError `ERR_GROUP_CLOSED` after the group was closed; the function is not called then.
   */
  spawn<T>(work: TaskWork<T>, options: TaskOptions = {}): Task<T> {
    this.#requireOpen('starts no more tasks');
    this.#spawned += 1;
    const task = new RunningTask<T>(options.name ?? (work.name || `task ${String(this.#spawned)}`), this.#owner);
    if (this.#controller.signal.aborted) task.cancel(this.#controller.signal.reason);
    this.#tasks.add(task);
    this.#activate();
    task.start(work);
    return task;
  }

  /** A group within this one. */
  subgroup(name: string): TaskGroup {
    return new TaskGroup({ name, parent: this });
  }

  /**
   * Tells every task, and every group within, to stop; does not wait. Only the first call has an effect. Without a
   * `reason` the signals' reason is a {@link CancelledError}.
   */
  cancel(reason?: unknown): void {
    if (this.#controller.signal.aborted) return;
    const given: unknown =
      reason === undefined ? new CancelledError(`task group "${this.name}" was cancelled`) : reason;
    this.#controller.abort(given);
    for (const task of [...this.#tasks]) task.cancel(given);
    for (const group of [...this.#groups]) group.#cancelFromOutside(given);
  }

  /**
   * Resolves when every task has ended, those included that are started meanwhile; the group is closed then. Do not
   * await it in one of its own tasks.
   *
   * Rejects with the first failure, if it was not thrown before; else, if tasks were stopped by the signal or the
   * parent given, with that one's reason. The promise may be left alone: its rejection is never unhandled.
   */
  join(): Promise<void> {
    return this.#end(true);
  }

  /**
   * Takes no more tasks, tells all to stop, and resolves when they have ended. Rejects with the first failure, if it
   * was not thrown before. May be called more than once. The promise may be left alone.
   */
  close(reason?: unknown): Promise<void> {
    this.#closed = true;
    this.cancel(reason === undefined ? new CancelledError(`task group "${this.name}" was closed`) : reason);
    return this.#end(false);
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The tree of groups and tasks that have not ended, as lines of text; for reports of what hangs. */
  describe(indent = ''): string {
    const state = this.#closed ? 'closed' : this.#controller.signal.aborted ? 'cancelled' : 'open';
    const lines = [`${indent}group "${this.name}": ${state}, ${String(this.running)} running`];
    for (const task of this.#tasks) lines.push(`${indent}  ${task.describe()}`);
    for (const group of this.#groups) lines.push(group.describe(`${indent}  `));
    return lines.join('\n');
  }

  #requireOpen(what: string): void {
    if (!this.#closed) return;
    throw new LocalProtocolError(`task group "${this.name}" is closed and ${what}`, 'ERR_GROUP_CLOSED');
  }

  #adopt(group: TaskGroup): void {
    this.#requireOpen('holds no more groups');
    this.#groups.add(group);
    if (this.#controller.signal.aborted) group.#cancelFromOutside(this.#controller.signal.reason);
  }

  #cancelFromOutside(reason: unknown): void {
    if (this.#controller.signal.aborted) return;
    this.#cancelledFromOutside = true;
    this.cancel(reason);
  }

  #activate(): void {
    this.#active += 1;
    if (this.#active === 1 && this.#parent !== undefined) this.#parent.#activate();
  }

  #deactivate(): void {
    this.#active -= 1;
    if (this.#active > 0) return;
    if (this.#endings.length > 0) this.#settle();
    if (this.#parent !== undefined) this.#parent.#deactivate();
  }

  #taskEnded(task: RunningTask<unknown>, error: unknown): void {
    this.#tasks.delete(task);
    if (task.state === 'cancelled') this.#anyTaskCancelled = true;
    if (task.state === 'failed') {
      const failure = asError(error, task.name);
      this.#failures.push(failure);
      this.cancel(new CancelledError(`cancelled because task "${task.name}" failed`, failure));
    }
    this.#deactivate();
  }

  #end(joining: boolean): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      this.#endings.push({ joining, resolve, reject });
    });
    promise.catch(nothing);
    if (this.#active === 0) this.#settle();
    return promise;
  }

  /** Nothing runs any more and somebody waits for that. */
  #settle(): void {
    this.#closeForGood();
    if (this.#parent !== undefined) this.#parent.#groups.delete(this);
    const endings = this.#endings;
    this.#endings = [];
    for (const ending of endings) {
      const failures = this.#failures.splice(0);
      if (failures.length > 0) ending.reject(joined(failures));
      else if (ending.joining && this.#cancelledFromOutside && this.#anyTaskCancelled) {
        ending.reject(abortError(this.#controller.signal.reason));
      } else ending.resolve();
    }
  }

  /** Closes this group and those within, of which nothing runs, and takes over failures that nobody asked for. */
  #closeForGood(): void {
    this.#closed = true;
    this.#stopListening();
    this.#stopListening = nothing;
    for (const group of this.#groups) {
      group.#closeForGood();
      this.#failures.push(...group.#failures.splice(0));
    }
    this.#groups.clear();
  }
}

/**
 * Runs `body` in a group of its own and answers what it returned, after every task in the group has ended by itself.
 * If the body or a task fails, the rest is cancelled and the first failure is thrown.
 */
export async function withTaskGroup<T>(
  body: (group: TaskGroup, signal: AbortSignal) => PromiseLike<T> | T,
  options: TaskGroupOptions = {},
): Promise<T> {
  const group = new TaskGroup(options);
  const task = group.spawn((signal) => body(group, signal), { name: 'body' });
  await group.join();
  return task.result;
}

/** The errors that came after this one, when it was thrown as the first failure of a task group. */
export function furtherErrors(error: unknown): readonly Error[] {
  return (error instanceof Error ? attached.get(error) : undefined) ?? [];
}

const attached = new WeakMap<Error, Error[]>();

/** The first failure with the others attached, where it can be also under the name that Node prints. */
function joined(failures: readonly Error[]): Error {
  const [first, ...others] = failures as readonly [Error, ...Error[]];
  const further = attached.get(first) ?? [];
  for (const error of others) {
    if (error !== first && !further.includes(error)) further.push(error);
  }
  if (further.length > 0 && !attached.has(first)) {
    attached.set(first, further);
    if (Object.isExtensible(first) && !('errors' in first)) {
      Object.defineProperty(first, 'errors', { value: further, configurable: true, writable: true });
    }
  }
  return first;
}

/** A thrown value as an error: `throw undefined` is a failure as well. */
function asError(thrown: unknown, task: string): Error {
  if (thrown instanceof Error) return thrown;
  let text = 'a value without text';
  try {
    text = String(thrown);
  } catch {
    // An object may refuse to become text.
  }
  return new HfaceError(`task "${task}" threw ${text}`, { code: 'ERR_TASK', initiator: 'application', cause: thrown });
}

function nothing(): void {
  // There is nothing to do.
}
