/**
 * The contracts that every HTTP version keeps: engines, events, factories, capabilities, the registry.
 *
 * @module
 */
export * from './alpn.ts';
export * from './capabilities.ts';
export * from './events.ts';
export * from './factories.ts';
export type { FrameTrace } from './frame-trace.ts';
export * from './http-protocol.ts';
export type * from './quic-transport.ts';
export * from './registry.ts';
export * from './traced-engine.ts';
export * from './traced-protocol.ts';
export * from './traced-quic-protocol.ts';
