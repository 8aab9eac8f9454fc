/**
 * Every bound of the engines on sessions of node:http2, as data. The names are those of our own engine where they mean
 * the same. Node and nghttp2 have bounds of their own beside these.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../../common/index.ts';
import { resolveLimits } from '../../common/index.ts';
import { bufferLimits } from '../../protocols/semantics/index.ts';

const KIB = 1024;
const SECOND = 1000;

/** The limits of both sides. */
export const nodeHttp2Limits: {
  readonly maxHeaderBytes: LimitDefinition;
  readonly maxHeaderCount: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxConcurrentStreams: LimitDefinition;
  readonly maxLiveHandlers: LimitDefinition;
  readonly maxInformational: LimitDefinition;
  readonly initialStreamWindow: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
  readonly lingerTimeout: LimitDefinition;
} = {
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers: 'A header section, told by SETTINGS_MAX_HEADER_LIST_SIZE; Node resets the stream (CVE-2024-27316).',
  },
  maxHeaderCount: { unit: 'count', default: 128, answers: 'Fields of a header section (Node: maxHeaderListPairs).' },
  maxBodyBytes: { unit: 'bytes', default: Infinity, answers: 'The content of a message. The stream is reset.' },
  maxConcurrentStreams: { unit: 'count', default: 128, answers: 'Streams that may be open (RFC 9113 section 5.1.2).' },
  maxLiveHandlers: {
    unit: 'count',
    default: 256,
    answers: 'Requests whose submitHandlerEnd is due; further ones are refused (CVE-2023-44487, CVE-2025-8671).',
  },
  maxInformational: { unit: 'count', default: 32, answers: 'Interim responses to one request (endless 1xx).' },
  initialStreamWindow: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: "A stream's receive window, and what its reader may leave unconsumed. Memory held for slow readers.",
  },
  sendBufferBytes: bufferLimits.sendBufferBytes,
  headTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'Server: from connecting to the first request. The connection ends.',
  },
  keepAliveTimeout: { unit: 'milliseconds', default: 75 * SECOND, answers: 'Without a stream. The connection ends.' },
  bodyTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: 'Between two pieces of content of a stream whose reader waits. The stream is reset (slow POST).',
  },
  writeTimeout: bufferLimits.writeTimeout,
  lingerTimeout: { unit: 'milliseconds', default: 2 * SECOND, answers: "From this side's end to the peer's own." },
};

/** The limits in force. */
export type NodeHttp2Limits = LimitValues<typeof nodeHttp2Limits>;

/** Reads overrides. `owner` is named in messages. Throws `ConfigurationError`. */
export function resolveNodeHttp2Limits(
  owner: string,
  overrides?: LimitOptions<typeof nodeHttp2Limits>,
): NodeHttp2Limits {
  return resolveLimits(owner, nodeHttp2Limits, overrides);
}
