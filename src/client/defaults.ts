/**
 * What a client uses where its options are silent.
 *
 * Owns nothing of its own: the names come from connections/.
 *
 * @module
 */
import type { ClientProtocolFactory } from './client.ts';
import type { ClientNetworking } from './steered-networking.ts';

/** Sockets. */
export function defaultClientNetworking(): ClientNetworking {
  throw new Error('not there');
}

/** Our HTTP/1 engine. */
export function defaultHttp1Factory(): ClientProtocolFactory {
  throw new Error('not there');
}
