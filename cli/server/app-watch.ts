/**
 * What an app is made of, watched: its file and what it imports, as Node tells it while it is loaded.
 *
 * Owns which files count: those of the user. Packages and this one are left out. While the app cannot be loaded any
 * source file in the folders of the known ones counts, since the one that is missing cannot be known.
 *
 * @module
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileWatch } from './file-watch.ts';

/** Watches the files of an app until it is closed. */
export class AppWatch {
  readonly #watch: FileWatch;
  readonly #changed: (file: string) => void;
  #broken: boolean;

  /**
   * @param file - the app's, absolute
   * @param changed - a file of the app is not what it was
   */
  constructor(file: string, changed: (file: string) => void) {
    this.#changed = changed;
    this.#broken = false;
    this.#watch = new FileWatch({
      changed: ([first = file]) => this.#tell(first),
      stirred: (stirred) => this.#stirred(stirred),
      quiet: QUIET,
      interval: SLOW_LOOK,
    });
    this.#watch.add(file);
  }

  /** The app has imported a file: a path, or a URL. */
  imported(place: string): void {
    const file = pathOf(place);
    if (file === undefined || file.startsWith(OWN_FOLDER) || file.split(/[\\/]/).includes('node_modules')) return;
    this.#watch.add(file);
  }

  /** Whether the app could not be loaded. */
  set broken(broken: boolean) {
    this.#broken = broken;
  }

  /** Watches no more. */
  close(): void {
    this.#watch.close();
  }

  #stirred(file: string): void {
    if (!this.#broken || this.#watch.has(file) || !/\.(?:[cm]?[jt]s|json|node|wasm)$/.test(file)) return;
    this.#watch.add(file);
    this.#tell(file);
  }

  #tell(file: string): void {
    this.#changed(file);
  }
}

function pathOf(place: string): string | undefined {
  if (path.isAbsolute(place)) return place;
  if (!place.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(place.replace(/[?#].*$/s, ''));
  } catch {
    return undefined;
  }
}

/** dist/ as it was built. */
const OWN_FOLDER: string =
  fileURLToPath(new URL('../../', import.meta.url)) + (import.meta.url.endsWith('.ts') ? 'cli' : '');
/** Milliseconds: an editor writes a file in several steps. */
const QUIET = 100;
/** Milliseconds. */
const SLOW_LOOK = 5_000;
