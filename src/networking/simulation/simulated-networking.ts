/**
 * {@link ServerNetworking} and {@link ClientNetworking} of one host in a simulation.
 *
 * Owns listening and connecting by the rules of the system's networking: `localhost` is both loopback addresses, port 0
 * is chosen, addresses race (RFC 8305), timers are named, a UDP wildcard is every address. Streams, datagrams and the
 * network are in files of their own.
 *
 * @module
 */
import { isIP } from 'node:net';
import {
  bracketHost,
  ConfigurationError,
  formatEndpoint,
  formatSocketAddress,
  NetworkError,
  TimeoutError,
} from '../../common/index.ts';
import type {
  ClientTlsConfig,
  Clock,
  Endpoint,
  HostPort,
  IpAddress,
  Random,
  ServerTlsConfig,
  SocketAddress,
} from '../../common/index.ts';
import {
  abortError,
  Deadline,
  neverCancelled,
  onAbort,
  raceAbort,
  sleep,
  throwIfAborted,
} from '../../concurrency/index.ts';
import { ConfiguredVerifier } from '../../trust/index.ts';
import type { CertificateVerdict } from '../../trust/index.ts';
import type { ByteStream } from '../byte-stream.ts';
import { interleaveFamilies, raceAddresses } from '../happy-eyeballs.ts';
import type {
  ClientChains,
  ClientNetworking,
  ConnectTcpOptions,
  ConnectTlsOptions,
  ConnectUdpOptions,
  FindAddressesOptions,
  ListenTcpOptions,
  ListenUdpOptions,
  ServerChains,
  ServerNetworking,
  TcpListener,
  TcpListenerHandler,
  UdpSocket,
  UdpSocketHandler,
} from '../networking.ts';
import { SimulatedListener } from './simulated-listener.ts';
import { clientAddress } from './simulated-network.ts';
import type { SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedStream } from './simulated-stream.ts';
import type { IdentityTable, ServerAnswer } from './simulated-tls.ts';
import { handshakeError, MessageReader, simulatedFacts, writeMessage } from './simulated-tls.ts';
import { SimulatedClientChains, SimulatedServerChains } from './simulated-chains.ts';
import { certificatesOf, simulatedPath } from './simulated-verdict.ts';

/** How long connecting and a handshake may take each, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000;
/** How long a name takes to resolve, in milliseconds. */
const RESOLVE_TIME = 1;

/** What a host's networking is made of. */
export interface SimulatedNetworkingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly identities: IdentityTable;
  /** The host's own IPv4 address, from which it connects. */
  readonly host: string;
}

/** Networking in memory, under a virtual clock. */
export class SimulatedNetworking implements ServerNetworking, ClientNetworking {
  readonly clock: Clock;
  readonly random: Random;
  readonly keyRandom: Random;
  readonly #network: SimulatedNetwork;
  readonly #identities: IdentityTable;
  readonly #host: string;

  /**
   * Made by the simulation.
   *
   * @hidden
   */
  constructor(parts: SimulatedNetworkingParts) {
    this.clock = parts.clock;
    this.random = parts.random;
    this.keyRandom = parts.random;
    this.#network = parts.network;
    this.#identities = parts.identities;
    this.#host = parts.host;
  }

