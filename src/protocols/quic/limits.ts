/**
 * Every bound of QUIC, as data.
 *
 * Owns the tables, of connections and of endpoints, and the reading of overrides. What happens at each bound stands in `answers`. Bounds that RFC 9000
 * fixes are not here: they are no one's to change.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../../common/index.ts';
import { ConfigurationError, resolveLimits } from '../../common/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;

/** The limits of a QUIC connection. */
export type QuicLimit =
  | 'handshakeTimeout'
  | 'verdictTimeout'
  | 'idleTimeout'
  | 'keepAliveInterval'
  | 'maxCryptoBytes'
  | 'maxUndecryptablePackets'
  | 'maxNotices'
  | 'maxStreamsBidi'
  | 'maxStreamsUni'
  | 'initialStreamWindow'
  | 'maxStreamWindow'
  | 'maxUnconsumedBytes'
  | 'maxSmallPieces'
  | 'sendBufferBytes'
  | 'maxUnsentBytes'
  | 'maxQueuedDatagrams'
  | 'maxDatagramFrameBytes'
  | 'activeConnectionIdLimit'
  | 'maxPackets'
  | 'maxForgeries'
  | 'maxPaths'
  | 'maxPathResponses';

const table: Readonly<Record<QuicLimit, LimitDefinition>> = {
  handshakeTimeout: {
    unit: 'milliseconds',
    default: 10 * SECOND,
    answers: 'A handshake that does not end: the connection is closed. Memory held before a peer is known.',
  },
  verdictTimeout: {
    unit: 'milliseconds',
    default: 8 * SECOND,
    answers: 'An identity or a verdict on a certificate that is not given: closed with an alert. A ticket is refused.',
  },
  idleTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'Silence in both directions: the connection is forgotten (RFC 9000 section 10.1). 0: never.',
  },
  keepAliveInterval: {
    unit: 'milliseconds',
    default: Number.POSITIVE_INFINITY,
    answers: 'After so long without a packet a PING keeps the connection and its path alive (RFC 9000 section 10.1.2).',
  },
  maxCryptoBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'Handshake bytes of one level that wait. CRYPTO_BUFFER_EXCEEDED (CVE-2024-1765).',
  },
  maxUndecryptablePackets: {
    unit: 'count',
    default: 16,
    answers: 'Packets kept until their keys come. Further ones are dropped (CVE-2025-59530).',
  },
  maxNotices: {
    unit: 'count',
    default: 32,
    answers: 'Sessions, tokens and key log lines that nobody fetches. The oldest are dropped: a flood of NEW_TOKEN.',
  },
  maxStreamsBidi: {
    unit: 'count',
    default: 128,
    answers: 'Bidirectional streams of the peer at once. STREAM_LIMIT_ERROR.',
  },
  maxStreamsUni: {
    unit: 'count',
    default: 16,
    answers: 'Unidirectional streams of the peer at once. STREAM_LIMIT_ERROR.',
  },
  initialStreamWindow: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: "A stream's receive window at first. FLOW_CONTROL_ERROR. Memory held for a slow reader.",
  },
  maxStreamWindow: {
    unit: 'bytes',
    default: 16 * MIB,
    answers: 'How far the window of a stream grows while its reader keeps up. Memory held for one slow reader.',
  },
  maxUnconsumedBytes: {
    unit: 'bytes',
    default: 10 * MIB,
    answers: 'What all slow streams together may hold: above it credit is given on consumption. FLOW_CONTROL_ERROR.',
  },
  maxSmallPieces: {
    unit: 'count',
    default: 16_384,
    answers: 'Unconsumed pieces of stream data of less than 128 bytes. INTERNAL_ERROR (data dribble, CVE-2019-9511).',
  },
  sendBufferBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers:
      'What of a stream waits to be sent for the first time; `sendCapacity` is 0 beyond. A peer whose windows are closed.',
  },
  maxUnsentBytes: {
    unit: 'bytes',
    default: 16 * MIB,
    answers: 'What all send buffers hold together, unacknowledged bytes counted. A peer that does not read.',
  },
  maxQueuedDatagrams: {
    unit: 'count',
    default: 32,
    answers: 'DATAGRAM frames that wait to be sent. The oldest is dropped (RFC 9221 section 5).',
  },
  maxDatagramFrameBytes: {
    unit: 'bytes',
    default: 65_535,
    answers: 'The longest DATAGRAM frame that is taken. PROTOCOL_VIOLATION. 0: none are (RFC 9221 section 3).',
  },
  activeConnectionIdLimit: {
    unit: 'count',
    default: 4,
    answers: "The peer's connection ids that are kept. CONNECTION_ID_LIMIT_ERROR (CVE-2024-22189).",
  },
  maxPackets: {
    unit: 'count',
    default: Number.POSITIVE_INFINITY,
    answers:
      'Packets sealed with one key before it is updated, when below what the cipher allows (RFC 9001 section 6.6).',
  },
  maxForgeries: {
    unit: 'count',
    default: Number.POSITIVE_INFINITY,
    answers:
      'Packets that are not authentic, when below what the cipher stands. AEAD_LIMIT_REACHED (RFC 9001 section 6.6).',
  },
  maxPaths: {
    unit: 'count',
    default: 4,
    answers:
      'Paths that are kept at once; the oldest that is not needed goes. A peer that pretends to move all the time.',
  },
  maxPathResponses: {
    unit: 'count',
    default: 3,
    answers: 'PATH_RESPONSE frames owed on a path. Further challenges stay unanswered (CVE-2023-6193, CVE-2023-49295).',
  },
};

/** What can be set for a QUIC connection. */
export const quicLimits: Readonly<Record<QuicLimit, LimitDefinition>> = table;

