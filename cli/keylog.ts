/**
 * `--keylog FILE`: the secrets of TLS connections in the format that Wireshark reads.
 *
 * @module
 */
import { openSync } from 'node:fs';
import type { LineOutput } from './context.ts';
import { LineWriter } from './line-writer.ts';
import { CommandError, systemReason } from './report.ts';

/**
 * Opens the file for appending, readable by its owner only when it is new. It stays open as long as the process.
 *
 * @throws CommandError
 */
export function openKeylog(file: string): LineOutput {
  try {
    return new LineWriter(openSync(file, 'a', 0o600));
  } catch (error) {
    const cause = `cannot write the key log: ${systemReason(error)}`;
    throw new CommandError({ cause, place: file, next: 'a file that you can write' }, 1, error);
  }
}
