/**
 * The events of streams and datagrams, each made by one function.
 *
 * @module
 */
import type {
  QuicDatagramReceived,
  QuicStopSendingReceived,
  QuicStreamClosed,
  QuicStreamReceived,
  QuicStreamResetReceived,
  QuicStreamsAvailable,
  QuicStreamWritable,
} from '../quic-transport.ts';

/** Bytes of a stream came, in order. */
export function quicStreamReceived(
  streamId: number,
  data: Uint8Array,
  fin: boolean,
  early: boolean,
): QuicStreamReceived {
  return { type: 'QuicStreamReceived', streamId, data, fin, early };
}

/** The peer gave its sending side up. */
export function quicStreamResetReceived(streamId: number, errorCode: number): QuicStreamResetReceived {
  return { type: 'QuicStreamResetReceived', streamId, errorCode };
}

/** The peer will read no more. */
export function quicStopSendingReceived(streamId: number, errorCode: number): QuicStopSendingReceived {
  return { type: 'QuicStopSendingReceived', streamId, errorCode };
}

/** There is room again. */
export function quicStreamWritable(streamId: number): QuicStreamWritable {
  return { type: 'QuicStreamWritable', streamId };
}

/** Both directions are over. */
export function quicStreamClosed(streamId: number): QuicStreamClosed {
  return { type: 'QuicStreamClosed', streamId };
}

/** The peer allows more streams. */
export function quicStreamsAvailable(bidirectional: boolean, count: number): QuicStreamsAvailable {
  return { type: 'QuicStreamsAvailable', bidirectional, count };
}

/** A DATAGRAM frame came. */
export function quicDatagramReceived(data: Uint8Array): QuicDatagramReceived {
  return { type: 'QuicDatagramReceived', data };
}