  async listenTcp(options: ListenTcpOptions, handler: TcpListenerHandler): Promise<TcpListener> {
    const { endpoint, tls } = options;
    if (endpoint.scheme === 'https' && tls === undefined) {
      throw new ConfigurationError('an https endpoint needs a certificate and its key', {
        hint: 'give tls: { cert, key }',
      });
    }
    const addresses = this.#addressesOf(endpoint);
    for (const address of addresses) {
      if (!this.#network.isTaken(address)) continue;
      const at = addresses.length === 1 ? '' : ` (${formatSocketAddress(address)})`;
      throw new NetworkError(`cannot listen on ${formatEndpoint(endpoint)}${at}: the address is in use`, {
        code: 'ERR_ADDRESS_IN_USE',
        phase: 'listen',
      });
    }
    return new SimulatedListener(this.#network, this.#identities, addresses, options, handler);
  }

  async connectTcp(options: ConnectTcpOptions): Promise<ByteStream> {
    return this.#connect(options);
  }

  async connectTcpTls(options: ConnectTlsOptions): Promise<ByteStream> {
    const verifier = new ConfiguredVerifier(options.tls ?? {}, { clock: this.clock });
    const stream = await this.#connect(options);
    const milliseconds = options.handshakeTimeout ?? DEFAULT_TIMEOUT;
    const deadline = new Deadline(this.clock, { timer: 'handshake', milliseconds, signal: options.signal });
    try {
      await this.#secure(stream, options, verifier, deadline.signal);
      if (options.timings !== undefined) options.timings.secured = this.clock.now();
      return stream;
    } catch (error) {
      stream.abort();
      throw named(error, deadline, `the TLS handshake with ${targetName(options)}`);
    } finally {
      deadline[Symbol.dispose]();
    }
  }

  async listenUdp(options: ListenUdpOptions, handler: UdpSocketHandler): Promise<readonly UdpSocket[]> {
    const { endpoint } = options;
    const { udp } = this.#network;
    const addresses = this.#udpAddressesOf(endpoint);
    const taken = addresses.find((address) => udp.isTaken(address));
    if (taken !== undefined) {
      const at = addresses.length === 1 ? '' : ` (${formatSocketAddress(taken)})`;
      throw new NetworkError(`cannot listen on UDP at ${formatEndpoint(endpoint)}${at}: the address is in use`, {
        code: 'ERR_ADDRESS_IN_USE',
        phase: 'listen',
      });
    }
    return Promise.resolve(addresses.map((address) => udp.bind(address, handler)));
  }

  async findAddresses(options: FindAddressesOptions): Promise<readonly HostPort[]> {
    throwIfAborted(options.signal);
    return interleaveFamilies(await this.#resolve(options, options.signal ?? neverCancelled));
  }

  async connectUdp(options: ConnectUdpOptions, handler: UdpSocketHandler): Promise<UdpSocket> {
    const [peer] = await this.findAddresses({ target: options.target, signal: options.signal });
    const { host, port } = peer as HostPort;
    const to = ipAddress(host, port);
    const from = this.#network.addressOf(this.#host);
    if (from === undefined) {
      throw new NetworkError(`cannot send to ${formatSocketAddress(to)}: the network is unreachable`, {
        code: 'ERR_UNREACHABLE',
        phase: 'connect',
      });
    }
    return this.#network.udp.connect(clientAddress(from, to, this.#network.freePort()), to, handler);
  }

  serverChains(tls: ClientTlsConfig): ServerChains {
    return new SimulatedServerChains(tls, this.clock);
  }

  clientChains(tls: ServerTlsConfig): ClientChains {
    return new SimulatedClientChains(tls, this.clock);
  }

  async #connect(options: ConnectTcpOptions): Promise<SimulatedStream> {
    throwIfAborted(options.signal);
    const milliseconds = options.connectTimeout ?? DEFAULT_TIMEOUT;
    const deadline = new Deadline(this.clock, { timer: 'connect', milliseconds, signal: options.signal });
    try {
      const addresses = await this.#resolve(options, deadline.signal);
      if (options.timings !== undefined) options.timings.resolved = this.clock.now();
      const stream = await raceAddresses<SimulatedStream>({
        addresses: interleaveFamilies(addresses),
        dial: (address, done) => this.#network.connect(this.#host, socketAddress(options, address), done),
        clock: this.clock,
        signal: deadline.signal,
        target: targetName(options),
      });
      if (options.timings !== undefined) options.timings.connected = this.clock.now();
      return stream;
    } catch (error) {
      throw named(error, deadline, `connecting to ${targetName(options)}`);
    } finally {
      deadline[Symbol.dispose]();
    }
  }

  async #resolve(
    options: Pick<ConnectTcpOptions, 'target' | 'unixPath' | 'family'>,
    signal: AbortSignal,
  ): Promise<IpAddress[]> {
    const { host, port } = options.target;
    // A unix socket has one place; the race needs one address to stand for it.
    if (options.unixPath !== undefined) return [ipAddress('0.0.0.0', port)];
    const hosts = isIP(host) === 0 ? this.#hostsOf(host) : [host];
    if (isIP(host) === 0) await sleep(this.clock, RESOLVE_TIME, signal);
    const found = (hosts ?? []).map((literal) => ipAddress(literal, port));
    const addresses = options.family === undefined ? found : found.filter((one) => one.family === options.family);
    if (addresses.length > 0) return addresses;
    const words = hosts === undefined ? 'the name is unknown' : 'the name has no address of that family';
    throw new NetworkError(`cannot resolve ${host}: ${words}`, { code: 'ERR_NAME_NOT_FOUND', phase: 'resolve' });
  }

  #hostsOf(name: string): readonly string[] | undefined {
    const lower = name.toLowerCase();
    if (lower === 'localhost' || lower.endsWith('.localhost')) return ['::1', '127.0.0.1'];
    return this.#network.hostsOf(lower);
  }

