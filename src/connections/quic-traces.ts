/**
 * Who logs QUIC connections, one log each.
 *
 * Owns the interface. What is in a log, and where it goes, is the implementation's.
 *
 * @module
 */
import type { Clock, NetworkPath } from '../common/index.ts';
import type { QuicTrace } from '../protocols/quic/index.ts';

/** The log of one connection. */
export interface QuicConnectionTrace {
  /** What the connection tells as it happens. */
  readonly trace: QuicTrace;
  /** The connection is gone: nothing more is told. Must not throw. */
  end(): void;
}

/** Makes logs. */
export interface QuicTraces {
  /** A connection begins; `undefined`: this one is not logged. Must not throw. */
  begin(role: 'client' | 'server', path: NetworkPath, clock: Clock): QuicConnectionTrace | undefined;
}
