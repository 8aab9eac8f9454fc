/**
 * What a failure looks like on the terminal: at most three lines, the cause, the place, the next command.
 *
 * Owns the text of errors. What a peer or a file put into them is escaped (a terminal obeys control characters). No
 * stack trace unless asked for.
 *
 * @module
 */
import { ConfigurationError, escapeControls, HfaceError } from '../src/common/index.ts';

/** A failure that says itself what its three lines are. */
export interface Failure {
  readonly cause: string;
  /** File and line, address, option; `undefined` when the cause says it. */
  readonly place: string | undefined;
  /** What to type or change next, or `undefined`. */
  readonly next: string | undefined;
}

/** An error of the command line with its place; what {@link reportLines} prints as it is. */
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
  return new CommandError({ cause, place: undefined, next }, USAGE);
}

/** The lines for an error, at most three. With `stack` the stack trace follows them. */
export function reportLines(error: unknown, stack = false): string[] {
  const failure = failureOf(error);
  const lines = [`hface-ts: ${bounded(failure.cause)}`];
  if (failure.place !== undefined) lines.push(`  at ${bounded(failure.place)}`);
  if (failure.next !== undefined) lines.push(`  try: ${bounded(failure.next)}`);
  if (stack && error instanceof Error) {
    const origin = error.cause instanceof Error ? error.cause : error;
    lines.push(...escapeControls(origin.stack ?? '', '\n').split('\n'));
  }
  return lines;
}

/** The exit code of an error where the command has no table of its own: 2 for usage, 1 for the rest. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof ConfigurationError && USAGE_CODES.has(error.code)) return USAGE;
  return 1;
}

/** An error as cause, place and next command. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandError) return error.failure;
  if (error instanceof ConfigurationError) return { cause: error.message, place: undefined, next: error.hint };
  return { cause: messageOf(error), place: undefined, next: undefined };
}

/** The first line of what an unknown thrown value says. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return firstLine(describeValue(error));
  return firstLine(error.message) || error.name;
}

/** The system's words for an error of node:fs, without the call and the path that it appends. */
export function systemReason(error: unknown): string {
  const match = /^[A-Z]+: ([^,]+),/.exec(messageOf(error));
  return match?.[1] ?? messageOf(error);
}

function describeValue(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value that cannot be printed';
  }
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}

/** One line that a terminal can show. */
function bounded(text: string): string {
  return escapeControls(text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text);
}

const USAGE = 2;
const USAGE_CODES: ReadonlySet<string> = new Set(['ERR_USAGE', 'ERR_ENDPOINT']);
const MAX_LINE = 2000;
