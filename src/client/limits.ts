/**
 * The timeouts and limits of the client.
 *
 * Owns names, units, defaults and the reason of each. What bounds a connection or a pool is in connections/, what
 * bounds a message on the wire in the engines; both can be set through the client's options as well.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitValues } from '../common/index.ts';

/** How long the client waits for what. A `TimeoutError` names the timer as it stands here. `Infinity`: for ever. */
export const clientTimeouts: {
  readonly queue: LimitDefinition;
  readonly connect: LimitDefinition;
  readonly tls: LimitDefinition;
  readonly continue: LimitDefinition;
  readonly headers: LimitDefinition;
  readonly bodyIdle: LimitDefinition;
  readonly total: LimitDefinition;
} = {
  queue: {
    unit: 'milliseconds',
    default: 60_000,
    answers:
      'From the request until a connection takes it, connecting included; then it fails. Requests pile up behind an origin that never finishes one.',
  },
  connect: {
    unit: 'milliseconds',
    default: 10_000,
    answers:
      'Resolving the name and connecting, all addresses together; then the request fails. A host that drops packets.',
  },
  tls: {
    unit: 'milliseconds',
    default: 10_000,
    answers: 'The TLS handshake; then the request fails. A peer that accepts and says nothing.',
  },
  continue: {
    unit: 'milliseconds',
    default: 1_000,
    answers:
      'With `Expect: 100-continue`, how long the body waits for the interim response before it is sent all the same (RFC 9110 section 10.1.1). Servers that do not know the expectation.',
  },
  headers: {
    unit: 'milliseconds',
    default: 300_000,
    answers:
      'From the last byte of the request, or an interim response, to the head of the final response; then the request fails. A server that never answers.',
  },
  bodyIdle: {
    unit: 'milliseconds',
    default: 300_000,
    answers:
      'Between two pieces of the body, and while the peer takes none of what is sent; it stands still while this side does not read or has nothing to send. A server that goes silent half-way.',
  },
  total: {
    unit: 'milliseconds',
    default: Infinity,
    answers:
      'The whole of a request, retries included and in fetch all redirects, to the last byte of the response. A body that drips.',
  },
};

/** Overrides of {@link clientTimeouts}, in milliseconds. */
export type ClientTimeoutOptions = LimitOptions<typeof clientTimeouts>;
/** {@link clientTimeouts} in force. */
export type ClientTimeouts = LimitValues<typeof clientTimeouts>;

/** What the client bounds. */
export const clientLimits: {
  readonly bodyBuffer: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly maxInformational: LimitDefinition;
  readonly maxRedirects: LimitDefinition;
  readonly maxContentCodings: LimitDefinition;
  readonly maxDecodedBytes: LimitDefinition;
  readonly maxDecodedRatio: LimitDefinition;
  readonly decodedRatioFrom: LimitDefinition;
  readonly maxDiscardedBytes: LimitDefinition;
} = {
  bodyBuffer: {
    unit: 'bytes',
    default: 0x10000,
    answers:
      'How much of a response body is taken from the connection before somebody reads it; above it the connection is told to wait. A sender that is faster than the reader.',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: 0x8000000,
    answers:
      'How much `bytes()`, `text()` and `json()` of a ClientResponse gather; above it they fail. A body without end.',
  },
  maxInformational: {
    unit: 'count',
    default: 32,
    answers: 'Interim (1xx) responses to one request; a further one fails it. A peer that sends nothing else.',
  },
  maxRedirects: {
    unit: 'count',
    default: 20,
    answers: 'Redirects that fetch follows, as the Fetch standard counts them; a further one fails it. Loops.',
  },
  maxContentCodings: {
    unit: 'count',
    default: 2,
    answers:
      'Content codings that fetch undoes on one body; a response with more fails. Chains of codings multiply work (CVE-2026-22036).',
  },
  maxDecodedBytes: {
    unit: 'bytes',
    default: 0x100000000,
    answers: 'What a coded body may become in fetch; above it the body fails. Decompression bombs that are patient.',
  },
  maxDecodedRatio: {
    unit: 'count',
    default: 200,
    answers:
      'How many times larger than its coded form a body may become in fetch, counted from `decodedRatioFrom` on; above it the body fails. Decompression bombs.',
  },
  decodedRatioFrom: {
    unit: 'bytes',
    default: 0x2000000,
    answers: 'Below this size a decoded body may have any ratio: small pages of zeros are harmless.',
  },
  maxDiscardedBytes: {
    unit: 'bytes',
    default: 0x10000,
    answers:
      'How much of an unwanted body (of a redirect) is read for the sake of keeping the connection; above it the connection is given up.',
  },
};

/** Overrides of {@link clientLimits}. */
export type ClientLimitOptions = LimitOptions<typeof clientLimits>;
/** {@link clientLimits} in force. */
export type ClientLimits = LimitValues<typeof clientLimits>;
