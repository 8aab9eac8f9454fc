/**
 * How much memory this process holds, for bounds that a test can rely on.
 *
 * What counts is what is still reachable after a full collection: heap, buffers and what the runtime holds outside of
 * both. Garbage that was not collected yet is no leak; that floods make no mountain of it either is looked at through
 * the resident size, with a wide bound.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collector: (() => void) | undefined;

/** Collects everything that can be collected. */
export function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}

/** Bytes that are reachable now. */
export function retainedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Watches the memory from its making on. */
export class MemoryWatch {
  readonly #before: number;
  readonly #resident: number;
  readonly #timer: NodeJS.Timeout;
  #peak: number;

  constructor() {
    this.#before = retainedBytes();
    this.#resident = process.memoryUsage.rss();
    this.#peak = this.#resident;
    this.#timer = setInterval(() => this.#look(), 10);
    this.#timer.unref();
  }

  /**
   * How much more is reachable than at the beginning. Buffers are let go a moment after the collection that found them
   * unreachable; so this looks again, for at most a second, as long as it is more than `bound`.
   */
  async retained(bound: number): Promise<number> {
    let least = retainedBytes() - this.#before;
    for (let look = 0; look < 20 && least > bound; look += 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      least = Math.min(least, retainedBytes() - this.#before);
    }
    return least;
  }

  /** Ends the watch; by how much the resident size has grown at its highest. */
  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#peak - this.#resident;
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, process.memoryUsage.rss());
  }
}
