/**
 * Every bound of the HTTP/3 engine, as data.
 *
 * Owns the tables for both sides. What happens at each bound stands in `answers`; a name that HTTP/2 has too means the
 * same. Streams at once, windows and send buffers are QUIC's (quic/limits.ts).
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitTable, LimitValues } from '../../common/index.ts';
import { resolveLimits } from '../../common/index.ts';
import { clientMessageLimits, messageLimits, serverMessageLimits } from '../semantics/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;

/** The limits that both sides have. */
export type Http3CommonLimit =
  | 'maxHeaderBytes'
  | 'maxHeaderCount'
  | 'maxHeaderBlockBytes'
  | 'maxPartialHeaderBytes'
  | 'maxControlFrameBytes'
  | 'maxSmallPieces'
  | 'maxControlFrames'
  | 'controlFrameRate'
  | 'maxResets'
  | 'resetRate'
  | 'maxWaitingStreams'
  | 'maxWaitingBytes'
  | 'writeTimeout'
  | 'minSendRate';

const common: Readonly<Record<Http3CommonLimit, LimitDefinition>> = {
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers:
      'A decoded header or trailer section, 32 for each field added (RFC 9114 4.2.2). Server: 431; stream reset (CVE-2025-64702).',
  },
  maxHeaderCount: messageLimits.maxHeaderCount,
  maxHeaderBlockBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'An encoded field section as its frame announces it. Server: 431; the stream is reset.',
  },
  maxPartialHeaderBytes: {
    unit: 'bytes',
    default: MIB,
    answers:
      'Encoded field sections of all streams that have not come whole. H3_EXCESSIVE_LOAD (slow headers on many).',
  },
  maxControlFrameBytes: {
    unit: 'bytes',
    default: 4 * KIB,
    answers: 'A frame of the control stream, SETTINGS first of all. H3_EXCESSIVE_LOAD (CVE-2020-11080).',
  },
  maxSmallPieces: {
    unit: 'count',
    default: 16_384,
    answers: 'Unconsumed pieces of content of less than 128 bytes. H3_EXCESSIVE_LOAD (data dribble, CVE-2019-9511).',
  },
  maxControlFrames: {
    unit: 'count',
    default: 2000,
    answers:
      'Frames, streams and instructions that move nothing (PRIORITY_UPDATE, unknown ones, empty DATA, Stream Cancellation) at once. H3_EXCESSIVE_LOAD (CVE-2019-9513, -9518).',
  },
  controlFrameRate: messageLimits.controlFrameRate,
  maxResets: {
    unit: 'count',
    default: 500,
    answers:
      'Streams that the peer reset, or made this side reset or refuse, at once. H3_EXCESSIVE_LOAD (CVE-2023-44487, CVE-2025-8671).',
  },
  resetRate: messageLimits.resetRate,
  maxWaitingStreams: {
    unit: 'count',
    default: 16,
    answers: 'Streams of a type that may be claimed and was not yet. Further ones are refused (H3_REQUEST_REJECTED).',
  },
  maxWaitingBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'What such streams hold together. The stream that goes beyond is refused.',
  },
  writeTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: 'How long the peer may hold up a stream by its windows. The stream is reset (slow read, CVE-2019-9511).',
  },
  minSendRate: {
    unit: 'bytes/second',
    default: 32,
    answers: 'How fast a stream that the windows hold up must get on; each byte earns its share of writeTimeout.',
  },
} as const satisfies LimitTable;

/** The server's limits. */
export const http3ServerLimits: {
  readonly [Name in Http3CommonLimit]: LimitDefinition;
} & {
  readonly maxLiveHandlers: LimitDefinition;
  readonly shutdownTimeout: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
} = {
  ...common,
  maxLiveHandlers: {
    unit: 'count',
    default: 256,
    answers:
      'Requests whose submitHandlerEnd is due, whatever became of their streams. H3_REQUEST_REJECTED (CVE-2023-44487).',
  },
  shutdownTimeout: {
    unit: 'milliseconds',
    default: 2 * SECOND,
    answers: 'How long the acknowledgement of each GOAWAY of a graceful shutdown is waited for.',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: Infinity,
    answers: 'The content of a request. 413, and no more is read; the application bounds what it keeps.',
  },
  headTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: "From the handshake to the client's SETTINGS, and for each request's head (slowloris). 408 for a request.",
  },
  keepAliveTimeout: serverMessageLimits.keepAliveTimeout,
  bodyTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'How long content may fail to come at minBodyRate while it is wanted. 408, and the stream is given up.',
  },
  minBodyRate: serverMessageLimits.minBodyRate,
};

/** The client's limits. */
export const http3ClientLimits: {
  readonly [Name in Http3CommonLimit]: LimitDefinition;
} & {
  readonly maxConcurrentStreams: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxInformational: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
} = {
  ...common,
  maxConcurrentStreams: clientMessageLimits.maxConcurrentStreams,
  maxBodyBytes: clientMessageLimits.maxBodyBytes,
  maxInformational: clientMessageLimits.maxInformational,
  headTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: "From the handshake to the server's SETTINGS. The connection is closed.",
  },
  keepAliveTimeout: clientMessageLimits.keepAliveTimeout,
  bodyTimeout: clientMessageLimits.bodyTimeout,
  minBodyRate: clientMessageLimits.minBodyRate,
};

/** The server's limits in force. */
export type Http3ServerLimits = LimitValues<typeof http3ServerLimits>;
/** The client's limits in force. */
export type Http3ClientLimits = LimitValues<typeof http3ClientLimits>;
/** What both sides have. */
export type Http3Limits = Omit<Http3ServerLimits, 'maxLiveHandlers' | 'shutdownTimeout'>;

/** Reads overrides of the server's limits. Throws `ConfigurationError`. */
export function resolveServerLimits(overrides?: LimitOptions<typeof http3ServerLimits>): Http3ServerLimits {
  return resolveLimits('HTTP/3 server', http3ServerLimits, overrides);
}

/** Reads overrides of the client's limits. Throws `ConfigurationError`. */
export function resolveClientLimits(overrides?: LimitOptions<typeof http3ClientLimits>): Http3ClientLimits {
  return resolveLimits('HTTP/3 client', http3ClientLimits, overrides);
}
