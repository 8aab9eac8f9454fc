/**
 * Every bound of the HTTP/2 engine, as data.
 *
 * Owns the tables for both sides, the reading of overrides and the check that what may be received at once fits into
 * what may be kept. What happens at each bound stands in `answers`; a name that HTTP/1 has too means the same.
 *
 * @module
 */
import type { LimitDefinition, LimitOptions, LimitTable, LimitValues } from '../../common/index.ts';
import { ConfigurationError, resolveLimits } from '../../common/index.ts';
import { clientMessageLimits, messageLimits, serverMessageLimits } from '../semantics/index.ts';
import { LARGEST_WINDOW } from './frame-types.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;

/** The limits that both sides have. */
export type Http2CommonLimit =
  | 'maxHeaderBytes'
  | 'maxHeaderCount'
  | 'maxHeaderBlockBytes'
  | 'maxContinuationFrames'
  | 'headerTableSize'
  | 'initialStreamWindow'
  | 'maxStreamWindow'
  | 'maxUnconsumedBytes'
  | 'maxSmallPieces'
  | 'sendBufferBytes'
  | 'maxUnsentBytes'
  | 'maxPendingControlBytes'
  | 'maxControlFrames'
  | 'controlFrameRate'
  | 'maxResets'
  | 'resetRate'
  | 'writeTimeout'
  | 'minSendRate'
  | 'settingsTimeout'
  | 'pingInterval'
  | 'pingTimeout'
  | 'shutdownTimeout';

const common: Readonly<Record<Http2CommonLimit, LimitDefinition>> = {
  maxHeaderBytes: {
    unit: 'bytes',
    default: 32 * KIB,
    answers:
      'A decoded header or trailer section, 32 for each field added (RFC 9113 6.5.2). Server: 431; stream reset (CVE-2016-6581).',
  },
  maxHeaderCount: messageLimits.maxHeaderCount,
  maxHeaderBlockBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'A header block as sent, with its CONTINUATION frames. ENHANCE_YOUR_CALM (CVE-2024-27983, -28182).',
  },
  maxContinuationFrames: {
    unit: 'count',
    default: 16,
    answers: 'CONTINUATION frames of one header block, empty ones too. ENHANCE_YOUR_CALM (CVE-2024-27983).',
  },
  headerTableSize: {
    unit: 'bytes',
    default: 4 * KIB,
    answers: 'The HPACK table that the peer may fill, and the most that is filled at the peer (RFC 7541 section 4.2).',
  },
  initialStreamWindow: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: "A stream's receive window at first. Memory held for a slow reader.",
  },
  maxStreamWindow: {
    unit: 'bytes',
    default: 4 * MIB,
    answers: 'How far the window of a stream grows while its reader keeps up. Memory held for one slow reader.',
  },
  maxUnconsumedBytes: {
    unit: 'bytes',
    default: 8 * MIB,
    answers: 'Content of all streams that may be sent to this side beyond what was consumed: windows close there.',
  },
  maxSmallPieces: {
    unit: 'count',
    default: 16_384,
    answers: 'Unconsumed pieces of content of less than 128 bytes. ENHANCE_YOUR_CALM (data dribble, CVE-2019-9511).',
  },
  sendBufferBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: "A stream's send buffer; sendCapacity is 0 beyond. Memory held for a peer whose windows are closed.",
  },
  maxUnsentBytes: {
    unit: 'bytes',
    default: 8 * MIB,
    answers: 'The send buffers of all streams; sendCapacity is 0 for every stream beyond (CVE-2019-9517).',
  },
  maxPendingControlBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'Frames other than DATA that were not taken yet; nothing is read beyond (CVE-2019-9512, -9515, -9517).',
  },
  maxControlFrames: {
    unit: 'count',
    default: 2000,
    answers:
      'Frames that move nothing (SETTINGS, PING, PRIORITY, unknown, empty DATA, WINDOW_UPDATE beyond two a DATA frame sent) at once. ENHANCE_YOUR_CALM (CVE-2019-9512, -9513, -9515, -9518).',
  },
  controlFrameRate: messageLimits.controlFrameRate,
  maxResets: {
    unit: 'count',
    default: 500,
    answers:
      'Streams that the peer reset, or made this side reset or refuse, at once. ENHANCE_YOUR_CALM (CVE-2023-44487, CVE-2025-8671).',
  },
  resetRate: messageLimits.resetRate,
  writeTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers:
      "How long output may wait without any of it being taken, or for the connection's window: the connection ends. A stream whose window stays closed is reset (slow read, CVE-2019-9511).",
  },
  minSendRate: {
    unit: 'bytes/second',
    default: 32,
    answers: 'How fast a stream that waits for its window must get on; each byte earns its share of writeTimeout.',
  },
  settingsTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'From SETTINGS to its acknowledgement. SETTINGS_TIMEOUT (RFC 9113 section 6.5.3).',
  },
  pingInterval: {
    unit: 'milliseconds',
    default: 45 * SECOND,
    answers: 'Silence of the peer while streams are open, after which it is asked by PING whether it lives.',
  },
  pingTimeout: {
    unit: 'milliseconds',
    default: 20 * SECOND,
    answers: 'How long after that PING nothing may come: the connection is lost.',
  },
  shutdownTimeout: {
    unit: 'milliseconds',
    default: 2 * SECOND,
    answers: 'From the first GOAWAY of a graceful shutdown to the last, where the PING between is not answered.',
  },
} as const satisfies LimitTable;

