/**
 * What facades use when nothing else is said: which engines, which factories, which networking.
 *
 * Owns the registering of our engines in `protocolRegistry`, the choice of protocols, and the process's one
 * `SystemNetworking`, made when it is first asked for.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import { SystemNetworking } from '../networking/index.ts';
import { AlpnHttpFactory, protocolRegistry, tracedFactory } from '../protocols/index.ts';
import type { HttpOverTcpFactory, ProtocolSettings, RegistryVersion, TraceHandler } from '../protocols/index.ts';
import { http1RegistryEntry } from '../protocols/http1/index.ts';
import { http2RegistryEntry } from '../protocols/http2/index.ts';

/** The versions that may be spoken: all there are, those over TCP, or a list. There is no fallback outside the set. */
export type ProtocolChoice = 'all' | 'tcp' | readonly RegistryVersion[];

/** Which engines are used, and how they behave. */
export interface DefaultFactoryOptions {
  /** Default `'all'`. */
  readonly protocol?: ProtocolChoice | undefined;
  /** The implementation of a version by its name in the registry. Default `hface`. */
  readonly implementations?: { readonly [Version in RegistryVersion]?: string | undefined } | undefined;
  /** A factory to use in place of a registered one. */
  readonly factories?: { readonly [Version in RegistryVersion]?: HttpOverTcpFactory | undefined } | undefined;
  /** Options of a version's engine: its limits, fields of its own error responses. */
  readonly settings?: { readonly [Version in RegistryVersion]?: ProtocolSettings | undefined } | undefined;
  /** Told of all that passes through the engines: submits, events and, on HTTP/2, frames. Slow; for debugging. */
  readonly trace?: TraceHandler | undefined;
}

/** The name under which our own implementations are registered. */
const OURS = 'hface';

/** The versions over byte streams, best first. */
const OVER_TCP: readonly RegistryVersion[] = ['http2', 'http1'];

protocolRegistry.register(http1RegistryEntry);
protocolRegistry.register(http2RegistryEntry);

let networking: SystemNetworking | undefined;

/** The networking that everything shares which is given no other. Made at the first call. */
export function systemNetworking(): SystemNetworking {
  networking ??= new SystemNetworking();
  return networking;
}

/** The factory of a server's engines over TCP and TLS. @throws ConfigurationError */
export function defaultServerFactory(options: DefaultFactoryOptions = {}): HttpOverTcpFactory {
  return combined('server', options);
}

/** The factory of a client's engines over TCP and TLS. @throws ConfigurationError */
export function defaultClientFactory(options: DefaultFactoryOptions = {}): HttpOverTcpFactory {
  return combined('client', options);
}

function combined(role: 'server' | 'client', options: DefaultFactoryOptions): HttpOverTcpFactory {
  const versions = chosenVersions(options);
  const factories = versions.map((version) => factoryOf(role, version, options));
  // The first bytes are the beginning of a head.
  const detectionTimeout = options.settings?.http1?.limits?.['headTimeout'];
  const factory = new AlpnHttpFactory(factories, detectionTimeout === undefined ? {} : { detectionTimeout });
  return options.trace === undefined ? factory : tracedFactory(factory, options.trace);
}

function chosenVersions(options: DefaultFactoryOptions): readonly RegistryVersion[] {
  const choice = options.protocol ?? 'all';
  const available = OVER_TCP.filter(
    (version) => options.factories?.[version] !== undefined || protocolRegistry.entries(version).length > 0,
  );
  if (choice === 'all' || choice === 'tcp') return available;
  const missing = choice.find((version) => !available.includes(version));
  if (missing !== undefined) {
    throw new ConfigurationError(`${missing} is not available`, { hint: `choose among: ${available.join(', ')}` });
  }
  if (choice.length === 0) {
    throw new ConfigurationError('no protocol was chosen', { hint: `choose among: ${available.join(', ')}` });
  }
  return available.filter((version) => choice.includes(version));
}

function factoryOf(
  role: 'server' | 'client',
  version: RegistryVersion,
  options: DefaultFactoryOptions,
): HttpOverTcpFactory {
  const given = options.factories?.[version];
  if (given !== undefined) {
    if (given.role !== role) throw new ConfigurationError(`the ${version} factory is for a ${given.role}`);
    return given;
  }
  const name = options.implementations?.[version] ?? OURS;
  const entry = protocolRegistry.lookup(version, name);
  const create = role === 'server' ? entry.createServerFactory : entry.createClientFactory;
  if (create === undefined) throw new ConfigurationError(`${version} implementation ${name} has no ${role} side`);
  return create(options.settings?.[version]);
}
