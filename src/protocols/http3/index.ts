/**
 * HTTP/3: the engine's factories, its limits and its error codes.
 *
 * @module
 */
export { http3ErrorCodes, Http3ErrorCode } from '../semantics/index.ts';
export type { Http3ClientOptions, Http3ExtensionOptions, Http3ServerOptions } from './factories.ts';
export { Http3ClientFactory, http3RegistryEntry, Http3ServerFactory } from './factories.ts';
export type { Http3ClientLimits, Http3CommonLimit, Http3ServerLimits } from './limits.ts';
export { http3ClientLimits, http3ServerLimits } from './limits.ts';
export type { Setting as Http3Setting } from './settings.ts';
