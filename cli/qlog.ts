/**
 * `--qlog DIR`: a log of each QUIC connection, one file each, for qvis and its kin.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import type { QuicConnectionTrace, QuicTraces } from '../src/connections/index.ts';
import { qlogTrace } from '../src/connections/index.ts';
import { LineWriter } from './line-writer.ts';
import { CommandError, systemReason } from './report.ts';

type Begin = Parameters<QuicTraces['begin']>;

/** Files in a folder. */
export class QlogFolder implements QuicTraces {
  readonly #folder: string;
  readonly #open: Set<Promise<void>>;
  readonly #ends: Set<() => void>;
  #count: number;

  /** Makes the folder. @throws CommandError */
  constructor(folder: string) {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      const cause = `cannot make the folder of logs: ${systemReason(error)}`;
      throw new CommandError({ cause, place: folder, next: 'a folder that you can write' }, 1, error);
    }
    this.#folder = folder;
    this.#open = new Set();
    this.#ends = new Set();
    this.#count = 0;
  }

  /** See {@link QuicTraces.begin}. A file that cannot be made means a connection without a log. */
  begin(role: Begin[0], networkPath: Begin[1], clock: Begin[2]): QuicConnectionTrace | undefined {
    this.#count += 1;
    const startedAt = clock.wallTime();
    const name = `${String(Math.floor(startedAt))}-${String(process.pid)}-${String(this.#count)}-${role}.sqlog`;
    let file: number;
    try {
      file = openSync(path.join(this.#folder, name), 'wx', 0o600);
    } catch {
      return undefined;
    }
    const writer = new LineWriter(file);
    const head = { role, path: networkPath, started: clock.now(), startedAt };
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      const closing = writer.flush(PATIENCE).then(() => closeSync(file));
      this.#open.add(closing);
      void closing.finally(() => this.#open.delete(closing));
    };
    this.#ends.add(end);
    return { trace: qlogTrace(head, (record) => writer.line(record)), end };
  }

  /** Resolves when everything is written, as far as that is soon. */
  async flush(): Promise<void> {
    for (const end of [...this.#ends]) end();
    await Promise.allSettled([...this.#open]);
  }
}

/** The logs that the option asks for, or `undefined`. @throws CommandError */
export function qlogFolder(folder: string | undefined, directory: string): QlogFolder | undefined {
  return folder === undefined ? undefined : new QlogFolder(path.resolve(directory, folder));
}

/** Milliseconds. */
const PATIENCE = 1_000;
