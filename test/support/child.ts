/**
 * Child processes for tests: run one to its end, or start one and end it later by its own id.
 *
 * Every child gets a clean npm environment, no standard input unless given, and is killed at its time limit. Nothing
 * here uses a shell.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { root } from './repository.ts';

/** How a child is started. */
export interface ChildOptions {
  /** Working folder; the repository's root by default. */
  readonly cwd?: string;
  /** Variables on top of the test's own environment; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What stands on its standard input. */
  readonly input?: string | Uint8Array;
  /** After how many milliseconds it is killed. Default 60,000. */
  readonly timeout?: number;
  /** Whether it leads a process group that is ended as a whole: for programs such as npx that start the real one. */
  readonly group?: boolean;
}

/** How a child ended. */
export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was killed at its time limit. */
  readonly timedOut: boolean;
}

/** A child that runs while the test goes on. */
export interface RunningChild {
  readonly pid: number;
  /** What it has printed so far, both streams in the order of arrival. */
  readonly output: () => string;
  /** Resolves when it has ended. */
  readonly ended: Promise<ChildResult>;
  /** Resolves with the match once its output matches; rejects when it ends before or the time is over. */
  readonly waitFor: (pattern: RegExp, timeout?: number) => Promise<RegExpExecArray>;
  /** Sends a signal (SIGTERM by default), kills it when it has not ended after ten seconds, and waits for its end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<ChildResult>;
}

/** The environment of a child: the test's own, without what npm and vitest left in it. */
export function childEnvironment(extra: ChildOptions['env'] = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|INIT_CWD|VITEST|HFACE_COUNTS|NODE_OPTIONS|NODE_ENV|TEST$|DEV$|PROD$|MODE$|BASE_URL$)/.test(name),
  );
  return { ...Object.fromEntries(own), ...extra };
}

/** Starts a child. The caller ends it with `stop()`. */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): RunningChild {
  const child: ChildProcessWithoutNullStreams = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: childEnvironment(options.env),
    detached: options.group ?? false,
  });
  const send = (signal: NodeJS.Signals): void => {
    if (options.group && child.pid !== undefined && process.platform !== 'win32') signalGroup(child.pid, signal);
    else child.kill(signal);
  };
  let stdout = '';
  let stderr = '';
  let both = '';
  let timedOut = false;
  const watchers = new Set<() => void>();
  const timer = setTimeout(() => {
    timedOut = true;
    send('SIGKILL');
  }, options.timeout ?? 60_000);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    both += text;
    for (const watcher of watchers) watcher();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    both += text;
    for (const watcher of watchers) watcher();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = new Promise<ChildResult>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, timedOut });
      for (const watcher of watchers) watcher();
    };
    child.once('error', (error) => {
      stderr += `${error.message}\n`;
      finish(127, null);
    });
    child.once('close', finish);
  });
  let result: ChildResult | undefined;
  void ended.then((value) => {
    result = value;
    for (const watcher of watchers) watcher();
  });

  function waitFor(pattern: RegExp, timeout = 30_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        settle(() => reject(new Error(`no ${String(pattern)} within ${timeout} ms in:\n${both}`)));
      }, timeout);
      const settle = (done: () => void): void => {
        clearTimeout(limit);
        watchers.delete(look);
        done();
      };
      const look = (): void => {
        const match = pattern.exec(both);
        if (match) settle(() => resolve(match));
        else if (result)
          settle(() => reject(new Error(`ended (${String(result?.code)}) before ${String(pattern)}:\n${both}`)));
      };
      watchers.add(look);
      look();
    });
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ChildResult> {
    if (result) return result;
    send(signal);
    const kill = setTimeout(() => send('SIGKILL'), 10_000);
    try {
      return await ended;
    } finally {
      clearTimeout(kill);
    }
  }

  return { pid: child.pid ?? -1, output: () => both, ended, waitFor, stop };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Its last process has just ended.
  }
}

/** Runs a child to its end. */
export function runChild(command: string, args: readonly string[], options: ChildOptions = {}): Promise<ChildResult> {
  return startChild(command, args, options).ended;
}

/** Runs a script with this node. */
export function runNode(args: readonly string[], options: ChildOptions = {}): Promise<ChildResult> {
  return runChild(process.execPath, args, options);
}
