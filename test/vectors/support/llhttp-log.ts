/**
 * Reads llhttp's event logs into messages that can be compared with an engine's.
 */
import { readFileSync } from 'node:fs';

/** One case of the file. */
export interface LlhttpCase {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly type: string;
  readonly meta?: { readonly pause?: string; readonly skipBody?: boolean };
  readonly input_base64: string;
  readonly log: readonly string[];
}

/** A message as llhttp told it. */
export interface LoggedMessage {
  /** The method, or the status. */
  start: string;
  target: string;
  headers: [name: string, value: string][];
  body: string;
  /** `message complete` came. */
  complete: boolean;
  /** `headers complete` came. */
  headComplete: boolean;
}

/** What a log says. */
export interface Logged {
  messages: LoggedMessage[];
  /** The reason of the error that ends the log, or `undefined`. */
  error: string | undefined;
}

/** All cases. */
export function readCases(): LlhttpCase[] {
  return JSON.parse(readFileSync(new URL('../llhttp/cases.json', import.meta.url), 'utf8')) as LlhttpCase[];
}

/** What stands in a log. Spans that continue over a line's end are joined. */
export function readLog(lines: readonly string[]): Logged {
  const logged: Logged = { messages: [], error: undefined };
  let current: LoggedMessage | undefined;
  let field = '';
  let value = '';
  let inTrailers = false;
  for (const line of lines) {
    const error = /error code=\d+ reason="(.*)"/.exec(line);
    if (error !== null) {
      logged.error = error[1];
      break;
    }
    if (line.endsWith('message begin')) {
      current = { start: '', target: '', headers: [], body: '', complete: false, headComplete: false };
      logged.messages.push(current);
      field = '';
      value = '';
      inTrailers = false;
      continue;
    }
    if (current === undefined) continue;
    const span = /span\[([a-z_]+)\]=(?:"(.*)"|(lf|cr))$/s.exec(line);
    if (span !== null) {
      const text = span[3] === 'lf' ? '\n' : span[3] === 'cr' ? '\r' : (span[2] as string);
      if (span[1] === 'method') current.start += text;
      else if (span[1] === 'url') current.target += text;
      else if (span[1] === 'header_field') field += text;
      else if (span[1] === 'header_value') value += text;
      else if (span[1] === 'body') current.body += text;
      continue;
    }
    if (line.endsWith('header_value complete')) {
      if (!inTrailers) current.headers.push([field.toLowerCase(), value.trim()]);
      field = '';
      value = '';
      continue;
    }
    const status = /headers complete status=(\d+)/.exec(line);
    if (status !== null) current.start = status[1] as string;
    if (line.includes('headers complete')) {
      current.headComplete = true;
      inTrailers = true;
    }
    if (line.endsWith('message complete')) current.complete = true;
  }
  return logged;
}
