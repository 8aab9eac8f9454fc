/**
 * TCP and TLS (UDP with HTTP/3) as small interfaces, by sockets or in a simulation.
 *
 * @module
 */
export type * from './byte-stream.ts';
export type * from './networking.ts';
