/**
 * Whether a failed request is sent again.
 *
 * Owns the rule alone, as a function of facts. A request is sent again at most once: when the server is known not to
 * have acted on it, whatever the method; when it may have, only for idempotent methods (RFC 9110 section 9.2.2). Never
 * when the body cannot be replayed, or anything of a response has come.
 *
 * @module
 */
import { LimitError, RemoteProtocolError, TimeoutError } from '../common/index.ts';
import type { HfaceError } from '../common/index.ts';

/** The methods of RFC 9110 section 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Whether sending the request twice means the same as sending it once (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method);
}

/** What the decision needs to know of a failed attempt. */
export interface FailedAttempt {
  readonly error: HfaceError;
  /** Whether the server may have acted on it. */
  readonly processed: 'no' | 'maybe';
  readonly idempotent: boolean;
  /** The request has no body, one that can be read again, or one that was not touched yet. */
  readonly replayable: boolean;
  /** An interim or final response, or a part of one, has come. */
  readonly responseBegun: boolean;
  /** It was given to a connection: what failed is not the way there. */
  readonly onConnection: boolean;
  /** It has been sent again before. */
  readonly retried: boolean;
}

/** Whether the request is to be sent again. */
export function shouldRetry(attempt: FailedAttempt): boolean {
  if (attempt.retried || !attempt.onConnection || attempt.responseBegun || !attempt.replayable) return false;
  const { error } = attempt;
  // This side's doing, or a bound that this side set: it would only happen again.
  if (error.initiator === 'application' || error instanceof TimeoutError || error instanceof LimitError) return false;
  if (attempt.processed === 'no') return true;
  // Bytes that are no HTTP are an answer as well.
  if (error instanceof RemoteProtocolError && error.code !== 'ERR_CONNECTION_CLOSED') return false;
  return attempt.idempotent;
}
