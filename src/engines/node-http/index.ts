/**
 * HTTP/1.1 on Node's own parser and writer: a second implementation, chosen by `--http1-impl node` or given as
 * `http1Factory`.
 *
 * @module
 */
export * from './factories.ts';
export { nodeHttpCapabilities } from './capabilities.ts';
export { nodeHttpClientLimits, nodeHttpServerLimits } from './limits.ts';
