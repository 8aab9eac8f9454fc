/**
 * Time as something handed in.
 *
 * Owns the clock's interface; not the system's clock (networking/) nor the virtual one (networking/simulation).
 * Folders from connections/ on take their clock from the networking object, so that a whole server or client runs
 * under a virtual clock unchanged.
 *
 * @module
 */

/** A callback that waits for its time. */
export interface ScheduledCallback {
  /** Takes the callback back. Does nothing once it has run or was cancelled. */
  cancel(): void;
}

/** A source of time. */
export interface Clock {
  /** Monotonic time in milliseconds, fractional, from an arbitrary origin. */
  now(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z: what goes into a Date field or is compared with a certificate's dates. */
  wallTime(): number;
  /**
   * Calls `callback` once, at or soon after the time `at` on the scale of {@link Clock.now}, never from inside this
   * call. `options.background`: true when the callback alone shall not keep a process alive.
   */
  schedule(at: number, callback: () => void, options?: { readonly background?: boolean }): ScheduledCallback;
}
