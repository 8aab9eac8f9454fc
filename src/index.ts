/**
 * One API for every HTTP version: servers, proxies and clients.
 *
 * What most programs need. Each layer has an entry of its own besides: `hface-ts/connections`, `hface-ts/protocols` …
 *
 * @module
 */
export {
  AppError,
  ConfigurationError,
  HfaceError,
  LimitError,
  LocalProtocolError,
  NetworkError,
  ProxyError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
} from './common/index.ts';
export type {
  ClientTlsConfig,
  Endpoint,
  HeaderList,
  Logger,
  LogLevel,
  ServerTlsConfig,
  SocketAddress,
} from './common/index.ts';
export { asgi, nodeApp, staticFiles } from './app/index.ts';
export type {
  App,
  AppContext,
  AppStyle,
  AsgiApp,
  AsgiReceive,
  AsgiScope,
  AsgiSend,
  FetchApp,
  FetchHandler,
  FetchObject,
  NodeApp,
  StaticFilesOptions,
  StyledApp,
} from './app/index.ts';
export { AppServer } from './server/index.ts';
export type {
  AppServerOptions,
  DrainServerOptions,
  ListenOptions,
  QuicServerOptions,
  RequestRecord,
  RunningServer,
} from './server/index.ts';
export { Client, ClientResponse, ClientSession } from './client/index.ts';
export type {
  ClientOptions,
  ClientRequest,
  ClientRequestHandler,
  FetchOptions,
  QuicClientOptions,
  RequestBody,
} from './client/index.ts';
