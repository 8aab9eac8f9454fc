/**
 * `-H`, `-u` and the fields that a request has without being asked.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CommandError, systemReason, usageError } from '../report.ts';
import { exitCode } from './exit-codes.ts';

/** What the user says about fields. */
export interface FieldChoice {
  /** Names as written, and values, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Lowercase names of default fields that shall not be sent. */
  readonly removed: ReadonlySet<string>;
}

/** Reads all `-H`. @throws CommandError */
export async function readFields(values: readonly string[], directory: string): Promise<FieldChoice> {
  const fields: (readonly [string, string])[] = [];
  const removed = new Set<string>();
  for (const value of values) {
    const lines = value.startsWith('@') ? await linesOf(path.resolve(directory, value.slice(1))) : [value];
    for (const line of lines) readField(line, fields, removed);
  }
  return { fields, removed };
}

/** `Name: value`, `Name:` and curl's `Name;` for an empty value. */
function readField(line: string, fields: (readonly [string, string])[], removed: Set<string>): void {
  const match = /^([^:;\s]+)(:|;)[ \t]*(.*?)[ \t]*$/s.exec(line);
  const [, name = '', sign, value = ''] = match ?? [];
  if (match === null || (sign === ';' && value !== '')) {
    throw usageError(`-H "${line}" is no field`, "-H 'name: value'");
  }
  if (sign === ':' && value === '') {
    if (NEEDED.has(name.toLowerCase())) throw usageError(`the field ${name} cannot be left out`, "-H 'name: value'");
    removed.add(name.toLowerCase());
    return;
  }
  // Values are octets in the layers below: what is not ASCII is sent as UTF-8.
  fields.push([name, Buffer.from(value, 'utf8').toString('latin1')]);
}

async function linesOf(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line !== '');
  } catch (error) {
    const cause = `cannot read header fields: ${systemReason(error)}`;
    throw new CommandError({ cause, place: file, next: 'check the path' }, exitCode.readError, error);
  }
}

/** The value of Authorization for `user:password` (RFC 7617). */
export function basicCredentials(userAndPassword: string): string {
  return `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`;
}

/** HTTP/1.1 does without neither. */
const NEEDED: ReadonlySet<string> = new Set(['host', 'content-length']);