/** The values in force. */
export type QuicLimitValues = LimitValues<typeof quicLimits>;

/**
 * The values in force: the defaults with the overrides laid over them.
 *
 * @throws ConfigurationError for values that do not fit together
 */
export function quicLimitValues(overrides: LimitOptions<typeof quicLimits> = {}): QuicLimitValues {
  const values = resolveLimits('QUIC', quicLimits, overrides);
  const streams = values.maxStreamsBidi + values.maxStreamsUni;
  const atOnce = values.initialStreamWindow * streams;
  if (atOnce > values.maxUnconsumedBytes) {
    throw new ConfigurationError(
      `${String(streams)} streams of ${String(values.initialStreamWindow)} bytes do not fit into maxUnconsumedBytes of QUIC`,
      {
        hint:
          `set maxUnconsumedBytes to ${String(atOnce)}, or initialStreamWindow to ` +
          String(Math.floor(values.maxUnconsumedBytes / streams)),
      },
    );
  }
  return values;
}

/** The limits of a QUIC endpoint. */
export type QuicEndpointLimit =
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'maxHalfOpen'
  | 'maxHalfOpenPerAddress'
  | 'retryAboveHalfOpen'
  | 'maxIncoming'
  | 'maxIncomingDatagrams'
  | 'maxStubs'
  | 'maxReplies'
  | 'retryRate'
  | 'versionNegotiationRate'
  | 'statelessResetRate'
  | 'refusalRate'
  | 'closingReplyRate'
  | 'retryTokenLifetime'
  | 'newTokenLifetime'
  | 'maxUsedTokens';

const endpointTable: Readonly<Record<QuicEndpointLimit, LimitDefinition>> = {
  maxConnections: {
    unit: 'count',
    default: 10_000,
    answers: 'Connections at once, handshakes included; a further one is refused (CONNECTION_REFUSED). Memory.',
  },
  maxConnectionsPerAddress: {
    unit: 'count',
    default: 1_000,
    answers: 'Connections at once from one IPv4 address or one IPv6 /64; a further one is refused. One peer takes all.',
  },
  maxHalfOpen: {
    unit: 'count',
    default: 1_000,
    answers: 'Handshakes under way; a further one is refused. A flood of Initial packets (RFC 9000 section 21.3).',
  },
  maxHalfOpenPerAddress: {
    unit: 'count',
    default: 100,
    answers:
      'Handshakes under way from one IPv4 address or IPv6 /64: an address without proof gets a Retry, one with it is refused.',
  },
  retryAboveHalfOpen: {
    unit: 'count',
    default: 100,
    answers: 'Handshakes under way above which an address has to prove itself by a Retry. Spoofed Initial packets.',
  },
  maxIncoming: {
    unit: 'count',
    default: 64,
    answers: 'Connections that wait to be accepted; a further first packet is dropped, and comes again.',
  },
  maxIncomingDatagrams: {
    unit: 'count',
    default: 8,
    answers:
      'Datagrams kept for a connection that waits to be accepted. Further ones are dropped. Memory before a handshake.',
  },
  maxStubs: {
    unit: 'count',
    default: 4_096,
    answers: 'Closed connections that still answer with their close; further ones are forgotten at once. Memory.',
  },
  maxReplies: {
    unit: 'count',
    default: 256,
    answers: 'Datagrams without a connection that wait to be sent; further ones are dropped. A socket that takes none.',
  },
  retryRate: {
    unit: 'count',
    default: 1_000,
    answers: 'Retry packets each second. Reflection towards spoofed addresses (RFC 9000 section 21.3).',
  },
  versionNegotiationRate: {
    unit: 'count',
    default: 100,
    answers: 'Version Negotiation packets each second. Reflection.',
  },
  statelessResetRate: {
    unit: 'count',
    default: 100,
    answers: 'Stateless resets each second. Loops and oracles (RFC 9000 sections 10.3.3 and 21.11).',
  },
  refusalRate: {
    unit: 'count',
    default: 100,
    answers: 'Closes each second in answer to first packets (CONNECTION_REFUSED, INVALID_TOKEN). Work for a flood.',
  },
  closingReplyRate: {
    unit: 'count',
    default: 100,
    answers: 'Closes each second repeated for connections that are over (RFC 9000 section 10.2.1). Reflection.',
  },
  retryTokenLifetime: {
    unit: 'milliseconds',
    default: 15 * SECOND,
    answers:
      'How long the token of a Retry is good. INVALID_TOKEN. Tokens gathered for a flood (RFC 9000 section 8.1.4).',
  },
  newTokenLifetime: {
    unit: 'milliseconds',
    default: 24 * 3_600 * SECOND,
    answers:
      'How long a token of NEW_TOKEN is good; then it proves nothing. An address that has passed to someone else.',
  },
  maxUsedTokens: {
    unit: 'count',
    default: 16_384,
    answers:
      'Used tokens of NEW_TOKEN that are remembered; above it older tokens prove nothing. Replay (RFC 9000 section 8.1.4).',
  },
};

/** What can be set for a QUIC endpoint. */
export const quicEndpointLimits: Readonly<Record<QuicEndpointLimit, LimitDefinition>> = endpointTable;

/** The values in force. */
export type QuicEndpointLimitValues = LimitValues<typeof quicEndpointLimits>;

/** The values in force: the defaults with the overrides laid over them. @throws ConfigurationError */
export function quicEndpointLimitValues(
  overrides: LimitOptions<typeof quicEndpointLimits> = {},
): QuicEndpointLimitValues {
  return resolveLimits('the QUIC endpoint', quicEndpointLimits, overrides);
}
