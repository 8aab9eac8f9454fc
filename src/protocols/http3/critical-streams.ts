/**
 * This side's control stream (RFC 9114 section 6.2.1).
 *
 * Owns: opening it as soon as the transport allows, SETTINGS as the first frame, and the frames behind it, which wait until
 * it is there. They go before all content. There are no QPACK streams: with a capacity of 0 they would never be used, and
 * may be left out (RFC 9204 section 4.2).
 *
 * @module
 */
import { ByteWriter, varintLength } from '../../wire/index.ts';
import type { QuicTransport } from '../quic-transport.ts';
import { FrameType, StreamType } from './frame-types.ts';

/** What GOAWAY says while every request is still accepted: 2^62-4 (RFC 9114 section 5.2). */
const EVERY_REQUEST: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc);

/** The stream that ends with the connection only. */
export class CriticalStreams {
  readonly #transport: QuicTransport;
  /** What the control stream begins with, its type included. */
  readonly #greeting: Uint8Array;
  #control: number | undefined;
  /** Frames that were written before the control stream was there. */
  #waiting: Uint8Array[];

  /**
   * @param settings - the payload of SETTINGS
   * @param reserved - the type of a frame without a meaning, so that peers keep ignoring what they do not know
   */
  constructor(transport: QuicTransport, settings: Uint8Array, reserved: number) {
    this.#transport = transport;
    this.#greeting = greeting(settings, reserved);
    this.#control = undefined;
    this.#waiting = [];
  }

  /** Opens it when it is not open yet and may be. */
  open(): void {
    const transport = this.#transport;
    if (this.#control !== undefined || transport.availableStreams(false) === 0) return;
    const streamId = transport.openStream(false);
    this.#control = streamId;
    transport.setStreamPriority(streamId, 0, false);
    transport.writeStream(streamId, this.#greeting.slice(), false);
    for (const frame of this.#waiting) transport.writeStream(streamId, frame, false);
    this.#waiting = [];
  }

  /** 0-RTT was rejected, and the streams with it. */
  restart(): void {
    this.#control = undefined;
  }

  /** Whether a stream is it. */
  owns(streamId: number): boolean {
    return streamId === this.#control;
  }

  /** Whether it is there. */
  get hasControl(): boolean {
    return this.#control !== undefined;
  }

  /** Whether the peer has all that was written to it. */
  get isDelivered(): boolean {
    const control = this.#control;
    return control !== undefined && !this.#transport.hasUnacknowledged(control);
  }

  /** GOAWAY; `undefined`: every request is still accepted. */
  writeGoaway(id: number | undefined): void {
    const frame = new ByteWriter();
    frame.writeVarint(FrameType.goaway);
    if (id === undefined) {
      frame.writeVarint(EVERY_REQUEST.length);
      frame.writeBytes(EVERY_REQUEST);
    } else {
      frame.writeVarint(varintLength(id));
      frame.writeVarint(id);
    }
    this.#write(frame.finish());
  }

  /** PRIORITY_UPDATE of a request (RFC 9218 section 7.2). */
  writePriorityUpdate(streamId: number, value: string): void {
    const frame = new ByteWriter();
    frame.writeVarint(FrameType.priorityUpdate);
    frame.writeVarint(varintLength(streamId) + value.length);
    frame.writeVarint(streamId);
    frame.writeLatin1(value);
    this.#write(frame.finish());
  }

  #write(frame: Uint8Array): void {
    const control = this.#control;
    if (control === undefined) this.#waiting.push(frame);
    else this.#transport.writeStream(control, frame, false);
  }
}

function greeting(settings: Uint8Array, reserved: number): Uint8Array {
  const writer = ByteWriter.brief();
  writer.writeVarint(StreamType.control);
  writer.writeVarint(FrameType.settings);
  writer.writeVarint(settings.length);
  writer.writeBytes(settings);
  writer.writeVarint(reserved);
  writer.writeVarint(0);
  return writer.finish();
}
