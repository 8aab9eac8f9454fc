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
import { AlpnHttpFactory, protocolRegistry, tracedFactory, tracedQuicFactory } from '../protocols/index.ts';
import type {
  HttpOverQuicClientFactory,
  HttpOverQuicServerFactory,
  HttpOverTcpFactory,
  ProtocolSettings,
  RegistryVersion,
  TraceHandler,
} from '../protocols/index.ts';
import { http1RegistryEntry } from '../protocols/http1/index.ts';
import { http2RegistryEntry } from '../protocols/http2/index.ts';
import { http3RegistryEntry } from '../protocols/http3/index.ts';

/**
 * The versions that may be spoken: all there are, those over TCP, or a list. There is no fallback outside the set. A
 * server's `'all'` leaves HTTP/3 out where it cannot be (no TLS, no UDP); a client does not try it before it knows that
 * the server speaks it, unless it is in a list.
 */
export type ProtocolChoice = 'all' | 'tcp' | readonly RegistryVersion[];

/** Which engines are used, and how they behave. */
export interface DefaultFactoryOptions {
  /** Default `'all'`. */
  readonly protocol?: ProtocolChoice | undefined;
  /** The implementation of a version by its name in the registry. Default `hface`. */
  readonly implementations?: { readonly [Version in RegistryVersion]?: string | undefined } | undefined;
  /** A factory to use in place of a registered one. */
  readonly factories?:
    | {
        readonly http1?: HttpOverTcpFactory | undefined;
        readonly http2?: HttpOverTcpFactory | undefined;
        readonly http3?: HttpOverQuicServerFactory | HttpOverQuicClientFactory | undefined;
      }
    | undefined;
  /** Options of a version's engine: its limits, fields of its own error responses. */
  readonly settings?: { readonly [Version in RegistryVersion]?: ProtocolSettings | undefined } | undefined;
  /** Told of all that passes through the engines of all versions: submits, events and, on HTTP/2, frames. Slow; for debugging. */
  readonly trace?: TraceHandler | undefined;
}

/** The name under which our own implementations are registered. */
const OURS = 'hface';

/** The versions over byte streams, best first. */
const OVER_TCP: readonly TcpVersion[] = ['http2', 'http1'];

type TcpVersion = Exclude<RegistryVersion, 'http3'>;

protocolRegistry.register(http1RegistryEntry);
protocolRegistry.register(http2RegistryEntry);
protocolRegistry.registerQuic(http3RegistryEntry);

let networking: SystemNetworking | undefined;

/** The networking that everything shares which is given no other. Made at the first call. */
export function systemNetworking(): SystemNetworking {
  networking ??= new SystemNetworking();
  return networking;
}

/** The factory of a server's engines over TCP and TLS. @throws ConfigurationError; also where none is chosen */
export function defaultServerFactory(options: DefaultFactoryOptions = {}): HttpOverTcpFactory {
  return combined('server', options);
}

/** The factory of a client's engines over TCP and TLS. @throws ConfigurationError; also where none is chosen */
export function defaultClientFactory(options: DefaultFactoryOptions = {}): HttpOverTcpFactory {
  return combined('client', options);
}

/** How HTTP/3 stands in a choice of versions: not at all, where it can be had, or by name. */
export type Http3Choice = 'no' | 'where-possible' | 'asked-for';

/** What a choice says of HTTP/3, and whether it has any version over TCP. @throws ConfigurationError */
export function transportsOf(options: DefaultFactoryOptions = {}): {
  readonly tcp: boolean;
  readonly http3: Http3Choice;
} {
  const choice = options.protocol ?? 'all';
  if (choice === 'tcp') return { tcp: true, http3: 'no' };
  if (choice === 'all') return { tcp: true, http3: hasHttp3(options) ? 'where-possible' : 'no' };
  if (choice.length === 0) {
    throw new ConfigurationError('no protocol was chosen', { hint: 'choose among: http3, http2, http1' });
  }
  const listed = choice.includes('http3');
  if (listed && !hasHttp3(options)) throw notAvailable('http3', options);
  return { tcp: choice.some((version) => version !== 'http3'), http3: listed ? 'asked-for' : 'no' };
}

