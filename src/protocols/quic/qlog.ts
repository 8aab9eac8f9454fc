/**
 * qlog: one connection's log as text.
 *
 * Owns the records of a sequential qlog file (draft-ietf-quic-qlog-main-schema sections 3 and 11.2: a JSON text sequence,
 * RFC 7464) and the events of draft-ietf-quic-qlog-quic-events that a {@link QuicTrace} can tell. Frames are in
 * qlog-frames.ts; where the text goes is the caller's.
 *
 * Invariants: no key, token or application data is in the text; what the caller's function throws goes no further than
 * here, and nothing is written behind it.
 *
 * @module
 */
import { CRYPTO_ERROR, QuicError } from './error-codes.ts';
import type { PacketKind } from './frame-types.ts';
import type { PacketSpace } from './loss-recovery.ts';
import type { ConnectionPhase, DropReason, QuicTrace, RecoveryMetrics } from './qlog-events.ts';
import { hexadecimal, qlogReceivedFrames, qlogSentFrame } from './qlog-frames.ts';
import type { SentFrame } from './sent-packets.ts';
import type { TransportParameters } from './transport-parameters.ts';

/** What a {@link QlogTrace} is told. */
export interface QlogOptions {
  /** Whose view it is. */
  readonly vantagePoint: 'client' | 'server';
  /** Milliseconds since 1970 at the moment that the driver's clock calls 0. */
  readonly epoch: number;
  /** When the log begins, on the driver's clock: times are told from then on. Default 0. */
  readonly started?: number;
  /** What the log is called. */
  readonly title?: string;
  /** What connections are told apart by, such as the original Destination Connection ID in hexadecimal. */
  readonly groupId?: string;
  /**
   * Takes the text, one record at a time. It is called in the midst of the connection's work: it shall put the text
   * aside and return.
   */
  readonly write: (text: string) => void;
}

/** RFC 7464 section 2.2: what precedes a record. */
const RECORD_SEPARATOR = '\u001e';

const packetTypes: Readonly<Record<PacketKind, string>> = {
  initial: 'initial',
  zeroRtt: '0RTT',
  handshake: 'handshake',
  oneRtt: '1RTT',
};
const spaceTypes: Readonly<Record<PacketSpace, string>> = {
  initial: 'initial',
  handshake: 'handshake',
  application: '1RTT',
};
const formTypes: Readonly<Record<string, string>> = {
  ...packetTypes,
  short: '1RTT',
  retry: 'retry',
  versionNegotiation: 'version_negotiation',
};
const keyLevels: Readonly<Record<PacketKind, string>> = {
  initial: 'initial',
  zeroRtt: '0rtt',
  handshake: 'handshake',
  oneRtt: '1rtt',
};
const triggers: Readonly<Record<DropReason, string>> = {
  'not-a-packet': 'invalid',
  'unknown-connection-id': 'connection_unknown',
  'keys-unavailable': 'key_unavailable',
  'keys-discarded': 'key_unavailable',
  'queue-full': 'rejected',
  'decryption-failed': 'decryption_failure',
  duplicate: 'duplicate',
  unexpected: 'rejected',
  'connection-closed': 'connection_unknown',
};
const states: Readonly<Record<ConnectionPhase, string>> = {
  handshaking: 'handshake_started',
  complete: 'handshake_complete',
  confirmed: 'handshake_confirmed',
  closing: 'closing',
  draining: 'draining',
  closed: 'closed',
};
const errorNames: ReadonlyMap<number, string> = new Map(
  Object.entries(QuicError).map(([name, code]) => [code, snakeCase(name)]),
);
/** Parameters that would let somebody else end or follow the connection. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set(['statelessResetToken', 'preferredAddress']);

/** Writes a connection's log. */
export class QlogTrace implements QuicTrace {
  readonly #write: (text: string) => void;
  readonly #started: number;
  #broken: boolean;
  #metrics: Record<string, number>;
  #state: string | undefined;

