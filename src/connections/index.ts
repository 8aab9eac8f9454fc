/**
 * The drivers: an engine on a stream is a connection; listeners, openers, pools, exchanges.
 *
 * @module
 */
export { acceptTunnel, offeredTunnel } from './accept-tunnel.ts';
export { admissionKey, ConnectionAdmission } from './admission.ts';
export { startConnectionIds } from './connection-facts.ts';
export { ClientExchanges, openExchanges } from './client-exchange.ts';
export type { ClientExchangesHandler } from './client-exchange.ts';
export type * from './exchange.ts';
export {
  defaultClientFactory,
  defaultQuicClientFactory,
  defaultQuicServerFactory,
  defaultServerFactory,
  systemNetworking,
  transportsOf,
} from './defaults.ts';
export type { DefaultFactoryOptions, Http3Choice, ProtocolChoice } from './defaults.ts';
export { connectionOverStream, HttpConnection } from './http-connection.ts';
export type { SendDataOptions, SendHeadersOptions } from './http-connection.ts';
export type * from './http-driver.ts';
export type * from './http-listener.ts';
export { HttpMultiListener } from './http-multi-listener.ts';
export type { MultiListenerEntry } from './http-multi-listener.ts';
export type * from './http-opener.ts';
export { HttpOverQuicListener } from './http-over-quic-listener.ts';
export type { HttpOverQuicListenerOptions } from './http-over-quic-listener.ts';
export { HttpOverQuicOpener } from './http-over-quic-opener.ts';
export type { HttpOverQuicOpenerOptions } from './http-over-quic-opener.ts';
export { HttpOverTcpListener } from './http-over-tcp-listener.ts';
export type { HttpOverTcpListenerOptions } from './http-over-tcp-listener.ts';
export { HttpOverTcpOpener } from './http-over-tcp-opener.ts';
export type { HttpOverTcpOpenerOptions } from './http-over-tcp-opener.ts';
export { HttpRacingOpener } from './http-racing-opener.ts';
export { HttpSharedPortListener } from './http-shared-port-listener.ts';
export * from './limits.ts';
export { OverTcpDriver } from './over-tcp-driver.ts';
export { openTunnel, tunnelAccepted, tunnelRequest } from './open-tunnel.ts';
export type { TunnelRequest } from './open-tunnel.ts';
export { HttpPool } from './pool.ts';
export type { HttpPoolOptions, HttpPoolState } from './pool.ts';
export type { PoolTarget } from './pool-origin.ts';
export { PoolRequest } from './pool-request.ts';
export type { PoolAssignment, PoolRequestHandler, PoolRequestOptions, RequestTimings } from './pool-request.ts';
export { qlogTrace } from './qlog-trace.ts';
export type { QlogHead } from './qlog-trace.ts';
export { QuicSessions } from './quic-sessions.ts';
export type { ServerMemory } from './quic-sessions.ts';
export type { TurnTaker } from './turns.ts';
export type * from './quic-traces.ts';
export { serveExchanges, ServerExchanges } from './server-exchange.ts';
export type { ServerExchangesHandler } from './server-exchange.ts';
