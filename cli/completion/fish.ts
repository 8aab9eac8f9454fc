/**
 * The script for fish.
 *
 * @module
 */
import { meaning } from '../option-table.ts';
import type { OptionRow } from '../option-table.ts';
import type { CompletedCommand, Completion } from './model.ts';
import { completionOf } from './model.ts';

/** The script, without its last line end. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  const first = `complete -c hface-ts -n __fish_use_subcommand`;
  return [
    '# hface-ts: completion for fish. Made by: hface-ts completion fish',
    'complete -c hface-ts -f',
    ...commands.map(({ name, summary }) => `${first} -a ${name} -d ${quoted(summary)}`),
    `${first} -l help -s h -d ${quoted('the commands')}`,
    `${first} -l version -s V -d ${quoted('the version')}`,
    `complete -c hface-ts -n '__fish_seen_subcommand_from help' -a ${quoted(names.join(' '))}`,
    ...commands.flatMap(linesOf),
  ].join('\n');
}

function linesOf({ name, options, words }: CompletedCommand): string[] {
  const start = `complete -c hface-ts -n '__fish_seen_subcommand_from ${name}'`;
  const lines = options.map((row) => `${start} ${optionOf(row)} -d ${quoted(meaning(row))}`);
  if (words !== 'nothing') lines.push(`${start} ${wordsOf(words)}`);
  return lines;
}

function optionOf(row: OptionRow): string {
  const names = `-l ${row.name}${row.short === undefined ? '' : ` -s ${quoted(row.short)}`}`;
  if (row.kind === 'flag') return names;
  const completion = completionOf(row);
  return `${names} ${completion === 'nothing' ? '-x' : `-r ${wordsOf(completion)}`}`;
}

function wordsOf(completion: Completion): string {
  if (completion === 'files') return '-F';
  if (completion === 'folders') return `-f -a '(__fish_complete_directories)'`;
  return `-f -a ${quoted(completion === 'nothing' ? '' : completion.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
