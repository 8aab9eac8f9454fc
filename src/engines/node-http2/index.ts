/**
 * HTTP/2 on Node's own sessions, for servers: a second implementation, chosen by `--http2-impl node` or given as
 * `http2Factory`.
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
import { NodeHttp2Server } from './server.ts';

export { nodeHttp2Limits } from '../http2-sessions/limits.ts';

/** How a server's engine on node:http2 behaves. */
export interface NodeHttp2ServerOptions extends ProtocolSettings {
  /** Overrides of `nodeHttp2Limits`. */
  readonly limits?: LimitOptions<typeof nodeHttp2Limits>;
}

/** Makes server engines on node:http2. Node makes no responses of its own, so `errorResponseHeaders` are not used. */
export class NodeHttp2ServerFactory implements HttpOverTcpFactory {
  readonly role = 'server' as const;
  readonly alpnProtocols: readonly string[] = ['h2'];
  readonly #limits: NodeHttp2Limits;

  /** Throws `ConfigurationError` for a limit that does not exist. */
  constructor(options: NodeHttp2ServerOptions = {}) {
    this.#limits = resolveNodeHttp2Limits('HTTP/2 server on node:http2', options.limits);
  }

  /** An engine for one accepted connection. */
  create(_context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new NodeHttp2Server(this.#limits, now);
  }
}

/** HTTP/2 on node:http2 in the registry: `--http2-impl node`. */
export const nodeHttp2RegistryEntry: ProtocolRegistryEntry = {
  version: 'http2',
  name: 'node',
  description: "Node's own HTTP/2, node:http2 over our streams; servers only",
  capabilities: sessionCapabilities,
  asynchronous: true,
  createServerFactory: (settings) => new NodeHttp2ServerFactory(settings),
  createClientFactory: undefined,
};

/** Adds it to a registry, by default the one that facades use. Harmless when it is there already. */
export function register(registry: ProtocolRegistry = protocolRegistry): void {
  if (!registry.entries('http2').some(({ name }) => name === nodeHttp2RegistryEntry.name)) {
    registry.register(nodeHttp2RegistryEntry);
  }
}
