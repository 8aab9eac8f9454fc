/**
 * A log of a connection that nobody keeps.
 *
 * @module
 */
import type { QuicTrace } from '../../../src/protocols/quic/qlog-events.ts';

/** A trace that does nothing but what is given. */
export function traceOf(over: Partial<QuicTrace>): QuicTrace {
  const nothing = (): void => undefined;
  return {
    packetSent: nothing,
    packetReceived: nothing,
    packetLost: nothing,
    packetDropped: nothing,
    parametersSet: nothing,
    metricsUpdated: nothing,
    keyUpdated: nothing,
    keysDiscarded: nothing,
    phaseChanged: nothing,
    datagramSizeChanged: nothing,
    connectionClosed: nothing,
    ...over,
  };
}
