/**
 * What opens a client's connections: over TCP, over QUIC, or over whichever is ready first.
 *
 * Owns the making of engines from the client's options, and the choice between the ways.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import {
  defaultClientFactory,
  defaultQuicClientFactory,
  HttpOverQuicOpener,
  HttpOverTcpOpener,
  HttpRacingOpener,
  transportsOf,
} from '../connections/index.ts';
import type { DefaultFactoryOptions, HttpOpener, QuicSessions } from '../connections/index.ts';
import type { ClientOptions, ClientProtocolFactory, ClientQuicFactory } from './client.ts';
import { withUdp } from './steered-networking.ts';
import type { ClientNetworking } from './steered-networking.ts';

/** Who makes a client's engines. */
export interface EngineFactories {
  /** `undefined`: TCP is not used. */
  readonly tcp: ClientProtocolFactory | undefined;
  /** `undefined`: QUIC is not used. */
  readonly quic: ClientQuicFactory | undefined;
}

/** Makes the factories. @throws ConfigurationError for options that cannot be met */
export function engineFactories(options: ClientOptions): EngineFactories {
  const settings = factoryOptions(options);
  const { tcp, http3 } = transportsOf(settings);
  return {
    tcp: tcp ? defaultClientFactory(settings) : undefined,
    quic: http3 === 'asked-for' ? defaultQuicClientFactory(settings) : undefined,
  };
}

/** Makes the opener. @throws ConfigurationError when HTTP/3 is asked for and the networking has no UDP */
export function clientOpener(
  factories: EngineFactories,
  networking: ClientNetworking,
  options: ClientOptions,
  sessions: QuicSessions,
): HttpOpener {
  const { tcp: factory } = factories;
  const tcp =
    factory === undefined
      ? undefined
      : new HttpOverTcpOpener({ networking, factory, connectionLimits: options.connectionLimits });
  const quic = quicOpener(factories, networking, options, sessions);
  if (tcp !== undefined && quic !== undefined) return new HttpRacingOpener(quic, tcp, networking.clock);
  const only = tcp ?? quic;
  if (only === undefined) throw new ConfigurationError('no protocol was chosen');
  return only;
}

function quicOpener(
  factories: EngineFactories,
  networking: ClientNetworking,
  options: ClientOptions,
  sessions: QuicSessions,
): HttpOpener | undefined {
  const { quic: factory } = factories;
  if (factory === undefined) return undefined;
  const udp = withUdp(networking);
  if (udp === undefined) throw new ConfigurationError('there is no HTTP/3 here: the networking has no UDP');
  return new HttpOverQuicOpener({ networking: udp, factory, sessions, ...options.quic });
}

/** Bounds of our engine that the client keeps itself, per request and with its own names. */
const ownBounds = { bodyTimeout: Infinity, writeTimeout: Infinity, maxInformational: Infinity };
/** On HTTP/1 the head is the response's; on later versions it is a frame, which has to come on once it has begun. */
const ownHttp1Bounds = { ...ownBounds, headTimeout: Infinity };
/** The pool closes what is idle. */
const ownMultiplexedBounds = { ...ownBounds, keepAliveTimeout: Infinity };

function factoryOptions(options: ClientOptions): DefaultFactoryOptions {
  const { implementations, http1Limits, http2Limits, http3Limits } = options;
  const isOurs = (version: 'http1' | 'http2' | 'http3'): boolean => (implementations?.[version] ?? 'hface') === 'hface';
  return {
    protocol: choiceOf(options),
    implementations,
    factories: { http1: options.http1Factory, http2: options.http2Factory, http3: options.http3Factory },
    settings: {
      http1: { limits: { ...(isOurs('http1') ? ownHttp1Bounds : {}), ...http1Limits } },
      http2: { limits: { ...(isOurs('http2') ? ownMultiplexedBounds : {}), ...http2Limits } },
      http3: { limits: { ...(isOurs('http3') ? ownMultiplexedBounds : {}), ...http3Limits } },
    },
    trace: options.trace,
  };
}

/** The versions, with what `http3` says. @throws ConfigurationError where that contradicts the list */
function choiceOf(options: ClientOptions): ClientOptions['protocol'] {
  const { protocol = 'all', http3 } = options;
  if (http3 === undefined) return protocol;
  const listed = typeof protocol === 'object' && protocol.includes('http3');
  if (!http3) {
    if (listed) throw new ConfigurationError('http3: false contradicts the list of versions');
    return protocol;
  }
  if (protocol === 'tcp') throw new ConfigurationError("http3: true contradicts protocol: 'tcp'");
  if (protocol === 'all') return ['http3', 'http2', 'http1'];
  return listed ? protocol : ['http3', ...protocol];
}
