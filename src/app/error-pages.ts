/**
 * The bodies of responses that the server makes itself.
 *
 * Owns the plain page: the status, its name, the request's id to find it in the logs, and the stack only where the
 * developer asked for it.
 *
 * @module
 */
import type { ErrorPage } from './app-host.ts';

/** The plain page of an error response. `error` is shown only with `dev`. */
export function plainErrorPage(status: number, requestId: string, error: unknown, dev: boolean): ErrorPage {
  let body = `${String(status)} ${reasonOf(status)}\n`;
  if (status >= 500) body += `Request ${requestId}\n`;
  if (dev && error !== undefined) body += `\n${describeError(error)}\n`;
  return { contentType: 'text/plain; charset=utf-8', body };
}

/** An error with its stack and its causes, for logs and developers. Never throws, whatever was thrown. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined; depth += 1) {
    parts.push(describeOne(current));
    current = causeOf(current);
  }
  return parts.join('\ncaused by: ');
}

/** The name of a status (RFC 9110 section 15), or `Error`. */
export function reasonOf(status: number): string {
  return REASONS[status] ?? 'Error';
}

function describeOne(error: unknown): string {
  try {
    if (error instanceof Error) return error.stack ?? `${error.name}: ${error.message}`;
    return String(error);
  } catch {
    return 'a value that cannot be printed';
  }
}

function causeOf(error: unknown): unknown {
  try {
    return error instanceof Error ? error.cause : undefined;
  } catch {
    return undefined;
  }
}

const MAX_CAUSES = 5;

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  421: 'Misdirected Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};
