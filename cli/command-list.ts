/**
 * The commands by name, each with what it is for in a few words.
 *
 * Owns no code of theirs: this is read for every start.
 *
 * @module
 */

/** What `hface-ts --help` says of each. */
export const commandSummaries = {
  server: 'serve an app or a folder',
  client: 'send requests, with the options of curl',
  cert: 'show the development CA, issue certificates',
  completion: 'print a script that completes commands in a shell',
} as const;

/** A command's name. */
export type CommandName = keyof typeof commandSummaries;
