/**
 * The small responses that a server engine makes itself when it refuses a request.
 *
 * Owns: their head: a status, Date, no content, and the fields that the settings add (RFC 9110 section 15.5). Does not
 * own when one may be sent. HTTP/1 writes its own.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { ConfigurationError } from '../../common/index.ts';
import { fieldProblem } from './field-rules.ts';
import { formatHttpDate } from './http-date.ts';

/**
 * The whole response.
 *
 * @param wallTime - for Date, milliseconds since 1970
 * @param extra - checked by {@link checkErrorResponseHeaders}
 */
export function errorResponse(status: number, wallTime: number, extra: HeaderList): HeaderList {
  return [':status', String(status), 'date', formatHttpDate(wallTime), 'content-length', '0', ...extra];
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
    if (name === 'content-length' || name === 'date') {
      throw new ConfigurationError(`errorResponseHeaders: ${name} is the engine's own`);
    }
  }
}
