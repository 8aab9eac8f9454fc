/**
 * TLS 1.3 as QUIC needs it: handshakes without records, sans-IO and synchronous.
 *
 * @module
 */
export { Alert } from './alerts.ts';
export { TlsClientHandshake } from './client-handshake.ts';
export type { TlsCertificateVerdict, TlsHandshake } from './handshake.ts';
export type { HandshakeMessage } from './handshake-types.ts';
export { tlsLimits } from './limits.ts';
export type { TlsLimit } from './limits.ts';
export { TlsServerHandshake } from './server-handshake.ts';
export { TicketSealer } from './session.ts';
export type { ClientSession, TicketKey, TicketState } from './session.ts';
export * from './tls-config.ts';
export type * from './tls-events.ts';
export type { Transcript } from './transcript.ts';
