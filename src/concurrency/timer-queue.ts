/**
 * Many timers on one timer of the clock.
 *
 * Owns: a binary heap of times and the one callback scheduled for the earliest. Made for connections, which have one
 * timer each and move it with every batch of events: moving a time later, or clearing it, costs one assignment and is
 * caught up with when the old time comes; setting, moving earlier and cancelling cost O(log n).
 *
 * Invariants: the scheduled time of the clock is never later than the earliest time set; timers with the same time run
 * in the order in which they were set; with no time set, nothing is scheduled; a callback that throws disturbs no other
 * timer; a timer that is set again for a time that has passed runs in a later turn of the clock, never in the same one.
 *
 * @module
 */

import type { Clock, ScheduledCallback } from '../common/index.ts';

/** What a timer queue may be given. */
export interface TimerQueueOptions {
  /** Is told what a callback threw. Must not throw itself. */
  readonly onError: (error: unknown) => void;
  /** Whether the queue alone does not keep a process alive. Default false. */
  readonly background?: boolean;
}

/** Who is called when a timer's time has come. */
export interface TimerTarget {
  /**
   * The time has come.
   *
   * @param now - when that is found
   */
  timedOut(now: number): void;
}

/** One timer of a {@link TimerQueue}: a callback with a time that moves. */
export interface Timer {
  /** The time for which it is set, on the clock's scale in milliseconds; `undefined` when it is not. */
  readonly deadline: number | undefined;
  /** Sets or moves the time; `undefined` clears it. A time that has passed means as soon as possible. */
  set(deadline: number | undefined): void;
  /** Clears the time and lets the queue forget the timer at once. It may be set again. */
  cancel(): void;
}

