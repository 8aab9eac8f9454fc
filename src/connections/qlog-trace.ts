/**
 * The log of one QUIC connection as qlog: JSON text sequences (draft-ietf-quic-qlog-main-schema section 5, RFC 7464).
 *
 * Owns the names of events and fields (draft-ietf-quic-qlog-quic-events). Where the lines go is the caller's. Frames are
 * named for packets that are sent; packets that come are told by their size.
 *
 * @module
 */
import type { NetworkPath } from '../common/index.ts';
import type { QuicTrace } from '../protocols/quic/index.ts';

/** What stands at the beginning of a log. */
export interface QlogHead {
  readonly role: 'client' | 'server';
  readonly path: NetworkPath;
  /** Milliseconds on the scale of the connection's clock at which the log begins. */
  readonly started: number;
  /** The same as milliseconds since 1970. */
  readonly startedAt: number;
}

/** Begins each record of a sequence (RFC 7464 section 2.2). */
const RECORD = '\x1e';

const PACKET_TYPES: Readonly<Record<string, string>> = {
  initial: 'initial',
  zeroRtt: '0RTT',
  handshake: 'handshake',
  oneRtt: '1RTT',
};

/**
 * A trace that writes qlog.
 *
 * @param line - takes each record without its line feed; must not throw
 */
export function qlogTrace(head: QlogHead, line: (record: string) => void): QuicTrace {
  const event = (now: number, name: string, data: object): void => {
    line(`${RECORD}${JSON.stringify({ time: Math.max(0, now - head.started), name, data })}`);
  };
  line(`${RECORD}${JSON.stringify(headRecord(head))}`);
  event(head.started, 'transport:connection_started', { local: head.path.local, remote: head.path.remote });
  return {
    packetSent: (now, kind, number, size, frames) => {
      event(now, 'quic:packet_sent', {
        header: { packet_type: packetType(kind), packet_number: number },
        raw: { length: size },
        frames: frames.map(frameOf),
      });
    },
    packetReceived: (now, kind, number, size) => {
      event(now, 'quic:packet_received', {
        header: { packet_type: packetType(kind), packet_number: number },
        raw: { length: size },
      });
    },
    packetLost: (now, space, number) => {
      event(now, 'recovery:packet_lost', { header: { packet_number: number, packet_number_space: space } });
    },
    packetDropped: (now, form, size, reason) => {
      event(now, 'quic:packet_dropped', { header: { packet_type: form }, raw: { length: size }, trigger: reason });
    },
    parametersSet: (now, own, parameters) => {
      event(now, 'quic:parameters_set', { initiator: own ? 'local' : 'remote', ...snakeCase(parameters) });
    },
    metricsUpdated: (now, metrics) => {
      event(now, 'recovery:metrics_updated', {
        congestion_window: metrics.window,
        ssthresh: Number.isFinite(metrics.slowStartThreshold) ? metrics.slowStartThreshold : undefined,
        bytes_in_flight: metrics.bytesInFlight,
        smoothed_rtt: metrics.smoothedRtt,
        latest_rtt: metrics.latestRtt,
        min_rtt: metrics.minRtt,
        rtt_variance: metrics.rttVariation,
        pto_count: metrics.probeCount,
      });
    },
    keyUpdated: (now, generation, initiator) => {
      event(now, 'security:key_updated', { key_phase: generation, trigger: `${initiator}_update` });
    },
    keysDiscarded: (now, kind) => event(now, 'security:key_discarded', { key_type: packetType(kind) }),
    phaseChanged: (now, phase) => event(now, 'quic:connection_state_updated', { new: phase }),
    datagramSizeChanged: (now, size) => event(now, 'quic:mtu_updated', { new: size }),
    connectionClosed: (now, initiator, errorCode, application, reason) => {
      const code = application ? { application_code: errorCode } : { connection_code: errorCode };
      event(now, 'quic:connection_closed', { initiator, ...code, reason });
    },
  };
}

function headRecord(head: QlogHead): object {
  return {
    qlog_format: 'JSON-SEQ',
    qlog_version: '0.3',
    title: `hface-ts ${head.role} ${head.path.local} ${head.path.remote}`,
    trace: {
      vantage_point: { type: head.role },
      common_fields: { time_format: 'relative', reference_time: head.startedAt, protocol_type: ['QUIC', 'HTTP3'] },
    },
  };
}

function packetType(kind: string): string {
  return PACKET_TYPES[kind] ?? kind;
}

type TracedFrame = Parameters<QuicTrace['packetSent']>[4][number];

function frameOf(frame: TracedFrame): object {
  const { kind, ...rest } = frame;
  return { frame_type: snake(kind), ...snakeCase(rest) };
}

function snakeCase(values: object): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (value instanceof Uint8Array) named[snake(name)] = Buffer.from(value).toString('hex');
    else if (typeof value !== 'object') named[snake(name)] = value;
  }
  return named;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
