/**
 * Where HTTP/2 engines come from.
 *
 * Owns the two factories and the registry's entry. Options are read once, when a factory is made, so that a mistake in
 * them shows there and not on a connection.
 *
 * @module
 */
import type { HeaderList, LimitOptions } from '../../common/index.ts';
import type { HttpOverTcpFactory, ProtocolContext, ProtocolSettings } from '../factories.ts';
import type { HttpOverTcpProtocol } from '../http-protocol.ts';
import type { ProtocolRegistryEntry } from '../registry.ts';
import { checkErrorResponseHeaders } from '../semantics/index.ts';
import { http2Capabilities } from './capabilities.ts';
import { Http2Client } from './client.ts';
import type { Http2ClientLimits, http2ClientLimits, Http2ServerLimits, http2ServerLimits } from './limits.ts';
import { resolveClientLimits, resolveServerLimits } from './limits.ts';
import { Http2Server } from './server.ts';

/** RFC 9113 section 3.1: HTTP/2 over TLS. */
const ALPN: readonly string[] = ['h2'];

/** How an HTTP/2 server engine behaves. */
export interface Http2ServerOptions extends ProtocolSettings {
  /** Overrides of `http2ServerLimits`. */
  readonly limits?: LimitOptions<typeof http2ServerLimits>;
}

/** How an HTTP/2 client engine behaves. */
export interface Http2ClientOptions extends ProtocolSettings {
  /** Overrides of `http2ClientLimits`. */
  readonly limits?: LimitOptions<typeof http2ClientLimits>;
}

/** Makes HTTP/2 server engines. */
export class Http2ServerFactory implements HttpOverTcpFactory {
  readonly role = 'server' as const;
  readonly alpnProtocols: readonly string[] = ALPN;
  readonly #limits: Http2ServerLimits;
  readonly #errorHeaders: HeaderList;

  /** Throws `ConfigurationError` for limits that do not exist or do not fit together, and fields that cannot be sent. */
  constructor(options: Http2ServerOptions = {}) {
    this.#limits = resolveServerLimits(options.limits);
    this.#errorHeaders = options.errorResponseHeaders ?? [];
    checkErrorResponseHeaders(this.#errorHeaders);
  }

  /** An engine for one accepted connection. */
  create(context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new Http2Server(this.#limits, this.#errorHeaders, context, now);
  }
}

/** Makes HTTP/2 client engines. */
export class Http2ClientFactory implements HttpOverTcpFactory {
  readonly role = 'client' as const;
  readonly alpnProtocols: readonly string[] = ALPN;
  readonly #limits: Http2ClientLimits;

  /** Throws `ConfigurationError` for limits that do not exist or do not fit together. */
  constructor(options: Http2ClientOptions = {}) {
    this.#limits = resolveClientLimits(options.limits);
  }

  /** An engine for one opened connection. */
  create(context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new Http2Client(this.#limits, context.secure, now);
  }
}

/** Our HTTP/2 in the registry. */
export const http2RegistryEntry: ProtocolRegistryEntry = {
  version: 'http2',
  name: 'hface',
  description: "hface-ts's own HTTP/2 engine",
  capabilities: http2Capabilities,
  createServerFactory: (settings) => new Http2ServerFactory(settings),
  createClientFactory: (settings) => new Http2ClientFactory(settings),
};
