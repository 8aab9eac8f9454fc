/**
 * What a QUIC connection is told before it begins.
 *
 * Owns the shapes and their defaults. PEM, files and the options of users belong to those who make these.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import { cipherSuites } from '../../crypto/index.ts';
import type { ClientSession, EngineIdentity, TicketSealer } from '../../tls/index.ts';
import { defaultKeyShareGroups, defaultSignatureSchemes } from '../../tls/index.ts';
import type { QuicLimitValues } from './limits.ts';
import { quicLimitValues } from './limits.ts';
import type { InitialKeys } from './packet-protection.ts';
import type { QuicTrace } from './qlog-events.ts';
import type { PreferredAddress } from './transport-parameters.ts';

/** A connection id of this side, and the token that ends what is sent to it (RFC 9000 section 10.3). */
export interface IssuedConnectionId {
  /** Of {@link ConnectionIdSource.length} bytes. */
  readonly id: Uint8Array;
  /** 16 bytes. */
  readonly resetToken: Uint8Array;
}

/** Where a connection gets the ids from that its peer shall use. */
export interface ConnectionIdSource {
  /** The length of each, 0 to 20 bytes. With 0 there is only one. */
  readonly length: number;
  /** A fresh one. */
  next(): IssuedConnectionId;
}

/** A session to resume: what TLS keeps, and what the application above kept with it. */
export interface QuicSession {
  readonly tls: ClientSession;
  /** What the client gave to `setTicketApplicationData`, such as the settings that the server sent. */
  readonly applicationData: Uint8Array;
}

/** What both sides are told. */
export interface QuicCommonConfig {
  readonly crypto: CryptoProvider;
  /** For what goes over the wire in the clear or is no secret: ids, path challenges, skipped packet numbers, grease. */
  readonly random: Random;
  /** Where ephemeral keys come from; `undefined` is the provider's own generator. Simulations give a seeded one. */
  readonly keyRandom: Random | undefined;
  /** Milliseconds since 1970 at the moment that the driver's clock calls 0: tickets have ages. */
  readonly epoch: number;
  /** Application protocols, best first. */
  readonly alpn: readonly string[];
  /** By number, best first. */
  readonly cipherSuites: readonly number[];
  /** Groups for key agreement by number, best first. */
  readonly groups: readonly number[];
  /** What the peer may sign with, by number, best first. */
  readonly signatureSchemes: readonly number[];
  /** Whether secrets are told by `KeyLogged` notices. */
  readonly keylog: boolean;
  readonly limits: QuicLimitValues;
  readonly congestion: 'cubic' | 'newreno';
  /**
   * The part of packets whose loss is put down to chance while round trips show no queue; 0: every loss is taken for
   * congestion, as RFC 9002 has it in appendix B. See loss-judge.ts.
   */
  readonly toleratedLoss: number;
  /** The size of datagrams at first, in bytes; at least 1200. More only on a path that is known to carry it. */
  readonly initialDatagramSize: number;
  /** How far path MTU discovery goes; not above `initialDatagramSize` unless the system forbids fragments. */
  readonly maxDatagramSize: number;
  /** How long acknowledgements may wait, in milliseconds. */
  readonly maxAckDelay: number;
  /** Whether the fixed bit may be anything (RFC 9287), and reserved parameters are sent (RFC 9000 section 18.1). */
  readonly grease: boolean;
  readonly disableActiveMigration: boolean;
  readonly connectionIds: ConnectionIdSource;
  /** What is told to a log, synchronously. Nothing is computed without. */
  readonly trace: QuicTrace | undefined;
}

/** What a client is told. */
export interface QuicClientConfig extends QuicCommonConfig {
  readonly role: 'client';
  /** The name to ask for; `undefined` for an address (RFC 6066 section 3). */
  readonly serverName: string | undefined;
  /** What `CertificateReceived` calls the server: its name, or its address. */
  readonly host: string;
  /** The groups that a share is sent for. */
  readonly keyShareGroups: readonly number[];
  readonly identity: EngineIdentity | undefined;
  readonly session: QuicSession | undefined;
  /** Whether 0-RTT is offered with the session. */
  readonly earlyData: boolean;
  /** What an earlier connection was given by NEW_TOKEN; empty without. */
  readonly token: Uint8Array;
  /**
   * Whether a socket of the driver's reaches one peer only, so that it has to open another one before the connection can
   * go to the server's preferred address. It is told where by a notice then; otherwise the connection goes by itself.
   */
  readonly socketPerPath: boolean;
}

