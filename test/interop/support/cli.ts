/**
 * The built command line as a child process.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runNode, startChild } from '../../support/child.ts';
import type { ChildOptions, ChildResult, RunningChild } from '../../support/child.ts';
import { root } from '../../support/repository.ts';

/** The program that npm links. */
export const script: string = path.join(root, 'cli/hface-ts.js');

/** A folder in which commands run, with a data folder of its own. */
export class CommandFolder {
  readonly folder: string;
  readonly #running: RunningChild[] = [];

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-cli-'));
  }

  /** The environment of every command. */
  get environment(): Record<string, string | undefined> {
    return { HFACE_DATA_DIR: this.path('data'), HOME: this.folder, PORT: undefined };
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** Writes a file and answers its path. */
  write(name: string, text: string | Uint8Array): string {
    const file = this.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Runs a command to its end. */
  run(words: readonly string[], options: ChildOptions = {}): Promise<ChildResult> {
    return runNode([script, ...words], this.#options(options));
  }

  /** Starts a command; `close` ends it at the latest. */
  start(words: readonly string[], options: ChildOptions = {}): RunningChild {
    const child = startChild(process.execPath, [script, ...words], this.#options(options));
    this.#running.push(child);
    return child;
  }

  /** Starts `hface-ts server` and waits until it has printed all of its endpoints. */
  async serve(words: readonly string[], options: ChildOptions = {}): Promise<ServingChild> {
    const child = this.start(['server', ...words], options);
    await child.waitFor(/^serving .*\n(?: {2}\S.*\n)+/m);
    const urls = [...child.output().matchAll(/^ {2}(https?:\/\/\S+)/gm)].map((match) => match[1] as string);
    return { child, urls };
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.#running.map((child) => child.stop('SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #options(options: ChildOptions): ChildOptions {
    return { cwd: this.folder, timeout: 60_000, ...options, env: { ...this.environment, ...options.env } };
  }
}

/** A server that listens. */
export interface ServingChild {
  readonly child: RunningChild;
  /** As they were printed. */
  readonly urls: readonly string[];
}
