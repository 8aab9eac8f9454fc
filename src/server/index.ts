/**
 * The server of apps.
 *
 * @module
 */
export { AppServer } from './app-server.ts';
export type { ListenOptions } from './app-server.ts';
export { serverLimits, serverTimeouts } from './limits.ts';
export type { ServerLimitOptions, ServerTimeoutOptions } from './limits.ts';
export type { DrainServerOptions, RunningServer } from './running-server.ts';
export type {
  AppErrorDetails,
  AppServerOptions,
  EndpointEntry,
  EndpointInit,
  EndpointOptions,
  ErrorPageDetails,
  QuicServerOptions,
  RequestRecord,
  ServerNetworking,
  ServerProtocolFactory,
  ServerQuicFactory,
} from './server-options.ts';
