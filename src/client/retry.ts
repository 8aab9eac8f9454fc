/**
 * Whether a failed request is sent again.
 *
 * Owns the rule alone, as a function of facts. A request is sent again at most once: when the server is known not to
 * have acted on it, whatever the method; when it may have, only for idempotent methods (RFC 9110 section 9.2.2). Never
 * when the body cannot be replayed, or anything of a response has come.
 *
 * A server that winds a connection down without an error leaves out what came too late (RFC 9113 section 6.8). Such a
 * request has not failed (section 8.7): a server that ends each connection after so many requests would otherwise fail
 * those of a burst that meet two ends. So it is sent again a few times.
 *
 * @module
 */
import { LimitError, RemoteProtocolError, StreamResetError, TimeoutError } from '../common/index.ts';
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
  /** How often it has been sent again before. */
  readonly retries: number;
}

/** Whether the request is to be sent again. */
export function shouldRetry(attempt: FailedAttempt): boolean {
  if (!attempt.onConnection || attempt.responseBegun || !attempt.replayable) return false;
  const { error } = attempt;
  if (attempt.retries >= (attempt.processed === 'no' && isLeftOut(error) ? MOST_LEFT_OUT : 1)) return false;
  // This side's doing, or a bound that this side set: it would only happen again.
  if (error.initiator === 'application' || error instanceof TimeoutError || error instanceof LimitError) return false;
  if (attempt.processed === 'no') return true;
  // Bytes that are no HTTP are an answer as well.
  if (error instanceof RemoteProtocolError && error.code !== 'ERR_CONNECTION_CLOSED') return false;
  return attempt.idempotent;
}

/** By GOAWAY with NO_ERROR, of HTTP/2 or HTTP/3. */
function isLeftOut(error: HfaceError): boolean {
  return error instanceof StreamResetError && (error.errorCode === 0x0 || error.errorCode === 0x100);
}

/** A server that leaves a request out so often does not want it. */
const MOST_LEFT_OUT = 8;
