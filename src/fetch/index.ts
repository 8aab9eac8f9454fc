/**
 * Fast `Response`, `Request` and `Headers` of the Fetch standard.
 *
 * @module
 */
export type { BodyInput } from './body.ts';
export { Headers } from './headers.ts';
export type { HeadersInput } from './headers.ts';
export { replaceGlobals } from './replace-globals.ts';
export { Request } from './request.ts';
export type { RequestInit } from './request.ts';
export { Response } from './response.ts';
export type { ResponseInit } from './response.ts';
