/**
 * Where HTTP/3 engines come from.
 *
 * Owns the two factories and the registry's entry. Options are read once, when a factory is made, so that a mistake in
 * them shows there and not on a connection.
 *
 * @module
 */
import type { HeaderList, LimitOptions } from '../../common/index.ts';
import { ConfigurationError } from '../../common/index.ts';
import type {
  HttpOverQuicClientFactory,
  HttpOverQuicServerFactory,
  ProtocolContext,
  ProtocolSettings,
} from '../factories.ts';
import type { HttpOverQuicProtocol } from '../http-protocol.ts';
import type { QuicTransport } from '../quic-transport.ts';
import type { QuicRegistryEntry } from '../registry.ts';
import { checkErrorResponseHeaders } from '../semantics/index.ts';
import { http3Capabilities } from './capabilities.ts';
import { Http3Client } from './client.ts';
import type { EngineOptions } from './engine.ts';
import { isForbiddenSetting, SettingId } from './frame-types.ts';
import type { Http3ClientLimits, http3ClientLimits, Http3ServerLimits, http3ServerLimits } from './limits.ts';
import { resolveClientLimits, resolveServerLimits } from './limits.ts';
import { Http3Server } from './server.ts';
import type { Setting } from './settings.ts';

/** RFC 9114 section 3.1. */
const ALPN: readonly string[] = ['h3'];

/** What both sides may be told besides their limits. */
export interface Http3ExtensionOptions {
  /** Whether HTTP datagrams are taken (RFC 9297); the transport must take DATAGRAM frames. Default true. */
  readonly datagrams?: boolean;
  /** Settings of extensions, identifier and value. Not those that the engine itself sends. */
  readonly settings?: readonly Setting[];
  /** Types of streams that `claimStream` may claim later: such streams wait until then, in a bounded place. */
  readonly claimableTypes?: readonly number[];
}

/** How an HTTP/3 server engine behaves. */
export interface Http3ServerOptions extends ProtocolSettings, Http3ExtensionOptions {
  /** Overrides of `http3ServerLimits`. */
  readonly limits?: LimitOptions<typeof http3ServerLimits>;
}

/** How an HTTP/3 client engine behaves. */
export interface Http3ClientOptions extends ProtocolSettings, Http3ExtensionOptions {
  /** Overrides of `http3ClientLimits`. */
  readonly limits?: LimitOptions<typeof http3ClientLimits>;
}

/** Makes HTTP/3 server engines. */
export class Http3ServerFactory implements HttpOverQuicServerFactory {
  readonly role = 'server' as const;
  readonly alpnProtocols: readonly string[] = ALPN;
  readonly #limits: Http3ServerLimits;
  readonly #options: EngineOptions;
  readonly #errorHeaders: HeaderList;

  /** Throws `ConfigurationError` for limits that do not exist, settings and fields that cannot be sent. */
  constructor(options: Http3ServerOptions = {}) {
    this.#limits = resolveServerLimits(options.limits);
    this.#options = engineOptions(options);
    this.#errorHeaders = options.errorResponseHeaders ?? [];
    checkErrorResponseHeaders(this.#errorHeaders);
  }

  /** An engine on one accepted connection. */
  create(transport: QuicTransport, context: ProtocolContext, now: number): HttpOverQuicProtocol {
    return new Http3Server(this.#limits, this.#options, this.#errorHeaders, transport, context, now);
  }
}

/** Makes HTTP/3 client engines. */
export class Http3ClientFactory implements HttpOverQuicClientFactory {
  readonly role = 'client' as const;
  readonly alpnProtocols: readonly string[] = ALPN;
  readonly #limits: Http3ClientLimits;
  readonly #options: EngineOptions;

  /** Throws `ConfigurationError` for limits that do not exist and settings that cannot be sent. */
  constructor(options: Http3ClientOptions = {}) {
    this.#limits = resolveClientLimits(options.limits);
    this.#options = engineOptions(options);
  }

  /** An engine on one opened connection. */
  create(transport: QuicTransport, context: ProtocolContext, now: number): HttpOverQuicProtocol {
    return new Http3Client(this.#limits, this.#options, transport, context, now);
  }
}

/** Our HTTP/3 in the registry. */
export const http3RegistryEntry: QuicRegistryEntry = {
  version: 'http3',
  name: 'hface',
  description: "hface-ts's own HTTP/3 engine",
  capabilities: http3Capabilities,
  createServerFactory: (settings) => new Http3ServerFactory(settings),
  createClientFactory: (settings) => new Http3ClientFactory(settings),
};

const OWN_SETTINGS: readonly number[] = Object.values(SettingId);

function engineOptions(options: Http3ExtensionOptions): EngineOptions {
  const { datagrams = true, settings = [], claimableTypes = [] } = options;
  const ids = settings.map(([id]) => id);
  for (const [id, value] of settings) {
    if (!Number.isSafeInteger(id) || id < 0 || !Number.isSafeInteger(value) || value < 0) {
      throw new ConfigurationError('a setting is a pair of integers from 0 to 2^53-1');
    }
    if (isForbiddenSetting(id) || OWN_SETTINGS.includes(id) || ids.indexOf(id) !== ids.lastIndexOf(id)) {
      throw new ConfigurationError(`setting ${String(id)} is reserved, the engine's own, or given twice`);
    }
  }
  return { datagrams, settings, claimableTypes };
}
