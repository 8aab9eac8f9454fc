/**
 * QPACK: field compression for HTTP/3 (RFC 9204), with the static table.
 *
 * @module
 */

export * from './decoder.ts';
export * from './encoder.ts';
export * from './instructions.ts';
