/**
 * Implementations by version and name.
 *
 * Owns the registry's type and the one that facades and the command line use by default. It is filled by
 * connections/defaults.ts with our engines, and by an engine's own package entry with others.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { Capabilities } from './capabilities.ts';
import type {
  HttpOverQuicClientFactory,
  HttpOverQuicServerFactory,
  HttpOverTcpFactory,
  ProtocolSettings,
} from './factories.ts';

/** The versions that implementations are chosen for. */
export type RegistryVersion = 'http1' | 'http2' | 'http3';

/** One implementation of one version over byte streams. */
export interface ProtocolRegistryEntry {
  readonly version: RegistryVersion;
  /** What `--http1-impl` and its kin name; ours is `hface`. */
  readonly name: string;
  /** One line for `--help` and the documentation. */
  readonly description: string;
  readonly capabilities: Capabilities;
  /** Whether its engines work asynchronously inside, and announce events and output by `onOutput`. Default false. */
  readonly asynchronous?: boolean;
  /** `undefined` where the implementation has no such side. */
  readonly createServerFactory: ((settings?: ProtocolSettings) => HttpOverTcpFactory) | undefined;
  /** The same for the client's side. */
  readonly createClientFactory: ((settings?: ProtocolSettings) => HttpOverTcpFactory) | undefined;
}

/** One implementation of HTTP/3. */
export interface QuicRegistryEntry {
  readonly version: 'http3';
  /** What `--http3-impl` names; ours is `hface`. */
  readonly name: string;
  /** One line for `--help` and the documentation. */
  readonly description: string;
  readonly capabilities: Capabilities;
  /** `undefined` where the implementation has no such side. */
  readonly createServerFactory: ((settings?: ProtocolSettings) => HttpOverQuicServerFactory) | undefined;
  /** The same for the client's side. */
  readonly createClientFactory: ((settings?: ProtocolSettings) => HttpOverQuicClientFactory) | undefined;
}

/** Implementations by version and name. */
export class ProtocolRegistry {
  readonly #entries = new Map<string, ProtocolRegistryEntry>();
  readonly #quicEntries = new Map<string, QuicRegistryEntry>();

  /** Adds an implementation. Throws `ConfigurationError` when the version already has one of that name. */
  register(entry: ProtocolRegistryEntry): void {
    const key = `${entry.version}/${entry.name}`;
    if (this.#entries.has(key))
      throw new ConfigurationError(`${entry.version} already has an implementation named ${entry.name}`);
    this.#entries.set(key, entry);
  }

  /** The implementation of that name. Throws `ConfigurationError` that lists those there are. */
  lookup(version: RegistryVersion, name: string): ProtocolRegistryEntry {
    const entry = this.#entries.get(`${version}/${name}`);
    if (entry !== undefined) return entry;
    const names = this.entries(version).map((candidate) => candidate.name);
    throw new ConfigurationError(`${version} has no implementation named ${name}`, {
      hint: names.length === 0 ? `no implementation of ${version} is registered` : `choose one of: ${names.join(', ')}`,
    });
  }

  /** Adds an implementation over QUIC. Throws `ConfigurationError` when there is one of that name already. */
  registerQuic(entry: QuicRegistryEntry): void {
    if (this.#quicEntries.has(entry.name))
      throw new ConfigurationError(`${entry.version} already has an implementation named ${entry.name}`);
    this.#quicEntries.set(entry.name, entry);
  }

  /** The implementation over QUIC of that name. Throws `ConfigurationError` that lists those there are. */
  lookupQuic(name: string): QuicRegistryEntry {
    const entry = this.#quicEntries.get(name);
    if (entry !== undefined) return entry;
    const names = [...this.#quicEntries.keys()];
    throw new ConfigurationError(`http3 has no implementation named ${name}`, {
      hint: names.length === 0 ? 'no implementation of http3 is registered' : `choose one of: ${names.join(', ')}`,
    });
  }

  /** All implementations over QUIC, in the order of their registration. */
  quicEntries(): QuicRegistryEntry[] {
    return [...this.#quicEntries.values()];
  }

  /** All implementations over byte streams, of one version or of all, in the order of their registration. */
  entries(version?: RegistryVersion): ProtocolRegistryEntry[] {
    return [...this.#entries.values()].filter((entry) => version === undefined || entry.version === version);
  }
}

/** The registry that facades and the command line use. */
export const protocolRegistry: ProtocolRegistry = new ProtocolRegistry();