/**
 * A queue of timers.
 */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #background: boolean;
  readonly #heap: QueuedTimer[];
  #scheduled: ScheduledCallback | undefined;
  #scheduledAt: number;
  /** How many timers have a time. The heap may hold more: those that were cleared and not yet met. */
  #pending: number;
  #sequence: number;
  /** What runs in this turn of the clock; `undefined` outside of one. */
  #due: readonly QueuedTimer[] | undefined;
  readonly #operations: Operations;

  constructor(clock: Clock, options: TimerQueueOptions) {
    this.#clock = clock;
    this.#onError = options.onError;
    this.#background = options.background ?? false;
    this.#heap = [];
    this.#scheduled = undefined;
    this.#scheduledAt = Infinity;
    this.#pending = 0;
    this.#sequence = 0;
    this.#due = undefined;
    this.#operations = {
      set: (timer, deadline) => {
        this.#set(timer, deadline);
      },
      cancel: (timer) => {
        this.#clearTime(timer);
        if (timer.index !== NOT_QUEUED) this.#remove(timer);
        this.#arm();
      },
    };
  }

  /** How many timers have a time. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * A timer of this queue, without a time yet. Its callback is given the time at which it runs. An object in place of a
   * callback saves those who have many timers a closure for each.
   */
  timer(target: ((now: number) => void) | TimerTarget): Timer {
    return new QueuedTimer(this.#operations, typeof target === 'function' ? { timedOut: target } : target);
  }

  /** Clears every timer. They may be set again. */
  clear(): void {
    for (const timer of this.#due ?? []) timer.due = false;
    for (const timer of this.#heap) {
      timer.wanted = Infinity;
      timer.index = NOT_QUEUED;
    }
    this.#heap.length = 0;
    this.#pending = 0;
    this.#arm();
  }

  #set(timer: QueuedTimer, deadline: number | undefined): void {
    if (deadline === undefined || !(deadline < Infinity)) {
      this.#clearTime(timer);
      if (this.#pending === 0) this.#arm();
      return;
    }
    timer.due = false;
    if (timer.wanted === Infinity) this.#pending += 1;
    timer.wanted = deadline;
    timer.wantedSequence = this.#sequence += 1;
    if (timer.index === NOT_QUEUED) this.#insert(timer);
    else if (deadline < timer.key) {
      timer.key = deadline;
      timer.sequence = timer.wantedSequence;
      this.#up(timer);
    } else if (this.#scheduled !== undefined) return;
    this.#arm();
  }

  #clearTime(timer: QueuedTimer): void {
    timer.due = false;
    if (timer.wanted === Infinity) return;
    timer.wanted = Infinity;
    this.#pending -= 1;
  }

  /** Sees to it that the clock calls in time for the earliest timer, and not at all when there is none. */
  #arm(): void {
    if (this.#due !== undefined) return;
    const earliest = this.#pending === 0 ? Infinity : (this.#heap[0]?.key ?? Infinity);
    if (this.#scheduled !== undefined) {
      // A call that comes too early finds nothing due; that is cheaper than moving it each time.
      if (earliest !== Infinity && this.#scheduledAt <= earliest) return;
      this.#scheduled.cancel();
      this.#scheduled = undefined;
    }
    this.#scheduledAt = earliest;
    if (earliest === Infinity) return;
    const run = (): void => {
      this.#run();
    };
    this.#scheduled = this.#clock.schedule(earliest, run, { background: this.#background });
  }

  #run(): void {
    this.#scheduled = undefined;
    const now = this.#clock.now();
    this.#due = this.#takeDue(now);
    for (const timer of this.#due) {
      // A callback before this one may have moved or cancelled it.
      if (!timer.due) continue;
      timer.due = false;
      try {
        timer.target.timedOut(now);
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#due = undefined;
    this.#arm();
  }

  /** Takes what is due out of the heap; what was moved later is put in its new place, what was cleared is dropped. */
  #takeDue(now: number): QueuedTimer[] {
    const due: QueuedTimer[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.key <= now; first = this.#heap[0]) {
      this.#remove(first);
      if (first.wanted === Infinity) continue;
      if (first.wanted > now) {
        this.#insert(first);
        continue;
      }
      first.key = first.wanted;
      first.sequence = first.wantedSequence;
      first.wanted = Infinity;
      first.due = true;
      this.#pending -= 1;
      due.push(first);
    }
    return due.sort(byTime);
  }

  #insert(timer: QueuedTimer): void {
    timer.key = timer.wanted;
    timer.sequence = timer.wantedSequence;
    timer.index = this.#heap.length;
    this.#heap.push(timer);
    this.#up(timer);
  }

  #remove(timer: QueuedTimer): void {
    const last = this.#heap.pop() as QueuedTimer;
    const index = timer.index;
    timer.index = NOT_QUEUED;
    if (last === timer) return;
    last.index = index;
    this.#heap[index] = last;
    this.#up(last);
    this.#down(last);
  }

  #up(timer: QueuedTimer): void {
    let index = timer.index;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex] as QueuedTimer;
      if (byTime(parent, timer) <= 0) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(timer, index);
  }

  #down(timer: QueuedTimer): void {
    let index = timer.index;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && byTime(right, left) < 0 ? right : left;
      if (byTime(timer, child) <= 0) break;
      const childIndex = child.index;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(timer, index);
  }

  #place(timer: QueuedTimer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }
}

const NOT_QUEUED = -1;

/** What a timer asks of its queue. */
interface Operations {
  readonly set: (timer: QueuedTimer, deadline: number | undefined) => void;
  readonly cancel: (timer: QueuedTimer) => void;
}

class QueuedTimer implements Timer {
  readonly target: TimerTarget;
  /** When to run; Infinity when not set. */
  wanted: number;
  wantedSequence: number;
  /** Where it stands in the heap: never later than `wanted`. */
  key: number;
  sequence: number;
  index: number;
  /** Taken out of the heap in this turn and about to run. */
  due: boolean;
  readonly #operations: Operations;

  constructor(operations: Operations, target: TimerTarget) {
    this.#operations = operations;
    this.target = target;
    this.wanted = Infinity;
    this.wantedSequence = 0;
    this.key = Infinity;
    this.sequence = 0;
    this.index = NOT_QUEUED;
    this.due = false;
  }

  get deadline(): number | undefined {
    return this.wanted === Infinity ? undefined : this.wanted;
  }

  set(deadline: number | undefined): void {
    this.#operations.set(this, deadline);
  }

  cancel(): void {
    this.#operations.cancel(this);
  }
}

function byTime(one: QueuedTimer, other: QueuedTimer): number {
  return one.key === other.key ? one.sequence - other.sequence : one.key - other.key;
}
