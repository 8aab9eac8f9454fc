/**
 * A TCP listener of the system: admission, and the streams that come of accepted sockets.
 *
 * Owns accepted sockets until they are streams. With TLS a {@link TlsAcceptor} stands between. Where the sockets come
 * from is a {@link SocketSource}.
 *
 * Invariants:
 * - Every `admit` that answered true is followed by exactly one `streamAccepted` or `streamFailed`.
 * - Nothing that a handler throws reaches the event loop.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { ConfigurationError } from '../common/index.ts';
import type { Clock, NetworkError, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import type { ListenTcpOptions, TcpListener, TcpListenerHandler } from './networking.ts';
import { isOneAddress, localAddressOf, remoteAddressOf } from './socket-address.ts';
import type { OpenSockets, SocketReceiver, SocketSource } from './socket-source.ts';
import { resetSocket, SocketStream } from './socket-stream.ts';
import { systemError } from './system-errors.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT, TlsAcceptor } from './tls-server.ts';

/** What listening needs of the networking object. */
export interface ListenContext {
  readonly clock: Clock;
  /** Where accepted sockets come from. */
  readonly sockets: SocketSource;
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
  const { backlog = 511, reusePort = false } = options;
  const plain = acceptor === undefined;
  listener.opened(await context.sockets.open({ endpoint, backlog, reusePort, plain }, listener));
  return listener;
}

/** {@link TcpListener} by Node's sockets. */
class SystemTcpListener implements TcpListener, SocketReceiver {
  readonly #handler: TcpListenerHandler;
  readonly #acceptor: TlsAcceptor | undefined;
  #sockets: OpenSockets | undefined;
  #closing: Promise<void> | undefined;

  constructor(handler: TcpListenerHandler, acceptor: TlsAcceptor | undefined) {
    this.#handler = handler;
    this.#acceptor = acceptor;
    this.#sockets = undefined;
    this.#closing = undefined;
  }

  get addresses(): readonly SocketAddress[] {
    return this.#sockets?.addresses ?? [];
  }

  opened(sockets: OpenSockets): void {
    this.#sockets = sockets;
  }

  updateTls(tls: ServerTlsConfig): void {
    if (this.#acceptor === undefined) throw new ConfigurationError('this listener has no TLS to replace');
    this.#acceptor.update(tls);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#sockets?.close() ?? Promise.resolve();
      this.#acceptor?.close();
    }
    return this.#closing;
  }

  connected(socket: Socket, bound: SocketAddress): void {
    if (this.#closing !== undefined) {
      resetSocket(socket);
      return;
    }
    const unix = bound.family === 'unix';
    const remoteAddress: SocketAddress = unix ? { family: 'unix', path: '' } : remoteAddressOf(socket);
    if (!this.#admits(remoteAddress)) {
      resetSocket(socket);
      return;
    }
    const localAddress = isOneAddress(bound) ? bound : localAddressOf(socket);
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

  acceptFailed(error: Error): void {
    if (this.#closing !== undefined) return;
    try {
      this.#handler.acceptFailed?.(systemError('listen', 'cannot accept a connection', error));
    } catch {
      // It has been told.
    }
  }
}
