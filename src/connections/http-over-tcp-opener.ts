/**
 * Opens connections over TCP, with TLS for https origins.
 *
 * Owns the step from a connected stream to an engine on it. Resolving, connecting and TLS are networking's.
 *
 * @module
 */
import { toHfaceError, unsupported } from '../common/index.ts';
import type { TcpClientNetworking, ConnectTcpOptions } from '../networking/index.ts';
import type { HttpOverTcpFactory } from '../protocols/index.ts';
import { connectionOverStream } from './http-connection.ts';
import type { HttpConnection } from './http-connection.ts';
import type { ExpectedUse, HttpOpener, HttpOpenOptions } from './http-opener.ts';
import type { ConnectionLimitOptions } from './limits.ts';
import { protocolContext } from './protocol-context.ts';

/** What a {@link HttpOverTcpOpener} is made of. */
export interface HttpOverTcpOpenerOptions {
  /** Sockets, a simulation, or a way through a proxy. */
  readonly networking: TcpClientNetworking;
  /** Makes the engines; its ALPN list is what TLS offers. */
  readonly factory: HttpOverTcpFactory;
  /** Of each connection. */
  readonly connectionLimits?: ConnectionLimitOptions | undefined;
}

/** {@link HttpOpener} over TCP. */
export class HttpOverTcpOpener implements HttpOpener {
  readonly #options: HttpOverTcpOpenerOptions;

  constructor(options: HttpOverTcpOpenerOptions) {
    this.#options = options;
  }

  /** By the names in ALPN: HTTP/2 carries many; without TLS it is spoken only where nothing else is. */
  expectedUse(scheme: 'http' | 'https'): ExpectedUse {
    const protocols = this.#options.factory.alpnProtocols;
    if (!protocols.includes('h2')) return 'one';
    if (protocols.every((protocol) => protocol === 'h2')) return 'many';
    return scheme === 'https' ? 'unknown' : 'one';
  }

  /** @throws NetworkError, TimeoutError, or the signal's reason */
  async open(options: HttpOpenOptions): Promise<HttpConnection> {
    const { networking, factory, connectionLimits } = this.#options;
    const { origin } = options;
    const alpnProtocols =
      options.upgradable === true ? factory.alpnProtocols.filter((name) => name !== 'h2') : factory.alpnProtocols;
    if (alpnProtocols.length === 0) throw unsupported('upgrade');
    const connect: ConnectTcpOptions = {
      target: { host: origin.host, port: origin.port },
      unixPath: options.unixPath,
      signal: options.signal,
      family: options.family,
      timings: options.timings,
      ...(options.connectTimeout === undefined ? {} : { connectTimeout: options.connectTimeout }),
    };
    const stream =
      origin.scheme === 'http'
        ? await networking.connectTcp(connect)
        : await networking.connectTcpTls({
            ...connect,
            tls: options.tls,
            alpnProtocols,
            ...(options.handshakeTimeout === undefined ? {} : { handshakeTimeout: options.handshakeTimeout }),
          });
    try {
      const clock = networking.clock;
      const protocol = factory.create(protocolContext(networking, stream.tls), clock.now());
      return connectionOverStream(protocol, stream, clock, connectionLimits);
    } catch (error) {
      const failure = toHfaceError(error);
      stream.abort(failure);
      throw failure;
    }
  }
}