/** The server's limits. */
export const http2ServerLimits: {
  readonly [Name in Http2CommonLimit]: LimitDefinition;
} & {
  readonly maxConcurrentStreams: LimitDefinition;
  readonly maxLiveHandlers: LimitDefinition;
  readonly maxBodyBytes: LimitDefinition;
  readonly headTimeout: LimitDefinition;
  readonly keepAliveTimeout: LimitDefinition;
  readonly bodyTimeout: LimitDefinition;
  readonly minBodyRate: LimitDefinition;
} = {
  ...common,
  maxConcurrentStreams: {
    unit: 'count',
    default: 128,
    answers: 'Streams that the client may have open. REFUSED_STREAM beyond (RFC 9113 section 5.1.2).',
  },
  maxLiveHandlers: {
    unit: 'count',
    default: 256,
    answers:
      'Requests whose submitHandlerEnd is due, whatever became of their streams. REFUSED_STREAM (CVE-2023-44487).',
  },
  maxBodyBytes: {
    unit: 'bytes',
    default: Infinity,
    answers: 'The content of a request. 413, then the stream is reset; the application bounds what it keeps.',
  },
  headTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: "From connecting to the client's SETTINGS, and for the rest of a frame or header block (slowloris).",
  },
  keepAliveTimeout: serverMessageLimits.keepAliveTimeout,
  bodyTimeout: {
    unit: 'milliseconds',
    default: 30 * SECOND,
    answers: 'How long content may fail to come at minBodyRate while it is wanted. 408, and the stream is reset.',
  },
  minBodyRate: serverMessageLimits.minBodyRate,
};

/** The client's limits. */
export const http2ClientLimits: {
  readonly [Name in Http2CommonLimit]: LimitDefinition;
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
    answers: "From connecting to the server's SETTINGS, and for the rest of a frame or header block.",
  },
  keepAliveTimeout: clientMessageLimits.keepAliveTimeout,
  bodyTimeout: clientMessageLimits.bodyTimeout,
  minBodyRate: clientMessageLimits.minBodyRate,
};

/** The server's limits in force. */
export type Http2ServerLimits = LimitValues<typeof http2ServerLimits>;
/** The client's limits in force. */
export type Http2ClientLimits = LimitValues<typeof http2ClientLimits>;
/** What both sides have. */
export type Http2Limits = Omit<Http2ServerLimits, 'maxLiveHandlers'>;

/** Reads overrides of the server's limits. Throws `ConfigurationError`. */
export function resolveServerLimits(overrides?: LimitOptions<typeof http2ServerLimits>): Http2ServerLimits {
  return checked('HTTP/2 server', resolveLimits('HTTP/2 server', http2ServerLimits, overrides));
}

/** Reads overrides of the client's limits. Throws `ConfigurationError`. */
export function resolveClientLimits(overrides?: LimitOptions<typeof http2ClientLimits>): Http2ClientLimits {
  return checked('HTTP/2 client', resolveLimits('HTTP/2 client', http2ClientLimits, overrides));
}

/** What was promised to all streams at once must fit into what may be kept. */
function checked<Values extends Http2Limits>(owner: string, values: Values): Values {
  const { initialStreamWindow: window, maxConcurrentStreams: streams, maxUnconsumedBytes: cap } = values;
  for (const name of ['initialStreamWindow', 'maxStreamWindow', 'maxUnconsumedBytes'] as const) {
    if (values[name] > LARGEST_WINDOW || !(values[name] >= 1)) {
      throw new ConfigurationError(`${name} of ${owner} must be from 1 to ${String(LARGEST_WINDOW)}`);
    }
  }
  if (window * streams > cap) {
    const smaller = String(Math.floor(cap / streams));
    throw new ConfigurationError(
      `${owner}: initialStreamWindow (${String(window)}) times maxConcurrentStreams (${String(streams)}) exceeds ` +
        `maxUnconsumedBytes (${String(cap)})`,
      { hint: `give initialStreamWindow ${smaller}, or maxUnconsumedBytes ${String(window * streams)}` },
    );
  }
  return values;
}
