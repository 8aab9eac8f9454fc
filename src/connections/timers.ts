/**
 * The timers of connections, listeners and pools: all of one clock on one queue.
 *
 * Owns the one queue per clock. A connection has one timer and moves it with every batch; the queue makes of all of
 * them one callback of the clock. A connection's socket keeps the process alive, its timers do not.
 *
 * @module
 */
import type { Clock } from '../common/index.ts';
import { TimerQueue } from '../concurrency/index.ts';
import type { Timer, TimerTarget } from '../concurrency/index.ts';

const queues = new WeakMap<Clock, TimerQueue>();

/** A timer on the queue that everything on this clock shares. The callback must not throw. */
export function timerOn(clock: Clock, target: ((now: number) => void) | TimerTarget): Timer {
  let queue = queues.get(clock);
  if (queue === undefined) {
    queue = new TimerQueue(clock, { background: true, onError: ignore });
    queues.set(clock, queue);
  }
  return queue.timer(target);
}

function ignore(): void {
  // Callbacks here catch what they call.
}
