/**
 * QUIC version 1, sans-IO: the endpoint and its connections, what they are told, and what they tell.
 *
 * @module
 */
export type { AddressTokenKey } from './address-token.ts';
export type { ConnectionIdKeys } from './connection-id-source.ts';
export { CONNECTION_ID_LENGTH, MAX_WORKERS, WorkerConnectionIds, WorkerRouter } from './connection-id-source.ts';
export type * from './endpoint-options.ts';
export { QuicEndpoint } from './endpoint.ts';
export { QuicConnection } from './connection.ts';
export type { QuicRemains } from './connection-close.ts';
export { quicClientConfig, quicServerConfig } from './connection-config.ts';
export type {
  ConnectionIdSource,
  IssuedConnectionId,
  QuicClientConfig,
  QuicClientSettings,
  QuicCommonConfig,
  QuicInitial,
  QuicRequiredSetting,
  QuicServerConfig,
  QuicServerSettings,
  QuicSession,
} from './connection-config.ts';
export type {
  ConnectionIdChange,
  ConnectionIdIssued,
  ConnectionIdRetired,
  ResetTokenExpected,
  ResetTokenForgotten,
} from './connection-ids.ts';
export type * from './connection-notices.ts';
export { engineIdentity } from './engine-identity.ts';
export { QuicError } from './error-codes.ts';
export type { PacketKind } from './frame-types.ts';
export type { QuicEndpointLimit, QuicEndpointLimitValues, QuicLimit, QuicLimitValues } from './limits.ts';
export { quicEndpointLimits, quicEndpointLimitValues, quicLimits, quicLimitValues } from './limits.ts';
export type { QlogOptions } from './qlog.ts';
export { QlogTrace } from './qlog.ts';
export type * from './qlog-events.ts';
export type { PacketSpace } from './loss-recovery.ts';
export type { SentFrame } from './sent-packets.ts';
export type { PreferredAddress, TransportParameters } from './transport-parameters.ts';
export { hasOurVersion, VersionProbe } from './version-probe.ts';
