/**
 * In which processes a server runs: `--workers` and `--watch`.
 *
 * Owns what the two allow, and what a system lacks for them.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import type { Endpoint } from '../../src/common/index.ts';
import { formatEndpoint } from '../../src/common/index.ts';
import type { CommandContext } from '../context.ts';
import type { OptionValues } from '../option-values.ts';
import { usageError } from '../report.ts';
import { shellWord } from '../shell-word.ts';
import { findApp } from './load-app.ts';

/** Processes besides the command's own. */
export interface Processes {
  /** How many serve. */
  readonly count: number;
  /** The app's file when its changes restart it; `undefined` without `--watch`. */
  readonly watched: string | undefined;
}

/** What the options ask for; `undefined`: the command serves itself. @throws CommandError */
export function chooseProcesses(
  values: OptionValues,
  endpoints: readonly Endpoint[],
  context: CommandContext,
): Processes | undefined {
  const count = workerCount(values);
  if (values.has('watch') && count !== undefined) {
    throw usageError('--watch restarts one process, --workers runs several', 'one of the two');
  }
  if (count === undefined && !values.has('watch')) return undefined;
  const alone = ['http3', 'qlog'].find((name) => values.has(name));
  if (alone !== undefined) {
    const option = values.has('watch') ? '--watch' : '--workers';
    throw usageError(`${option} hands on TCP connections only`, `--${alone} without ${option}`);
  }
  const unix = endpoints.find((endpoint) => endpoint.unixPath !== undefined);
  if (unix !== undefined && process.platform === 'win32') {
    const option = values.has('watch') ? '--watch' : '--workers';
    throw usageError(
      `Windows cannot hand connections of ${formatEndpoint(unix)} to other processes, as ${option} does`,
      'a TCP endpoint',
    );
  }
  return { count: count ?? 1, watched: values.has('watch') ? watchedFile(values, context) : undefined };
}

function workerCount(values: OptionValues): number | undefined {
  const text = values.text('workers');
  if (text === undefined) return undefined;
  if (text === 'auto') return availableParallelism();
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_WORKERS) return count;
  throw usageError(
    `option --workers cannot be "${text}"`,
    `a whole number from 1 to ${String(MOST_WORKERS)}, or --workers auto: one for each processor`,
  );
}

/** Only files of the user's own are watched: what lies in a package, or in a folder, does not change the app. */
function watchedFile(values: OptionValues, context: CommandContext): string {
  const [argument = ''] = values.words;
  const source = findApp(argument, context.directory);
  const word = shellWord(argument);
  if (source.kind === 'folder') {
    throw usageError('--watch is for apps: the files of a folder are served as they are', `hface-ts server ${word}`);
  }
  if (source.fromPackage) {
    throw usageError(`--watch is for a file, and ${argument} is a package export`, 'hface-ts server FILE --watch');
  }
  return source.file;
}

const MOST_WORKERS = 256;