/** The factory of a server's engines over QUIC. @throws ConfigurationError */
export function defaultQuicServerFactory(options: DefaultFactoryOptions = {}): HttpOverQuicServerFactory {
  const factory = quicServerFactory(options);
  return options.trace === undefined ? factory : tracedQuicFactory(factory, options.trace);
}

/** The factory of a client's engines over QUIC. @throws ConfigurationError */
export function defaultQuicClientFactory(options: DefaultFactoryOptions = {}): HttpOverQuicClientFactory {
  const factory = quicClientFactory(options);
  return options.trace === undefined ? factory : tracedQuicFactory(factory, options.trace);
}

function quicServerFactory(options: DefaultFactoryOptions): HttpOverQuicServerFactory {
  const given = options.factories?.http3;
  if (given !== undefined) {
    if (given.role !== 'server') throw new ConfigurationError('the http3 factory is for a client');
    return given;
  }
  const name = options.implementations?.http3 ?? OURS;
  const create = protocolRegistry.lookupQuic(name).createServerFactory;
  if (create === undefined) throw new ConfigurationError(`http3 implementation ${name} has no server side`);
  return create(options.settings?.http3);
}

function quicClientFactory(options: DefaultFactoryOptions): HttpOverQuicClientFactory {
  const given = options.factories?.http3;
  if (given !== undefined) {
    if (given.role !== 'client') throw new ConfigurationError('the http3 factory is for a server');
    return given;
  }
  const name = options.implementations?.http3 ?? OURS;
  const create = protocolRegistry.lookupQuic(name).createClientFactory;
  if (create === undefined) throw new ConfigurationError(`http3 implementation ${name} has no client side`);
  return create(options.settings?.http3);
}

function hasHttp3(options: DefaultFactoryOptions): boolean {
  return options.factories?.http3 !== undefined || protocolRegistry.quicEntries().length > 0;
}

function combined(role: 'server' | 'client', options: DefaultFactoryOptions): HttpOverTcpFactory {
  const versions = chosenVersions(options);
  const factories = versions.map((version) => factoryOf(role, version, options));
  // The first bytes are the beginning of a head.
  const detectionTimeout = options.settings?.http1?.limits?.['headTimeout'];
  const factory = new AlpnHttpFactory(factories, detectionTimeout === undefined ? {} : { detectionTimeout });
  return options.trace === undefined ? factory : tracedFactory(factory, options.trace);
}

function chosenVersions(options: DefaultFactoryOptions): readonly TcpVersion[] {
  const choice = options.protocol ?? 'all';
  const available = OVER_TCP.filter(
    (version) => options.factories?.[version] !== undefined || protocolRegistry.entries(version).length > 0,
  );
  if (choice === 'all' || choice === 'tcp') return available;
  const missing = choice.find((version) => version !== 'http3' && !available.includes(version));
  if (missing !== undefined) throw notAvailable(missing, options);
  const chosen = available.filter((version) => choice.includes(version));
  if (chosen.length === 0) {
    throw new ConfigurationError('no protocol was chosen', { hint: `choose among: ${available.join(', ')}` });
  }
  return chosen;
}

function notAvailable(missing: RegistryVersion, options: DefaultFactoryOptions): ConfigurationError {
  const available: RegistryVersion[] = OVER_TCP.filter(
    (version) => options.factories?.[version] !== undefined || protocolRegistry.entries(version).length > 0,
  );
  if (hasHttp3(options)) available.unshift('http3');
  return new ConfigurationError(`${missing} is not available`, { hint: `choose among: ${available.join(', ')}` });
}

function factoryOf(role: 'server' | 'client', version: TcpVersion, options: DefaultFactoryOptions): HttpOverTcpFactory {
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
