/**
 * The log of one QUIC connection as qlog, for whoever knows a connection by its path and clock.
 *
 * Owns what stands at its beginning. Events and fields are the QUIC engine's (protocols/quic/qlog.ts); where the lines go
 * is the caller's.
 *
 * @module
 */
import type { NetworkPath } from '../common/index.ts';
import type { QuicTrace } from '../protocols/quic/index.ts';
import { QlogTrace } from '../protocols/quic/index.ts';

/** What stands at the beginning of a log. */
export interface QlogHead {
  readonly role: 'client' | 'server';
  readonly path: NetworkPath;
  /** Milliseconds on the scale of the connection's clock at which the log begins. */
  readonly started: number;
  /** The same as milliseconds since 1970. */
  readonly startedAt: number;
}

/**
 * A trace that writes qlog.
 *
 * @param line - takes each record without its line feed
 */
export function qlogTrace(head: QlogHead, line: (record: string) => void): QuicTrace {
  const { role, path, started, startedAt } = head;
  return new QlogTrace({
    vantagePoint: role,
    epoch: startedAt - started,
    started,
    title: `hface-ts ${role} ${path.local} ${path.remote}`,
    write: (text) => {
      line(text.slice(0, -1));
    },
  });
}
