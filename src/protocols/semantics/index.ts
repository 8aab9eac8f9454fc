/**
 * The rules that all HTTP versions share, so that they validate alike.
 *
 * @module
 */
export * from './authority.ts';
export * from './content-length.ts';
export * from './field-rules.ts';
export * from './http-date.ts';
export * from './http1-error-codes.ts';
export * from './http2-error-codes.ts';
export * from './message-order.ts';
export * from './priority.ts';
export * from './pseudo-headers.ts';
export * from './status.ts';
