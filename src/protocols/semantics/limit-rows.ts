/**
 * Bounds that several engines have alike, to the word: HTTP/2 and HTTP/3, or ours and those on Node's own modules.
 *
 * Owns their units, defaults and what they answer; the tables that they stand in are each engine's (limits.ts).
 *
 * @module
 */
import type { LimitDefinition } from '../../common/index.ts';

const KIB = 1024;
const SECOND = 1000;

/** Of both sides of engines that buffer in the same way: HTTP/1.1, and those on Node's own modules. */
export const bufferLimits: {
  readonly maxUnconsumedBytes: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
} = {
  maxUnconsumedBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'Content that the reader has not consumed; reading pauses there. Memory held for a slow reader.',
  },
  sendBufferBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: "A stream's send buffer; sendCapacity is 0 beyond. Memory held for a peer that does not read.",
  },
  writeTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: 'How long output may wait without any of it being taken. The connection is aborted (slow read).',
  },
};

/** Of a server of HTTP/1.1, ours or Node's. */
export const http1ServerRows: {
  readonly maxDrainBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
} = {
  maxDrainBytes: {
    unit: 'bytes',
    default: 1024 * KIB,
    answers: 'What is read and dropped after the last response, before the connection is aborted.',
  },
  headTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'From the first byte of a head to its last, and from connecting to the first byte. 408 (slowloris).',
  },
};

/** Of both sides of HTTP/2 and HTTP/3. */
export const messageLimits: {
  readonly maxHeaderCount: LimitDefinition;
  readonly controlFrameRate: LimitDefinition;
  readonly resetRate: LimitDefinition;
} = {
  maxHeaderCount: {
    unit: 'count',
    default: 128,
    answers: 'Fields in a section, each cookie crumb counted. Server: 431; the stream is reset (CVE-2026-49975).',
  },
  controlFrameRate: {
    unit: 'count',
    default: 200,
    answers: 'How many of maxControlFrames are forgiven each second.',
  },
  resetRate: {
    unit: 'count',
    default: 50,
    answers: 'How many of maxResets are forgiven each second.',
  },
};

/** Of a server of HTTP/2 or HTTP/3. */
export const serverMessageLimits: {
  readonly keepAliveTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
} = {
  keepAliveTimeout: {
    unit: 'milliseconds',
    default: 75 * SECOND,
    answers: 'Without a stream. GOAWAY, and the connection is closed.',
  },
  minBodyRate: {
    unit: 'bytes/second',
    default: 240,
    answers: 'How fast content must come; each byte earns its share of bodyTimeout. 0: any byte earns all of it.',
  },
};

/** Of a client of HTTP/2 or HTTP/3. */
export const clientMessageLimits: {
  readonly maxConcurrentStreams: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxInformational: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
} = {
  maxConcurrentStreams: {
    unit: 'count',
    default: 128,
    answers: 'Requests at once; isAvailable is false beyond. The server may allow fewer.',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: Infinity,
    answers: 'The content of a response. The stream is reset with a LimitError.',
  },
  maxInformational: {
    unit: 'count',
    default: 32,
    answers: 'Interim responses to one request. The stream is reset with a LimitError (endless 1xx).',
  },
  keepAliveTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: 'Without a request. GOAWAY, and the connection is closed.',
  },
  bodyTimeout: {
    unit: 'milliseconds',
    default: 300 * SECOND,
    answers: 'How long content may fail to come at minBodyRate while it is wanted. The stream is reset.',
  },
  minBodyRate: {
    unit: 'bytes/second',
    default: 0,
    answers: 'How fast content must come; 0: any byte earns all of bodyTimeout again.',
  },
};
