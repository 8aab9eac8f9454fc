/**
 * Networking as a seam: who can listen and who can connect, and on whose clock.
 *
 * Owns the interfaces. `SystemNetworking` implements them with sockets, `SimulatedNetworking` in memory under a virtual
 * clock, a proxy client's session through a proxy; so what opens connections can open them through any of these.
 * Networking knows no HTTP and no QUIC.
 *
 * @module
 */
import type {
  ClientTlsConfig,
  Clock,
  Endpoint,
  HostPort,
  IpAddress,
  NetworkError,
  NetworkPath,
  Random,
  ServerTlsConfig,
  SocketAddress,
} from '../common/index.ts';
import type { CertificateVerdict, ReceivedClientChain, ReceivedServerChain } from '../trust/index.ts';
import type { ByteStream } from './byte-stream.ts';

/** What all networking has. */
export interface NetworkingBase {
  readonly clock: Clock;
  readonly random: Random;
  /** Where ephemeral keys come from, so that a simulation replays; without it from the crypto provider itself. */
  readonly keyRandom?: Random | undefined;
}

/** Judges chains of servers, for handshakes that are not `node:tls`'s. */
export interface ServerChains {
  /** Whether a session may be resumed without showing certificates again. */
  readonly allowsResumption: boolean;
  /** Decides; at once where nothing has to be waited for. Never throws or rejects. */
  verify(received: ReceivedServerChain): CertificateVerdict | Promise<CertificateVerdict>;
}

/** Judges chains of clients, for handshakes that are not `node:tls`'s. */
export interface ClientChains {
  /** Decides; at once where nothing has to be waited for. Never throws or rejects. */
  verify(received: ReceivedClientChain): CertificateVerdict | Promise<CertificateVerdict>;
}

/** How a TCP listener is opened. */
export interface ListenTcpOptions {
  /** The host (a name is resolved: `localhost` listens on every loopback address it has), the port, or a unix path. */
  readonly endpoint: Endpoint;
  /** TLS; required when the endpoint's scheme is `https`. */
  readonly tls?: ServerTlsConfig | undefined;
  /** What to accept by ALPN, best first. */
  readonly alpnProtocols?: readonly string[];
  /** How long a TLS handshake may take, in milliseconds. Default 10,000. */
  readonly handshakeTimeout?: number;
  /** Length of the queue of connections that were not yet accepted. Default 511. */
  readonly backlog?: number;
  /** Several processes share the port. Default false. */
  readonly reusePort?: boolean;
}

/** Who is told of accepted streams. */
export interface TcpListenerHandler {
  /**
   * Whether a raw connection from that address is taken, asked before any TLS work (admission limits). False: it is
   * reset. Each true is followed by exactly one `streamAccepted` or `streamFailed` with the same token.
   */
  admit(remoteAddress: SocketAddress): boolean;
  /** The stream is ready, after the TLS handshake where there is one. It is paused until `start`. */
  streamAccepted(stream: ByteStream): void;
  /** It failed before it was ready: handshake error, timeout, reset. */
  streamFailed(remoteAddress: SocketAddress, error: NetworkError): void;
  /** The listener itself failed after it was open, and accepts no more. */
  listenerFailed(error: NetworkError): void;
  /** The system could not accept a connection (no descriptor left, mostly); the listener goes on. */
  acceptFailed?(error: NetworkError): void;
}

/** An open TCP listener. */
export interface TcpListener {
  /** Where it really listens; several when a name has several addresses (all with one port). */
  readonly addresses: readonly SocketAddress[];
  /** Replaces the TLS identity for handshakes to come; connections stay. */
  updateTls(tls: ServerTlsConfig): void;
  /** Stops accepting, ends handshakes in progress; accepted streams live on. Resolves when the sockets are closed. */
  close(): Promise<void>;
}

/** Can listen on TCP. */
export interface TcpServerNetworking extends NetworkingBase {
  /** @throws NetworkError (phase `listen`; code `ERR_ADDRESS_IN_USE`, `ERR_ADDRESS_NOT_AVAILABLE`, `ERR_ACCESS`), ConfigurationError */
  listenTcp(options: ListenTcpOptions, handler: TcpListenerHandler): Promise<TcpListener>;
}

/** Times of the steps of a connection, on the clock's monotonic scale; `undefined` for steps that did not happen. */
export interface ConnectTimings {
  readonly started: number;
  resolved: number | undefined;
  connected: number | undefined;
  secured: number | undefined;
}

/** How a TCP connection is opened. */
export interface ConnectTcpOptions {
  /** Where to; or `unixPath`. */
  readonly target: HostPort;
  /** A unix socket in place of host and port. */
  readonly unixPath?: string | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** For the whole of resolving and connecting, in milliseconds. Default 10,000. */
  readonly connectTimeout?: number;
  /** Only addresses of this family. */
  readonly family?: 'ipv4' | 'ipv6' | undefined;
  /** Filled in as the steps are done. */
  readonly timings?: ConnectTimings | undefined;
}

