/**
 * What a handshake is told before it begins.
 *
 * Owns the shapes and the defaults of algorithms. PEM, files and the user's options belong to those who make these.
 *
 * @module
 */
import type { Random } from '../common/index.ts';
import type { CryptoProvider, SigningKey } from '../crypto/index.ts';
import { NamedGroup, SignatureScheme } from '../crypto/index.ts';
import type { ClientSession, TicketSealer } from './session.ts';

/** A certificate chain and the key of its leaf. */
export interface EngineIdentity {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly key: SigningKey;
}

/** What both sides are told. */
export interface TlsCommonConfig {
  readonly crypto: CryptoProvider;
  /** For what goes over the wire in the clear: hello randoms, ticket nonces. */
  readonly random: Random;
  /** Where ephemeral keys come from; `undefined` is the provider's own generator. Simulations give a seeded one. */
  readonly keyRandom: Random | undefined;
  /** Best first. */
  readonly alpn: readonly string[];
  /** By number, best first. */
  readonly cipherSuites: readonly number[];
  /** By number, best first. */
  readonly groups: readonly number[];
  /** By number, best first: what the peer may sign with. */
  readonly signatureSchemes: readonly number[];
  /** Whether secrets are told by `KeyLogged`. */
  readonly keylog: boolean;
}

/** What a client is told. */
export interface TlsClientConfig extends TlsCommonConfig {
  /** The QUIC transport parameters that are sent. */
  readonly transportParameters: Uint8Array;
  /** The name to ask for; `undefined` for an address (RFC 6066 section 3). */
  readonly serverName: string | undefined;
  /** The groups that a share is sent for; the others cost a round trip. */
  readonly keyShareGroups: readonly number[];
  readonly identity: EngineIdentity | undefined;
  /** A session to resume. */
  readonly session: ClientSession | undefined;
  /** Whether 0-RTT is offered with it. */
  readonly earlyData: boolean;
}

/** What a server is told, the same for all of its connections. Its identity is asked for by `ClientHelloReceived`. */
export interface TlsServerConfig extends TlsCommonConfig {
  readonly clientCertificate: 'none' | 'request' | 'require';
  /** `undefined`: no tickets. */
  readonly tickets: TicketSealer | undefined;
  /** Seconds for which a ticket lives, at most 604,800. */
  readonly ticketLifetime: number;
  /** Whether 0-RTT may be accepted. */
  readonly earlyData: boolean;
}

/** Schemes that we verify, best first. */
export const defaultSignatureSchemes: readonly number[] = [
  SignatureScheme.ecdsaSecp256r1Sha256,
  SignatureScheme.ed25519,
  SignatureScheme.ecdsaSecp384r1Sha384,
  SignatureScheme.rsaPssRsaeSha256,
  SignatureScheme.rsaPssRsaeSha384,
  SignatureScheme.rsaPssRsaeSha512,
  SignatureScheme.rsaPssPssSha256,
  SignatureScheme.rsaPssPssSha384,
  SignatureScheme.rsaPssPssSha512,
];

/** The groups that a share is sent for when nothing else is said: one small share. */
export const defaultKeyShareGroups: readonly number[] = [NamedGroup.x25519];
