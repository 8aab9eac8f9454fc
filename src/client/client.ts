/**
 * The client: options, and sessions made from them.
 *
 * Owns the options and their checking. A client is a plain object: it holds no connection, timer or other state; a
 * session does.
 *
 * @module
 */
import { ConfigurationError, resolveLimits } from '../common/index.ts';
import type { ClientTlsConfig } from '../common/index.ts';
import { HttpPool, QuicSessions, systemNetworking } from '../connections/index.ts';
import type {
  ConnectionLimitOptions,
  DefaultFactoryOptions,
  HttpOverQuicOpenerOptions,
  HttpOverTcpOpenerOptions,
  PoolLimitOptions,
  ProtocolChoice,
} from '../connections/index.ts';
import { ClientSession } from './client-session.ts';
import { clientOpener, engineFactories } from './client-opener.ts';
import type { EngineFactories } from './client-opener.ts';
import { clientLimits, clientTimeouts } from './limits.ts';
import type { ClientLimitOptions, ClientTimeoutOptions } from './limits.ts';
import { checkConnectTo, SteeredNetworking } from './steered-networking.ts';
import type { ClientNetworking, ConnectTo } from './steered-networking.ts';
import { PoolTransport } from './transport.ts';
import { defaultUserAgent } from './version.ts';

/** Makes client engines over TCP. */
export type ClientProtocolFactory = HttpOverTcpOpenerOptions['factory'];
/** Makes client engines over QUIC. */
export type ClientQuicFactory = HttpOverQuicOpenerOptions['factory'];

/** How HTTP/3 is spoken. */
export type QuicClientOptions = Pick<
  HttpOverQuicOpenerOptions,
  'earlyData' | 'quicLimits' | 'receiveBuffer' | 'traces' | 'versionProbe'
>;

/** How a client works. Everything has a default. */
export interface ClientOptions {
  /** TLS for https: authorities, the client's certificate, pins, checks of your own. */
  readonly tls?: ClientTlsConfig | undefined;
  /**
   * Which versions may be spoken: `'all'`, `'tcp'` (those over TCP) or a list. Nothing outside the set is fallen back
   * to. Default `'all'`. Over TLS both sides agree on the best they share (ALPN); without TLS it is HTTP/1.1, or, where
   * the list has HTTP/2 alone, HTTP/2 with prior knowledge (RFC 9113 section 3.3). HTTP/3 is spoken with prior knowledge:
   * where the list has it alone, each `https` origin is asked over QUIC; where it stands with others, QUIC goes first,
   * TCP follows after 250 ms, and the connection that is ready first is used.
   */
  readonly protocol?: ProtocolChoice | undefined;
  /** True: `https` origins are known to speak HTTP/3, as if it stood in the list of versions. Default false. */
  readonly http3?: boolean | undefined;
  /** Makes the HTTP/1 engines. Default: those of {@link implementations}. */
  readonly http1Factory?: ClientProtocolFactory | undefined;
  /** Makes the HTTP/2 engines. Default: those of {@link implementations}. */
  readonly http2Factory?: ClientProtocolFactory | undefined;
  /** Makes the HTTP/3 engines. Default: those of {@link implementations}. */
  readonly http3Factory?: ClientQuicFactory | undefined;
  /** Engines by their names in `protocolRegistry`. Default: ours. */
  readonly implementations?: DefaultFactoryOptions['implementations'];
  /** Limits of our HTTP/1 engine: `maxHeaderBytes`, `maxHeaderCount` … Its timers are off: the client has its own. */
  readonly http1Limits?: Readonly<Record<string, number | undefined>> | undefined;
  /** Limits of our HTTP/2 engine: `maxConcurrentStreams`, `maxStreamWindow` … See `http2ClientLimits`. */
  readonly http2Limits?: Readonly<Record<string, number | undefined>> | undefined;
  /** Limits of our HTTP/3 engine. See `http3ClientLimits`. */
  readonly http3Limits?: Readonly<Record<string, number | undefined>> | undefined;
  /** How HTTP/3 is spoken: limits of QUIC, logs. */
  readonly quic?: QuicClientOptions | undefined;
  /** Told of all that passes through the engines: submits, events and, on HTTP/2, frames. Slow; for debugging. */
  readonly trace?: DefaultFactoryOptions['trace'];
  /** What connects: sockets (the default), a simulation, a way through a proxy. */
  readonly networking?: ClientNetworking | undefined;
  /** In milliseconds; see {@link clientTimeouts}. */
  readonly timeouts?: ClientTimeoutOptions | undefined;
  /** See {@link clientLimits}. */
  readonly limits?: ClientLimitOptions | undefined;
  /** Numbers of connections and waiting requests; the wait itself is the timeout `queue`. */
  readonly pool?: Omit<PoolLimitOptions, 'queueTimeout'> | undefined;
  /** Limits of each connection. */
  readonly connectionLimits?: ConnectionLimitOptions | undefined;
  /** Sent as User-Agent where a request has none; `false`: nothing. Default `hface-ts/` and the version. */
  readonly userAgent?: string | false | undefined;
  /** Whether requests that failed without an answer may be sent again, as far as that is safe. Default true. */
  readonly retry?: boolean | undefined;
  /** Connect to this unix socket, whatever the URL's host. */
  readonly unixSocket?: string | undefined;
  /** Connect elsewhere than URLs say; certificates are still checked for the URL's host. */
  readonly connectTo?: ConnectTo | undefined;
  /** Only addresses of this family. */
  readonly family?: 'ipv4' | 'ipv6' | undefined;
}

