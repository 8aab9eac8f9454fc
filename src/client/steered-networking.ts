/**
 * Networking that connects elsewhere than a URL says: the client's `connectTo`.
 *
 * Owns the mapping of targets. The certificate is still checked for the host that was asked for.
 *
 * @module
 */
import { bracketHost, ConfigurationError } from '../common/index.ts';
import type { ClientTlsConfig, Clock, HostPort, Random } from '../common/index.ts';
import type { HttpOverQuicOpenerOptions, HttpOverTcpOpenerOptions } from '../connections/index.ts';

/** What HTTP/3 connects by. */
export type UdpNetworking = HttpOverQuicOpenerOptions['networking'];

/** What the client connects by. Without UDP there is no HTTP/3. */
export type ClientNetworking = HttpOverTcpOpenerOptions['networking'] & Partial<UdpNetworking>;

/** The networking as one that has UDP; `undefined` when it has none. */
export function withUdp(networking: ClientNetworking): UdpNetworking | undefined {
  const { findAddresses, connectUdp, serverChains } = networking;
  if (findAddresses === undefined || connectUdp === undefined || serverChains === undefined) return undefined;
  return networking as ClientNetworking & UdpNetworking;
}

/**
 * Where to connect in place of a target: a map of `host:port` to `host:port` (a name or an address, IPv6 in brackets;
 * a value without port keeps the target's), or a function, which answers `undefined` for the target itself.
 */
export type ConnectTo = Readonly<Record<string, string>> | ((target: HostPort) => HostPort | undefined);

/** Finds mistakes before anything is connected. @throws ConfigurationError for a map with a value that is no address */
export function checkConnectTo(connectTo: ConnectTo): void {
  if (typeof connectTo === 'object') fromMap(connectTo);
}

/** Networking with some targets moved. */
export class SteeredNetworking implements ClientNetworking {
  readonly #networking: ClientNetworking;
  readonly #move: (target: HostPort) => HostPort | undefined;
  /** One object for each configuration and host: networking keeps prepared contexts and sessions by it. */
  readonly #named: WeakMap<ClientTlsConfig, Map<string, ClientTlsConfig>>;
  /** Where the networking has UDP, as it has it; the addresses are those of the place that is meant. */
  readonly findAddresses?: UdpNetworking['findAddresses'];
  readonly connectUdp?: UdpNetworking['connectUdp'];
  readonly serverChains?: UdpNetworking['serverChains'];

  /** @throws ConfigurationError for a map with a value that is no address */
  constructor(networking: ClientNetworking, connectTo: ConnectTo) {
    this.#networking = networking;
    this.#move = typeof connectTo === 'function' ? connectTo : fromMap(connectTo);
    this.#named = new WeakMap();
    const udp = withUdp(networking);
    if (udp === undefined) return;
    this.findAddresses = (options) => udp.findAddresses({ ...options, target: this.#moved(options.target) });
    this.connectUdp = (options, handler) => udp.connectUdp(options, handler);
    this.serverChains = (tls) => udp.serverChains(tls);
  }

  #moved(target: HostPort): HostPort {
    return this.#move(target) ?? target;
  }

  get clock(): Clock {
    return this.#networking.clock;
  }

  get random(): Random {
    return this.#networking.random;
  }

  connectTcp(options: Parameters<ClientNetworking['connectTcp']>[0]): ReturnType<ClientNetworking['connectTcp']> {
    return this.#networking.connectTcp({ ...options, target: this.#move(options.target) ?? options.target });
  }

  connectTcpTls(
    options: Parameters<ClientNetworking['connectTcpTls']>[0],
  ): ReturnType<ClientNetworking['connectTcpTls']> {
    const target = this.#move(options.target);
    if (target === undefined) return this.#networking.connectTcpTls(options);
    const tls = this.#namedFor(options.tls ?? plainTls, options.target.host);
    return this.#networking.connectTcpTls({ ...options, target, tls });
  }

  #namedFor(tls: ClientTlsConfig, host: string): ClientTlsConfig {
    if (tls.serverName !== undefined) return tls;
    let byHost = this.#named.get(tls);
    if (byHost === undefined) {
      byHost = new Map();
      this.#named.set(tls, byHost);
    }
    let named = byHost.get(host);
    if (named === undefined) {
      named = { ...tls, serverName: host };
      byHost.set(host, named);
    }
    return named;
  }
}

const plainTls: ClientTlsConfig = {};

function fromMap(map: Readonly<Record<string, string>>): (target: HostPort) => HostPort | undefined {
  const moves = new Map<string, { readonly host: string; readonly port: number | undefined }>();
  for (const [from, to] of Object.entries(map)) {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(to);
    const host = match?.[1] ?? match?.[2];
    const port = match?.[3] === undefined ? undefined : Number(match[3]);
    if (host === undefined || (port !== undefined && port > 65535)) {
      throw new ConfigurationError(`connectTo: "${to}" is no host and port`, {
        hint: 'write 127.0.0.1:8443 or [::1]:8443',
      });
    }
    moves.set(from.toLowerCase(), { host, port });
  }
  return (target) => {
    const move = moves.get(`${bracketHost(target.host)}:${target.port}`.toLowerCase());
    return move === undefined ? undefined : { host: move.host, port: move.port ?? target.port };
  };
}
