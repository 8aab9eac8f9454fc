/**
 * Passphrases, which stand in files: a command line can be seen by every user of the machine.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { CommandError, systemReason } from './report.ts';

/** The first line of a file, or `undefined` without a file. @throws CommandError */
export async function readPassphrase(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    const cause = `cannot read the passphrase: ${systemReason(error)}`;
    throw new CommandError({ cause, place: file, next: 'check the path' }, 1, error);
  }
}
