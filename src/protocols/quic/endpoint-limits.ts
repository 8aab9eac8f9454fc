/**
 * Every bound of a QUIC endpoint, as data.
 *
 * Owns the table; what happens at each bound stands in `answers`. The bounds of single connections are in limits.ts.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../../common/index.ts';
import { resolveLimits } from '../../common/index.ts';

const SECOND = 1000;

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

const table: Readonly<Record<QuicEndpointLimit, LimitDefinition>> = {
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
export const quicEndpointLimits: Readonly<Record<QuicEndpointLimit, LimitDefinition>> = table;

/** The values in force. */
export type QuicEndpointLimitValues = LimitValues<typeof quicEndpointLimits>;

/** The values in force: the defaults with the overrides laid over them. @throws ConfigurationError */
export function quicEndpointLimitValues(
  overrides: LimitOptions<typeof quicEndpointLimits> = {},
): QuicEndpointLimitValues {
  return resolveLimits('the QUIC endpoint', quicEndpointLimits, overrides);
}
