/**
 * A TCP listener of the system: the bound sockets, admission, and the streams that come of them.
 *
 * Owns accepted sockets until they are streams. With TLS a {@link TlsAcceptor} stands between.
 *
 * Invariants:
 * - Every `admit` that answered true is followed by exactly one `streamAccepted` or `streamFailed`.
 * - Nothing that a handler throws reaches the event loop.
 *
 * @module
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { ConfigurationError } from '../common/index.ts';
import type { Clock, NetworkError, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import { bindAddresses } from './listen-plan.ts';
import type { ListenTcpOptions, TcpListener, TcpListenerHandler } from './networking.ts';
import type { Resolver } from './resolve.ts';
import { listeningAddressOf, localAddressOf, remoteAddressOf, UNKNOWN_ADDRESS } from './socket-address.ts';
import { resetSocket, SocketStream } from './socket-stream.ts';
import { systemError } from './system-errors.ts';
import { bindAll, bindUnix, closeAll } from './tcp-bind.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT, TlsAcceptor } from './tls-server.ts';

/** What listening needs of the networking object. */
export interface ListenContext {
  readonly clock: Clock;
  readonly resolver: Resolver;
}

/** Opens a listener. @throws NetworkError (phase `listen`), ConfigurationError */
export async function listenSystemTcp(
  context: ListenContext,
  options: ListenTcpOptions,
  handler: TcpListenerHandler,
): Promise<TcpListener> {
  const { endpoint, tls } = options;
  if (endpoint.scheme === 'https' && tls === undefined) {
    throw new ConfigurationError('an https endpoint needs a certificate and its key', {
      hint: 'give tls: { cert, key }',
    });
  }
  const acceptor =
    tls === undefined
      ? undefined
      : new TlsAcceptor({
          config: tls,
          alpnProtocols: options.alpnProtocols ?? [],
          handshakeTimeout: options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT,
          clock: context.clock,
        });
  const listener = new SystemTcpListener(handler, acceptor);
  const bind = {
    endpoint,
    backlog: options.backlog ?? 511,
    reusePort: options.reusePort === true,
    createServer: () => listener.createServer(),
  };
  try {
    const servers =
      endpoint.unixPath === undefined
        ? await bindAll(bind, await bindAddresses(endpoint, context.resolver))
        : [await bindUnix(bind, endpoint.unixPath)];
    listener.opened(servers);
  } catch (error) {
    listener.failed();
    throw error;
  }
  return listener;
}

/** {@link TcpListener} by Node's servers. */
class SystemTcpListener implements TcpListener {
  #addresses: readonly SocketAddress[];
  readonly #handler: TcpListenerHandler;
  #servers: readonly Server[];
  /** Sockets that came before every address was bound. */
  #early: (readonly [socket: Socket, server: Server])[] | undefined;
  readonly #acceptor: TlsAcceptor | undefined;
  #closing: Promise<void> | undefined;

  constructor(handler: TcpListenerHandler, acceptor: TlsAcceptor | undefined) {
    this.#addresses = [];
    this.#handler = handler;
    this.#servers = [];
    this.#early = [];
    this.#acceptor = acceptor;
    this.#closing = undefined;
  }

  get addresses(): readonly SocketAddress[] {
    return this.#addresses;
  }

  createServer(): Server {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.on('connection', (socket) => this.#connected(socket, server));
    server.on('error', (error) => this.#acceptFailed(error));
    return server;
  }

  opened(servers: readonly Server[]): void {
    this.#servers = servers;
    this.#addresses = servers.map(listeningAddressOf);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const [socket, server] of early) this.#accept(socket, server);
  }

  /** Not every address could be bound. */
  failed(): void {
    this.#closing = Promise.resolve();
    for (const [socket] of this.#early ?? []) resetSocket(socket);
    this.#early = undefined;
  }

  updateTls(tls: ServerTlsConfig): void {
    if (this.#acceptor === undefined) throw new ConfigurationError('this listener has no TLS to replace');
    this.#acceptor.update(tls);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = closeAll(this.#servers);
      this.#acceptor?.close();
    }
    return this.#closing;
  }

  #connected(socket: Socket, server: Server): void {
    socket.on('error', ignore);
    if (this.#closing !== undefined) resetSocket(socket);
    else if (this.#early !== undefined) this.#early.push([socket, server]);
    else this.#accept(socket, server);
  }

  #accept(socket: Socket, server: Server): void {
    const bound = this.#addresses[this.#servers.indexOf(server)] ?? UNKNOWN_ADDRESS;
    const unix = bound.family === 'unix';
    const remoteAddress: SocketAddress = unix ? { family: 'unix', path: '' } : remoteAddressOf(socket);
    if (!this.#admits(remoteAddress)) {
      resetSocket(socket);
      return;
    }
    const localAddress = unix ? bound : localAddressOf(socket);
    const acceptor = this.#acceptor;
    if (acceptor === undefined) {
      this.#accepted(new SocketStream(socket, socket, { remoteAddress, localAddress, tls: undefined }));
      return;
    }
    acceptor.accept(socket, {
      secured: (secure, tls) => this.#accepted(new SocketStream(secure, socket, { remoteAddress, localAddress, tls })),
      failed: (error) => this.#failed(remoteAddress, error),
    });
  }

  #accepted(stream: SocketStream): void {
    try {
      this.#handler.streamAccepted(stream);
    } catch {
      stream.abort();
    }
  }

  #failed(remoteAddress: SocketAddress, error: NetworkError): void {
    try {
      this.#handler.streamFailed(remoteAddress, error);
    } catch {
      // It has been told.
    }
  }

  #admits(remoteAddress: SocketAddress): boolean {
    try {
      return this.#handler.admit(remoteAddress);
    } catch {
      return false;
    }
  }

  /** `accept` failed, for want of descriptors mostly (libuv then closes what waits): the listener itself goes on. */
  #acceptFailed(error: Error): void {
    // Before it is open, whoever binds hears of the error itself.
    if (this.#early !== undefined || this.#closing !== undefined) return;
    try {
      this.#handler.acceptFailed?.(systemError('listen', 'cannot accept a connection', error));
    } catch {
      // It has been told.
    }
  }
}

function ignore(): void {}
