/**
 * What a server uses where its options are silent.
 *
 * Owns nothing of its own: the names come from connections/.
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import type { ServerNetworking, ServerProtocolFactory } from './server-options.ts';

/** What an engine is told that the server makes itself. */
export interface DefaultFactorySettings {
  readonly limits: Readonly<Record<string, number | undefined>>;
  /** Fields of the responses that the engine makes itself. */
  readonly errorResponseHeaders: HeaderList;
}

/** Sockets. */
export function defaultServerNetworking(): ServerNetworking {
  throw new Error('not there');
}

/** Our HTTP/1 engine. */
export function defaultHttp1Factory(_settings: DefaultFactorySettings): ServerProtocolFactory {
  throw new Error('not there');
}
