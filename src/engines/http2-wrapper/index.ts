/**
 * HTTP/2 for clients on the package http2-wrapper: a second implementation, chosen by `--http2-impl wrapper` or given as
 * `http2Factory`. The package is an optional peer and is loaded by {@link loadHttp2Wrapper}.
 *
 * @module
 */
import type { LimitOptions } from '../../common/index.ts';
import type {
  HttpOverTcpFactory,
  HttpOverTcpProtocol,
  ProtocolContext,
  ProtocolRegistry,
  ProtocolRegistryEntry,
  ProtocolSettings,
} from '../../protocols/index.ts';
import { protocolRegistry } from '../../protocols/index.ts';
import { sessionCapabilities } from '../http2-sessions/capabilities.ts';
import type { NodeHttp2Limits, nodeHttp2Limits } from '../http2-sessions/limits.ts';
import { resolveNodeHttp2Limits } from '../http2-sessions/limits.ts';
import { Http2WrapperClient } from './client.ts';
import type { Http2Wrapper } from './wrapper.ts';
import { loadWrapper } from './wrapper.ts';

/** How a client's engine on http2-wrapper behaves. */
export interface Http2WrapperClientOptions extends ProtocolSettings {
  /** Overrides of `nodeHttp2Limits`. */
  readonly limits?: LimitOptions<typeof nodeHttp2Limits>;
}

class Http2WrapperClientFactory implements HttpOverTcpFactory {
  readonly role = 'client' as const;
  readonly alpnProtocols: readonly string[] = ['h2'];
  readonly #wrapper: Http2Wrapper;
  readonly #limits: NodeHttp2Limits;

  constructor(wrapper: Http2Wrapper, options: Http2WrapperClientOptions = {}) {
    this.#wrapper = wrapper;
    this.#limits = resolveNodeHttp2Limits('HTTP/2 client on http2-wrapper', options.limits);
  }

  /** An engine for one opened connection. */
  create(_context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new Http2WrapperClient(this.#wrapper, this.#limits, now);
  }
}

/** Loads the package and answers the registry's entry: `--http2-impl wrapper`. @throws ConfigurationError */
export async function loadHttp2Wrapper(): Promise<ProtocolRegistryEntry> {
  const wrapper = await loadWrapper();
  return {
    version: 'http2',
    name: 'wrapper',
    description: 'http2-wrapper over node:http2 over our streams; clients only',
    capabilities: sessionCapabilities,
    asynchronous: true,
    createServerFactory: undefined,
    createClientFactory: (settings) => new Http2WrapperClientFactory(wrapper, settings),
  };
}

/** Adds it to a registry, by default the one that facades use. Harmless when it is there already. */
export async function register(registry: ProtocolRegistry = protocolRegistry): Promise<void> {
  if (registry.entries('http2').some(({ name }) => name === 'wrapper')) return;
  registry.register(await loadHttp2Wrapper());
}
