/**
 * The options of a server.
 *
 * Owns their shapes. Mistakes in them are found in option-checks.ts.
 *
 * @module
 */
import type { AppFailureKind, AppStyle, ErrorPage } from '../app/index.ts';
import type { Endpoint, Logger, ServerTlsConfig } from '../common/index.ts';
import type {
  ConnectionLimitOptions,
  HttpOverQuicListenerOptions,
  HttpOverTcpListenerOptions,
  ProtocolChoice,
} from '../connections/index.ts';
import type { ServerLimitOptions, ServerTimeoutOptions } from './limits.ts';

/** What a server listens by. Without UDP there is no HTTP/3. */
export type ServerNetworking = HttpOverTcpListenerOptions['networking'] &
  Partial<HttpOverQuicListenerOptions['networking']>;
/** Makes server engines over TCP. */
export type ServerProtocolFactory = HttpOverTcpListenerOptions['factory'];
/** Makes server engines over QUIC. */
export type ServerQuicFactory = HttpOverQuicListenerOptions['factory'];

/** How HTTP/3 is served. */
export interface QuicServerOptions extends Pick<
  HttpOverQuicListenerOptions,
  'earlyData' | 'endpointLimits' | 'quicLimits' | 'receiveBuffer' | 'retry' | 'traces'
> {
  /**
   * Whether responses over TCP with TLS tell by an Alt-Svc field that the endpoint speaks HTTP/3 (RFC 7838). Default
   * true. A response that has the field keeps its own.
   */
  readonly advertise?: boolean | undefined;
}

/** What became of a request, for access logs. */
export interface RequestRecord {
  readonly requestId: string;
  /** The address of the connection's other end, without its port; empty for unix sockets. */
  readonly clientAddress: string;
  readonly method: string;
  /** As received, with the query. Authority for CONNECT. */
  readonly path: string;
  /** `1.1`, `2` */
  readonly httpVersion: string;
  /** 0 when no head was sent. */
  readonly status: number;
  /** Content, without framing. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Milliseconds from the request's head to the end of the exchange. */
  readonly duration: number;
  /** Why it was not finished, or `undefined`. */
  readonly aborted: string | undefined;
}

/** Where an app failed. */
export interface AppErrorDetails {
  readonly kind: AppFailureKind;
  /** `undefined` outside requests. */
  readonly requestId: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
}

/** What an error page is about. */
export interface ErrorPageDetails {
  readonly requestId: string;
  /** What was thrown, or `undefined`. Not for the eyes of clients. */
  readonly error: unknown;
  readonly dev: boolean;
}

/** What an endpoint may have of its own. */
export interface EndpointOptions {
  /** TLS of the endpoint. */
  readonly tls?: ServerTlsConfig | undefined;
  /**
   * Which versions are spoken: `'all'` (the default), `'tcp'` (those over TCP) or a list. Nothing outside the set is
   * fallen back to. With TLS client and server agree on the best they share (ALPN); without it HTTP/1 and HTTP/2 with
   * prior knowledge (RFC 9113 section 3.3) are told apart by a connection's first bytes. HTTP/3 is served on UDP at the
   * port number of an `https` endpoint; `'all'` leaves it out where there is no UDP or the certificate is in PKCS#12.
   */
  readonly protocol?: ProtocolChoice | undefined;
  /** Makes the HTTP/1 engines. Its limits and timeouts are its own. */
  readonly http1Factory?: ServerProtocolFactory | undefined;
  /** The HTTP/1 implementation by its registered name. Default `hface`. */
  readonly http1Implementation?: string | undefined;
  /** Makes the HTTP/2 engines. Its limits and timeouts are its own. */
  readonly http2Factory?: ServerProtocolFactory | undefined;
  /** The HTTP/2 implementation by its registered name. Default `hface`. */
  readonly http2Implementation?: string | undefined;
  /** Makes the HTTP/3 engines. Its limits and timeouts are its own. */
  readonly http3Factory?: ServerQuicFactory | undefined;
  /** The HTTP/3 implementation by its registered name. Default `hface`. */
  readonly http3Implementation?: string | undefined;
  /** How HTTP/3 is served: 0-RTT, Retry, limits of QUIC, logs. */
  readonly quic?: QuicServerOptions | undefined;
}

/** One endpoint with what differs there from the server's options. */
export interface EndpointEntry extends EndpointOptions {
  readonly endpoint: string | URL | Endpoint;
}

/** An endpoint in any form: `https://localhost:5443`, `unix:/path`, a URL, the parsed form, or with options. */
export type EndpointInit = string | URL | Endpoint | EndpointEntry;

/** How a server works. Everything has a default. */
export interface AppServerOptions extends EndpointOptions {
  /** What listens: sockets (the default) or a simulation. */
  readonly networking?: ServerNetworking | undefined;
  /** See `serverLimits` of `hface-ts/server`. */
  readonly limits?: ServerLimitOptions | undefined;
  /**
   * Limits of our HTTP/2 engine beyond those: `maxConcurrentStreams`, `maxStreamWindow` … See `http2ServerLimits` of
   * `hface-ts/protocols/http2`.
   */
  readonly http2Limits?: Readonly<Record<string, number | undefined>> | undefined;
  /** Limits of our HTTP/3 engine beyond those. See `http3ServerLimits` of `hface-ts/protocols/http3`. */
  readonly http3Limits?: Readonly<Record<string, number | undefined>> | undefined;
  /** In milliseconds; see `serverTimeouts` of `hface-ts/server`. */
  readonly timeouts?: ServerTimeoutOptions | undefined;
  /** Limits of each connection's end. */
  readonly connectionLimits?: ConnectionLimitOptions | undefined;
  /** Overrides what the app looks like. */
  readonly appStyle?: AppStyle | undefined;
  /** Shows stack traces in responses and refuses foreign host names (see `allowedHosts`). Default false. */
  readonly dev?: boolean | undefined;
  /**
   * Names that requests may be addressed to; others get 421 (RFC 9110 section 15.5.20). `*.example.com` stands for
   * the names below. Addresses always pass. Keeps pages of other sites from reaching a server on this machine by
   * rebinding their name. Default: any name; with `dev` localhost, the names below it, and those of the endpoints.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Takes messages. Default: warnings and errors go to standard error. */
  readonly logger?: Logger | undefined;
  /** Told of what the app throws, instead of the logger. */
  readonly onError?: ((error: unknown, details: AppErrorDetails) => void) | undefined;
  /** Told of every request when it is over. */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
  /** Makes the bodies of 400, 500 and their kin; `undefined`: the plain one. */
  readonly errorPage?: ((status: number, details: ErrorPageDetails) => ErrorPage | undefined) | undefined;
  /** The Server field of responses (RFC 9110 section 10.2.4). Default: none. */
  readonly serverName?: string | undefined;
  /** Length of the system's queue of connections that wait to be accepted. Default 511. */
  readonly backlog?: number | undefined;
  /** Several processes share the port. Default false. */
  readonly reusePort?: boolean | undefined;
}

/** An endpoint as it is opened. */
export interface ResolvedEndpoint {
  readonly endpoint: Endpoint;
  readonly tls: ServerTlsConfig | undefined;
  /** Makes the engines over TCP; `undefined`: it does not listen there. */
  readonly factory: ServerProtocolFactory | undefined;
  /** Makes the engines over QUIC; `undefined`: it does not listen there. */
  readonly quicFactory: ServerQuicFactory | undefined;
  readonly quic: QuicServerOptions;
}
