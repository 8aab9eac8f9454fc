/**
 * What there is to complete, made from the option tables.
 *
 * @module
 */
import { certCommand } from '../cert/options.ts';
import { clientCommand } from '../client/options.ts';
import type { CommandName } from '../command-list.ts';
import { commandSummaries } from '../command-list.ts';
import type { CommandDescription, OptionRow } from '../option-table.ts';
import { helpOption } from '../option-table.ts';
import { serverCommand } from '../server/options.ts';
import { completionCommand, shells } from './options.ts';

/** What a value can be completed by: files, folders, words, or nothing that could be known. */
export type Completion = 'files' | 'folders' | 'nothing' | readonly string[];

/** A command as shells complete it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionRow[];
  /** Its words that are no options. */
  readonly words: Completion;
}

/** All commands. */
export const completedCommands: readonly CompletedCommand[] = Object.entries({
  server: [serverCommand, 'files'],
  client: [clientCommand, 'nothing'],
  cert: [certCommand, 'nothing'],
  completion: [completionCommand, shells],
} satisfies Record<CommandName, readonly [CommandDescription, Completion]>).map(([name, [description, words]]) => ({
  name,
  summary: commandSummaries[name as CommandName],
  options: [...description.options, helpOption],
  words,
}));

/** What the values of an option are completed by. */
export function completionOf(row: OptionRow): Completion {
  if (row.choices !== undefined) return row.choices;
  if (/\bFILE\b/.test(row.value)) return 'files';
  return /\bDIR\b/.test(row.value) ? 'folders' : 'nothing';
}

/** `-p` and `--port`. */
export function spellingsOf(row: OptionRow): string[] {
  return row.short === undefined ? [`--${row.name}`] : [`-${row.short}`, `--${row.name}`];
}
