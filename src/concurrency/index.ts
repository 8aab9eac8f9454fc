/**
 * Structured concurrency: task groups, cancellation, deadlines, timers, bounded queues. For everything from networking
 * on; engines do not use it.
 *
 * @module
 */

export {
  abortError,
  CancelledError,
  isCancellation,
  linkSignals,
  neverCancelled,
  onAbort,
  raceAbort,
  throwIfAborted,
} from './abort.ts';
export type { LinkedSignal } from './abort.ts';
export { BoundedQueue } from './bounded-queue.ts';
export type { BoundedQueueOptions, QueueItem } from './bounded-queue.ts';
export { Deadline, sleep, withDeadline } from './deadline.ts';
export type { DeadlineOptions } from './deadline.ts';
export { Gate, Latch } from './latch.ts';
export { Semaphore } from './semaphore.ts';
export type { Permit, SemaphoreOptions } from './semaphore.ts';
export type { Task, TaskState, TaskWork } from './task.ts';
export { furtherErrors, TaskGroup, withTaskGroup } from './task-group.ts';
export type { TaskGroupOptions, TaskOptions } from './task-group.ts';
export { TimerQueue } from './timer-queue.ts';
export type { Timer, TimerQueueOptions, TimerTarget } from './timer-queue.ts';
export { callUser, holdAnswer } from './user-callback.ts';
