/**
 * The options of the command as those of an {@link AppServer}, the same in one process and in workers.
 *
 * @module
 */
import type { Endpoint, ServerTlsConfig } from '../../src/common/index.ts';
import type { QuicTraces } from '../../src/connections/index.ts';
import type { AppServerOptions, EndpointEntry } from '../../src/server/index.ts';
import type { CommandContext } from '../context.ts';
import { chooseImplementations, chooseProtocol } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import type { LoadedApp } from './load-app.ts';
import { reportAppFailure } from './messages.ts';
import type { ServerOutput } from './output.ts';

/** How the app is served. @throws CommandError (usage) */
export function appServerOptions(
  app: LoadedApp,
  values: OptionValues,
  output: ServerOutput,
  context: CommandContext,
  traces?: QuicTraces,
): AppServerOptions {
  const { logger, dev, onRequest } = output;
  const implementations = chooseImplementations(values);
  return {
    appStyle: app.style,
    dev,
    logger,
    onError: (error, details) => reportAppFailure(logger, error, details, dev),
    ...(onRequest === undefined ? {} : { onRequest }),
    protocol: chooseProtocol(values),
    http1Implementation: implementations.http1,
    http2Implementation: implementations.http2,
    http3Implementation: implementations.http3,
    ...(traces === undefined ? {} : { quic: { traces } }),
    ...(context.networking === undefined ? {} : { networking: context.networking }),
  };
}

/** The endpoints, those of https with TLS. */
export function endpointEntries(endpoints: readonly Endpoint[], tls: ServerTlsConfig | undefined): EndpointEntry[] {
  return endpoints.map((endpoint) => (endpoint.scheme === 'https' ? { endpoint, tls } : { endpoint }));
}
