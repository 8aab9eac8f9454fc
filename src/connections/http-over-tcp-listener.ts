/**
 * Listens on TCP, with TLS or without, and makes a connection of each stream.
 *
 * Owns admission (limits in total and per address, asked before any TLS work), the making of engines, the set of open
 * connections, and the two ways to take connections: a callback, or `for await`.
 *
 * Invariants: each admitted stream gives its place back exactly once; after `close` or `drain` nothing is left; what a
 * handler or a factory throws ends that connection only.
 *
 * @module
 */
import { resolveLimits, toHfaceError } from '../common/index.ts';
import type { Endpoint, NetworkError, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import type { ByteStream, TcpServerNetworking, TcpListener, TcpListenerHandler } from '../networking/index.ts';
import type { HttpOverTcpFactory } from '../protocols/index.ts';
import { ConnectionAdmission } from './admission.ts';
import { ConnectionSet } from './connection-set.ts';
import { connectionOverStream } from './http-connection.ts';
import type { HttpConnection } from './http-connection.ts';
import type { DrainOptions, HttpListener, HttpListenerHandler, HttpListening } from './http-listener.ts';
import { listenerLimits } from './limits.ts';
import type { ConnectionLimitOptions, ListenerLimitOptions, ListenerLimits } from './limits.ts';
import { protocolContext } from './protocol-context.ts';
import { WaitingConnections } from './waiting-connections.ts';

/** What a {@link HttpOverTcpListener} is made of. */
export interface HttpOverTcpListenerOptions {
  readonly networking: TcpServerNetworking;
  /** Makes the engines; its ALPN list is what TLS accepts. */
  readonly factory: HttpOverTcpFactory;
  /** Required for `https` endpoints. */
  readonly tls?: ServerTlsConfig | undefined;
  readonly limits?: ListenerLimitOptions | undefined;
  /** Of each connection. */
  readonly connectionLimits?: ConnectionLimitOptions | undefined;
  /** Places shared with other listeners; without it this one counts alone. */
  readonly admission?: ConnectionAdmission | undefined;
  /** Length of the queue of streams that were not yet accepted. Default 511. */
  readonly backlog?: number | undefined;
  /** Several processes share the port. Default false. */
  readonly reusePort?: boolean | undefined;
}

/** {@link HttpListener} over TCP. */
export class HttpOverTcpListener implements HttpListener {
  readonly #options: HttpOverTcpListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #admission: ConnectionAdmission;

  /** @throws ConfigurationError for limits that do not exist */
  constructor(options: HttpOverTcpListenerOptions) {
    this.#options = options;
    this.#limits = resolveLimits('listener', listenerLimits, options.limits);
    this.#admission =
      options.admission ?? new ConnectionAdmission(this.#limits.maxConnections, this.#limits.maxConnectionsPerAddress);
  }

  /** @throws NetworkError, ConfigurationError */
  async listen(endpoint: Endpoint, handler?: HttpListenerHandler): Promise<HttpListening> {
    const options = this.#options;
    const listening = new TcpListening(options, this.#limits, this.#admission, endpoint, handler);
    const listener = await options.networking.listenTcp(
      {
        endpoint,
        tls: endpoint.scheme === 'https' ? options.tls : undefined,
        alpnProtocols: options.factory.alpnProtocols,
        handshakeTimeout: this.#limits.handshakeTimeout,
        ...(options.backlog === undefined ? {} : { backlog: options.backlog }),
        ...(options.reusePort === undefined ? {} : { reusePort: options.reusePort }),
      },
      listening,
    );
    listening.opened(listener);
    return listening;
  }
}

/** One open endpoint. */
class TcpListening implements HttpListening, TcpListenerHandler {
  readonly #options: HttpOverTcpListenerOptions;
  readonly #admission: ConnectionAdmission;
  readonly #endpoint: Endpoint;
  readonly #handler: HttpListenerHandler | undefined;
  readonly #set: ConnectionSet;
  readonly #waiting: WaitingConnections;
  #listener: TcpListener | undefined;
  readonly #released: (connection: HttpConnection) => void;
  #stopped: Promise<void> | undefined;

  constructor(
    options: HttpOverTcpListenerOptions,
    limits: ListenerLimits,
    admission: ConnectionAdmission,
    endpoint: Endpoint,
    handler: HttpListenerHandler | undefined,
  ) {
    this.#options = options;
    this.#admission = admission;
    this.#endpoint = endpoint;
    this.#handler = handler;
    this.#set = new ConnectionSet(options.networking.clock);
    this.#waiting = new WaitingConnections(limits.maxWaitingConnections);
    this.#listener = undefined;
    this.#stopped = undefined;
    this.#released = (connection) => this.#admission.release(connection.facts.remoteAddress);
  }

  opened(listener: TcpListener): void {
    this.#listener = listener;
  }

  get endpoints(): readonly Endpoint[] {
    const address = this.addresses[0];
    if (address === undefined || address.family === 'unix') return [this.#endpoint];
    return [{ ...this.#endpoint, port: address.port }];
  }

  get addresses(): readonly SocketAddress[] {
    return this.#listener?.addresses ?? [];
  }

  get connections(): ReadonlySet<HttpConnection> {
    return this.#set.connections;
  }

  updateTls(tls: ServerTlsConfig): void {
    this.#listener?.updateTls(tls);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    const stopped = this.stop();
    await this.#set.drain(options);
    await stopped;
    // A handshake that was done while the listener closed.
    await this.#set.close();
  }

  async close(): Promise<void> {
    const stopped = this.stop();
    await this.#set.close();
    await stopped;
    await this.#set.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<HttpConnection, undefined> {
    return this.#waiting.iterator();
  }

  admit(remoteAddress: SocketAddress): boolean {
    if (this.#stopped !== undefined) return false;
    const limit = this.#waiting.full ? 'maxWaitingConnections' : this.#admission.take(remoteAddress);
    if (limit === undefined) return true;
    this.#tell(() => this.#handler?.connectionRefused?.(remoteAddress, limit));
    return false;
  }

  streamAccepted(stream: ByteStream): void {
    const { networking, factory, connectionLimits } = this.#options;
    const clock = networking.clock;
    const address = stream.remoteAddress;
    let connection: HttpConnection;
    try {
      const protocol = factory.create(protocolContext(networking, stream.tls), clock.now());
      connection = connectionOverStream(protocol, stream, clock, connectionLimits);
    } catch (error) {
      stream.abort(toHfaceError(error));
      this.#admission.release(address);
      return;
    }
    this.#set.add(connection, this.#released);
    try {
      if (this.#handler === undefined) this.#waiting.push(connection);
      else this.#handler.connectionAccepted(connection);
    } catch (error) {
      connection.abort(toHfaceError(error));
      return;
    }
    // It became ready while the listener was closing.
    if (this.#stopped !== undefined) void connection.shutdown();
  }

  streamFailed(remoteAddress: SocketAddress, error: NetworkError): void {
    this.#admission.release(remoteAddress);
    this.#tell(() => this.#handler?.connectionFailed?.(remoteAddress, error));
  }

  listenerFailed(error: NetworkError): void {
    this.#waiting.fail(error);
    this.#tell(() => this.#handler?.listenerFailed?.(error));
  }

  async #stop(): Promise<void> {
    this.#waiting.end();
    await this.#listener?.close();
  }

  /** A notice to the handler; what it throws concerns nobody. */
  #tell(notice: () => void): void {
    try {
      notice();
    } catch {
      // There is no connection that it could end.
    }
  }
}
