/**
 * DATAGRAM frames that wait to be sent (RFC 9221).
 *
 * Owns their order, how many wait, and how long each may be. Frames of this kind are never sent again.
 *
 * @module
 */
import { RingQueue, varintLength } from '../../wire/index.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { SentFrame } from './sent-packets.ts';

/** They are all alike, since nothing becomes of them. */
const SENT: SentFrame = { kind: 'datagram' };
/** Bytes of payload from which the length takes two bytes. */
const TWO_BYTES = 64;

/** A queue that drops its oldest. */
export class DatagramQueue {
  readonly #most: number;
  readonly #waiting: RingQueue<Uint8Array>;
  /** The greatest frame that the peer takes; 0: it takes none. */
  #frameLimit: number;
  /** The greatest frame that a packet holds. */
  #packetRoom: number;

  /** @param most - how many wait */
  constructor(most: number) {
    this.#most = most;
    this.#waiting = new RingQueue();
    this.#frameLimit = 0;
    this.#packetRoom = 0;
  }

  /** The peer's max_datagram_frame_size. */
  set frameLimit(bytes: number) {
    this.#frameLimit = bytes;
  }

  set packetRoom(bytes: number) {
    this.#packetRoom = bytes;
  }

  /** The greatest payload that can be sent now. */
  get maxLength(): number {
    const frame = Math.min(this.#frameLimit, this.#packetRoom);
    const length = frame - 3;
    return length >= TWO_BYTES ? length : Math.max(0, Math.min(frame - 2, TWO_BYTES - 1));
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Queues one, in the place of the oldest if there are too many. False when it is too long. */
  push(data: Uint8Array): boolean {
    if (this.maxLength === 0 || data.length > this.maxLength || this.#most < 1) return false;
    if (this.#waiting.length >= this.#most) this.#waiting.shift();
    this.#waiting.push(data);
    return true;
  }

  /** Writes those that fit, in order. */
  write(writer: FrameWriter, sent: SentFrame[]): void {
    for (let data = this.#waiting.peek(); data !== undefined; data = this.#waiting.peek()) {
      // What packets have become too small for will never fit.
      const fits = data.length <= this.maxLength;
      if (fits && 1 + varintLength(data.length) + data.length > writer.room) return;
      this.#waiting.shift();
      if (!fits) continue;
      writer.tryBytes(data, FrameType.datagramWithLength, data.length);
      sent.push(SENT);
    }
  }

  clear(): void {
    this.#waiting.clear();
  }
}
