/**
 * Every bound of the engine on node:http, as data. The names are those of our own engine where they mean the same.
 *
 * Owns the tables for both sides and the reading of overrides.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../../common/index.ts';
import { resolveLimits } from '../../common/index.ts';
import { bufferLimits, http1ServerRows } from '../../protocols/semantics/index.ts';

const KIB = 1024;
const SECOND = 1000;

/** The server's limits. */
export const nodeHttpServerLimits: {
  readonly maxHeaderBytes: LimitDefinition;
  readonly maxHeaderCount: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxUnconsumedBytes: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly maxUnsentBytes: LimitDefinition;
  readonly maxLiveHandlers: LimitDefinition;
  readonly maxDrainBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
  readonly lingerTimeout: LimitDefinition;
} = {
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers: 'A head with its start-line, and each trailer section (Node: maxHeaderSize). 431 (CVE-2018-12121).',
  },
  maxHeaderCount: { unit: 'count', default: 128, answers: 'Field lines in a header section. 431 (CVE-2024-37890).' },
  maxBodyBytes: { unit: 'bytes', default: Infinity, answers: 'The content of a request. 413.' },
  maxUnconsumedBytes: bufferLimits.maxUnconsumedBytes,
  sendBufferBytes: bufferLimits.sendBufferBytes,
  maxUnsentBytes: {
    unit: 'bytes',
    default: 256 * KIB,
    answers: 'Output that was not taken yet; no further request is read beyond (slow read).',
  },
  maxLiveHandlers: {
    unit: 'count',
    default: 64,
    answers: 'Requests whose submitHandlerEnd is due; the next is not read beyond (CVE-2023-44487 on HTTP/1).',
  },
  maxDrainBytes: http1ServerRows.maxDrainBytes,
  headTimeout: http1ServerRows.headTimeout,
  keepAliveTimeout: { unit: 'milliseconds', default: 75 * SECOND, answers: 'Between two requests.' },
  bodyTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'Between two pieces of content. 408 (slow POST).',
  },
  writeTimeout: bufferLimits.writeTimeout,
  lingerTimeout: {
    unit: 'milliseconds',
    default: 5 * SECOND,
    answers: "From the end of the last response to the peer's own end (RFC 9112 section 9.6).",
  },
};

/** The client's limits. */
export const nodeHttpClientLimits: {
  readonly maxHeaderBytes: LimitDefinition;
  readonly maxHeaderCount: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxInformational: LimitDefinition;
  readonly maxUnconsumedBytes: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly maxDrainBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
  readonly lingerTimeout: LimitDefinition;
} = {
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers: 'A head with its start-line, and each trailer section (Node: maxHeaderSize). The connection ends.',
  },
  maxHeaderCount: { unit: 'count', default: 128, answers: 'Field lines in a header section. The connection ends.' },
  maxBodyBytes: { unit: 'bytes', default: Infinity, answers: 'The content of a response. The connection ends.' },
  maxInformational: { unit: 'count', default: 32, answers: 'Interim responses to one request (endless 1xx).' },
  maxUnconsumedBytes: bufferLimits.maxUnconsumedBytes,
  sendBufferBytes: bufferLimits.sendBufferBytes,
  maxDrainBytes: { unit: 'bytes', default: 64 * KIB, answers: 'What is read and dropped after the last response.' },
  headTimeout: { unit: 'milliseconds', default: 300 * SECOND, answers: 'From the end of a request to the final head.' },
  keepAliveTimeout: { unit: 'milliseconds', default: 60 * SECOND, answers: 'Without a request.' },
  bodyTimeout: { unit: 'milliseconds', default: 300 * SECOND, answers: 'Between two pieces of content.' },
  writeTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: 'How long output may wait without any of it being taken. The connection is aborted.',
  },
  lingerTimeout: { unit: 'milliseconds', default: 2 * SECOND, answers: "From this side's end to the peer's." },
};

/** The server's limits in force. */
export type NodeHttpServerLimits = LimitValues<typeof nodeHttpServerLimits>;
/** The client's limits in force. */
export type NodeHttpClientLimits = LimitValues<typeof nodeHttpClientLimits>;

/** Reads overrides of the server's limits. Throws `ConfigurationError`. */
export function resolveServerLimits(overrides?: LimitOptions<typeof nodeHttpServerLimits>): NodeHttpServerLimits {
  return resolveLimits('HTTP/1 server on node:http', nodeHttpServerLimits, overrides);
}

/** Reads overrides of the client's limits. Throws `ConfigurationError`. */
export function resolveClientLimits(overrides?: LimitOptions<typeof nodeHttpClientLimits>): NodeHttpClientLimits {
  return resolveLimits('HTTP/1 client on node:http', nodeHttpClientLimits, overrides);
}
