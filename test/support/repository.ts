/**
 * What tests ask about the repository itself: where it is, which files it has, what its manifest says.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root: string = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The parts of package.json that tests read. */
export interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** package.json. */
export function manifest(): Manifest {
  return JSON.parse(read('package.json')) as Manifest;
}

/** An entry of the exports map that leads to code of ours. */
export interface PublicEntry {
  /** What a user writes: `hface-ts/client`. */
  readonly specifier: string;
  /** The source, from the root: `src/client/index.ts`. */
  readonly source: string;
  /** The build of it, from the root: `dist/src/client/index.js`. */
  readonly built: string;
}

/** The entries of the exports map that lead to code of ours. */
export function publicEntries(): PublicEntry[] {
  return Object.entries(manifest().exports)
    .filter(([, target]) => target.startsWith('./dist/src/'))
    .map(([name, target]) => ({
      specifier: path.posix.join('hface-ts', name),
      source: target.replace('./dist/', '').replace(/\.js$/, '.ts'),
      built: target.replace('./', ''),
    }));
}

/** Whether a file or folder exists, from the root. */
export function exists(file: string): boolean {
  return existsSync(path.join(root, file));
}

/**
 * The text of a file.
 * @param file - from the root, with forward slashes
 */
export function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/**
 * The files below a folder, sorted, from the root, with forward slashes; none when the folder does not exist.
 * @param folder - from the root
 * @param extension - how their names end, with the dot; all by default
 */
export function filesBelow(folder: string, extension = ''): string[] {
  const at = path.join(root, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

/** The TypeScript sources of the library and of the command line. */
export function sourceFiles(): string[] {
  return [...filesBelow('src', '.ts'), ...filesBelow('cli', '.ts')];
}
