/**
 * From `APP|DIR` on the command line to a module's exports or a folder.
 *
 * Owns finding and importing: an argument that exists as a path is that path; otherwise it is a package export,
 * resolved from the working folder, then from this package. `module:export` names one export. Which style an export is
 * belongs to app/.
 *
 * @module
 */
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CommandError } from '../report.ts';
import { suggest } from '../suggest.ts';

/** What an argument turned out to be. */
export type AppSource =
  | { readonly kind: 'folder'; readonly directory: string }
  | { readonly kind: 'module'; readonly file: string; readonly exportName: string | undefined };

/**
 * Finds what the argument means.
 *
 * @param directory - the working folder, absolute
 * @throws CommandError when there is no such file, folder or package export
 */
export function findApp(argument: string, directory: string): AppSource {
  const whole = findPath(argument, directory);
  if (whole !== undefined) return whole;
  const { before, exportName } = splitExport(argument);
  if (exportName !== undefined) {
    const found = findPath(before, directory);
    if (found?.kind === 'folder') {
      throw new CommandError({ cause: `${before} is a folder, so it has no export ${exportName}`, place: undefined, next: `hface-ts server ${before}` }, 2);
    }
    if (found !== undefined) return { ...found, exportName };
  }
  const file = resolvePackageExport(before, directory);
  if (file !== undefined) return { kind: 'module', file, exportName };
  throw notFound(argument, directory);
}

/** Imports a module. A failure inside names the file, not this one. */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  const extension = path.extname(file);
  if (/^\.[cm]?ts$/.test(extension) && !runsTypeScript()) {
    throw new CommandError({
      cause: `Node ${process.versions.node} does not run TypeScript`,
      place: file,
      next: 'compile it to JavaScript first, or use Node 22.18 or newer',
    });
  }
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw importFailure(file, error);
  }
}

function findPath(argument: string, directory: string): AppSource | undefined {
  const file = path.resolve(directory, argument);
  if (!existsSync(file)) return undefined;
  if (statSync(file).isDirectory()) return { kind: 'folder', directory: file };
  return { kind: 'module', file, exportName: undefined };
}

/** `app.js:admin`; the colon of a Windows drive is none. */
function splitExport(argument: string): { before: string; exportName: string | undefined } {
  const colon = argument.lastIndexOf(':');
  if (colon <= 1 || !/^[A-Za-z_$][\w$]*$/.test(argument.slice(colon + 1))) return { before: argument, exportName: undefined };
  return { before: argument.slice(0, colon), exportName: argument.slice(colon + 1) };
}

function resolvePackageExport(name: string, directory: string): string | undefined {
  if (!/^(?:@[\w.-]+\/)?[\w.-]+(?:\/[\w./-]+)?$/.test(name)) return undefined;
  for (const from of [path.join(directory, 'package.json'), fileURLToPath(import.meta.url)]) {
    try {
      return createRequire(from).resolve(name);
    } catch {
      // Not resolvable from there: the next place is asked.
    }
  }
  return undefined;
}

function notFound(argument: string, directory: string): CommandError {
  const candidates = ['app.js', 'index.js', 'server.js', 'main.js', 'src/app.js', 'public', 'dist'].filter((name) =>
    existsSync(path.join(directory, name)),
  );
  const near = suggest(argument, candidates) ?? candidates[0];
  return new CommandError({
    cause: `there is no file, folder or package export named ${argument}`,
    place: directory,
    next: near === undefined ? 'hface-ts server hface-ts/examples/hello' : `hface-ts server ${near}`,
  });
}

/** Whether this Node strips types by itself. */
function runsTypeScript(): boolean {
  const features = process.features as { readonly typescript?: unknown };
  return features.typescript !== undefined && features.typescript !== false;
}

function importFailure(file: string, error: unknown): CommandError {
  if (error instanceof SyntaxError) {
    // The stack of a syntax error begins with `file:///…:LINE`.
    const place = /^(file:\/\/\S+:\d+|\/\S+:\d+)/.exec(error.stack ?? '')?.[1];
    return new CommandError(
      { cause: `syntax error: ${error.message}`, place: place === undefined ? file : readablePlace(place), next: undefined },
      1,
      error,
    );
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const missing = /Cannot find (?:package|module) '([^']+)'/.exec((error as Error).message)?.[1] ?? 'a module';
    const isPackage = !missing.startsWith('/') && !missing.startsWith('.') && !path.isAbsolute(missing);
    return new CommandError(
      { cause: `the app imports ${missing}, which is not there`, place: file, next: isPackage ? `npm install ${missing}` : undefined },
      1,
      error,
    );
  }
  const message = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0] as string}` : String(error);
  const frame = error instanceof Error ? /\(?(file:\/\/\S+:\d+):\d+\)?/.exec(error.stack ?? '')?.[1] : undefined;
  return new CommandError(
    { cause: `the app failed while it was loaded: ${message}`, place: frame === undefined ? file : readablePlace(frame), next: 'add --dev for the stack' },
    1,
    error,
  );
}

/** `file:///a/b.js:3` as `/a/b.js:3`. */
function readablePlace(place: string): string {
  if (!place.startsWith('file:')) return place;
  const colon = place.lastIndexOf(':');
  return `${fileURLToPath(place.slice(0, colon))}${place.slice(colon)}`;
}
