/**
 * Ends of an exchange that are no failure.
 *
 * Owns one distinction: after a whole response this side gives up the rest of a request that nobody reads (RFC 9112
 * section 9.3, RFC 9113 section 8.1); the client got what it asked for.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';

/** Whether an exchange that ended with this error was given up by this side after its response was complete. */
export function isOwnEnd(exchange: ServerExchange, error: HfaceError): boolean {
  return exchange.responseEnded && error.initiator !== 'peer' && error.initiator !== 'network';
}
