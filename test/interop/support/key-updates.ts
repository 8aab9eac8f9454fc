/**
 * Tells of the key updates of a client's QUIC connections.
 *
 * @module
 */
import type { QuicTraces } from '../../../src/connections/index.ts';
import type { QuicTrace } from '../../../src/protocols/quic/index.ts';

/** A log that counts the updates of keys on each side, and nothing else. */
export class KeyUpdates implements QuicTraces {
  readonly changed: { local: number; remote: number } = { local: 0, remote: 0 };

  begin(): ReturnType<QuicTraces['begin']> {
    const ignore = (): void => {};
    const trace: QuicTrace = {
      packetSent: ignore,
      packetReceived: ignore,
      packetLost: ignore,
      packetDropped: ignore,
      parametersSet: ignore,
      metricsUpdated: ignore,
      keyUpdated: (_now, _generation, initiator) => (this.changed[initiator] += 1),
      keysDiscarded: ignore,
      phaseChanged: ignore,
      datagramSizeChanged: ignore,
      connectionClosed: ignore,
    };
    return { trace, end: ignore };
  }
}
