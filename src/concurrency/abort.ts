/**
 * Cancellation by AbortSignal, without its traps.
 *
 * Owns: turning a reason into an error, waiting that a signal can end, and signals derived from others. Does not own
 * who cancels: that is a task group, a deadline or the caller.
 *
 * Invariants: every listener put on a signal is taken off again as soon as it can no longer matter, so that a signal
 * that lives as long as the process does not collect them; a signal that has aborted already is never missed; nothing
 * here causes an unhandled rejection; a signal gets at most one listener from here, however many wait for it.
 * `AbortSignal.any` is not used: in several releases of Node its results are kept
 * alive by their sources.
 *
 * @module
 */

import { HfaceError } from '../common/index.ts';

/** Work was cancelled and the one who cancelled it gave no error as the reason. */
export class CancelledError extends HfaceError {
  constructor(message = 'cancelled', cause?: unknown) {
    super(message, { code: 'ERR_CANCELLED', initiator: 'application', cause });
  }
}

/** The error to throw for an abort reason: the reason itself if it is an error, else a {@link CancelledError}. */
export function abortError(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  if (reason === undefined) return new CancelledError();
  return new CancelledError(typeof reason === 'string' ? reason : 'cancelled', reason);
}

/** A signal that never aborts, for code that wants one always. Helpers of this folder put no listener on it. */
export const neverCancelled: AbortSignal = new AbortController().signal;

/** Throws the {@link abortError} of a signal that has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal.reason);
}

/**
 * Calls `callback` once, with the reason, when the signal aborts; at once if it has. The answer takes the callback
 * back; it may be called more than once.
 *
 * @param callback - must not throw: Node reports what an abort listener throws as an uncaught exception. The other callbacks
 *   are called all the same.
 */
export function onAbort(signal: AbortSignal | undefined, callback: (reason: unknown) => void): () => void {
  if (signal === undefined || signal === neverCancelled) return nothing;
  if (signal.aborted) {
    callback(signal.reason);
    return nothing;
  }
  const hub = hubs.get(signal) ?? new Hub(signal);
  const entry: HubEntry = { callback };
  hub.entries.add(entry);
  return () => {
    if (hub.entries.delete(entry) && hub.entries.size === 0) hub.leave();
  };
}

interface HubEntry {
  readonly callback: (reason: unknown) => void;
}

/** The signals that somebody here listens to. */
const hubs = new WeakMap<AbortSignal, Hub>();

/**
 * One listener for all callbacks of a signal: Node warns of a leak when a signal has more than ten, and a signal for
 * hundreds of requests is in order.
 */
class Hub {
  readonly entries: Set<HubEntry>;
  readonly #signal: AbortSignal;
  readonly #listener: () => void;

  constructor(signal: AbortSignal) {
    this.entries = new Set();
    this.#signal = signal;
    this.#listener = () => {
      this.#run();
    };
    hubs.set(signal, this);
    signal.addEventListener('abort', this.#listener, { once: true });
  }

  /** Takes the listener off again. */
  leave(): void {
    this.#signal.removeEventListener('abort', this.#listener);
    hubs.delete(this.#signal);
  }

  #run(): void {
    hubs.delete(this.#signal);
    const thrown: unknown[] = [];
    // A callback may take back one that has not run yet.
    for (const entry of this.entries) {
      this.entries.delete(entry);
      try {
        entry.callback(this.#signal.reason);
      } catch (error) {
        thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }
}

/**
 * The promise's outcome, or the signal's {@link abortError} if that comes first.
 *
 * @param discard - is given a value that comes too late, so that a socket or file in it can be closed. What it throws
 *   is dropped. A rejection that comes too late is dropped.
 */
export function raceAbort<T>(
  promise: PromiseLike<T>,
  signal: AbortSignal | undefined,
  discard?: (value: T) => void,
): Promise<T> {
  if (signal === undefined || signal === neverCancelled) return Promise.resolve(promise);
  return new Promise<T>((resolve, reject) => {
    let aborted = false;
    const stopListening = onAbort(signal, (reason) => {
      aborted = true;
      reject(abortError(reason));
    });
    promise.then(
      (value) => {
        stopListening();
        if (!aborted) resolve(value);
        else if (discard !== undefined) attempt(discard, value);
      },
      (error: unknown) => {
        stopListening();
        reject(error);
      },
    );
  });
}

/** A signal that follows others until it is disposed of. */
export interface LinkedSignal extends Disposable {
  /** Aborts when the first of its sources does, with that one's reason. */
  readonly signal: AbortSignal;
  /** Lets go of the sources. The signal keeps its state and changes no more. */
  [Symbol.dispose](): void;
}

/**
 * A signal that aborts with the first of several. Sources that are `undefined` or never abort are left out; of a
 * single one the signal itself is answered.
 */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const signals = new Set<AbortSignal>();
  for (const source of sources) {
    if (source !== undefined && source !== neverCancelled) signals.add(source);
  }
  if (signals.size <= 1) {
    const [only = neverCancelled] = signals;
    return { signal: only, [Symbol.dispose]: nothing };
  }
  const controller = new AbortController();
  const links: (() => void)[] = [];
  const release = (): void => {
    for (const unlink of links.splice(0)) unlink();
  };
  for (const signal of signals) {
    if (controller.signal.aborted) break;
    const unlink = onAbort(signal, (reason) => {
      release();
      controller.abort(reason);
    });
    links.push(unlink);
  }
  return { signal: controller.signal, [Symbol.dispose]: release };
}

/**
 * Whether an error is what a cancelled operation is expected to end with: the reason itself, an error that has it among
 * its causes, or the platform's `AbortError`. False while the signal has not aborted.
 */
export function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const reason: unknown = signal.reason;
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
    if (current === reason) return true;
    if (!(current instanceof Error)) return false;
    if (current.name === 'AbortError' || current instanceof CancelledError) return true;
    current = current.cause;
    if (current === undefined) return false;
  }
  return false;
}

/** How far causes are followed: chains are short, and one may be a circle. */
const MAX_CAUSES = 8;

function attempt<T>(callback: (value: T) => void, value: T): void {
  try {
    callback(value);
  } catch {
    // A late value is nobody's any more, and neither is the failure to give it up.
  }
}

function nothing(): void {
  // There is nothing to take back.
}
