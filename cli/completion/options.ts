/**
 * `hface-ts completion` as data: its words and examples.
 *
 * @module
 */
import type { CommandDescription } from '../option-table.ts';

/** The shells that there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
/** One of them. */
export type Shell = (typeof shells)[number];

/** What the parser, the help and the documentation know of the command. */
export const completionCommand: CommandDescription = {
  command: 'completion',
  usage: `hface-ts completion ${shells.join('|')}`,
  summary:
    'Prints a script by which a shell completes commands, options, the values that an option allows, and files. It is ' +
    'for this version: make it again after an update.',
  options: [],
  refused: new Set(),
  examples: [
    ['source <(hface-ts completion bash)', 'in ~/.bashrc'],
    ['source <(hface-ts completion zsh)', 'in ~/.zshrc, behind compinit'],
    ['hface-ts completion fish > ~/.config/fish/completions/hface-ts.fish', 'once'],
  ],
  words: { least: 1, most: 1, name: `a shell: ${shells.join(', ')}` },
};
