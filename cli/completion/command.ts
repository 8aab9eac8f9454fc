/**
 * `hface-ts completion`: prints a script for a shell.
 *
 * @module
 */
import type { CommandContext } from '../context.ts';
import { parseCommand } from '../parse-command.ts';
import { usageError } from '../report.ts';
import { suggest } from '../suggest.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { completedCommands } from './model.ts';
import type { CompletedCommand } from './model.ts';
import type { Shell } from './options.ts';
import { completionCommand, shells } from './options.ts';
import { zshScript } from './zsh.ts';

const scripts: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Runs the command. Resolves to the exit code. */
export async function runCompletion(words: readonly string[], context: CommandContext): Promise<number> {
  const values = await parseCommand(words, completionCommand, context);
  if (values === undefined) return 0;
  const [name = ''] = values.words;
  const shell = shells.find((known) => known === name);
  if (shell === undefined) {
    const near = suggest(name, shells);
    throw usageError(
      `there is no completion for "${name}"`,
      near === undefined ? `one of: ${shells.join(', ')}` : `hface-ts completion ${near}`,
    );
  }
  context.print(scripts[shell](completedCommands));
  return 0;
}
