/**
 * Where engines on node:http come from.
 *
 * Owns the two factories and the registry's entry. Options are read once, when a factory is made.
 *
 * @module
 */
import type { HeaderList, LimitOptions } from '../../common/index.ts';
import { ConfigurationError } from '../../common/index.ts';
import type {
  HttpOverTcpFactory,
  HttpOverTcpProtocol,
  ProtocolContext,
  ProtocolRegistry,
  ProtocolRegistryEntry,
  ProtocolSettings,
} from '../../protocols/index.ts';
import { protocolRegistry } from '../../protocols/index.ts';
import { fieldProblem } from '../../protocols/semantics/index.ts';
import { nodeHttpCapabilities } from './capabilities.ts';
import { NodeHttpClient } from './client.ts';
import type {
  NodeHttpClientLimits,
  nodeHttpClientLimits,
  NodeHttpServerLimits,
  nodeHttpServerLimits,
} from './limits.ts';
import { resolveClientLimits, resolveServerLimits } from './limits.ts';
import { NodeHttpServer } from './server.ts';

/** How a server's engine on node:http behaves. */
export interface NodeHttpServerOptions extends ProtocolSettings {
  /** Overrides of `nodeHttpServerLimits`. */
  readonly limits?: LimitOptions<typeof nodeHttpServerLimits>;
}

/** How a client's engine on node:http behaves. */
export interface NodeHttpClientOptions extends ProtocolSettings {
  /** Overrides of `nodeHttpClientLimits`. */
  readonly limits?: LimitOptions<typeof nodeHttpClientLimits>;
  /** The peer is a proxy: request-targets are in absolute-form (RFC 9112 section 3.2.2). Default false. */
  readonly absoluteForm?: boolean;
}

/** Makes server engines on node:http. */
export class NodeHttpServerFactory implements HttpOverTcpFactory {
  readonly role = 'server' as const;
  readonly alpnProtocols: readonly string[] = ['http/1.1', 'http/1.0'];
  readonly #limits: NodeHttpServerLimits;
  readonly #errorHeaders: HeaderList;

  /** Throws `ConfigurationError` for a limit that does not exist and a field that cannot be sent. */
  constructor(options: NodeHttpServerOptions = {}) {
    this.#limits = resolveServerLimits(options.limits);
    this.#errorHeaders = options.errorResponseHeaders ?? [];
    for (let index = 0; index < this.#errorHeaders.length; index += 2) {
      const problem = fieldProblem(this.#errorHeaders[index] as string, this.#errorHeaders[index + 1] ?? '');
      if (problem !== undefined) throw new ConfigurationError(`errorResponseHeaders: ${problem}`);
    }
  }

  /** An engine for one accepted connection. */
  create(context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new NodeHttpServer(this.#limits, this.#errorHeaders, context, now);
  }
}

/** Makes client engines on node:http. */
export class NodeHttpClientFactory implements HttpOverTcpFactory {
  readonly role = 'client' as const;
  readonly alpnProtocols: readonly string[] = ['http/1.1'];
  readonly #limits: NodeHttpClientLimits;
  readonly #absoluteForm: boolean;

  /** Throws `ConfigurationError` for a limit that does not exist. */
  constructor(options: NodeHttpClientOptions = {}) {
    this.#limits = resolveClientLimits(options.limits);
    this.#absoluteForm = options.absoluteForm ?? false;
  }

  /** An engine for one opened connection. */
  create(_context: ProtocolContext, now: number): HttpOverTcpProtocol {
    return new NodeHttpClient(this.#limits, this.#absoluteForm, now);
  }
}

/** HTTP/1 on node:http in the registry: `--http1-impl node`. */
export const nodeHttpRegistryEntry: ProtocolRegistryEntry = {
  version: 'http1',
  name: 'node',
  description: "Node's own HTTP/1.1, node:http over our streams",
  capabilities: nodeHttpCapabilities,
  asynchronous: true,
  createServerFactory: (settings) => new NodeHttpServerFactory(settings),
  createClientFactory: (settings) => new NodeHttpClientFactory(settings),
};

/** Adds it to a registry, by default the one that facades use. Harmless when it is there already. */
export function register(registry: ProtocolRegistry = protocolRegistry): void {
  if (!registry.entries('http1').some(({ name }) => name === nodeHttpRegistryEntry.name)) {
    registry.register(nodeHttpRegistryEntry);
  }
}
