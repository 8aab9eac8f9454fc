/**
 * Words as a shell would have to be given them, for commands that are printed to be copied.
 *
 * @module
 */

/** The word, in quotes where a shell would read it differently. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./~^-]+$/.test(word) && !word.startsWith('~')) return word;
  // cmd.exe knows double quotes only; a path on Windows contains none.
  if (process.platform === 'win32') return `"${word}"`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
