/**
 * HTTP/1.1 and HTTP/1.0: the engine's factories, its limits and its error codes.
 *
 * @module
 */
export { http1ErrorCodes } from '../semantics/index.ts';
export type { Http1ClientOptions, Http1ServerOptions } from './factories.ts';
export { Http1ClientFactory, http1RegistryEntry, Http1ServerFactory } from './factories.ts';
export type { Http1ClientLimits, Http1ServerLimits } from './limits.ts';
export { http1ClientLimits, http1ServerLimits } from './limits.ts';
