/**
 * Who can listen for HTTP connections, and what listens: the seam for implementations that own their sockets.
 *
 * Owns the interfaces. Over TCP it is http-over-tcp-listener.ts, for several endpoints at once http-multi-listener.ts.
 *
 * @module
 */
import type { Endpoint, NetworkError, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import type { HttpConnection } from './http-connection.ts';

/** Who is told of connections. What it throws ends the connection, never the process. */
export interface HttpListenerHandler {
  /** A connection was accepted. Choose how to receive before this call returns, else its events gather unread. */
  connectionAccepted(connection: HttpConnection): void;
  /** One failed before it was a connection: TLS handshake, timeout, reset. */
  connectionFailed?(remoteAddress: SocketAddress, error: NetworkError): void;
  /** A connection was refused since a limit was reached. */
  connectionRefused?(remoteAddress: SocketAddress, limit: string): void;
  /** Accepting failed for good. */
  listenerFailed?(error: NetworkError): void;
}

/** What {@link HttpListening.drain} is bounded by. */
export interface DrainOptions {
  /** After so many milliseconds what still runs is closed. Default 10,000. */
  readonly timeout?: number | undefined;
  /** Ends the waiting at once: what still runs is closed. */
  readonly signal?: AbortSignal | undefined;
}

/** Something that listens. Without a handler the connections come by `for await`. */
export interface HttpListening extends AsyncIterable<HttpConnection> {
  /** The endpoints with the ports they really have. */
  readonly endpoints: readonly Endpoint[];
  /** Where the sockets are; several when a name has several addresses. */
  readonly addresses: readonly SocketAddress[];
  /** Accepted and not yet closed. */
  readonly connections: ReadonlySet<HttpConnection>;
  /**
   * Replaces the TLS configuration for handshakes to come, at one endpoint or at every `https` one.
   *
   * @throws ConfigurationError, and changes nothing, when it cannot be used or there is no such endpoint
   */
  updateTls(tls: ServerTlsConfig, endpoint?: Endpoint): void;
  /** Stops accepting; connections live on. */
  stop(): Promise<void>;
  /** Stops accepting, lets what runs be finished within the bound, and closes. Resolves when nothing is left. */
  drain(options?: DrainOptions): Promise<void>;
  /** Stops accepting and closes every connection. Resolves when nothing is left. */
  close(): Promise<void>;
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Can listen for HTTP connections. */
export interface HttpListener {
  /** @throws NetworkError, ConfigurationError */
  listen(endpoint: Endpoint, handler?: HttpListenerHandler): Promise<HttpListening>;
}
