/**
 * Listens on UDP and makes a connection of each client that completes a QUIC handshake.
 *
 * Owns admission shared with other listeners, the configuration of what is accepted (identities, tickets, key log), the
 * set of open connections, and the two ways to take connections: a callback, or `for await`. Packets and the bounds on
 * handshakes are the endpoint's.
 *
 * Invariants: each accepted client gives its place back exactly once; after `close` or `drain` nothing is left; what a
 * handler or a factory throws ends that connection only.
 *
 * @module
 */
import { ConfigurationError, NetworkError, resolveLimits, toHfaceError } from '../common/index.ts';
import type { Endpoint, HfaceError, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import { nodeCryptoProvider } from '../crypto/index.ts';
import type { UdpServerNetworking, UdpSocket } from '../networking/index.ts';
import type { HttpOverQuicServerFactory, ProtocolContext } from '../protocols/index.ts';
import { QuicEndpoint, quicLimitValues } from '../protocols/quic/index.ts';
import type { QuicConnectionHandle, QuicIncoming, QuicLimitValues } from '../protocols/quic/index.ts';
import { ConnectionAdmission } from './admission.ts';
import { ConnectionSet } from './connection-set.ts';
import { HttpConnection } from './http-connection.ts';
import type { DrainOptions, HttpListener, HttpListenerHandler, HttpListening } from './http-listener.ts';
import { listenerLimits } from './limits.ts';
import type { ListenerLimitOptions, ListenerLimits } from './limits.ts';
import type { OverQuicDriver } from './over-quic-driver.ts';
import { QuicEndpointDriver } from './quic-endpoint-driver.ts';
import { addressFrom, QuicFacts } from './quic-facts.ts';
import { QuicKeys } from './quic-keys.ts';
import { QuicServerAnswers, QuicServerTls } from './quic-server-answers.ts';
import type { QuicTraces } from './quic-traces.ts';
import { WaitingConnections } from './waiting-connections.ts';

/** What a {@link HttpOverQuicListener} is made of. */
export interface HttpOverQuicListenerOptions {
  readonly networking: UdpServerNetworking;
  /** Makes the engines; its ALPN list is what TLS accepts. */
  readonly factory: HttpOverQuicServerFactory;
  /** QUIC has no connection without TLS. PKCS#12 is not taken. */
  readonly tls: ServerTlsConfig;
  readonly limits?: ListenerLimitOptions | undefined;
  /** Overrides of the limits of QUIC: `idleTimeout`, `maxStreamWindow` … See `quicLimits`. */
  readonly quicLimits?: Readonly<Record<string, number | undefined>> | undefined;
  /** Overrides of the limits of the endpoint: `retryAboveHalfOpen` … See `quicEndpointLimits`. */
  readonly endpointLimits?: Readonly<Record<string, number | undefined>> | undefined;
  /** Places shared with other listeners; without it this one counts alone. */
  readonly admission?: ConnectionAdmission | undefined;
  /**
   * Whether requests are taken out of 0-RTT data, which an eavesdropper can send again (RFC 8470). Default false. An
   * app sees it by `early`.
   */
  readonly earlyData?: boolean | undefined;
  /** Every client proves its address by a Retry before anything is kept for it. Default false: only when many come. */
  readonly retry?: boolean | undefined;
  /** What the system shall hold of datagrams that were not read yet, in bytes. Default 4 MiB. */
  readonly receiveBuffer?: number | undefined;
  /** Logs what happens on each connection. Slow; for debugging. */
  readonly traces?: QuicTraces | undefined;
}

/** {@link HttpListener} over QUIC. */
export class HttpOverQuicListener implements HttpListener {
  readonly #options: HttpOverQuicListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #quicLimits: QuicLimitValues;
  readonly #admission: ConnectionAdmission;

  /** @throws ConfigurationError for limits that do not exist and for TLS that QUIC cannot use */
  constructor(options: HttpOverQuicListenerOptions) {
    this.#options = options;
    this.#limits = resolveLimits('listener', listenerLimits, options.limits);
    const { handshakeTimeout } = this.#limits;
    this.#quicLimits = quicLimitValues({ handshakeTimeout, ...options.quicLimits });
    this.#admission =
      options.admission ?? new ConnectionAdmission(this.#limits.maxConnections, this.#limits.maxConnectionsPerAddress);
    tlsOf(options, options.tls);
  }

  /** @throws NetworkError, ConfigurationError */
  async listen(endpoint: Endpoint, handler?: HttpListenerHandler): Promise<HttpListening> {
    if (endpoint.scheme !== 'https') {
      throw new ConfigurationError('HTTP/3 has no endpoint without TLS', { hint: 'listen on https://' });
    }
    const options = this.#options;
    const parts: QuicListeningParts = {
      options,
      limits: this.#limits,
      quicLimits: this.#quicLimits,
      admission: this.#admission,
    };
    const listening = new QuicListening(parts, endpoint, handler);
    await listening.open();
    return listening;
  }
}

/** What one open endpoint is made of. */
interface QuicListeningParts {
  readonly options: HttpOverQuicListenerOptions;
  readonly limits: ListenerLimits;
  readonly quicLimits: QuicLimitValues;
  readonly admission: ConnectionAdmission;
}

/** One open endpoint. */
class QuicListening implements HttpListening {
  readonly #parts: QuicListeningParts;
  readonly #endpoint: Endpoint;
  readonly #handler: HttpListenerHandler | undefined;
  readonly #set: ConnectionSet;
  readonly #waiting: WaitingConnections;
  readonly #driver: QuicEndpointDriver;
  readonly #keys: QuicKeys;
  readonly #released: (connection: HttpConnection) => void;
  /** Ends the checks of handshakes under way. */
  readonly #ending: AbortController;
  #tls: QuicServerTls;
  #sockets: readonly UdpSocket[];
  #stopped: boolean;
  #closed: Promise<void> | undefined;

  constructor(parts: QuicListeningParts, endpoint: Endpoint, handler: HttpListenerHandler | undefined) {
    const { options, limits } = parts;
    const { networking, endpointLimits, tls } = options;
    const { clock, random, keyRandom } = networking;
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#handler = handler;
    this.#set = new ConnectionSet(clock);
    this.#waiting = new WaitingConnections(limits.maxWaitingConnections);
    this.#tls = tlsOf(options, tls);
    this.#keys = new QuicKeys(nodeCryptoProvider, random, tls.ticketKeys, clock.now());
    const quic = new QuicEndpoint(
      {
        crypto: nodeCryptoProvider,
        random,
        keyRandom,
        keys: this.#keys.current,
        accepts: true,
        epoch: clock.wallTime() - clock.now(),
        limits: {
          maxConnections: limits.maxConnections,
          maxConnectionsPerAddress: limits.maxConnectionsPerAddress,
          ...endpointLimits,
        },
      },
      clock.now(),
    );
    this.#driver = new QuicEndpointDriver({
      endpoint: quic,
      clock,
      incoming: (incoming, now) => this.#incoming(incoming, now),
    });
    this.#released = () => undefined;
    this.#ending = new AbortController();
    this.#sockets = [];
    this.#stopped = false;
    this.#closed = undefined;
  }

  async open(): Promise<void> {
    const { networking, receiveBuffer } = this.#parts.options;
    this.#sockets = await networking.listenUdp({ endpoint: this.#endpoint, receiveBuffer }, this.#driver);
    this.#driver.open(this.#sockets);
  }

  get endpoints(): readonly Endpoint[] {
    const port = this.#sockets[0]?.localAddress.port;
    return [port === undefined ? this.#endpoint : { ...this.#endpoint, port }];
  }

  get addresses(): readonly SocketAddress[] {
    return this.#sockets.map((socket) => socket.localAddress);
  }

  get connections(): ReadonlySet<HttpConnection> {
    return this.#set.connections;
  }

  updateTls(tls: ServerTlsConfig): void {
    const next = tlsOf(this.#parts.options, tls);
    this.#tls.isStale = true;
    this.#tls = next;
    const now = this.#parts.options.networking.clock.now();
    this.#keys.replace(tls.ticketKeys, now);
    this.#driver.endpoint.rotateKeys(this.#keys.current);
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.end();
    // The sockets stay for the connections that there are.
    return Promise.resolve();
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    await this.stop();
    await this.#set.drain(options);
    await this.close();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<HttpConnection, undefined> {
    return this.#waiting.iterator();
  }

  async #close(): Promise<void> {
    await this.stop();
    this.#ending.abort();
    await this.#set.close();
    await this.#driver.close();
    await this.#set.close();
  }

  /** A client wants a connection: decided at once, so that nothing is kept for it meanwhile. */
  #incoming(incoming: QuicIncoming, now: number): void {
    const { admission, options } = this.#parts;
    const address = addressFrom(incoming.path.remote);
    if (this.#stopped) {
      incoming.refuse();
      return;
    }
    if (options.retry === true && !incoming.addressValidated && incoming.mayRetry) {
      incoming.retry();
      return;
    }
    const limit = this.#waiting.full ? 'maxWaitingConnections' : admission.take(address);
    if (limit !== undefined) {
      incoming.refuse();
      this.#tell(() => this.#handler?.connectionRefused?.(address, limit));
      return;
    }
    if (this.#keys.renewed(now)) this.#driver.endpoint.rotateKeys(this.#keys.current);
    try {
      this.#begin(incoming, now, address);
    } catch (error) {
      admission.release(address);
      this.#failed(address, toHfaceError(error));
    }
  }

  #begin(incoming: QuicIncoming, now: number, address: SocketAddress): void {
    const { options, quicLimits, admission } = this.#parts;
    const { factory, networking, earlyData = false, traces } = options;
    const tls = this.#tls;
    const trace = traces?.begin('server', incoming.path, networking.clock);
    const accept = (tls.accept ??= {
      alpn: factory.alpnProtocols,
      clientCertificate: tls.clientCertificate,
      resumption: tls.resumption,
      keylog: tls.keylog !== undefined,
      limits: quicLimits,
      earlyData,
    });
    const handle = incoming.accept(trace === undefined ? accept : { ...accept, trace: trace.trace });
    const { connection } = handle;
    const facts = new QuicFacts('3', factory.alpnProtocols[0] ?? 'h3', () => connection.currentPath);
    const { clock, random } = networking;
    const context: ProtocolContext = {
      secure: true,
      alpn: factory.alpnProtocols[0],
      epochOffset: clock.wallTime() - clock.now(),
      random,
    };
    let released = false;
    this.#driver.add(handle, {
      protocol: factory.create(connection, context, now),
      facts,
      answers: new QuicServerAnswers(tls, this.#ending.signal),
      settled: (driver, error) => this.#settled(driver, error, address),
      notices: () => this.#drainNotices(handle, tls),
      released: () => {
        if (released) return;
        released = true;
        trace?.end();
        admission.release(address);
      },
    });
  }

  #drainNotices(handle: QuicConnectionHandle, tls: QuicServerTls): void {
    const { connection } = handle;
    for (let notice = connection.nextNotice(); notice !== undefined; notice = connection.nextNotice()) {
      if (notice.type !== 'KeyLogged') continue;
      const { line } = notice;
      this.#tell(() => tls.keylog?.(line));
    }
  }

  /** The handshake is done, or will never be. */
  #settled(driver: OverQuicDriver, error: HfaceError | undefined, address: SocketAddress): void {
    if (error !== undefined) {
      this.#failed(address, error);
      return;
    }
    if (this.#stopped) {
      driver.abort();
      return;
    }
    const connection = new HttpConnection(driver);
    this.#set.add(connection, this.#released);
    if (this.#handler === undefined) this.#waiting.push(connection);
    else this.#handler.connectionAccepted(connection);
  }

  #failed(address: SocketAddress, error: HfaceError): void {
    const failure =
      error instanceof NetworkError
        ? error
        : new NetworkError(`QUIC handshake failed: ${error.message}`, { code: error.code, phase: 'tls', cause: error });
    this.#tell(() => this.#handler?.connectionFailed?.(address, failure));
  }

  /** A notice to the handler; what it throws concerns nobody. */
  #tell(notice: () => void): void {
    try {
      notice();
    } catch {
      // It has been told.
    }
  }
}

function tlsOf(options: HttpOverQuicListenerOptions, tls: ServerTlsConfig): QuicServerTls {
  return new QuicServerTls(tls, (config) => options.networking.clientChains(config));
}
