/**
 * {@link ServerNetworking} and {@link ClientNetworking} by the operating system's sockets.
 *
 * Owns the choice of clock, randomness and resolver; the work is in tcp-listener.ts, tcp-connect.ts and their TLS kin,
 * and in udp-bind.ts.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { ClientTlsConfig, Clock, HostPort, Random, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import { ClientChainVerifier, ServerChainVerifier } from '../trust/index.ts';
import type { ByteStream } from './byte-stream.ts';
import type { Dial } from './happy-eyeballs.ts';
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
} from './networking.ts';
import type { Resolver } from './resolve.ts';
import { systemResolver } from './resolve.ts';
import { localAddressOf } from './socket-address.ts';
import type { SocketSource } from './socket-source.ts';
import { SystemSockets } from './socket-source.ts';
import { newSocketReader } from './socket-reader.ts';
import { SocketStream } from './socket-stream.ts';
import { SystemClock } from './system-clock.ts';
import { SystemRandom } from './system-random.ts';
import type { ConnectContext, ConnectedSocket } from './tcp-connect.ts';
import { connectSocket, dialReadSocket, dialSocket } from './tcp-connect.ts';
import type { ListenContext } from './tcp-listener.ts';
import { listenSystemTcp } from './tcp-listener.ts';
import { secureSocket } from './tls-client.ts';
import type { SecureContextOf } from './tls-client.ts';
import { TlsPreparations } from './tls-preparations.ts';
import { connectSystemUdp, findSystemAddresses, listenSystemUdp } from './udp-bind.ts';
import type { UdpContext } from './udp-bind.ts';
import { DatagramTurn } from './udp-turn.ts';

/** What may be replaced in {@link SystemNetworking}. */
export interface SystemNetworkingOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: the system's generator. */
  readonly random?: Random;
  /** Finds the addresses of a name. Default: the system's resolver. */
  readonly resolver?: Resolver;
  /** Opens one TCP connection. Default: a Node socket. */
  readonly dial?: Dial<ConnectedSocket>;
  /** Where accepted sockets come from. Default: they are bound here. */
  readonly sockets?: SocketSource;
}

/** Networking with real sockets. */
export class SystemNetworking implements ServerNetworking, ClientNetworking {
  readonly clock: Clock;
  readonly random: Random;
  readonly #context: ConnectContext & ListenContext & SecureContextOf;
  /** For connections without TLS upon them. */
  readonly #plainContext: ConnectContext;
  readonly #udpContext: UdpContext;

  constructor(options: SystemNetworkingOptions = {}) {
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? new SystemRandom();
    const resolver = options.resolver ?? systemResolver;
    this.#context = {
      clock: this.clock,
      resolver,
      sockets: options.sockets ?? new SystemSockets({ resolver }),
      dial: options.dial ?? dialSocket,
      preparations: new TlsPreparations(this.clock),
    };
    this.#plainContext = {
      clock: this.clock,
      resolver,
      dial: options.dial ?? dialReadSocket,
      unixReader: newSocketReader,
    };
    this.#udpContext = { resolver, turn: new DatagramTurn() };
  }

  listenTcp(options: ListenTcpOptions, handler: TcpListenerHandler): Promise<TcpListener> {
    return listenSystemTcp(this.#context, options, handler);
  }

  async connectTcp(options: ConnectTcpOptions): Promise<ByteStream> {
    const { socket, remoteAddress, reader } = await connectSocket(this.#plainContext, options);
    const facts = { remoteAddress, localAddress: ownAddress(socket, options), tls: undefined };
    return new SocketStream(socket, socket, facts, reader);
  }

  async connectTcpTls(options: ConnectTlsOptions): Promise<ByteStream> {
    // First, so that a certificate that cannot be used is told before anything is sent.
    const prepared = this.#context.preparations.prepare(options.tls);
    const { socket: raw, remoteAddress } = await connectSocket(this.#context, options);
    const localAddress = ownAddress(raw, options);
    const { socket, facts } = await secureSocket(this.#context, raw, prepared, options);
    return new SocketStream(socket, raw, { remoteAddress, localAddress, tls: facts });
  }

  listenUdp(options: ListenUdpOptions, handler: UdpSocketHandler): Promise<readonly UdpSocket[]> {
    return listenSystemUdp(this.#udpContext, options, handler);
  }

  findAddresses(options: FindAddressesOptions): Promise<readonly HostPort[]> {
    return findSystemAddresses(this.#udpContext.resolver, options);
  }

  connectUdp(options: ConnectUdpOptions, handler: UdpSocketHandler): Promise<UdpSocket> {
    return connectSystemUdp(this.#udpContext, options, handler);
  }

  serverChains(tls: ClientTlsConfig): ServerChains {
    return new ServerChainVerifier(tls, { clock: this.clock });
  }

  clientChains(tls: ServerTlsConfig): ClientChains {
    return new ClientChainVerifier(tls, { clock: this.clock });
  }
}

/** This side of a connection; a client of a unix socket has no name. */
function ownAddress(socket: Socket, options: ConnectTcpOptions): SocketAddress {
  return options.unixPath === undefined ? localAddressOf(socket) : { family: 'unix', path: '' };
}
