/**
 * Factories: where a driver gets its engine from, and where a user plugs in another.
 *
 * Owns the interfaces. The choice by ALPN is in alpn.ts, implementations by name in registry.ts.
 *
 * @module
 */
import type { HeaderList, Random } from '../common/index.ts';
import type { HttpOverQuicProtocol, HttpOverTcpProtocol } from './http-protocol.ts';
import type { QuicTransport } from './quic-transport.ts';

/** What a driver knows of a connection when it asks for an engine. */
export interface ProtocolContext {
  /** Whether TLS or QUIC protects it: decides `:scheme`. */
  readonly secure: boolean;
  /** The protocol agreed by ALPN, or `undefined`. */
  readonly alpn: string | undefined;
  /** Wall time minus monotonic time in milliseconds, for the Date of responses that the engine itself makes. */
  readonly epochOffset: number;
  /** Where an engine takes its randomness. */
  readonly random: Random;
}

/** Makes engines over byte streams. */
export interface HttpOverTcpFactory {
  readonly role: 'client' | 'server';
  /** What to offer or accept by ALPN, best first (RFC 7301). */
  readonly alpnProtocols: readonly string[];
  /** Makes the engine of one connection that was opened at `now` (milliseconds, monotonic). */
  create(context: ProtocolContext, now: number): HttpOverTcpProtocol;
}

/** Makes HTTP/3 engines on accepted connections. */
export interface HttpOverQuicServerFactory {
  readonly role: 'server';
  readonly alpnProtocols: readonly string[];
  /** Makes the engine on a QUIC connection, at `now` (milliseconds, monotonic). */
  create(transport: QuicTransport, context: ProtocolContext, now: number): HttpOverQuicProtocol;
}

/** Makes HTTP/3 engines on opened connections. */
export interface HttpOverQuicClientFactory {
  readonly role: 'client';
  readonly alpnProtocols: readonly string[];
  /** Makes the engine on a QUIC connection, at `now` (milliseconds, monotonic). */
  create(transport: QuicTransport, context: ProtocolContext, now: number): HttpOverQuicProtocol;
}

/** What any implementation accepts besides its own options. */
export interface ProtocolSettings {
  /** Overrides of the implementation's limits by name. */
  readonly limits?: Readonly<Record<string, number | undefined>>;
  /** Fields that a server engine adds to the responses that it makes itself (400, 408 …). */
  readonly errorResponseHeaders?: HeaderList;
}
