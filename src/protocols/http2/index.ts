/**
 * HTTP/2: the engine's factories, its limits and its error codes.
 *
 * @module
 */
export { http2ErrorCodes, Http2ErrorCode } from '../semantics/index.ts';
export type { Http2ClientOptions, Http2ServerOptions } from './factories.ts';
export { Http2ClientFactory, http2RegistryEntry, Http2ServerFactory } from './factories.ts';
export type { Http2ClientLimits, Http2CommonLimit, Http2ServerLimits } from './limits.ts';
export { http2ClientLimits, http2ServerLimits } from './limits.ts';
