/**
 * Where the accepted sockets of a listener come from: bound in this process, or handed over by another.
 *
 * Owns the seam, and {@link SystemSockets}, which binds. A process that accepts for others (several workers on one port)
 * binds with `paused` and passes the sockets on; those others make their listeners of a source of their own.
 *
 * Invariant: a source that could not open everything has left nothing open.
 *
 * @module
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Endpoint, SocketAddress } from '../common/index.ts';
import { acceptReadSockets } from './accepted-sockets.ts';
import { bindAddresses } from './listen-plan.ts';
import type { Resolver } from './resolve.ts';
import { systemResolver } from './resolve.ts';
import { listeningAddressOf, UNKNOWN_ADDRESS } from './socket-address.ts';
import { resetSocket, SocketStream } from './socket-stream.ts';
import { bindAll, bindUnix, closeAll } from './tcp-bind.ts';

/** What is to be opened. */
export interface OpenSocketsOptions {
  readonly endpoint: Endpoint;
  /** Length of the system's queue of connections that wait to be accepted. */
  readonly backlog: number;
  /** Several processes bind the port. */
  readonly reusePort: boolean;
  /** The sockets become streams as they are, without TLS. Default false. */
  readonly plain?: boolean;
}

/** Who gets the sockets. No member throws. */
export interface SocketReceiver {
  /**
   * A connection was accepted at one of the addresses. The socket has `allowHalfOpen` and no delay, and a listener for
   * its errors.
   */
  connected(socket: Socket, address: SocketAddress): void;
  /** The system could not accept one; accepting goes on. */
  acceptFailed(error: Error): void;
}

/** Sockets that are accepted until it is closed. */
export interface OpenSockets {
  /** Where they are accepted; several when a name has several addresses (all with one port). */
  readonly addresses: readonly SocketAddress[];
  /** Accepts no more; accepted sockets live on. Resolves when nothing listens. */
  close(): Promise<void>;
}

/** Accepts sockets. */
export interface SocketSource {
  /** @throws NetworkError (phase `listen`), ConfigurationError */
  open(options: OpenSocketsOptions, receiver: SocketReceiver): Promise<OpenSockets>;
}

/** What may be set of {@link SystemSockets}. */
export interface SystemSocketsOptions {
  /** Finds the addresses of a name. Default: the system's resolver. */
  readonly resolver?: Resolver;
  /** Leaves what the peer has sent in the system, so that another process can be given the socket. Default false. */
  readonly paused?: boolean;
}

/** Binds and accepts by the operating system. */
export class SystemSockets implements SocketSource {
  readonly #resolver: Resolver;
  readonly #paused: boolean;

  constructor(options: SystemSocketsOptions = {}) {
    this.#resolver = options.resolver ?? systemResolver;
    this.#paused = options.paused ?? false;
  }

  /** @inheritdoc */
  async open(options: OpenSocketsOptions, receiver: SocketReceiver): Promise<OpenSockets> {
    const { endpoint } = options;
    const bound = new BoundSockets(receiver, this.#paused, options.plain === true);
    const bind = { ...options, createServer: () => bound.createServer() };
    try {
      const servers =
        endpoint.unixPath === undefined
          ? await bindAll(bind, await bindAddresses(endpoint, this.#resolver))
          : [await bindUnix(bind, endpoint.unixPath)];
      bound.opened(servers);
    } catch (error) {
      bound.failed();
      throw error;
    }
    return bound;
  }
}

/** The servers of one endpoint. */
class BoundSockets implements OpenSockets {
  readonly #receiver: SocketReceiver;
  readonly #paused: boolean;
  readonly #plain: boolean;
  #addresses: readonly SocketAddress[];
  #servers: readonly Server[];
  /** Sockets that came before every address was bound. */
  #early: (readonly [socket: Socket, server: Server])[] | undefined;
  #closing: Promise<void> | undefined;

  constructor(receiver: SocketReceiver, paused: boolean, plain: boolean) {
    this.#receiver = receiver;
    this.#paused = paused;
    this.#plain = plain;
    this.#addresses = [];
    this.#servers = [];
    this.#early = [];
    this.#closing = undefined;
  }

  get addresses(): readonly SocketAddress[] {
    return this.#addresses;
  }

  createServer(): Server {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: this.#paused });
    const connected = (socket: Socket): void => this.#connected(socket, server);
    server.on('connection', connected);
    if (this.#plain && !this.#paused) server.once('listening', () => acceptReadSockets(server, connected));
    server.on('error', (error) => this.#acceptFailed(error));
    return server;
  }

  opened(servers: readonly Server[]): void {
    this.#servers = servers;
    this.#addresses = servers.map(listeningAddressOf);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const [socket, server] of early) this.#receiver.connected(socket, this.#addressOf(server));
  }

  /** Not every address could be bound. */
  failed(): void {
    this.#closing = Promise.resolve();
    for (const [socket] of this.#early ?? []) resetSocket(socket);
    this.#early = undefined;
  }

  close(): Promise<void> {
    this.#closing ??= closeAll(this.#servers);
    return this.#closing;
  }

  #connected(socket: Socket, server: Server): void {
    SocketStream.watch(socket);
    if (this.#closing !== undefined) resetSocket(socket);
    else if (this.#early !== undefined) this.#early.push([socket, server]);
    else this.#receiver.connected(socket, this.#addressOf(server));
  }

  #addressOf(server: Server): SocketAddress {
    return this.#addresses[this.#servers.indexOf(server)] ?? UNKNOWN_ADDRESS;
  }

  /** `accept` failed, for want of descriptors mostly (libuv then closes what waits): the listener itself goes on. */
  #acceptFailed(error: Error): void {
    // Before it is open, whoever binds hears of the error itself.
    if (this.#early === undefined && this.#closing === undefined) this.#receiver.acceptFailed(error);
  }
}
