/**
 * Bounds that HTTP/2 and HTTP/3 have alike, to the word.
 *
 * Owns their units, defaults and what they answer; the tables that they stand in are each engine's (limits.ts).
 *
 * @module
 */
import type { LimitDefinition } from '../../common/index.ts';

const SECOND = 1000;

/** Of both sides. */
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

/** Of a server. */
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

/** Of a client. */
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
