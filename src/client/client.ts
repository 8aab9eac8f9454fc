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
import { defaultClientFactory, HttpOverTcpOpener, HttpPool, systemNetworking } from '../connections/index.ts';
import type {
  ConnectionLimitOptions,
  DefaultFactoryOptions,
  HttpOverTcpOpenerOptions,
  PoolLimitOptions,
  ProtocolChoice,
} from '../connections/index.ts';
import { ClientSession } from './client-session.ts';
import { clientLimits, clientTimeouts } from './limits.ts';
import type { ClientLimitOptions, ClientTimeoutOptions } from './limits.ts';
import { SteeredNetworking } from './steered-networking.ts';
import type { ClientNetworking, ConnectTo } from './steered-networking.ts';
import { PoolTransport } from './transport.ts';
import { defaultUserAgent } from './version.ts';

/** Makes client engines over TCP. */
export type ClientProtocolFactory = HttpOverTcpOpenerOptions['factory'];

/** How a client works. Everything has a default. */
export interface ClientOptions {
  /** TLS for https: authorities, the client's certificate, pins, checks of your own. */
  readonly tls?: ClientTlsConfig | undefined;
  /**
   * Which versions may be spoken: `'all'`, `'tcp'` (those over TCP) or a list. Nothing outside the set is fallen back
   * to. Default `'all'`. Over TLS both sides agree on the best they share (ALPN); without TLS it is HTTP/1.1, or, where
   * the list has HTTP/2 alone, HTTP/2 with prior knowledge (RFC 9113 section 3.3).
   */
  readonly protocol?: ProtocolChoice | undefined;
  /** Makes the HTTP/1 engines. Default: those of {@link implementations}. */
  readonly http1Factory?: ClientProtocolFactory | undefined;
  /** Makes the HTTP/2 engines. Default: those of {@link implementations}. */
  readonly http2Factory?: ClientProtocolFactory | undefined;
  /** Engines by their names in `protocolRegistry`. Default: ours. */
  readonly implementations?: DefaultFactoryOptions['implementations'];
  /** Limits of our HTTP/1 engine: `maxHeaderBytes`, `maxHeaderCount` … Its timers are off: the client has its own. */
  readonly http1Limits?: Readonly<Record<string, number | undefined>> | undefined;
  /** Limits of our HTTP/2 engine: `maxConcurrentStreams`, `maxStreamWindow` … See `http2ClientLimits`. */
  readonly http2Limits?: Readonly<Record<string, number | undefined>> | undefined;
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
  readonly #factory: ClientProtocolFactory;
  #networking: ClientNetworking | undefined;

  /** @throws ConfigurationError for options that cannot be met */
  constructor(options: ClientOptions = {}) {
    this.#options = options;
    refuseUnknown(options);
    this.#factory = engineFactory(options);
    this.#networking = undefined;
    resolveLimits('client', clientTimeouts, options.timeouts);
    resolveLimits('client', clientLimits, options.limits);
    if (typeof options.connectTo === 'object') {
      // Only to find mistakes now and not at the first request.
      new SteeredNetworking(undefined as unknown as ClientNetworking, options.connectTo);
    }
  }

  /** Begins a session. It opens nothing before the first request. */
  session(): ClientSession {
    const options = this.#options;
    const networking = (this.#networking ??= networkingOf(options));
    const timeouts = resolveLimits('client', clientTimeouts, options.timeouts);
    const opener = new HttpOverTcpOpener({
      networking,
      factory: this.#factory,
      connectionLimits: options.connectionLimits,
    });
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
  'implementations',
  'http1Limits',
  'http2Limits',
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

/** Bounds of our engine that the client keeps itself, per request and with its own names. */
const ownBounds = { bodyTimeout: Infinity, writeTimeout: Infinity, maxInformational: Infinity };
/** On HTTP/1 the head is the response's; on HTTP/2 it is a frame, which has to come on once it has begun. */
const ownHttp1Bounds = { ...ownBounds, headTimeout: Infinity };
/** The pool closes what is idle. */
const ownHttp2Bounds = { ...ownBounds, keepAliveTimeout: Infinity };

function engineFactory(options: ClientOptions): ClientProtocolFactory {
  const { protocol, http1Factory, http2Factory, implementations, http1Limits, http2Limits, trace } = options;
  const isOurs = (version: 'http1' | 'http2'): boolean => (implementations?.[version] ?? 'hface') === 'hface';
  return defaultClientFactory({
    protocol,
    implementations,
    factories: { http1: http1Factory, http2: http2Factory },
    settings: {
      http1: { limits: { ...(isOurs('http1') ? ownHttp1Bounds : {}), ...http1Limits } },
      http2: { limits: { ...(isOurs('http2') ? ownHttp2Bounds : {}), ...http2Limits } },
    },
    trace,
  });
}
