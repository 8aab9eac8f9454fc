/**
 * Tells when files may have changed.
 *
 * Owns the ways in which they do: written in place, replaced by a rename, or behind a symbolic link that is turned
 * elsewhere (as certbot and Kubernetes do). So folders are watched, not files, and what is told is decided by what a
 * file is now. A slow look now and then is for what the system does not tell: network file systems, folders that were
 * made anew.
 *
 * @module
 */
import { realpathSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import path from 'node:path';

/** How a watch works. */
export interface FileWatchOptions {
  /** Some of the files are not what they were. */
  readonly changed: (files: readonly string[]) => void;
  /** Something happened in a watched folder, whatever it was. */
  readonly stirred?: ((file: string) => void) | undefined;
  /** How long a folder must be quiet before it is looked at, in milliseconds. */
  readonly quiet: number;
  /** How often all files are looked at, in milliseconds; 0: never. */
  readonly interval: number;
}

/** Watches files until it is closed. It does not keep the process alive. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  /** What each file was when it was last looked at. */
  readonly #files: Map<string, string>;
  readonly #folders: Map<string, FSWatcher>;
  readonly #slow: NodeJS.Timeout | undefined;
  #pending: NodeJS.Timeout | undefined;
  #closed: boolean;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#files = new Map();
    this.#folders = new Map();
    this.#slow = options.interval === 0 ? undefined : setInterval(() => this.#look(), options.interval).unref();
    this.#pending = undefined;
    this.#closed = false;
  }

  /** Watches a file (absolute), there or not, as it is now. */
  add(file: string): void {
    if (this.#closed || this.#files.has(file)) return;
    this.#files.set(file, signatureOf(file));
    this.#watchFolders(file);
  }

  /** Whether the file is watched. */
  has(file: string): boolean {
    return this.#files.has(file);
  }

  /** Watches nothing any more. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#slow);
    clearTimeout(this.#pending);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
    this.#files.clear();
  }

  #watchFolders(file: string): void {
    this.#watchFolder(path.dirname(file));
    const target = realPath(file);
    if (target !== undefined) this.#watchFolder(path.dirname(target));
  }

  #watchFolder(folder: string): void {
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => this.#stirred(folder, name));
      watcher.on('error', () => this.#lost(folder, watcher));
      this.#folders.set(folder, watcher);
    } catch {
      // No such folder, or no watch left: the slow look has to do.
    }
  }

  #lost(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#folders.get(folder) === watcher) this.#folders.delete(folder);
  }

  #stirred(folder: string, name: string | null): void {
    if (this.#closed) return;
    if (name !== null) this.#options.stirred?.(path.join(folder, name));
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => this.#look(), this.#options.quiet);
    this.#pending.unref();
  }

  #look(): void {
    const changed: string[] = [];
    for (const [file, before] of this.#files) {
      const now = signatureOf(file);
      if (now === before) continue;
      this.#files.set(file, now);
      this.#watchFolders(file);
      changed.push(file);
    }
    if (changed.length > 0) this.#options.changed(changed);
  }
}

/** What tells a file's contents from others without reading it; empty when it is not there. */
function signatureOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file);
    return `${String(ino)} ${String(size)} ${String(mtimeMs)}`;
  } catch {
    return '';
  }
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