/** A client for every HTTP version. */
export class Client {
  readonly #options: ClientOptions;
  readonly #factories: EngineFactories;
  /** Sessions and tokens of QUIC, for all sessions of the client. */
  readonly #quicSessions: QuicSessions;
  #networking: ClientNetworking | undefined;

  /** @throws ConfigurationError for options that cannot be met */
  constructor(options: ClientOptions = {}) {
    this.#options = options;
    refuseUnknown(options);
    this.#factories = engineFactories(options);
    this.#quicSessions = new QuicSessions();
    this.#networking = undefined;
    resolveLimits('client', clientTimeouts, options.timeouts);
    resolveLimits('client', clientLimits, options.limits);
    if (options.connectTo !== undefined) checkConnectTo(options.connectTo);
  }

  /** Begins a session. It opens nothing before the first request. */
  session(): ClientSession {
    const options = this.#options;
    const networking = (this.#networking ??= networkingOf(options));
    const timeouts = resolveLimits('client', clientTimeouts, options.timeouts);
    const opener = clientOpener(this.#factories, networking, options, this.#quicSessions);
    // Who says where to connect does not want another connection used in its place.
    const sharing = options.connectTo === undefined && options.unixSocket === undefined;
    const pool = new HttpPool({ opener, clock: networking.clock, limits: options.pool, sharing });
    const transport = new PoolTransport(pool, {
      tls: options.tls,
      unixSocket: options.unixSocket,
      family: options.family,
      connectTimeout: timeouts.connect,
      handshakeTimeout: timeouts.tls,
    });
    const userAgent = options.userAgent ?? defaultUserAgent;
    return new ClientSession({
      transport,
      clock: networking.clock,
      random: networking.random,
      timeouts,
      limits: resolveLimits('client', clientLimits, options.limits),
      userAgent: userAgent === false ? undefined : userAgent,
      retry: options.retry ?? true,
      timeoutsOf: (overrides) => resolveLimits('client', clientTimeouts, { ...options.timeouts, ...overrides }),
    });
  }

  /** Runs `work` with a session and closes it afterwards, whatever happened. */
  async withSession<T>(work: (session: ClientSession) => T | PromiseLike<T>): Promise<T> {
    const session = this.session();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }
}

const optionNames: ReadonlySet<string> = new Set<keyof ClientOptions>([
  'tls',
  'protocol',
  'http1Factory',
  'http2Factory',
  'http3',
  'http3Factory',
  'implementations',
  'http1Limits',
  'http2Limits',
  'http3Limits',
  'quic',
  'trace',
  'networking',
  'timeouts',
  'limits',
  'pool',
  'connectionLimits',
  'userAgent',
  'retry',
  'unixSocket',
  'connectTo',
  'family',
]);

function refuseUnknown(options: ClientOptions): void {
  for (const name of Object.keys(options)) {
    if (optionNames.has(name)) continue;
    throw new ConfigurationError(`Client has no option ${name}`, { hint: `options: ${[...optionNames].join(', ')}` });
  }
}

function networkingOf(options: ClientOptions): ClientNetworking {
  const base = options.networking ?? systemNetworking();
  return options.connectTo === undefined ? base : new SteeredNetworking(base, options.connectTo);
}
