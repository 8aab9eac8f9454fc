/**
 * {@link ServerNetworking} and {@link ClientNetworking} by the operating system's sockets.
 *
 * Owns the choice of clock, randomness and resolver; the work is in tcp-listener.ts, tcp-connect.ts and their TLS kin.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { Clock, Random, SocketAddress } from '../common/index.ts';
import type { ByteStream } from './byte-stream.ts';
import type { Dial } from './happy-eyeballs.ts';
import type {
  ClientNetworking,
  ConnectTcpOptions,
  ConnectTlsOptions,
  ListenTcpOptions,
  ServerNetworking,
  TcpListener,
  TcpListenerHandler,
} from './networking.ts';
import type { Resolver } from './resolve.ts';
import { systemResolver } from './resolve.ts';
import { localAddressOf } from './socket-address.ts';
import { SocketStream } from './socket-stream.ts';
import { SystemClock } from './system-clock.ts';
import { SystemRandom } from './system-random.ts';
import type { ConnectContext, ConnectedSocket } from './tcp-connect.ts';
import { connectSocket, dialSocket } from './tcp-connect.ts';
import { listenSystemTcp } from './tcp-listener.ts';

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
}

/** Networking with real sockets. */
export class SystemNetworking implements ServerNetworking, ClientNetworking {
  readonly clock: Clock;
  readonly random: Random;
  readonly #context: ConnectContext;

  constructor(options: SystemNetworkingOptions = {}) {
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? new SystemRandom();
    this.#context = {
      clock: this.clock,
      resolver: options.resolver ?? systemResolver,
      dial: options.dial ?? dialSocket,
    };
  }

  listenTcp(options: ListenTcpOptions, handler: TcpListenerHandler): Promise<TcpListener> {
    return listenSystemTcp(this.#context, options, handler);
  }

  async connectTcp(options: ConnectTcpOptions): Promise<ByteStream> {
    const { socket, remoteAddress } = await connectSocket(this.#context, options);
    const localAddress = options.unixPath === undefined ? localAddressOf(socket) : UNNAMED;
    return new SocketStream(socket, socket, { remoteAddress, localAddress, tls: undefined });
  }

  async connectTcpTls(options: ConnectTlsOptions): Promise<ByteStream> {
    throw new ConfigurationError(`TLS to ${options.target.host} is not there yet`);
  }
}

/** This side of a connection to a unix socket. */
const UNNAMED: SocketAddress = { family: 'unix', path: '' };
