/**
 * What a handshake tells whoever carries its messages.
 *
 * Owns the union. One constructor function is not worth its line here: events are few and each is made in one place.
 *
 * @module
 */
import type { CipherSuite } from '../crypto/index.ts';
import type { ClientSession } from './session.ts';

/** The levels of RFC 9001 section 4.1.4; `early` carries no handshake message. */
export type EncryptionLevel = 'initial' | 'early' | 'handshake' | 'application';

/** Bytes for the CRYPTO stream of a level. */
export interface CryptoDataProduced {
  readonly type: 'CryptoDataProduced';
  readonly level: EncryptionLevel;
  readonly data: Uint8Array;
}

/** Traffic secrets of a level; a direction that it does not have is `undefined`. */
export interface SecretsReady {
  readonly type: 'SecretsReady';
  readonly level: EncryptionLevel;
  readonly suite: CipherSuite;
  readonly read: Uint8Array | undefined;
  readonly write: Uint8Array | undefined;
}

/** Server: waits for `submitServerIdentity`. */
export interface TlsClientHelloReceived {
  readonly type: 'ClientHelloReceived';
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  readonly signatureSchemes: readonly number[];
}

/** A chain whose key has signed the handshake: waits for `submitCertificateVerdict`. */
export interface TlsCertificateReceived {
  readonly type: 'CertificateReceived';
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly ocsp: Uint8Array | undefined;
}

/** Server: a ticket that opened and fits; waits for `submitTicketVerdict`. */
export interface TlsTicketOffered {
  readonly type: 'TicketOffered';
  readonly ticket: Uint8Array;
  /** Whether the client has begun to send 0-RTT and it could be taken. */
  readonly earlyData: boolean;
  /** What the server kept in the ticket. */
  readonly applicationData: Uint8Array;
}

/** The peer's QUIC transport parameters, before they are authenticated by the end of the handshake. */
export interface TransportParametersReceived {
  readonly type: 'TransportParametersReceived';
  readonly data: Uint8Array;
}

/** Whether 0-RTT was accepted; only when it was offered. */
export interface EarlyDataDecided {
  readonly type: 'EarlyDataDecided';
  readonly accepted: boolean;
}

/** Both Finished messages were right (RFC 9001 section 4.1.1: complete). */
export interface TlsHandshakeCompleted {
  readonly type: 'HandshakeCompleted';
  readonly alpn: string;
  readonly suite: CipherSuite;
  readonly resumed: boolean;
  /** The peer's leaf in DER, or `undefined`. */
  readonly peerCertificate: Uint8Array | undefined;
}

/** Client: a session for later. */
export interface SessionReceived {
  readonly type: 'SessionReceived';
  readonly session: ClientSession;
}

/** A line of the NSS key log. */
export interface KeyLogged {
  readonly type: 'KeyLogged';
  readonly line: string;
}

/** The end: no other event follows. */
export interface HandshakeFailed {
  readonly type: 'HandshakeFailed';
  /** A TLS alert; `undefined` for what QUIC calls PROTOCOL_VIOLATION. */
  readonly alert: number | undefined;
  readonly reason: string;
}

/** Everything that a handshake tells. */
export type TlsEvent =
  | CryptoDataProduced
  | SecretsReady
  | TlsClientHelloReceived
  | TlsCertificateReceived
  | TlsTicketOffered
  | TransportParametersReceived
  | EarlyDataDecided
  | TlsHandshakeCompleted
  | SessionReceived
  | KeyLogged
  | HandshakeFailed;
