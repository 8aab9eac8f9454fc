/**
 * The engines of an endpoint.
 *
 * Owns how a server's limits and timeouts are told to the engines that it makes itself, and where HTTP/3 is left out.
 *
 * @module
 */
import type { Cluster } from 'node:cluster';
import { ConfigurationError, resolveLimits } from '../common/index.ts';
import type { Endpoint, ServerTlsConfig } from '../common/index.ts';
import { defaultQuicServerFactory, defaultServerFactory, transportsOf } from '../connections/index.ts';
import type { DefaultFactoryOptions } from '../connections/index.ts';
import { serverLimits, serverTimeouts } from './limits.ts';
import type { AppServerOptions, EndpointOptions, ServerProtocolFactory, ServerQuicFactory } from './server-options.ts';

/** Who makes the engines of one endpoint. */
export interface EndpointFactories {
  /** Over TCP; `undefined` where it is not spoken. */
  readonly factory: ServerProtocolFactory | undefined;
  /** Over QUIC; `undefined` where it is not spoken. */
  readonly quicFactory: ServerQuicFactory | undefined;
}

/**
 * Makes the engines of an endpoint.
 *
 * @param own - what differs at the endpoint
 * @param endpoint - where it is; `undefined`: only to find mistakes
 * @throws ConfigurationError for versions, implementations and limits that do not exist or cannot be had there
 */
export function endpointFactories(
  own: EndpointOptions,
  options: AppServerOptions,
  endpoint: Endpoint | undefined,
  tls: ServerTlsConfig | undefined,
): EndpointFactories {
  const settings = factoryOptions(own, options);
  const { tcp, http3 } = transportsOf(settings);
  const obstacle = endpoint === undefined ? undefined : obstacleTo(endpoint, options, tls);
  if (obstacle !== undefined && http3 === 'asked-for' && !(tcp && endpoint?.scheme === 'http')) throw obstacle;
  const quic = http3 !== 'no' && obstacle === undefined;
  return {
    factory: tcp ? defaultServerFactory(settings) : undefined,
    quicFactory: quic ? defaultQuicServerFactory(settings) : undefined,
  };
}

/** Why there can be no HTTP/3 at an endpoint. */
function obstacleTo(
  endpoint: Endpoint,
  options: AppServerOptions,
  tls: ServerTlsConfig | undefined,
): ConfigurationError | undefined {
  if (endpoint.unixPath !== undefined) return new ConfigurationError('there is no HTTP/3 on a unix socket');
  if (endpoint.scheme !== 'https') {
    return new ConfigurationError('there is no HTTP/3 without TLS', { hint: 'an https endpoint' });
  }
  if (options.networking !== undefined && options.networking.listenUdp === undefined) {
    return new ConfigurationError('there is no HTTP/3 here: the networking has no UDP');
  }
  if (options.reusePort === true || isClusterWorker()) {
    // Datagrams of one connection would come to any of them.
    return new ConfigurationError('there is no HTTP/3 where several processes share a port');
  }
  if (tls?.pfx === undefined) return undefined;
  return new ConfigurationError('HTTP/3 takes no PKCS#12', {
    code: 'ERR_TLS_PFX',
    hint: 'give cert and key in PEM: openssl pkcs12 -in FILE -nodes',
  });
}

/** Asked when it matters: `node:cluster` is worth a few percent of what importing this package takes. */
function isClusterWorker(): boolean {
  return (process.getBuiltinModule('node:cluster') as unknown as Cluster).isWorker;
}

function factoryOptions(own: EndpointOptions, options: AppServerOptions): DefaultFactoryOptions {
  const limits = resolveLimits('server', serverLimits, options.limits);
  const timeouts = resolveLimits('server timeouts', serverTimeouts, options.timeouts);
  const errorResponseHeaders = options.serverName === undefined ? [] : ['server', options.serverName];
  const bounds = {
    maxHeaderBytes: limits.maxHeaderBytes,
    maxHeaderCount: limits.maxHeaderCount,
    maxBodyBytes: limits.maxBodyBytes,
    headTimeout: timeouts.head,
    bodyTimeout: timeouts.bodyIdle,
    writeTimeout: timeouts.writeProgress,
    keepAliveTimeout: timeouts.keepAlive,
  };
  return {
    protocol: own.protocol ?? options.protocol,
    factories: {
      http1: own.http1Factory ?? options.http1Factory,
      http2: own.http2Factory ?? options.http2Factory,
      http3: own.http3Factory ?? options.http3Factory,
    },
    implementations: {
      http1: own.http1Implementation ?? options.http1Implementation,
      http2: own.http2Implementation ?? options.http2Implementation,
      http3: own.http3Implementation ?? options.http3Implementation,
    },
    settings: {
      http1: { limits: bounds, errorResponseHeaders },
      http2: { limits: { ...bounds, ...options.http2Limits }, errorResponseHeaders },
      http3: { limits: { ...bounds, ...options.http3Limits }, errorResponseHeaders },
    },
  };
}
