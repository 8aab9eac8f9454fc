/**
 * The drivers: an engine on a stream is a connection; listeners, openers, pools, exchanges.
 *
 * @module
 */
export type * from './exchange.ts';
