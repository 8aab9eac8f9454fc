/**
 * Every bound of the HTTP/1 engine, as data.
 *
 * Owns the tables for both sides and the reading of overrides. What happens at each bound stands in `answers`; a
 * limit that refuses a request does so with the status named there and closes the connection (RFC 9112 section 9.6).
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitTable, LimitValues } from '../../common/index.ts';
import { resolveLimits } from '../../common/index.ts';
import { bufferLimits, http1ServerRows } from '../semantics/index.ts';

const KIB = 1024;
const SECOND = 1000;

const common = {
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers:
      'The header section, and each trailer section. Server: 431. Memory held by an endless head (CVE-2018-12121).',
  },
  maxHeaderCount: {
    unit: 'count',
    default: 128,
    answers: 'Field lines in a header section, and in a trailer section. Server: 431. Work per head (CVE-2024-37890).',
  },
  maxEmptyLines: {
    unit: 'count',
    default: 4,
    answers: 'Empty lines before a start-line (RFC 9112 section 2.2). Server: 400. Bytes that never become a message.',
  },
  maxChunkLineBytes: {
    unit: 'bytes',
    default: 512,
    answers: 'A chunk-size line with its extensions. Server: 413. Unbounded chunk extensions (CVE-2024-22019).',
  },
  maxChunkExtensionBytes: {
    unit: 'bytes',
    default: 8 * KIB,
    answers: 'All chunk extensions of one message. Server: 413. Overhead without content (CVE-2023-39326).',
  },
  ...bufferLimits,
} as const satisfies LimitTable;

/** The server's limits. */
export const http1ServerLimits: {
  readonly maxHeaderBytes: LimitDefinition;
  readonly maxHeaderCount: LimitDefinition;
  readonly maxEmptyLines: LimitDefinition;
  readonly maxChunkLineBytes: LimitDefinition;
  readonly maxChunkExtensionBytes: LimitDefinition;
  readonly maxUnconsumedBytes: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly maxUnsentBytes: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
  readonly maxRequestLineBytes: LimitDefinition;
  readonly maxMethodBytes: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxLiveHandlers: LimitDefinition;
  readonly maxDrainBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
  readonly lingerTimeout: LimitDefinition;
} = {
  ...common,
  maxUnsentBytes: {
    unit: 'bytes',
    default: 256 * KIB,
    answers: 'Output of all streams that was not taken yet; no further request is read beyond (slow read).',
  },
  maxRequestLineBytes: {
    unit: 'bytes',
    default: 16 * KIB,
    answers: 'The request line. 414 (RFC 9112 section 3); the recommended minimum is 8000.',
  },
  maxMethodBytes: {
    unit: 'bytes',
    default: 64,
    answers: 'The method. 501 (RFC 9112 section 3).',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: Infinity,
    answers: 'The content of a request. 413 (RFC 9110 section 15.5.14); the application bounds what it keeps.',
  },
  maxLiveHandlers: {
    unit: 'count',
    default: 64,
    answers: 'Requests whose submitHandlerEnd is due; the next is not read beyond (CVE-2023-44487 in its HTTP/1 form).',
  },
  maxDrainBytes: http1ServerRows.maxDrainBytes,
  headTimeout: http1ServerRows.headTimeout,
  keepAliveTimeout: {
    unit: 'milliseconds',
    default: 75 * SECOND,
    answers: 'Between two requests. The connection is closed without a word.',
  },
  bodyTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'How long content may fail to come at minBodyRate while it is wanted. 408 (slow POST).',
  },
  minBodyRate: {
    unit: 'bytes/second',
    default: 240,
    answers:
      'How fast content must come; each byte earns its share of bodyTimeout. 0: any byte earns all of it (slow POST).',
  },
  lingerTimeout: {
    unit: 'milliseconds',
    default: 5 * SECOND,
    answers: "From the end of the last response to the peer's own end, while what it sends is dropped (RFC 9112 9.6).",
  },
};

/** The client's limits. */
export const http1ClientLimits: {
  readonly maxHeaderBytes: LimitDefinition;
  readonly maxHeaderCount: LimitDefinition;
  readonly maxEmptyLines: LimitDefinition;
  readonly maxChunkLineBytes: LimitDefinition;
  readonly maxChunkExtensionBytes: LimitDefinition;
  readonly maxUnconsumedBytes: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
  readonly maxStatusLineBytes: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxInformational: LimitDefinition;
  readonly maxPipelinedRequests: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
  readonly lingerTimeout: LimitDefinition;
} = {
  ...common,
  maxStatusLineBytes: {
    unit: 'bytes',
    default: 8 * KIB,
    answers: 'The status line. The connection ends with a LimitError.',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: Infinity,
    answers: 'The content of a response. The connection ends with a LimitError.',
  },
  maxInformational: {
    unit: 'count',
    default: 32,
    answers: 'Interim responses to one request. The connection ends with a LimitError (endless 1xx).',
  },
  maxPipelinedRequests: {
    unit: 'count',
    default: 1,
    answers: 'Requests that wait for their responses at once (RFC 9112 section 9.3.2); isAvailable is false beyond.',
  },
  headTimeout: {
    unit: 'milliseconds',
    default: 300 * SECOND,
    answers: 'From the end of a request, or the response before, to the end of the final head. The connection ends.',
  },
  keepAliveTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: "Without a request; the server's Keep-Alive: timeout makes it shorter. The connection is closed.",
  },
  bodyTimeout: {
    unit: 'milliseconds',
    default: 300 * SECOND,
    answers: 'How long content may fail to come at minBodyRate while it is wanted. The connection ends.',
  },
  minBodyRate: {
    unit: 'bytes/second',
    default: 0,
    answers: 'How fast content must come; 0: any byte earns all of bodyTimeout again.',
  },
  lingerTimeout: {
    unit: 'milliseconds',
    default: 2 * SECOND,
    answers: "From this side's end to the peer's.",
  },
};

/** The server's limits in force. */
export type Http1ServerLimits = LimitValues<typeof http1ServerLimits>;
/** The client's limits in force. */
export type Http1ClientLimits = LimitValues<typeof http1ClientLimits>;
/** What both sides have. */
export type Http1Limits = Http1ServerLimits | Http1ClientLimits;

/** Reads overrides of the server's limits. Throws `ConfigurationError`. */
export function resolveServerLimits(overrides?: LimitOptions<typeof http1ServerLimits>): Http1ServerLimits {
  return resolveLimits('HTTP/1 server', http1ServerLimits, overrides);
}

/** Reads overrides of the client's limits. Throws `ConfigurationError`. */
export function resolveClientLimits(overrides?: LimitOptions<typeof http1ClientLimits>): Http1ClientLimits {
  return resolveLimits('HTTP/1 client', http1ClientLimits, overrides);
}
