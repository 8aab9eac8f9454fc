/**
 * Where HTTP/1 engines come from.
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
import { http1Capabilities } from './capabilities.ts';
import { Http1Client } from './client.ts';
import { checkErrorResponseHeaders } from './error-response.ts';
import { FieldLines } from './field-lines.ts';
import { KnownRequest } from './known-request.ts';
import type { Http1ClientLimits, http1ClientLimits, http1ServerLimits } from './limits.ts';
import { resolveClientLimits, resolveServerLimits } from './limits.ts';
import { RestingServer, ServerPool } from './resting-server.ts';

/** RFC 7301's registry: HTTP/1.1 over TLS. */
const ALPN: readonly string[] = ['http/1.1'];
/** A server answers HTTP/1.0 too, and clients that are told to speak it offer nothing else (`curl --http1.0`). */
const SERVER_ALPN: readonly string[] = ['http/1.1', 'http/1.0'];

/** How an HTTP/1 server engine behaves. */
export interface Http1ServerOptions extends ProtocolSettings {
  /** Overrides of `http1ServerLimits`. */
  readonly limits?: LimitOptions<typeof http1ServerLimits>;
}

/** How an HTTP/1 client engine behaves. */
export interface Http1ClientOptions extends ProtocolSettings {
  /** Overrides of `http1ClientLimits`. */
  readonly limits?: LimitOptions<typeof http1ClientLimits>;
  /** The limit of that name, for short. Default 1: no pipelining. */
  readonly maxPipelinedRequests?: number;
  /** The peer is a proxy: request-targets are in absolute-form (RFC 9112 section 3.2.2). Default false. */
  readonly absoluteForm?: boolean;
}

/** Makes HTTP/1 server engines. */
export class Http1ServerFactory implements HttpOverTcpFactory {
  readonly role = 'server' as const;
  readonly alpnProtocols: readonly string[] = SERVER_ALPN;
  readonly #pool: ServerPool;

  /** Throws `ConfigurationError` for a limit that does not exist and a field that cannot be sent. */
  constructor(options: Http1ServerOptions = {}) {
    const limits = resolveServerLimits(options.limits);
    const errorHeaders: HeaderList = options.errorResponseHeaders ?? [];
    checkErrorResponseHeaders(errorHeaders);
    this.#pool = new ServerPool({ limits, errorHeaders, lines: new FieldLines(), known: new KnownRequest() });
  }

  /** An engine for one accepted connection. */
  create(context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new RestingServer(this.#pool, context, now);
  }
}

/** Makes HTTP/1 client engines. */
export class Http1ClientFactory implements HttpOverTcpFactory {
  readonly role = 'client' as const;
  readonly alpnProtocols: readonly string[] = ALPN;
  readonly #limits: Http1ClientLimits;
  readonly #absoluteForm: boolean;
  readonly #lines: FieldLines;

  /** Throws `ConfigurationError` for a limit that does not exist. */
  constructor(options: Http1ClientOptions = {}) {
    const { limits, maxPipelinedRequests } = options;
    this.#limits = resolveClientLimits(
      maxPipelinedRequests === undefined ? limits : { ...limits, maxPipelinedRequests },
    );
    this.#absoluteForm = options.absoluteForm ?? false;
    this.#lines = new FieldLines();
  }

  /** An engine for one opened connection. */
  create(_context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new Http1Client(this.#limits, this.#absoluteForm, this.#lines, now);
  }
}

/** Our HTTP/1 in the registry. */
export const http1RegistryEntry: ProtocolRegistryEntry = {
  version: 'http1',
  name: 'hface',
  description: "hface-ts's own HTTP/1.1 engine, strict",
  capabilities: http1Capabilities,
  createServerFactory: (settings) => new Http1ServerFactory(settings),
  createClientFactory: (settings) => new Http1ClientFactory(settings),
};
