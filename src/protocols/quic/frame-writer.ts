/**
 * Writing frames into a packet.
 *
 * Owns their syntax (RFC 9000 section 19, RFC 9221 section 4) and how long each is, so that a packet is filled to its
 * size and not beyond. The memory is the packet's: nothing is copied twice.
 *
 * @module
 */
import { varintLength, writeVarint } from '../../wire/index.ts';
import { FrameType as T, StreamBits } from './frame-types.ts';

/** A packet's payload while it is filled. */
export class FrameWriter {
  readonly #bytes: Uint8Array;
  #position: number;
  #end: number;

  /** Fills `bytes` from `start` up to, not including, `end`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  /** How much is left. */
  get room(): number {
    return this.#end - this.#position;
  }

  /** Numbers behind each other, the type first; the caller has seen that there is room for {@link lengthOf} them. */
  numbers(...values: readonly number[]): void {
    for (const value of values) {
      const length = varintLength(value);
      writeVarint(this.#bytes, this.#position, value, length);
      this.#position += length;
    }
  }

  bytes(data: Uint8Array): void {
    this.#bytes.set(data, this.#position);
    this.#position += data.length;
  }

  /** Zeros, which are PADDING frames. */
  padding(count: number): void {
    this.#bytes.fill(0, this.#position, this.#position + count);
    this.#position += count;
  }

  /** A frame of numbers alone, when there is room for it. */
  tryNumbers(...values: readonly number[]): boolean {
    if (lengthOf(values) > this.room) return false;
    this.numbers(...values);
    return true;
  }

  /** A frame of numbers and bytes behind them, when there is room for it. */
  tryBytes(data: Uint8Array, ...values: readonly number[]): boolean {
    if (lengthOf(values) + data.length > this.room) return false;
    this.numbers(...values);
    this.bytes(data);
    return true;
  }

  /** CRYPTO with as much of `data` as fits; how much that was. */
  crypto(offset: number, data: Uint8Array): number {
    // Two bytes tell every length that fits in a packet.
    const head = 1 + varintLength(offset) + 2;
    const length = Math.min(data.length, this.room - head);
    if (length <= 0) return 0;
    this.numbers(T.crypto, offset);
    writeVarint(this.#bytes, this.#position, length, 2);
    this.#position += 2;
    this.bytes(data.subarray(0, length));
    return length;
  }

  /** How much of a stream's data fits behind its head here. */
  streamRoom(streamId: number, offset: number): number {
    return this.room - streamHead(streamId, offset);
  }

  /** STREAM with all of `data`, which {@link streamRoom} allows. */
  stream(streamId: number, offset: number, data: Uint8Array, fin: boolean): void {
    this.streamHead(streamId, offset, data.length, fin);
    this.bytes(data);
  }

  /** STREAM without its data, which the caller puts behind it: `length` bytes, which {@link streamRoom} allows. */
  streamHead(streamId: number, offset: number, length: number, fin: boolean): void {
    const type = T.stream | StreamBits.length | (offset > 0 ? StreamBits.offset : 0) | (fin ? StreamBits.fin : 0);
    this.numbers(type, streamId);
    if (offset > 0) this.numbers(offset);
    writeVarint(this.#bytes, this.#position, length, 2);
    this.#position += 2;
  }

  /**
   * ACK.
   *
   * @param ranges - pairs of greatest and least, the greatest first; those that do not fit are left out
   * @returns whether there was room for one at least
   */
  ack(ranges: readonly number[], delay: number): boolean {
    const greatest = ranges[0];
    if (greatest === undefined) return false;
    const first = greatest - (ranges[1] as number);
    let room = this.room - lengthOf([T.ack, greatest, delay, first]) - 2;
    if (room < 0) return false;
    let count = 0;
    for (let at = 2; at < ranges.length; at += 2) {
      room -= lengthOf([gapAt(ranges, at), lengthAt(ranges, at)]);
      if (room < 0) break;
      count += 1;
    }
    this.numbers(T.ack, greatest, delay, count, first);
    for (let at = 2; at < 2 + 2 * count; at += 2) this.numbers(gapAt(ranges, at), lengthAt(ranges, at));
    return true;
  }
}

function gapAt(ranges: readonly number[], at: number): number {
  return (ranges[at - 1] as number) - (ranges[at] as number) - 2;
}

function lengthAt(ranges: readonly number[], at: number): number {
  return (ranges[at] as number) - (ranges[at + 1] as number);
}

function streamHead(streamId: number, offset: number): number {
  return 1 + varintLength(streamId) + (offset > 0 ? varintLength(offset) : 0) + 2;
}

/** How many bytes numbers take. */
export function lengthOf(values: readonly number[]): number {
  let length = 0;
  for (const value of values) length += varintLength(value);
  return length;
}
