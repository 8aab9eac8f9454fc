/**
 * Frames as qlog shows them.
 *
 * Owns the fields of draft-ietf-quic-qlog-quic-events for each frame, of packets that were sent and of those that came.
 * What lets somebody else take part is left out: tokens, reset tokens, and all that applications say but reason phrases.
 *
 * @module
 */
import { QuicFault } from './error-codes.ts';
import type { EcnCounts, FrameHandler } from './frame-handler.ts';
import { parseFrames } from './frame-parser.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType } from './frame-types.ts';
import type { SentFrame } from './sent-packets.ts';

/** One frame. */
export type QlogFrame = Readonly<Record<string, unknown>>;

/** A reason phrase is shown up to so many bytes. */
const MAX_REASON = 256;

/** A frame that was sent. */
export function qlogSentFrame(frame: SentFrame): QlogFrame {
  switch (frame.kind) {
    case 'ack':
      return { frame_type: 'ack', acked_ranges: [[frame.largest]] };
    case 'crypto':
      return { frame_type: 'crypto', offset: frame.offset, raw: { payload_length: frame.length } };
    case 'stream':
      return stream(frame.streamId, frame.offset, frame.length, frame.fin);
    case 'resetStream':
      return { frame_type: 'reset_stream', stream_id: frame.streamId };
    case 'stopSending':
      return { frame_type: 'stop_sending', stream_id: frame.streamId };
    case 'maxData':
      return { frame_type: 'max_data', maximum: frame.maximum };
    case 'maxStreamData':
      return { frame_type: 'max_stream_data', stream_id: frame.streamId, maximum: frame.maximum };
    case 'maxStreams':
      return { frame_type: 'max_streams', stream_type: streamType(frame.bidirectional), maximum: frame.maximum };
    case 'dataBlocked':
      return { frame_type: 'data_blocked', limit: frame.limit };
    case 'streamDataBlocked':
      return { frame_type: 'stream_data_blocked', stream_id: frame.streamId, limit: frame.limit };
    case 'streamsBlocked':
      return { frame_type: 'streams_blocked', stream_type: streamType(frame.bidirectional), limit: frame.limit };
    case 'newConnectionId':
      return { frame_type: 'new_connection_id', sequence_number: frame.sequence };
    case 'retireConnectionId':
      return { frame_type: 'retire_connection_id', sequence_number: frame.sequence };
    case 'newToken':
      return { frame_type: 'new_token', token: { raw: { length: frame.token.length } } };
    case 'handshakeDone':
      return { frame_type: 'handshake_done' };
    case 'datagram':
      return { frame_type: 'datagram' };
  }
}

/** The frames of a packet that came. What stands behind a malformed one is not shown. */
export function qlogReceivedFrames(payload: Uint8Array, kind: PacketKind): QlogFrame[] {
  const recorder = new FrameRecorder();
  try {
    parseFrames(payload, kind, recorder);
  } catch (error) {
    // The connection will meet the same fault, and end by it.
    if (!(error instanceof QuicFault)) throw error;
  }
  return recorder.frames;
}

function stream(streamId: number, offset: number, length: number, fin: boolean): QlogFrame {
  return { frame_type: 'stream', stream_id: streamId, offset, fin, raw: { payload_length: length } };
}

function streamType(bidirectional: boolean): string {
  return bidirectional ? 'bidirectional' : 'unidirectional';
}

/** Bytes in hexadecimal. */
export function hexadecimal(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte >> 4).toString(16) + (byte & 15).toString(16);
  return text;
}

class FrameRecorder implements FrameHandler {
  readonly frames: QlogFrame[];

  constructor() {
    this.frames = [];
  }

  frameReceived(type: number): void {
    // Both say nothing more; padding is told once for all that stands together.
    if (type === FrameType.padding) this.frames.push({ frame_type: 'padding' });
    if (type === FrameType.ping) this.frames.push({ frame_type: 'ping' });
  }

