/**
 * Logging as something handed in.
 *
 * Owns the interface and what every log must do with what it is given: control characters are escaped, since a
 * terminal obeys them, and credentials are left out. Where the lines go is the caller's.
 *
 * @module
 */
import type { HeaderList } from './headers.ts';

/** How important a message is, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** All levels, least important first. */
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What a message carries besides its text. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where messages go. What `log` throws is dropped. */
export interface Logger {
  /** Whether messages of that level are wanted; asked before a message is made. */
  isEnabled(level: LogLevel): boolean;
  /** Takes a message. `message` is one sentence without what the peer sent; that stands in the fields. */
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/** Takes nothing. */
export const silentLogger: Logger = {
  isEnabled: () => false,
  log: () => undefined,
};

/**
 * A logger that makes one line of each message and writes it, without its end.
 *
 * @param level - the least important level that is wanted
 */
export function lineLogger(level: LogLevel, write: (line: string) => void): Logger {
  const least = logLevels.indexOf(level);
  const isEnabled = (asked: LogLevel): boolean => logLevels.indexOf(asked) >= least;
  return {
    isEnabled,
    log: (asked, message, fields) => {
      if (isEnabled(asked)) write(formatLogLine(asked, message, fields));
    },
  };
}

/** `error: the app failed request=1-2 path=/a`, line breaks within values kept as they are in stacks. */
export function formatLogLine(level: LogLevel, message: string, fields: LogFields = {}): string {
  let line = `${level}: ${escapeControls(message)}`;
  let stack = '';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = textOf(value);
    if (name === 'stack') stack = `\n${escapeControls(text, '\n')}`;
    else
      line += ` ${name}=${/[\s"]/.test(text) ? `"${escapeControls(text).replaceAll('"', '\\"')}"` : escapeControls(text)}`;
  }
  return line + stack;
}

/**
 * The text with control characters, and those that turn the writing direction, escaped as `\x{1b}`.
 *
 * @param keep - characters that pass all the same
 */
export function escapeControls(text: string, keep = ''): string {
  if (!UNSAFE.test(text)) return text;
  let result = '';
  for (const character of text) {
    if (UNSAFE.test(character) && !keep.includes(character)) {
      result += `\\x{${(character.codePointAt(0) as number).toString(16)}}`;
    } else {
      result += character;
    }
  }
  return result;
}

/** The fields with the values of credentials and cookies replaced, for logs. */
export function redactHeaders(headers: HeaderList): HeaderList {
  return headers.map((entry, index) =>
    index % 2 === 1 && SECRET.has(headers[index - 1] as string) ? '[redacted]' : entry,
  );
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    const json: unknown = JSON.stringify(value);
    return typeof json === 'string' ? json : typeof value;
  } catch {
    return typeof value;
  }
}

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const SECRET: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'authentication-info',
  'proxy-authentication-info',
]);
