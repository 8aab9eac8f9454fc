/**
 * From `APP|DIR` on the command line to something that can be served.
 *
 * Owns finding it: an argument that exists as a path is that path; otherwise it is a package export, resolved from the
 * working folder, then from this package. `module:export` names one export. Which style an export is belongs to app/.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App, SelectedApp } from '../../src/app/index.ts';
import { checkApp, selectApp, staticFiles } from '../../src/app/index.ts';
import { ConfigurationError } from '../../src/common/index.ts';
import { replaceGlobals } from '../../src/fetch/index.ts';
import { importModule } from '../import-module.ts';
import type { OptionValues } from '../option-values.ts';
import { CommandError, systemReason, usageError } from '../report.ts';
import { shellWord } from '../shell-word.ts';
import { suggest } from '../suggest.ts';

/** What an argument turned out to be. */
export type AppSource =
  | { readonly kind: 'folder'; readonly directory: string }
  | {
      readonly kind: 'module';
      readonly file: string;
      readonly exportName: string | undefined;
      /** Whether it was found as a package export. */
      readonly fromPackage: boolean;
    };

/** Something that can be served. */
export interface LoadedApp {
  readonly app: App;
  readonly style: SelectedApp['style'];
  /** What the first line of the start says: `hello.js, a Fetch-style app`. */
  readonly title: string;
  /** What a user may want to know besides, or `undefined`. */
  readonly remark: string | undefined;
}

/** Finds and loads the app. @throws CommandError, ConfigurationError */
export async function loadApp(argument: string, values: OptionValues, directory: string): Promise<LoadedApp> {
  const source = findApp(argument, directory);
  const style = values.text('app-style');
  if (source.kind === 'folder') {
    if (style !== undefined)
      throw usageError('--app-style is for apps, and this is a folder', `hface-ts server ${argument}`);
    return loadFolder(source.directory, values.has('list'));
  }
  // Before the app is loaded: it may take hold of a global at once.
  if (values.has('fast-response')) replaceGlobals();
  if (values.has('list')) throw usageError('--list is for folders, and this is an app', `hface-ts server ${argument}`);
  const exports = await importModule(source.file, 'the app');
  try {
    const selected = selectApp(exports, {
      moduleName: path.basename(source.file),
      exportName: source.exportName,
      style: style === 'asgi' || style === 'node' || style === 'fetch' ? style : undefined,
    });
    checkApp(selected.app, selected.style);
    return {
      app: selected.app,
      style: selected.style,
      title: `${argument}, ${STYLES[selected.style]}`,
      remark: style === undefined ? remarkOn(selected) : undefined,
    };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CommandError({ cause: error.message, place: source.file, next: error.hint }, 1, error);
  }
}

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
      throw usageError(
        `${before} is a folder, so it has no export ${exportName}`,
        `hface-ts server ${shellWord(before)}`,
      );
    }
    if (found !== undefined) return { ...found, exportName };
  }
  const file = resolvePackageExport(before, directory);
  if (file !== undefined) return { kind: 'module', file, exportName, fromPackage: true };
  throw notFound(argument, before, directory);
}

/** Arguments decide nothing, but three of them on a Fetch-style app are worth a word. */
function remarkOn({ app, style }: SelectedApp): string | undefined {
  if (style !== 'fetch' || typeof app !== 'function' || app.length < 3) return undefined;
  return 'the app takes three arguments: if it is ASGI-style, add --app-style asgi';
}

function loadFolder(directory: string, listing: boolean): LoadedApp {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    const cause = `the folder cannot be read: ${systemReason(error)}`;
    throw new CommandError({ cause, place: directory, next: undefined }, 1, error);
  }
  if (!names.some((name) => !name.startsWith('.'))) {
    const cause = names.length === 0 ? 'the folder is empty' : 'the folder holds dotfiles only, which are not served';
    throw new CommandError({ cause, place: directory, next: 'hface-ts server hface-ts/examples/hello' });
  }
  const remark =
    listing || names.includes('index.html') ? undefined : 'there is no index.html: / is 404 (--list shows the files)';
  return { app: staticFiles(directory, { listing }), style: 'fetch', title: `the files of ${directory}`, remark };
}

function findPath(argument: string, directory: string): AppSource | undefined {
  const file = path.resolve(directory, argument);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (stats.isDirectory()) return { kind: 'folder', directory: file };
  return { kind: 'module', file, exportName: undefined, fromPackage: false };
}

/** `app.js:admin`; the colon of a Windows drive is none. */
function splitExport(argument: string): { readonly before: string; readonly exportName: string | undefined } {
  const colon = argument.lastIndexOf(':');
  const exportName = argument.slice(colon + 1);
  if (colon <= 1 || !/^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/.test(exportName)) {
    return { before: argument, exportName: undefined };
  }
  return { before: argument.slice(0, colon), exportName };
}

function resolvePackageExport(name: string, directory: string): string | undefined {
  if (!/^(?:@[\w.-]+\/)?[\w-][\w.-]*(?:\/[\w./-]+)?$/.test(name)) return undefined;
  for (const from of [path.join(directory, 'package.json'), fileURLToPath(import.meta.url)]) {
    try {
      const file = createRequire(from).resolve(name);
      if (path.isAbsolute(file)) return file;
    } catch (error) {
      const hidden = (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
      const file = hidden ? resolveForImport(name, path.dirname(from)) : undefined;
      if (file !== undefined) return file;
      // Not to be found from there: the next place is asked.
    }
  }
  return undefined;
}

/** A package that is for `import` alone: `import.meta.resolve` answers, from the folder in which it is asked. */
function resolveForImport(name: string, directory: string): string | undefined {
  const question = 'process.stdout.write(import.meta.resolve(process.argv[1]))';
  const words = ['--input-type=module', '-e', question, name];
  const { stdout } = spawnSync(process.execPath, words, { cwd: directory, encoding: 'utf8', timeout: 10_000 });
  return stdout.startsWith('file:') ? fileURLToPath(stdout) : undefined;
}

function notFound(argument: string, before: string, directory: string): CommandError {
  const folder = path.resolve(directory, path.dirname(before));
  const near = suggest(path.basename(before), namesIn(folder));
  const usual = USUAL_NAMES.find((name) => existsSync(path.join(directory, name)));
  const choice = near === undefined ? usual : path.join(path.dirname(before), near);
  return new CommandError(
    {
      cause: `there is no file, folder or package export named ${argument}`,
      place: directory,
      next: `hface-ts server ${choice === undefined ? 'hface-ts/examples/hello' : shellWord(choice)}`,
    },
    1,
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch {
    return [];
  }
}

const STYLES: Readonly<Record<SelectedApp['style'], string>> = {
  fetch: 'a Fetch-style app',
  asgi: 'an ASGI-style app',
  node: 'a Node-style app',
};
const USUAL_NAMES: readonly string[] = ['app.js', 'server.js', 'index.js', 'main.js', 'src/app.js', 'public', 'dist'];