  ackReceived(ranges: readonly number[], delay: number, ecn: EcnCounts | undefined): void {
    const acked: number[][] = [];
    for (let at = ranges.length - 2; at >= 0; at -= 2) acked.push([ranges[at + 1] as number, ranges[at] as number]);
    // The delay is as sent: the peer's exponent is among its parameters.
    this.frames.push({ frame_type: 'ack', ack_delay_encoded: delay, acked_ranges: acked, ...ecn });
  }

  cryptoReceived(offset: number, data: Uint8Array): void {
    this.frames.push({ frame_type: 'crypto', offset, raw: { payload_length: data.length } });
  }

  streamReceived(streamId: number, offset: number, data: Uint8Array, fin: boolean): void {
    this.frames.push(stream(streamId, offset, data.length, fin));
  }

  resetStreamReceived(streamId: number, errorCode: number, finalSize: number): void {
    this.frames.push({
      frame_type: 'reset_stream',
      stream_id: streamId,
      error_code: errorCode,
      final_size: finalSize,
    });
  }

  stopSendingReceived(streamId: number, errorCode: number): void {
    this.frames.push({ frame_type: 'stop_sending', stream_id: streamId, error_code: errorCode });
  }

  newTokenReceived(token: Uint8Array): void {
    this.frames.push({ frame_type: 'new_token', token: { raw: { length: token.length } } });
  }

  maxDataReceived(maximum: number): void {
    this.frames.push({ frame_type: 'max_data', maximum });
  }

  maxStreamDataReceived(streamId: number, maximum: number): void {
    this.frames.push({ frame_type: 'max_stream_data', stream_id: streamId, maximum });
  }

  maxStreamsReceived(bidirectional: boolean, maximum: number): void {
    this.frames.push({ frame_type: 'max_streams', stream_type: streamType(bidirectional), maximum });
  }

  dataBlockedReceived(limit: number): void {
    this.frames.push({ frame_type: 'data_blocked', limit });
  }

  streamDataBlockedReceived(streamId: number, limit: number): void {
    this.frames.push({ frame_type: 'stream_data_blocked', stream_id: streamId, limit });
  }

  streamsBlockedReceived(bidirectional: boolean, limit: number): void {
    this.frames.push({ frame_type: 'streams_blocked', stream_type: streamType(bidirectional), limit });
  }

  newConnectionIdReceived(sequence: number, retirePriorTo: number, id: Uint8Array, _resetToken: Uint8Array): void {
    this.frames.push({
      frame_type: 'new_connection_id',
      sequence_number: sequence,
      retire_prior_to: retirePriorTo,
      connection_id_length: id.length,
      connection_id: hexadecimal(id),
    });
  }

  retireConnectionIdReceived(sequence: number): void {
    this.frames.push({ frame_type: 'retire_connection_id', sequence_number: sequence });
  }

  pathChallengeReceived(data: Uint8Array): void {
    this.frames.push({ frame_type: 'path_challenge', data: hexadecimal(data) });
  }

  pathResponseReceived(data: Uint8Array): void {
    this.frames.push({ frame_type: 'path_response', data: hexadecimal(data) });
  }

  connectionCloseReceived(errorCode: number, frameType: number | undefined, reason: Uint8Array): void {
    this.frames.push({
      frame_type: 'connection_close',
      error_space: frameType === undefined ? 'application' : 'transport',
      error_code: errorCode,
      ...(frameType === undefined ? {} : { trigger_frame_type: frameType }),
      reason: new TextDecoder().decode(reason.subarray(0, MAX_REASON)),
    });
  }

  handshakeDoneReceived(): void {
    this.frames.push({ frame_type: 'handshake_done' });
  }

  datagramReceived(data: Uint8Array): void {
    this.frames.push({ frame_type: 'datagram', raw: { payload_length: data.length } });
  }
}
