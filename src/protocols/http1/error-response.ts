/**
 * The small responses that the engine makes itself when it refuses a request.
 *
 * Owns: their form: plain text, one sentence, Content-Length, Date, `Connection: close` (RFC 9110 section 15.5, RFC 9112
 * section 9.6) and the fields that the settings add. Does not own when one may be sent (server.ts).
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { ConfigurationError, LimitError, RemoteProtocolError, TimeoutError } from '../../common/index.ts';
import { fieldProblem, formatHttpDate, reasonPhrase } from '../semantics/index.ts';
import { fieldLines, statusLine } from './head-writer.ts';

/** The status that a failure is answered with; 500 for what is no doing of the peer's. */
export function errorStatus(error: HfaceError): number {
  if (error instanceof RemoteProtocolError || error instanceof LimitError) return error.statusHint ?? 400;
  return error instanceof TimeoutError ? 408 : 500;
}

/**
 * The whole response as text.
 *
 * @param wallTime - for Date, milliseconds since 1970
 * @param extra - checked by {@link checkErrorResponseHeaders}
 * @param withContent - false in answer to HEAD
 */
export function errorResponse(
  status: number,
  error: HfaceError,
  wallTime: number,
  extra: HeaderList,
  withContent: boolean,
): string {
  const detail = status >= 500 && status !== 501 && status !== 505 ? '' : `: ${error.message}`;
  // The message may quote the peer; the body is latin1, of which ASCII is enough.
  const content = `${String(status)} ${reasonPhrase(status)}${detail}\n`.replace(/[^\n\x20-\x7e]/g, '?');
  return (
    `${statusLine(status)}date: ${formatHttpDate(wallTime)}\r\n` +
    `content-type: text/plain\r\ncontent-length: ${String(content.length)}\r\nconnection: close\r\n` +
    `${fieldLines(extra, 0, undefined, '')}\r\n${withContent ? content : ''}`
  );
}

/**
 * Refuses fields that cannot stand in such a response.
 *
 * @throws ConfigurationError
 */
export function checkErrorResponseHeaders(headers: HeaderList): void {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const problem = fieldProblem(name, headers[index + 1] ?? '');
    if (problem !== undefined || headers.length % 2 !== 0) {
      throw new ConfigurationError(`errorResponseHeaders: ${problem ?? 'names and values in turn'}`);
    }
    if (name === 'content-length' || name === 'content-type' || name === 'date') {
      throw new ConfigurationError(`errorResponseHeaders: ${name} is the engine's own`);
    }
  }
}
