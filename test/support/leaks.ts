/**
 * What of the system's resources a process holds, to see that nothing is left.
 *
 * @module
 */
import { expect } from 'vitest';

/** Sockets and servers that are open, by kind. */
export function openSockets(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (/^(?:TCP|TLS|Pipe|TTY|UDP)/.test(name)) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Expects that no socket is open besides those of the baseline. Handles close some turns of the event loop later. */
export async function expectNoSocketsBesides(baseline: Record<string, number>): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (JSON.stringify(openSockets()) === JSON.stringify(baseline)) break;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  expect(openSockets()).toEqual(baseline);
}
