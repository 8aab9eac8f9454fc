/**
 * Where a server's requests come from.
 *
 * Owns the interface between a request that was received and the {@link Request} that shows it.
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import type { BodyFeed } from './body.ts';

/** A received request. Each member but `method` is asked for when an app asks for it, and its answer kept. */
export interface RequestSource {
  readonly method: string;
  /** The whole URL, as the URL standard writes it. */
  url(): string;
  /** The fields, Host among them: not to be changed. */
  fields(): HeaderList;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** The content, or `undefined` without any. */
  readonly feed: BodyFeed | undefined;
}
