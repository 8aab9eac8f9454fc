/**
 * Frames about single streams that are to be sent: RESET_STREAM, STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED.
 *
 * Owns the queue of streams that owe any. A stream stands in it once, and its frames are made when there is room for
 * them, so that they say what is true then (RFC 9000 section 13.3). Work for each frame is constant.
 *
 * @module
 */
import { RingQueue } from '../../wire/index.ts';
import type { ReceiveCredit } from './flow-control.ts';
import { streamLimit } from './flow-control.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { SentFrame } from './sent-packets.ts';
import type { Stream } from './stream-state.ts';
import { Owed } from './stream-state.ts';

/** The longest of these frames: a type and three numbers. */
export const LONGEST_CONTROL_FRAME = 25;

/** The queue. */
export class OwedFrames {
  readonly #queue: RingQueue<Stream>;
  /** How many streams owe anything; others may stand in the queue yet. */
  #owing: number;

  constructor() {
    this.#queue = new RingQueue();
    this.#owing = 0;
  }

  get hasPending(): boolean {
    return this.#owing > 0;
  }

  /** A stream owes a frame, one of {@link Owed}. */
  owe(stream: Stream, frame: number): void {
    if (stream.owed === 0) this.#owing += 1;
    stream.owed |= frame;
    if (stream.queued) return;
    stream.queued = true;
    this.#queue.push(stream);
  }

  /** It owes these frames no more. */
  drop(stream: Stream, frames: number): void {
    if (stream.owed === 0) return;
    stream.owed &= ~frames;
    if (stream.owed === 0) this.#owing -= 1;
  }

  clear(): void {
    this.#queue.clear();
    this.#owing = 0;
  }

  /** Writes those that fit. */
  write(writer: FrameWriter, sent: SentFrame[], credit: ReceiveCredit, now: number, roundTrip: number): void {
    for (let stream = this.#queue.peek(); stream !== undefined; stream = this.#queue.peek()) {
      while (stream.owed !== 0) {
        if (writer.room < LONGEST_CONTROL_FRAME) return;
        const frame = stream.owed & -stream.owed;
        if (frame === Owed.window) credit.grow(stream, now, roundTrip);
        writeOne(stream, frame, writer, sent);
        this.drop(stream, frame);
      }
      stream.queued = false;
      this.#queue.shift();
    }
  }
}

function writeOne(stream: Stream, frame: number, writer: FrameWriter, sent: SentFrame[]): void {
  const { id } = stream;
  switch (frame) {
    case Owed.reset:
      // The final size is what flow control has counted (RFC 9000 section 4.5).
      writer.numbers(FrameType.resetStream, id, stream.resetCode, stream.send?.sent ?? 0);
      sent.push({ kind: 'resetStream', streamId: id });
      return;
    case Owed.stop:
      writer.numbers(FrameType.stopSending, id, stream.stopCode);
      sent.push({ kind: 'stopSending', streamId: id });
      return;
    case Owed.window:
      stream.recvLimit = Math.max(stream.recvLimit, streamLimit(stream));
      writer.numbers(FrameType.maxStreamData, id, stream.recvLimit);
      sent.push({ kind: 'maxStreamData', streamId: id, maximum: stream.recvLimit });
      return;
    default:
      stream.blockedAt = stream.sendLimit;
      writer.numbers(FrameType.streamDataBlocked, id, stream.sendLimit);
      sent.push({ kind: 'streamDataBlocked', streamId: id, limit: stream.sendLimit });
  }
}
