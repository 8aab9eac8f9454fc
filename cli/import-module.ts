/**
 * Imports modules that users name: apps, engine modules.
 *
 * Owns what is said when such a module cannot be loaded: the cause, the line of the user's file, what to do. Never a
 * stack.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CommandError, messageOf } from './report.ts';
import { shellWord } from './shell-word.ts';

/** What a module exports. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/**
 * Imports a module.
 *
 * @param file - absolute
 * @param what - what messages call it: `the app`
 * @throws CommandError
 */
export async function importModule(file: string, what: string): Promise<ModuleExports> {
  refuseOtherFiles(file, what);
  try {
    return await withPatience(file, what, import(pathToFileURL(file).href) as Promise<ModuleExports>);
  } catch (error) {
    throw error instanceof CommandError ? error : importFailure(file, what, error);
  }
}

/** The line of the user's own code in an error's stack, as `/a/b.js:3`; `undefined` when there is none. */
export function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined;
  for (const line of error.stack.split('\n').slice(0, MAX_FRAMES)) {
    const match = /(?:^|[\s(])(file:\/\/[^\s()]+|(?:\/|[A-Za-z]:\\)[^\s()]+):(\d+):\d+\)?$/.exec(line);
    const [, file, number] = match ?? [];
    if (file === undefined || number === undefined || isOurs(file)) continue;
    return `${readable(file)}:${number}`;
  }
  return undefined;
}

/** Frames of this package are no place in the user's code. */
function isOurs(file: string): boolean {
  return OWN_FOLDERS.some((folder) => file.startsWith(folder));
}

function refuseOtherFiles(file: string, what: string): void {
  const extension = path.extname(file).toLowerCase();
  if (/^\.[cm]?js$/.test(extension)) return;
  if (!/^\.[cm]?ts$/.test(extension)) {
    const folder = shellWord(path.dirname(file));
    const next = what === 'the app' ? `hface-ts server ${folder} serves the files of the folder` : 'a .js file';
    throw new CommandError({ cause: `${what} is no JavaScript: ${path.basename(file)}`, place: file, next });
  }
  if (runsTypeScript()) return;
  throw new CommandError({
    cause: `Node ${process.versions.node} does not run TypeScript`,
    place: file,
    next: 'compile it to JavaScript first, or use Node 22.18 or newer',
  });
}

/** Whether this Node strips types by itself. */
function runsTypeScript(): boolean {
  const features = process.features as { readonly typescript?: unknown };
  return features.typescript !== undefined && features.typescript !== false;
}

/** A top-level await that never ends would end the process without a word. */
async function withPatience<T>(file: string, what: string, loading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const cause = `${what} is still being loaded after ${String(PATIENCE / 1000)} s: an await in it does not end`;
      reject(new CommandError({ cause, place: file, next: 'await it in a function, not while loading' }));
    }, PATIENCE);
  });
  try {
    return await Promise.race([loading, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

function importFailure(file: string, what: string, error: unknown): CommandError {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return missingModule(file, what, error as Error);
  if (error instanceof SyntaxError) {
    const place = placeOf(error) ?? syntaxErrorPlace(file) ?? file;
    return new CommandError(
      { cause: `syntax error in ${what}: ${messageOf(error)}`, place, next: undefined },
      1,
      error,
    );
  }
  const name = error instanceof Error ? `${error.name}: ` : '';
  return new CommandError(
    {
      cause: `${what} failed while it was loaded: ${name}${messageOf(error)}`,
      place: placeOf(error) ?? file,
      next: 'add --dev for the stack',
    },
    1,
    error,
  );
}

function missingModule(file: string, what: string, error: Error): CommandError {
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1] ?? 'a module';
  const importer = /imported from (.+)$/m.exec(error.message)?.[1];
  const isFile = missing.startsWith('.') || path.isAbsolute(missing);
  return new CommandError(
    {
      cause: `${what} imports ${isFile ? path.basename(missing) : missing}, which is not there`,
      place: importer ?? file,
      next: isFile ? `check the path: ${missing}` : `npm install ${packageOf(missing)}`,
    },
    1,
    error,
  );
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/**
 * An import does not say in which line the parser gave up; `node --check` does. A file whose kind no package.json tells
 * is checked a second time as what an app mostly is: given by its name alone, `--check` lets it pass.
 */
function syntaxErrorPlace(file: string): string | undefined {
  for (const words of [
    ['--check', file],
    ['--check', '--input-type=module', '-'],
  ]) {
    const input = words.includes('-') ? readFileSync(file) : '';
    const { stderr } = spawnSync(process.execPath, words, { input, encoding: 'utf8', timeout: 10_000 });
    const [, place, line] = /^(.+):(\d+)$/m.exec(stderr) ?? [];
    if (place !== undefined && line !== undefined) return `${place === '[stdin]' ? file : readable(place)}:${line}`;
  }
  return undefined;
}

/** `file:///a/b.js` as `/a/b.js`. */
function readable(file: string): string {
  if (!file.startsWith('file:')) return file;
  try {
    return fileURLToPath(file.replace(/\?.*$/s, ''));
  } catch {
    return file;
  }
}

/** dist/cli and dist/src, as URLs and as paths. */
const OWN_FOLDERS: readonly string[] = ['.', '../src/'].flatMap((folder) => {
  const url = new URL(folder, import.meta.url);
  return [url.href, fileURLToPath(url)];
});
const MAX_FRAMES = 50;
/** Milliseconds. */
const PATIENCE = 60_000;
