/**
 * The limits and timeouts of a server.
 *
 * Owns names, units, defaults and the reason of each, for what a user sets by `limits` and `timeouts`. Several are
 * handed down: to the listeners (connections/limits) and to the engines that the server makes itself. An engine's
 * further limits are set by handing in a factory made with them.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../common/index.ts';

/** What a server bounds. */
export const serverLimits: {
  readonly maxConnections: LimitDefinition;
  readonly maxConnectionsPerAddress: LimitDefinition;
  readonly maxRequests: LimitDefinition;
  readonly maxHeaderBytes: LimitDefinition;
  readonly maxHeaderCount: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
} = {
  maxConnections: {
    unit: 'count',
    default: 10_000,
    answers:
      'Connections at once over all endpoints, TLS handshakes included; a further one is reset. Many idle connections exhaust memory and descriptors.',
  },
  maxConnectionsPerAddress: {
    unit: 'count',
    default: 1_000,
    answers:
      'Connections at once from one IPv4 address or one IPv6 /64; a further one is reset. One peer takes all places (slowloris). Raise it behind a proxy.',
  },
  maxRequests: {
    unit: 'count',
    default: 50_000,
    answers:
      'Requests that run at once over all connections; a further one gets 503 (RFC 9110 section 15.6.4). Each connection is within its bounds, and all together are too many.',
  },
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * 1024,
    answers: 'A request head, and each trailer section: 431 (RFC 6585 section 5). Memory held by an endless head.',
  },
  maxHeaderCount: {
    unit: 'count',
    default: 128,
    answers: 'Fields of a request head, and of a trailer section: 431. Work per head.',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: Infinity,
    answers:
      'The content of a request: 413. Streaming holds none of it, so there is no bound by default; an app that gathers a body must bound it, here or itself.',
  },
};

/** How long a server waits for what. `Infinity`: for ever. */
export const serverTimeouts: {
  readonly handshake: LimitDefinition;
  readonly head: LimitDefinition;
  readonly bodyIdle: LimitDefinition;
  readonly writeProgress: LimitDefinition;
  readonly keepAlive: LimitDefinition;
  readonly drain: LimitDefinition;
  readonly startup: LimitDefinition;
  readonly shutdown: LimitDefinition;
} = {
  handshake: {
    unit: 'milliseconds',
    default: 10_000,
    answers: 'A TLS handshake; then the connection is closed. Half-open handshakes pile up.',
  },
  head: {
    unit: 'milliseconds',
    default: 30_000,
    answers:
      'From the first byte of a request head to its last, and from connecting to the first byte: 408 (slowloris).',
  },
  bodyIdle: {
    unit: 'milliseconds',
    default: 30_000,
    answers: 'How long content that the app waits for may fail to come at a small rate: 408, or a reset (slow POST).',
  },
  writeProgress: {
    unit: 'milliseconds',
    default: 60_000,
    answers: 'How long a client may take nothing of what waits for it; then the connection is reset (slow read).',
  },
  keepAlive: {
    unit: 'milliseconds',
    default: 75_000,
    answers: 'Between two requests of a connection; then it is closed. Idle connections pile up.',
  },
  drain: {
    unit: 'milliseconds',
    default: 10_000,
    answers:
      'How long running requests and `waitUntil` may go on after `drain()`; then they are ended. A server that never ends.',
  },
  startup: {
    unit: 'milliseconds',
    default: 60_000,
    answers: 'How long an ASGI app may take for `lifespan.startup`; then `listen` rejects. An app that hangs.',
  },
  shutdown: {
    unit: 'milliseconds',
    default: 10_000,
    answers:
      'How long an ASGI app may take for `lifespan.shutdown`; then the server ends without it. An app that hangs.',
  },
};

/** Overrides of {@link serverLimits}. */
export type ServerLimitOptions = LimitOptions<typeof serverLimits>;
/** {@link serverLimits} in force. */
export type ServerLimits = LimitValues<typeof serverLimits>;
/** Overrides of {@link serverTimeouts}. */
export type ServerTimeoutOptions = LimitOptions<typeof serverTimeouts>;
/** {@link serverTimeouts} in force. */
export type ServerTimeouts = LimitValues<typeof serverTimeouts>;
