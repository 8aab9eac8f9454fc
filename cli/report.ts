/**
 * What a failure looks like on the terminal: at most three lines, the cause, the place, the next command.
 *
 * Owns the text of errors and the escaping of what a peer or a file put into them (a terminal obeys control
 * characters). No stack trace unless asked for.
 *
 * @module
 */
import { ConfigurationError, HfaceError } from '../src/common/index.ts';

/** A failure that says itself what its three lines are. */
export interface Failure {
  readonly cause: string;
  /** File and line, address, option; `undefined` when the cause says it. */
  readonly place: string | undefined;
  /** What to type or change next, or `undefined`. */
  readonly next: string | undefined;
}

/** An error of the command line with its place; what `report` prints as it is. */
export class CommandError extends HfaceError {
  readonly failure: Failure;
  readonly exitCode: number;

  constructor(failure: Failure, exitCode = 1, cause?: unknown) {
    super(failure.cause, { code: 'ERR_COMMAND', initiator: 'application', cause });
    this.failure = failure;
    this.exitCode = exitCode;
  }
}

/** The words of a wrong command line: exit code 2. */
export function usageError(cause: string, next?: string): CommandError {
  return new CommandError({ cause, place: undefined, next }, 2);
}

/** The lines for an error, at most three. With `stack` the stack trace follows them. */
export function reportLines(error: unknown, stack = false): string[] {
  const failure = toFailure(error);
  const lines = [`hface-ts: ${printable(failure.cause)}`];
  if (failure.place !== undefined) lines.push(`  at ${printable(failure.place)}`);
  if (failure.next !== undefined) lines.push(`  try: ${printable(failure.next)}`);
  if (stack && error instanceof Error) {
    const origin = error.cause instanceof Error ? error.cause : error;
    lines.push(...printable(origin.stack ?? '', '\n').split('\n'));
  }
  return lines;
}

/** The exit code of an error where the command has no table of its own: 2 for usage, 1 for the rest. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof ConfigurationError && error.code === 'ERR_USAGE') return 2;
  return 1;
}

/** The text with control characters escaped, so that nothing a peer sends moves the cursor (`keep`: let these pass). */
export function printable(text: string, keep = ''): string {
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    const control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029;
    const direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    if ((control || direction) && !keep.includes(character)) result += `\\x{${code.toString(16)}}`;
    else result += character;
  }
  return result;
}

function toFailure(error: unknown): Failure {
  if (error instanceof CommandError) return error.failure;
  if (error instanceof ConfigurationError) return { cause: error.message, place: undefined, next: error.hint };
  if (error instanceof Error) return { cause: firstLine(error.message) || error.name, place: undefined, next: undefined };
  return { cause: String(error), place: undefined, next: undefined };
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}
