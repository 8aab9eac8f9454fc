/**
 * The seam between a connection and its parts that send frames.
 *
 * Owns the interface. Streams, datagrams, connection ids and paths each are a source; the connection asks them in turn
 * when it fills a packet, and tells them what became of what they wrote (RFC 9000 sections 13.2 and 13.3).
 *
 * @module
 */
import type { PacketKind } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { SentFrame } from './sent-packets.ts';

/** A part that has frames to send. */
export interface FrameSource {
  /** Whether anything could be put in a 1-RTT (or 0-RTT) packet now, flow control counted. */
  readonly hasPending: boolean;
  /**
   * Puts in what fits. Each frame that asks for an acknowledgement is recorded in `sent`.
   *
   * @param kind - the packet's: what it may carry is `mayCarry`'s to say
   */
  write(writer: FrameWriter, sent: SentFrame[], kind: PacketKind, now: number): void;
  /** A frame that {@link write} recorded arrived. */
  acknowledged(frame: SentFrame): void;
  /** A frame that {@link write} recorded was lost. It may be told again for the same frame, after a probe. */
  lost(frame: SentFrame): void;
}