  /** Writes the header at once. */
  constructor(options: QlogOptions) {
    this.#write = options.write;
    this.#started = options.started ?? 0;
    this.#broken = false;
    this.#metrics = {};
    this.#state = undefined;
    this.#record({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      title: options.title ?? 'QUIC connection',
      trace: {
        vantage_point: { type: options.vantagePoint },
        event_schemas: ['urn:ietf:params:qlog:events:quic-10'],
        common_fields: {
          ...(options.groupId === undefined ? {} : { group_id: options.groupId }),
          time_format: 'relative_to_epoch',
          reference_time: {
            clock_type: 'monotonic',
            epoch: 'unknown',
            wall_clock_time: new Date(options.epoch + this.#started).toISOString(),
          },
        },
      },
    });
  }

  packetSent(now: number, kind: PacketKind, number: number, size: number, frames: readonly SentFrame[]): void {
    this.#event(now, 'packet_sent', {
      header: { packet_type: packetTypes[kind], packet_number: number },
      raw: { length: size },
      frames: frames.map(qlogSentFrame),
    });
  }

  packetReceived(now: number, kind: PacketKind, number: number, size: number, payload: Uint8Array): void {
    if (this.#broken) return;
    this.#event(now, 'packet_received', {
      header: { packet_type: packetTypes[kind], packet_number: number },
      raw: { length: size },
      frames: qlogReceivedFrames(payload, kind),
    });
  }

  packetLost(now: number, space: PacketSpace, number: number): void {
    this.#event(now, 'packet_lost', { header: { packet_type: spaceTypes[space], packet_number: number } });
  }

  packetDropped(now: number, form: string, size: number, reason: DropReason): void {
    this.#event(now, 'packet_dropped', {
      header: { packet_type: formTypes[form] ?? 'unknown' },
      raw: { length: size },
      trigger: triggers[reason],
      details: { reason },
    });
  }

  parametersSet(now: number, own: boolean, parameters: Partial<TransportParameters>): void {
    const data: Record<string, unknown> = { initiator: own ? 'local' : 'remote' };
    for (const [name, value] of Object.entries(parameters)) {
      if (value === undefined || SECRET_PARAMETERS.has(name)) continue;
      data[snakeCase(name)] = value instanceof Uint8Array ? hexadecimal(value) : value;
    }
    this.#event(now, 'parameters_set', data);
  }

  metricsUpdated(now: number, metrics: RecoveryMetrics): void {
    const all: Record<string, number> = {
      congestion_window: metrics.window,
      ssthresh: metrics.slowStartThreshold,
      bytes_in_flight: metrics.bytesInFlight,
      smoothed_rtt: metrics.smoothedRtt,
      latest_rtt: metrics.latestRtt,
      min_rtt: metrics.minRtt,
      rtt_variance: metrics.rttVariation,
      pto_count: metrics.probeCount,
    };
    const changed: Record<string, number> = {};
    for (const [name, value] of Object.entries(all)) {
      // JSON has no infinity: a threshold that was never set is left out.
      if (!Number.isFinite(value)) continue;
      const shown = name.endsWith('rtt') || name === 'rtt_variance' ? rounded(value) : Math.round(value);
      if (this.#metrics[name] === shown) continue;
      this.#metrics[name] = shown;
      changed[name] = shown;
    }
    if (Object.keys(changed).length > 0) this.#event(now, 'recovery_metrics_updated', changed);
  }

  keyUpdated(now: number, generation: number, initiator: 'local' | 'remote'): void {
    for (const side of ['client', 'server']) {
      this.#event(now, 'key_updated', {
        key_type: `${side}_1rtt_secret`,
        key_phase: generation,
        trigger: generation === 0 ? 'tls' : `${initiator}_update`,
      });
    }
  }

  keysDiscarded(now: number, kind: PacketKind): void {
    const sides = kind === 'zeroRtt' ? ['client'] : ['client', 'server'];
    for (const side of sides) this.#event(now, 'key_discarded', { key_type: `${side}_${keyLevels[kind]}_secret` });
  }

  phaseChanged(now: number, phase: ConnectionPhase): void {
    const before = this.#state;
    this.#state = states[phase];
    this.#event(now, 'connection_state_updated', {
      ...(before === undefined ? {} : { old: before }),
      new: this.#state,
    });
  }

  datagramSizeChanged(now: number, size: number): void {
    this.#event(now, 'mtu_updated', { new: size });
  }

  connectionClosed(now: number, initiator: string, errorCode: number, application: boolean, reason: string): void {
    this.#event(now, 'connection_closed', {
      initiator: initiator === 'peer' ? 'remote' : 'local',
      ...(application
        ? { application_error: 'unknown', error_code: errorCode }
        : { connection_error: transportError(errorCode), error_code: errorCode }),
      reason,
      trigger: initiator === 'application' ? 'application' : initiator === 'network' ? 'aborted' : 'error',
    });
  }

  #event(now: number, name: string, data: Readonly<Record<string, unknown>>): void {
    this.#record({ time: rounded(Math.max(0, now - this.#started)), name: `quic:${name}`, data });
  }

  #record(record: Readonly<Record<string, unknown>>): void {
    if (this.#broken) return;
    try {
      this.#write(`${RECORD_SEPARATOR}${JSON.stringify(record)}\n`);
    } catch {
      this.#broken = true;
    }
  }
}

/** Microseconds are enough for anybody. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function transportError(code: number): string {
  const name = errorNames.get(code);
  if (name !== undefined) return name;
  const isCrypto = code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 0x100;
  return isCrypto ? `crypto_error_0x${code.toString(16)}` : 'unknown';
}