  #udpAddressesOf(endpoint: Endpoint): IpAddress[] {
    if (endpoint.unixPath !== undefined) throw new ConfigurationError(`there is no UDP at ${formatEndpoint(endpoint)}`);
    const port = endpoint.port === 0 ? this.#network.freePort() : endpoint.port;
    const own = ['127.0.0.1', this.#host];
    const own6 = ['::1', `2001:db8::${this.#host}`];
    const { host } = endpoint;
    if (host === '*' || host === '' || host === '::') return [...own, ...own6].map((one) => ipAddress(one, port));
    if (host === '0.0.0.0') return own.map((one) => ipAddress(one, port));
    return this.#addressesOf({ ...endpoint, port }) as IpAddress[];
  }

  #addressesOf(endpoint: Endpoint): SocketAddress[] {
    if (endpoint.unixPath !== undefined) return [{ family: 'unix', path: endpoint.unixPath }];
    const port = endpoint.port === 0 ? this.#network.freePort() : endpoint.port;
    const { host } = endpoint;
    if (host === '*' || host === '') return [ipAddress('::', port)];
    if (isIP(host) !== 0) return [ipAddress(host, port)];
    const known = this.#hostsOf(host);
    if (known !== undefined) return [...known].reverse().map((literal) => ipAddress(literal, port));
    // A name that nobody has given an address is this host's.
    this.#network.name(host, [this.#host]);
    return [ipAddress(this.#host, port)];
  }

  async #secure(
    stream: SimulatedStream,
    options: ConnectTlsOptions,
    verifier: ConfiguredVerifier,
    signal: AbortSignal,
  ): Promise<void> {
    const host = options.tls?.serverName ?? options.target.host;
    const serverName = isIP(host) !== 0 || host === '' ? undefined : host;
    const { identity } = options.tls ?? {};
    const doing = `TLS with ${targetName(options)} failed`;
    const { message, rest } = await exchange(stream, signal, doing, {
      serverName,
      alpn: options.alpnProtocols ?? [],
      identity: identity === undefined ? undefined : this.#identities.numberOf(identity),
    });
    if ('alert' in message) throw handshakeError('ERR_TLS_NO_ALPN', NO_ALPN, doing);
    const shown = certificatesOf(this.#identities.chainOf(message.identity));
    const authorities = certificatesOf((verifier.authorities ?? []).join('\n'));
    const path = simulatedPath(shown, authorities, 'server', this.clock.wallTime());
    const verdict: CertificateVerdict = await raceAbort(
      Promise.resolve(
        verifier.verify({
          chain: path.chain.map((certificate) => certificate.raw),
          host,
          pathError: path.error,
          resumed: false,
        }),
      ),
      signal,
    );
    if (!verdict.accepted) {
      throw new NetworkError(`${doing}: ${verdict.reason}`, { code: verdict.code, phase: 'tls', cause: verdict.cause });
    }
    stream.park(rest);
    stream.tls = simulatedFacts({
      alpn: message.alpn,
      serverName,
      authorized: options.tls?.insecure !== true,
      peerCertificate: shown[0]?.raw,
    });
  }
}

/** Sends the hello and waits for the answer. */
function exchange(
  stream: SimulatedStream,
  signal: AbortSignal,
  doing: string,
  hello: Parameters<typeof writeMessage>[0],
): Promise<{ readonly message: ServerAnswer; readonly rest: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const reader = new MessageReader(stream, (message, error) => {
      stopListening();
      if (error === undefined) resolve({ message: message as ServerAnswer, rest: reader.rest });
      else reject(handshakeError(error.code, error.message.replace(/^TLS handshake failed: /, ''), doing));
    });
    const stopListening = onAbort(signal, (reason) => reject(abortError(reason)));
    stream.write(writeMessage(hello));
  });
}

/** A deadline's error with a name for what took so long; any other error as it is. */
function named(error: unknown, deadline: Deadline, what: string): unknown {
  if (deadline.error === undefined || error !== deadline.error) return error;
  const { timer, milliseconds } = deadline.error;
  return new TimeoutError(timer, milliseconds, `${what} took longer than ${String(milliseconds)} ms`);
}

function targetName(options: ConnectTcpOptions): string {
  if (options.unixPath !== undefined) return `unix:${options.unixPath}`;
  return `${bracketHost(options.target.host)}:${String(options.target.port)}`;
}

function ipAddress(host: string, port: number): IpAddress {
  return { family: host.includes(':') ? 'ipv6' : 'ipv4', host, port };
}

function socketAddress(options: ConnectTcpOptions, address: IpAddress): SocketAddress {
  return options.unixPath === undefined ? address : { family: 'unix', path: options.unixPath };
}

const NO_ALPN = 'no application protocol (ALPN) in common';
