/**
 * HPACK: header compression for HTTP/2 (RFC 7541).
 *
 * @module
 */

export * from './decoder.ts';
export * from './encoder.ts';