/** What a server is told. */
export interface QuicServerConfig extends QuicCommonConfig {
  readonly role: 'server';
  readonly clientCertificate: 'none' | 'request' | 'require';
  /** `undefined`: no tickets. */
  readonly tickets: TicketSealer | undefined;
  /** Seconds for which a ticket lives, at most 604,800. */
  readonly ticketLifetime: number;
  /** Tickets that are sent once the handshake is complete. */
  readonly ticketCount: number;
  /** Whether 0-RTT may be accepted. */
  readonly earlyData: boolean;
  /** Where clients shall go once the handshake is confirmed; `undefined`: stay (RFC 9000 section 9.6). */
  readonly preferredAddress: Pick<PreferredAddress, 'ipv4' | 'ipv6'> | undefined;
  /** Makes a token for NEW_TOKEN once the handshake is complete; `undefined`: none is sent. */
  readonly newToken: ((remote: string, now: number) => Uint8Array | undefined) | undefined;
}

/** What a server knows of a client from its first Initial packet. */
export interface QuicInitial {
  /** The Destination Connection ID of the client's very first Initial, before any Retry. */
  readonly originalDestinationId: Uint8Array;
  /** The Destination Connection ID of the Initial that is accepted: keys come from it (RFC 9001 section 5.2). */
  readonly destinationId: Uint8Array;
  /** The client's Source Connection ID. */
  readonly sourceId: Uint8Array;
  /** The Source Connection ID of the Retry that was sent, or `undefined`. */
  readonly retrySourceId: Uint8Array | undefined;
  /** Whether a token has proved the client's address (RFC 9000 section 8.1). */
  readonly addressValidated: boolean;
}

/** A first packet that was opened, to see whether it is authentic, before there was a connection. */
export interface OpenedInitial extends QuicInitial {
  readonly opened: OpenedPacket;
}

/** What came of opening an Initial packet. */
export interface OpenedPacket {
  /** What opened it. */
  readonly keys: InitialKeys;
  /** The datagram, as it came: its first packet is the one that was opened. */
  readonly datagram: Uint8Array;
  /** The first byte, without its protection. */
  readonly first: number;
  readonly number: number;
  readonly payload: Uint8Array;
}

/** What has to be said of every connection. */
export type QuicRequiredSetting = 'crypto' | 'random' | 'alpn' | 'connectionIds';

/** What has to be said of a client; the rest has defaults. */
export type QuicClientSettings = Pick<QuicClientConfig, QuicRequiredSetting | 'host'> &
  Partial<Omit<QuicClientConfig, 'role'>>;

/** What has to be said of a server; the rest has defaults. */
export type QuicServerSettings = Pick<QuicServerConfig, QuicRequiredSetting> & Partial<Omit<QuicServerConfig, 'role'>>;

const EMPTY = new Uint8Array(0);
/** What every path of the internet carries (RFC 9000 section 14). */
export const MIN_DATAGRAM = 1_200;

/** The same for all connections that are told nothing else. */
const defaultSuites: readonly number[] = cipherSuites.map(({ id }) => id);
const defaultLimits: QuicLimitValues = quicLimitValues();

function commonDefaults(crypto: CryptoProvider): Omit<QuicCommonConfig, QuicRequiredSetting> {
  return {
    keyRandom: undefined,
    epoch: 0,
    cipherSuites: defaultSuites,
    groups: crypto.groups,
    signatureSchemes: defaultSignatureSchemes,
    keylog: false,
    limits: defaultLimits,
    congestion: 'cubic',
    toleratedLoss: 0.02,
    initialDatagramSize: MIN_DATAGRAM,
    maxDatagramSize: MIN_DATAGRAM,
    maxAckDelay: 25,
    grease: true,
    disableActiveMigration: false,
    trace: undefined,
  };
}

/** A client's configuration with defaults filled in. */
export function quicClientConfig(settings: QuicClientSettings): QuicClientConfig {
  return {
    ...commonDefaults(settings.crypto),
    serverName: undefined,
    keyShareGroups: defaultKeyShareGroups,
    identity: undefined,
    session: undefined,
    earlyData: false,
    token: EMPTY,
    socketPerPath: false,
    ...settings,
    role: 'client',
  };
}

/** A server's configuration with defaults filled in. */
export function quicServerConfig(settings: QuicServerSettings): QuicServerConfig {
  return {
    ...commonDefaults(settings.crypto),
    clientCertificate: 'none',
    tickets: undefined,
    ticketLifetime: 7_200,
    ticketCount: 2,
    earlyData: false,
    preferredAddress: undefined,
    newToken: undefined,
    ...settings,
    role: 'server',
  };
}
