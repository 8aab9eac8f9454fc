/**
 * What this folder takes from the process it runs in: platform, environment, home folder, user id and the wall clock.
 *
 * The one file of the folder that reads them, so that everything else is given them and can be tested with others. It
 * asks `os.platform()` (2026-11-21) because the data folder differs per system, this folder may not import networking/
 * where `process.platform` is read, and the answer must be the same for a server and for a client that looks for the
 * CA. It holds the folder's only call of `Date.now` (2026-11-21): certificates are dated in wall time, and issuing one
 * happens outside any networking object that would bring a clock.
 *
 * @module
 */
import { homedir, platform } from 'node:os';

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type WallClock = () => number;

/** The part of the process that decides where data lies. */
export interface SystemFacts {
  /** As `os.platform()` gives it: `linux`, `darwin`, `win32` … */
  readonly platform: string;
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, or an empty string where there is none. */
  readonly home: string;
}

/** The process as it is now. */
export function systemFacts(): SystemFacts {
  return { platform: platform(), environment: process.env, home: homeFolder() };
}

/** The system's wall clock. */
export function systemWallClock(): number {
  return Date.now();
}

/** The user id that files must belong to, or `undefined` on systems without user ids and file modes (Windows). */
export function effectiveUserId(): number | undefined {
  return typeof process.geteuid === 'function' ? process.geteuid() : undefined;
}

function homeFolder(): string {
  try {
    return homedir();
  } catch {
    // os.homedir() throws for a user id without an entry and without HOME, which is usual in containers.
    return '';
  }
}
