/**
 * What a running server says besides its access log: messages by level, and failures of the app.
 *
 * Owns the forms: a line for people, or JSON. Without `--dev` a failure of the app is one line with the place in the
 * app's code, never a stack.
 *
 * @module
 */
import { describeError } from '../../src/app/index.ts';
import { escapeControls, lineLogger } from '../../src/common/index.ts';
import type { LogFields, Logger, LogLevel } from '../../src/common/index.ts';
import type { AppErrorDetails } from '../../src/server/index.ts';
import type { LineOutput } from '../context.ts';
import { placeOf } from '../import-module.ts';
import { messageOf } from '../report.ts';
import type { LogFormat } from './access-log.ts';

/** The least important level that is printed. */
export type LogThreshold = LogLevel | 'silent';

/** A logger that writes lines in a form. */
export function commandLogger(level: LogThreshold, format: LogFormat, output: LineOutput): Logger {
  if (level === 'silent') return { isEnabled: () => false, log: () => undefined };
  const plain = lineLogger(level, (line) => output.line(line));
  if (format !== 'json') return plain;
  return {
    isEnabled: (asked) => plain.isEnabled(asked),
    log: (asked, message, fields) => {
      if (plain.isEnabled(asked)) output.line(jsonLine(asked, message, fields));
    },
  };
}

/** Tells what an app threw. */
export function reportAppFailure(logger: Logger, error: unknown, details: AppErrorDetails, dev: boolean): void {
  const request = details.method === undefined ? undefined : `${details.method} ${details.path ?? ''}`;
  logger.log('error', KINDS[details.kind], {
    error: error instanceof Error ? `${error.name}: ${messageOf(error)}` : messageOf(error),
    at: placeOf(error),
    request,
    id: details.requestId,
    ...(dev ? { stack: describeError(error) } : {}),
  });
}

/** Tells what user code threw where nobody catches it. */
export function reportUncaught(logger: Logger, error: unknown, dev: boolean): void {
  logger.log('error', 'the app threw outside any request; the server goes on', {
    error: error instanceof Error ? `${error.name}: ${messageOf(error)}` : messageOf(error),
    at: placeOf(error),
    ...(dev ? { stack: describeError(error) } : {}),
  });
}

function jsonLine(level: LogLevel, message: string, fields: LogFields = {}): string {
  // JSON escapes C0 itself; what else a terminal obeys is escaped before.
  const safe = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? escapeControls(value, '\n\t') : value,
  ]);
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...Object.fromEntries(safe) });
}

const KINDS: Readonly<Record<AppErrorDetails['kind'], string>> = {
  request: 'the app failed',
  body: 'the body of a response failed',
  waitUntil: 'a promise given to waitUntil was rejected',
  lifespan: 'the lifespan of the app failed',
};
