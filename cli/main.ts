/**
 * `hface-ts COMMAND …`: chooses the command, loads it, prints what went wrong, gives the exit code.
 *
 * Owns nothing of what a command does. Whatever is not always needed is imported when it is, so that `--version` answers
 * at once.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import type { CommandName } from './command-list.ts';
import { commandSummaries } from './command-list.ts';
import type { CommandContext } from './context.ts';
import { leave, processContext } from './process-context.ts';

/** A command's entry: the words behind its name, and the world. Resolves to the exit code. */
type Run = (words: readonly string[], context: CommandContext) => Promise<number>;

const commands: Readonly<Record<CommandName, () => Promise<Run>>> = {
  server: async () => (await import('./server/command.ts')).runServer,
  client: async () => (await import('./client/command.ts')).runClient,
  cert: async () => (await import('./cert/command.ts')).runCert,
  completion: async () => (await import('./completion/command.ts')).runCompletion,
};

/** Runs a command line as the process and ends it. */
export async function run(words: readonly string[]): Promise<never> {
  return leave(await main(words, processContext()));
}

/** Runs a command line. Resolves to the exit code; never rejects. */
export async function main(words: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(words, context);
  } catch (error) {
    const { exitCodeOf, reportLines } = await import('./report.ts');
    for (const line of reportLines(error, words.includes('--dev'))) context.inform(line);
    return exitCodeOf(error);
  }
}

async function dispatch(words: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined) {
    context.inform(overview());
    return 2;
  }
  if (name === '--help' || name === '-h') {
    context.print(overview());
    return 0;
  }
  if (name === '--version' || name === '-V') {
    context.print(packageVersion());
    return 0;
  }
  if (name === 'help') return dispatch([...rest.slice(0, 1), '--help'], context);
  if (!isCommand(name)) throw await unknownCommand(name, rest);
  const runCommand = await commands[name]();
  return runCommand(rest, context);
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

async function unknownCommand(name: string, rest: readonly string[]): Promise<Error> {
  const [{ usageError }, { shellWord }, { suggest }] = await Promise.all([
    import('./report.ts'),
    import('./shell-word.ts'),
    import('./suggest.ts'),
  ]);
  if (name.startsWith('-')) {
    return usageError(`a command stands first, before options such as ${name}`, 'hface-ts --help');
  }
  if (/^https?:\/\//.test(name)) return usageError(`there is no command ${name}`, `hface-ts client ${name}`);
  const near = suggest(name, Object.keys(commands));
  if (near === undefined) return usageError(`there is no command ${name}`, 'hface-ts --help');
  return usageError(
    `there is no command ${name}: did you mean ${near}?`,
    ['hface-ts', near, ...rest].map(shellWord).join(' '),
  );
}

function overview(): string {
  const lines = Object.entries(commandSummaries).map(([name, text]) => `  hface-ts ${name.padEnd(10)} ${text}`);
  return [
    'Usage: hface-ts COMMAND [options]',
    '',
    ...lines,
    '',
    'Examples:',
    '  hface-ts server hface-ts/examples/hello   an app on http://localhost:5080 and https://localhost:5443',
    '  hface-ts server public                    the files of a folder',
    '  hface-ts client https://localhost:5443/   a request',
    '',
    'hface-ts COMMAND --help shows the options of a command, hface-ts --version the version.',
  ].join('\n');
}

function packageVersion(): string {
  // Beside cli/ in a checkout, beside dist/ in a build.
  const manifest = ['../package.json', '../../package.json']
    .map((place) => new URL(place, import.meta.url))
    .find((place) => existsSync(place));
  if (manifest === undefined) throw new Error('the package has no package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
