/**
 * `hface-ts COMMAND …`: chooses the command, loads it, prints what went wrong, sets the exit code.
 *
 * Owns nothing of what a command does. A command's module is imported when it is named, so that `--version` and a
 * misspelt word answer at once.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { CommandContext } from './context.ts';
import { processContext } from './context.ts';
import { exitCodeOf, reportLines, usageError } from './report.ts';
import { suggest } from './suggest.ts';

/** A command's entry: the words behind its name, and the world. Resolves to the exit code. */
type Run = (words: readonly string[], context: CommandContext) => Promise<number>;

const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Run> }>> = {
  server: {
    summary: 'serve an app or a folder',
    load: async () => (await import('./server/command.ts')).runServer,
  },
  client: {
    summary: 'send requests, with the options of curl',
    load: async () => (await import('./client/command.ts')).runClient,
  },
  cert: {
    summary: 'show the development CA, issue certificates',
    load: async () => (await import('./command-cert.ts')).runCert,
  },
};

/** Runs a command line and sets `process.exitCode`. Never throws. */
export async function main(words: readonly string[], context: CommandContext = processContext()): Promise<void> {
  try {
    process.exitCode = await dispatch(words, context);
  } catch (error) {
    for (const line of reportLines(error, words.includes('--dev'))) context.inform(line);
    process.exitCode = exitCodeOf(error);
  }
}

async function dispatch(words: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    context.print(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-V') {
    context.print(packageVersion());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const near = suggest(name, Object.keys(commands));
    throw usageError(
      name.startsWith('-') ? `the command comes first, then ${name}` : `there is no command ${name}`,
      near === undefined ? 'hface-ts --help' : `hface-ts ${[near, ...rest].join(' ')}`,
    );
  }
  const run = await command.load();
  return run(rest, context);
}

function overview(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  hface-ts ${name.padEnd(8)} ${summary}`);
  return [
    'Usage: hface-ts COMMAND [options]',
    '',
    ...lines,
    '',
    'Examples:',
    '  hface-ts server hface-ts/examples/hello    an app on http://localhost:5080 and https://localhost:5443',
    '  hface-ts client https://localhost:5443/    a request to it',
    '',
    'hface-ts COMMAND --help shows the options of a command.',
  ].join('\n');
}

function packageVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
