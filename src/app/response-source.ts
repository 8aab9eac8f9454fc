/**
 * Responses whose body has a shorter way out than their stream.
 *
 * Owns the note that ties a source to a `Response`: the adapter takes the source and leaves the stream unread, while
 * middleware that reads or wraps the response finds an ordinary stream. Static files use it.
 *
 * @module
 */
import type { BodySource } from './body-source.ts';

/** Ties a source to a response. Both yield the same bytes; only one of them may be used. */
export function tieSource(response: Response, source: BodySource): Response {
  ties.set(response, { source, stream: response.body });
  return response;
}

/** The source of a response whose stream nobody has used, once. */
export function sourceOf(response: Response): BodySource | undefined {
  const tie = ties.get(response);
  if (tie === undefined) return undefined;
  ties.delete(response);
  // A response that was cloned has another stream, which is fed by the first one.
  return response.body === tie.stream ? tie.source : undefined;
}

interface Tie {
  readonly source: BodySource;
  readonly stream: unknown;
}

const ties = new WeakMap<Response, Tie>();
