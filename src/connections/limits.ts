/**
 * The limits of connections, listeners and pools.
 *
 * Owns names, units, defaults and the reason of each. The limits of messages are the engines'.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../common/index.ts';

/** What bounds the end of a connection. */
export const connectionLimits: {
  readonly lingerTimeout: LimitDefinition;
  readonly maxLingerTime: LimitDefinition;
  readonly lingerBytes: LimitDefinition;
} = {
  lingerTimeout: {
    unit: 'milliseconds',
    default: 2_000,
    answers:
      'After the engine has ended and the last byte was given to the system, how long the peer may neither send nor end its side; then the socket is let go. While bytes are still queued, how long no progress is accepted; then it is reset. A peer that never closes holds a socket.',
  },
  maxLingerTime: {
    unit: 'milliseconds',
    default: 30_000,
    answers:
      'How long a peer that goes on sending is read and dropped in all, so that a reset does not destroy the last response on its way to it; then the socket is let go. A peer that sends slowly without end.',
  },
  lingerBytes: {
    unit: 'bytes',
    default: 0x400000,
    answers:
      'How much the peer may still send after the end of the connection was decided; it is read and dropped, so that a reset does not destroy the last response (RFC 9112 section 9.6). Above it the socket is let go.',
  },
};

/** Overrides of {@link connectionLimits}. */
export type ConnectionLimitOptions = LimitOptions<typeof connectionLimits>;
/** {@link connectionLimits} in force. */
export type ConnectionLimits = LimitValues<typeof connectionLimits>;

/** What bounds a listener. */
export const listenerLimits: {
  readonly maxConnections: LimitDefinition;
  readonly maxConnectionsPerAddress: LimitDefinition;
  readonly handshakeTimeout: LimitDefinition;
  readonly maxWaitingConnections: LimitDefinition;
} = {
  maxConnections: {
    unit: 'count',
    default: 10_000,
    answers:
      'Connections at once, TLS handshakes included; a further one is reset. Many idle connections exhaust memory and descriptors.',
  },
  maxConnectionsPerAddress: {
    unit: 'count',
    default: 1_000,
    answers:
      'Connections at once from one IPv4 address or one IPv6 /64; a further one is reset. One peer takes all places (slowloris).',
  },
  handshakeTimeout: {
    unit: 'milliseconds',
    default: 10_000,
    answers: 'How long a TLS handshake may take; then the connection is closed. Half-open handshakes pile up.',
  },
  maxWaitingConnections: {
    unit: 'count',
    default: 128,
    answers: 'Accepted connections that wait for `for await` to take them; a further one is reset. Nobody takes them.',
  },
};

/** Overrides of {@link listenerLimits}. */
export type ListenerLimitOptions = LimitOptions<typeof listenerLimits>;
/** {@link listenerLimits} in force. */
export type ListenerLimits = LimitValues<typeof listenerLimits>;

/** What bounds a pool. */
export const poolLimits: {
  readonly maxConnections: LimitDefinition;
  readonly maxConnectionsPerOrigin: LimitDefinition;
  readonly maxQueueLength: LimitDefinition;
  readonly queueTimeout: LimitDefinition;
  readonly idleTimeout: LimitDefinition;
  readonly maxMovesAtOnce: LimitDefinition;
} = {
  maxConnections: {
    unit: 'count',
    default: 256,
    answers:
      'Connections at once over all origins; an idle one of another origin makes room, else the request waits. A list of many hosts exhausts descriptors.',
  },
  maxConnectionsPerOrigin: {
    unit: 'count',
    default: 32,
    answers: 'Connections at once to one origin; further requests wait. One origin is flooded, or takes all places.',
  },
  maxQueueLength: {
    unit: 'count',
    default: 10_000,
    answers:
      'Requests of one origin that wait for a connection; a further one fails at once. Memory grows while an origin is slow.',
  },
  queueTimeout: {
    unit: 'milliseconds',
    default: 60_000,
    answers: 'How long a request waits for a connection before it fails. An origin takes no connection.',
  },
  idleTimeout: {
    unit: 'milliseconds',
    default: 15_000,
    answers:
      'How long an unused connection is kept; a shorter time told by the server is kept instead. Idle connections pile up, and a server closes them while a request is on its way.',
  },
  maxMovesAtOnce: {
    unit: 'count',
    default: 8,
    answers:
      'Connections that `migrate()` moves to other ports at once; the others follow. Each holds two sockets meanwhile and tests its path, on a network that has just come up.',
  },
};

/** Overrides of {@link poolLimits}. */
export type PoolLimitOptions = LimitOptions<typeof poolLimits>;
/** {@link poolLimits} in force. */
export type PoolLimits = LimitValues<typeof poolLimits>;
