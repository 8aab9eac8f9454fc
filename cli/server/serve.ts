/**
 * From a server that listens to the end of the command: the first signal drains it, the second ends it at once.
 *
 * @module
 */
import type { RunningServer } from '../../src/server/index.ts';
import type { CommandContext, EndSignal } from '../context.ts';
import { exitCodeOfSignal } from '../context.ts';

/** How a server is ended. */
export interface ServeOptions {
  /** How long running requests may go on after the first signal, in milliseconds. */
  readonly drainTimeout: number;
  /** Takes what the user is told. */
  readonly tell: (line: string) => void;
}

/** Ends a server by signals. Made before it listens, since a signal may come while the app starts. */
export class Serving {
  readonly #context: CommandContext;
  readonly #options: ServeOptions;
  readonly #starting: AbortController;
  readonly #forget: () => void;
  #running: RunningServer | undefined;
  #first: EndSignal | undefined;

  constructor(context: CommandContext, options: ServeOptions) {
    this.#context = context;
    this.#options = options;
    this.#starting = new AbortController();
    this.#running = undefined;
    this.#first = undefined;
    this.#forget = context.onSignal((signal) => this.#signalled(signal));
  }

  /** Aborts when a signal comes before the server listens. */
  get startSignal(): AbortSignal {
    return this.#starting.signal;
  }

  /** The signal that ended the start, or `undefined`. */
  get interrupted(): EndSignal | undefined {
    return this.#first;
  }

  /** Resolves with the exit code when nothing of the server is left. Rejects when a listener failed for good. */
  async untilEnd(running: RunningServer): Promise<number> {
    this.#running = running;
    if (this.#first !== undefined) this.#drain(running);
    await running.closed;
    return 0;
  }

  /** Stops listening to signals. */
  close(): void {
    this.#forget();
  }

  #signalled(signal: EndSignal): void {
    if (this.#first !== undefined) {
      // Without a word: a line might not get out any more.
      this.#context.exit(exitCodeOfSignal(signal));
      return;
    }
    this.#first = signal;
    if (this.#running === undefined) this.#starting.abort(new Error(signal));
    else this.#drain(this.#running);
  }

  #drain(running: RunningServer): void {
    const { drainTimeout, tell } = this.#options;
    tell(runningText(running.requests, drainTimeout));
    void running.drain({ timeout: drainTimeout });
  }
}

/** What is told when a server begins to end. `timeout` in milliseconds. */
export function runningText(requests: number, timeout: number): string {
  if (requests === 0) return 'ending';
  const what = requests === 1 ? 'one running request' : `${String(requests)} running requests`;
  return `waiting for ${what}, ${String(timeout / 1000)} s at most; a second signal ends them at once`;
}
