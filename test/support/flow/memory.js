/**
 * How much memory this process holds: watched by itself, so that the watching costs the same before, during and after.
 *
 * The resident size is sampled all the time and nothing is collected for it: garbage that is made faster than it is
 * let go of counts. What is reachable is looked at on demand, after full collections.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clearInterval, setInterval } from 'node:timers';
import process from 'node:process';

const EVERY = 50;

let timer;
let peak = 0;

function look() {
  peak = Math.max(peak, process.memoryUsage.rss());
}

/** Bytes on the heap and in buffers that are still reachable. Buffers are let go of a moment after their collection. */
async function reachable() {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc();
    await sleep(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, external };
}

async function figures() {
  const held = await reachable();
  look();
  return { ...held, resident: process.memoryUsage.rss(), peak };
}

export const memoryOperations = {
  /** Begins to watch; what is there now. */
  async watchMemory() {
    await reachable();
    peak = 0;
    clearInterval(timer);
    timer = setInterval(look, EVERY);
    timer.unref();
    return figures();
  },
  /** What is there now, and the highest resident size so far. */
  memory: figures,
  /** Ends the watch. */
  async unwatchMemory() {
    look();
    clearInterval(timer);
    return figures();
  },
  /** What the process holds of the system, by kind, apart from what is under way only (closing a file). */
  resources() {
    const counts = {};
    for (const name of process.getActiveResourcesInfo()) {
      if (!name.endsWith('Req')) counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  },
};
