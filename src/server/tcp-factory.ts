/**
 * The engines of an endpoint.
 *
 * Owns how a server's limits and timeouts are told to the engines that it makes itself.
 *
 * @module
 */
import { resolveLimits } from '../common/index.ts';
import { defaultServerFactory } from '../connections/index.ts';
import { serverLimits, serverTimeouts } from './limits.ts';
import type { AppServerOptions, EndpointOptions, ServerProtocolFactory } from './server-options.ts';

/**
 * Makes the engines over TCP.
 *
 * @param own - what differs at the endpoint
 * @throws ConfigurationError for versions, implementations and limits that do not exist
 */
export function tcpFactory(own: EndpointOptions, options: AppServerOptions): ServerProtocolFactory {
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
  return defaultServerFactory({
    protocol: own.protocol ?? options.protocol,
    factories: {
      http1: own.http1Factory ?? options.http1Factory,
      http2: own.http2Factory ?? options.http2Factory,
    },
    implementations: {
      http1: own.http1Implementation ?? options.http1Implementation,
      http2: own.http2Implementation ?? options.http2Implementation,
    },
    settings: {
      http1: { limits: bounds, errorResponseHeaders },
      http2: { limits: { ...bounds, ...options.http2Limits }, errorResponseHeaders },
    },
  });
}
