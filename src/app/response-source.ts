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
  sources.set(response, source);
  return response;
}

/** The source of a response whose stream nobody has used, once. */
export function sourceOf(response: Response): BodySource | undefined {
  const source = sources.get(response);
  if (source !== undefined) sources.delete(response);
  return source;
}

const sources = new WeakMap<Response, BodySource>();
