/**
 * Priorities that came before their requests.
 *
 * Owns: RFC 9218 section 7.1's buffering, bounded: the newest few ids are kept, the last value of each.
 *
 * @module
 */
import type { Priority } from './priority.ts';

const MOST = 16;

/** Priorities by the id of a stream that is still idle. */
export class PendingPriorities {
  #kept: Map<number, Priority> | undefined;

  constructor() {
    this.#kept = undefined;
  }

  /** Keeps one; the oldest goes when there are too many. */
  keep(streamId: number, priority: Priority): void {
    const kept = (this.#kept ??= new Map());
    kept.delete(streamId);
    if (kept.size >= MOST) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    }
    kept.set(streamId, priority);
  }

  /** Takes that of a stream which begins. */
  take(streamId: number): Priority | undefined {
    if (this.#kept === undefined || this.#kept.size === 0) return undefined;
    const priority = this.#kept.get(streamId);
    this.#kept.delete(streamId);
    return priority;
  }
}
