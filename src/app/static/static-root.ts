/**
 * The folder that static files come from.
 *
 * Owns the look at the file system: whatever a path leads to must lie in the folder when all symbolic links are
 * resolved, must be reachable by names that may be served, and must be spelt as the disk spells it (a file system that
 * folds case would otherwise give one file many addresses). Anything but regular files and folders does not exist.
 *
 * @module
 */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { factsOf } from '../file-source.ts';
import type { FileFacts } from '../file-source.ts';
import { isServableName } from './static-path.ts';

/** What a path leads to. */
export type StaticEntry =
  | { readonly kind: 'file'; readonly realPath: string; readonly facts: FileFacts }
  | { readonly kind: 'folder'; readonly realPath: string };

/** A folder with everything below it. */
export class StaticRoot {
  readonly #folder: string;

  /** @param folder - absolute */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What the names lead to, or `undefined`. @throws the system's error for what is no matter of the path */
  async find(names: readonly string[]): Promise<StaticEntry | undefined> {
    try {
      // The root too is resolved each time: deployments swap it by a symbolic link.
      const [root, real] = await Promise.all([realpath(this.#folder), realpath(path.join(this.#folder, ...names))]);
      if (!isWithin(root, real, names)) return undefined;
      const stats = await stat(real, { bigint: true });
      if (stats.isDirectory()) return { kind: 'folder', realPath: real };
      const facts = factsOf(stats);
      return facts === undefined ? undefined : { kind: 'file', realPath: real, facts };
    } catch (error) {
      if (isMatterOfPath(error)) return undefined;
      throw error;
    }
  }
}

/** Whether an error of the file system says that there is nothing to serve, rather than that something is broken. */
export function isMatterOfPath(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' && MATTERS_OF_PATH.has(code);
}

function isWithin(root: string, real: string, names: readonly string[]): boolean {
  const relative = path.relative(root, real);
  if (relative === '') return names.length === 0;
  if (path.isAbsolute(relative)) return false;
  const actual = relative.split(path.sep);
  if (!actual.every(isServableName)) return false;
  const asked = names.join('/');
  const found = actual.join('/');
  return found === asked || fold(found) !== fold(asked);
}

/** As file systems that are not strict about case and composition compare names. */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

const MATTERS_OF_PATH: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ENAMETOOLONG',
  'ELOOP',
  'EINVAL',
  'EACCES',
  'EPERM',
  'ENXIO',
  'ENODEV',
  'EILSEQ',
  'ENOTSUP',
  'UNKNOWN',
]);