/** How a TLS connection is opened. */
export interface ConnectTlsOptions extends ConnectTcpOptions {
  readonly tls?: ClientTlsConfig | undefined;
  /** What to offer by ALPN, best first. */
  readonly alpnProtocols?: readonly string[];
  /** For the handshake, in milliseconds. Default 10,000. */
  readonly handshakeTimeout?: number;
}

/** Can open TCP connections. */
export interface TcpClientNetworking extends NetworkingBase {
  /** @throws NetworkError (phase `resolve` or `connect`), TimeoutError (`connect`), or the signal's reason */
  connectTcp(options: ConnectTcpOptions): Promise<ByteStream>;
  /** The same with TLS; the stream is ready when the certificate was accepted. @throws also NetworkError (phase `tls`) */
  connectTcpTls(options: ConnectTlsOptions): Promise<ByteStream>;
}

/** Who is told of datagrams. What a member throws is dropped. */
export interface UdpSocketHandler {
  /** A datagram came; `data` is the receiver's for good. `path.local` is that of the socket it came to. */
  datagramReceived(data: Uint8Array, path: NetworkPath): void;
  /** All that came in this turn of the event loop has been told: the time to answer it at once. */
  turnEnded(): void;
  /** A send queue that was full has room again. */
  drained(socket: UdpSocket): void;
  /**
   * The system refused a datagram (`ERR_DATAGRAM_TOO_LARGE`, `ERR_UNREACHABLE`) or was told that one did not arrive
   * (`ERR_CONNECTION_REFUSED`; only on connected sockets, and anybody on the way may say so). The socket goes on.
   */
  datagramFailed(error: NetworkError, path: NetworkPath | undefined): void;
  /** The socket is gone; its last call. */
  closed(socket: UdpSocket, error: NetworkError | undefined): void;
}

/** A UDP socket that is bound to one local address. */
export interface UdpSocket {
  /** Formatted it is `path.local` of whatever comes and goes here. */
  readonly localAddress: IpAddress;
  /** The only path of a connected socket; `undefined` where any peer is heard. */
  readonly path: NetworkPath | undefined;
  /** How many datagrams came that nobody was given: more in one turn than are taken. */
  readonly dropped: number;
  /**
   * Sends datagrams of `segmentSize` bytes each (the last may be shorter) to `path.remote`. Their memory is the
   * socket's from here on. All are taken; false: more is waiting now than should, so wait for `drained`.
   */
  send(data: Uint8Array, segmentSize: number, path: NetworkPath): boolean;
  /** Ends it; what is queued is not sent. Resolves when the socket is closed. */
  close(): Promise<void>;
}

/** How UDP sockets are opened for serving. */
export interface ListenUdpOptions {
  /** The host, as of {@link ListenTcpOptions}; a wildcard stands for every address that the machine has now. */
  readonly endpoint: Endpoint;
  /** What the system shall hold of datagrams that were not read yet, in bytes; it may give less. Default 4 MiB. */
  readonly receiveBuffer?: number | undefined;
}

/** Can bind UDP sockets for serving. */
export interface UdpServerNetworking extends NetworkingBase {
  /**
   * One socket per local address of the endpoint, all with one port: an answer leaves from the address that was asked.
   *
   * @throws NetworkError (phase `listen`), ConfigurationError
   */
  listenUdp(options: ListenUdpOptions, handler: UdpSocketHandler): Promise<readonly UdpSocket[]>;
  /** Who judges the certificates of clients. @throws ConfigurationError */
  clientChains(tls: ServerTlsConfig): ClientChains;
}

/** How the addresses of a host are found. */
export interface FindAddressesOptions {
  readonly target: HostPort;
  /** Only addresses of this family. */
  readonly family?: 'ipv4' | 'ipv6' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a UDP socket towards one peer is opened. */
export interface ConnectUdpOptions {
  /** One of those that `findAddresses` has told. */
  readonly target: HostPort;
  readonly signal?: AbortSignal | undefined;
  /** As of {@link ListenUdpOptions}. Default 4 MiB. */
  readonly receiveBuffer?: number | undefined;
}

/** Can open UDP sockets towards a peer. */
export interface UdpClientNetworking extends NetworkingBase {
  /**
   * The addresses of a host in the order of attempts (RFC 8305 section 4), for who races over them. Networking that
   * resolves elsewhere answers with the target itself.
   *
   * @throws NetworkError (phase `resolve`), or the signal's reason
   */
  findAddresses(options: FindAddressesOptions): Promise<readonly HostPort[]>;
  /**
   * Opens a socket that hears one peer only. Nothing is sent.
   *
   * @throws NetworkError (phase `connect`), ConfigurationError, or the signal's reason
   */
  connectUdp(options: ConnectUdpOptions, handler: UdpSocketHandler): Promise<UdpSocket>;
  /** Who judges the certificates of servers. @throws ConfigurationError */
  serverChains(tls: ClientTlsConfig): ServerChains;
}

/** All that a server can use. */
export type ServerNetworking = TcpServerNetworking & UdpServerNetworking;

/** All that a client can use. */
export type ClientNetworking = TcpClientNetworking & UdpClientNetworking;
