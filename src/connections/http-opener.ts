/**
 * Who can open HTTP connections: the seam for implementations that own their sockets.
 *
 * Owns the interface and what is asked of an opener. Over TCP it is http-over-tcp-opener.ts.
 *
 * @module
 */
import type { ClientTlsConfig, Origin } from '../common/index.ts';
import type { ConnectTimings } from '../networking/index.ts';
import type { HttpConnection } from './http-connection.ts';

/** How a connection is opened. */
export interface HttpOpenOptions {
  /** What it is for: decides TLS, the name to check, and where to connect. */
  readonly origin: Origin;
  /** A unix socket in place of the origin's host and port. */
  readonly unixPath?: string | undefined;
  /** TLS for `https` origins. */
  readonly tls?: ClientTlsConfig | undefined;
  /** Ends the attempt; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** For resolving and connecting, in milliseconds. Default 10,000. */
  readonly connectTimeout?: number | undefined;
  /** For the TLS handshake, in milliseconds. Default 10,000. */
  readonly handshakeTimeout?: number | undefined;
  /** Only addresses of this family. */
  readonly family?: 'ipv4' | 'ipv6' | undefined;
  /** Only a version that has Upgrade: HTTP/1.1 (RFC 9110 section 7.8). Default false. */
  readonly upgradable?: boolean | undefined;
  /** Whether the connection may be given out before its handshake is complete; see `HttpConnection.early`. Default false. */
  readonly early?: boolean | undefined;
  /** Filled in as the steps are done. */
  readonly timings?: ConnectTimings | undefined;
}

/**
 * How many requests a connection to an origin will carry at once, as far as that is known before it is opened: `one`,
 * `many`, or `unknown` where the handshake decides.
 */
export type ExpectedUse = 'one' | 'many' | 'unknown';

/** Can open HTTP connections. */
export interface HttpOpener {
  /** What to expect of connections to an origin of that scheme. An opener without this member expects `one`. */
  expectedUse?(scheme: Origin['scheme']): ExpectedUse;
  /** Ready to take requests: an accepted certificate, an agreed protocol. @throws NetworkError, TimeoutError, or the signal's reason */
  open(options: HttpOpenOptions): Promise<HttpConnection>;
}
