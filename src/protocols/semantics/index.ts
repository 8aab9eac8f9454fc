/**
 * The rules that all HTTP versions share, so that they validate alike.
 *
 * @module
 */
export * from './authority.ts';
export * from './content-length.ts';
export * from './error-response.ts';
export * from './field-judge.ts';
export * from './field-rules.ts';
export * from './http-date.ts';
export * from './http1-error-codes.ts';
export * from './http2-error-codes.ts';
export * from './http3-error-codes.ts';
export * from './limit-rows.ts';
export * from './pending-priorities.ts';
export * from './priority.ts';
export * from './pseudo-headers.ts';
export * from './request-form.ts';
export * from './request-plan.ts';
export * from './request-reader.ts';
export * from './response-plan.ts';
export * from './sent-message.ts';
export * from './status.ts';
