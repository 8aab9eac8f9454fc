/**
 * What each frame is, and who is told of it.
 *
 * Owns: the rules of RFC 9113 section 6 that need no stream's state: which stream ids and sizes a type may have, padding
 * and the deprecated priority of HEADERS, the putting together and decoding of header blocks (section 4.3), unknown
 * types (section 4.1), and what is charged to the budget of frames that move nothing. Does not own what a message or a
 * connection-level frame does (receiver.ts, control-frames.ts).
 *
 * @module
 */
import type { RemoteProtocolError } from '../../common/index.ts';
import type { ControlFrames } from './control-frames.ts';
import type { Core } from './core.ts';
import { Http2ErrorCode } from '../semantics/index.ts';
import { connectionFault } from './faults.ts';
import type { FrameHandler } from './frame-reader.ts';
import { Flag, FrameType } from './frame-types.ts';
import { HeaderBlock } from './header-block.ts';
import type { Receiver } from './receiver.ts';

const { FRAME_SIZE_ERROR, PROTOCOL_ERROR, COMPRESSION_ERROR } = Http2ErrorCode;

/** How many frames that move nothing are forgiven for a field section: clients add priorities and windows to it. */
const EARNED_BY_HEADERS = 4;

/** Takes frames apart and hands them on. */
export class FrameDispatch implements FrameHandler {
  readonly #core: Core;
  readonly #control: ControlFrames;
  readonly #receiver: Receiver;
  /** Made for the first block that takes more than one frame. */
  #block: HeaderBlock | undefined;
  /** The HEADERS of the open block made its stream depend on itself. */
  #selfDependent: boolean;

  constructor(core: Core, control: ControlFrames, receiver: Receiver) {
    this.#core = core;
    this.#control = control;
    this.#receiver = receiver;
    this.#block = undefined;
    this.#selfDependent = false;
  }

  /** See {@link FrameHandler.frameReceived}. */
  frameReceived(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#block?.open === true && type !== FrameType.continuation) throw interrupted();
    switch (type) {
      case FrameType.headers:
        this.#headers(flags, streamId, bytes, start, end);
        return;
      case FrameType.continuation:
        this.#continuation(flags, streamId, bytes, start, end);
        return;
      case FrameType.windowUpdate:
        if (end - start !== 4) throw badSize('WINDOW_UPDATE', end - start);
        this.#control.windowUpdate(streamId, number31(bytes, start));
        return;
      case FrameType.rstStream:
        onStream('RST_STREAM', streamId);
        if (end - start !== 4) throw badSize('RST_STREAM', end - start);
        this.#control.rstStream(streamId, number32(bytes, start));
        return;
      case FrameType.settings:
        this.#settings(flags, streamId, bytes, start, end);
        return;
      case FrameType.ping:
        onConnection('PING', streamId);
        if (end - start !== 8) throw badSize('PING', end - start);
        this.#control.ping((flags & Flag.ack) !== 0, bytes, start);
        return;
      case FrameType.goaway:
        onConnection('GOAWAY', streamId);
        if (end - start < 8) throw badSize('GOAWAY', end - start);
        this.#control.goaway(number31(bytes, start), number32(bytes, start + 4), copyOf(bytes, start + 8, end));
        return;
      case FrameType.priority:
        this.#priority(streamId, bytes, start, end);
        return;
      case FrameType.pushPromise:
        // Sections 6.6 and 8.4: clients send none, and this client has refused them.
        throw connectionFault(PROTOCOL_ERROR, 'PUSH_PROMISE');
      default:
        this.#core.chargeControl(1);
        this.#control.extension(type, streamId, bytes, start, end);
    }
  }

  /** See {@link FrameHandler.dataBegins}. */
  dataBegins(streamId: number, length: number, contentLength: number, endStream: boolean): void {
    if (this.#block?.open === true) throw interrupted();
    onStream('DATA', streamId);
    this.#receiver.dataBegins(streamId, length, contentLength, endStream);
  }

  /** See {@link FrameHandler.dataPiece}. */
  dataPiece(bytes: Uint8Array, start: number, end: number): void {
    this.#receiver.dataPiece(bytes, start, end);
  }

  /** See {@link FrameHandler.dataEnds}. */
  dataEnds(): void {
    this.#receiver.dataEnds();
  }

  #headers(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    onStream('HEADERS', streamId);
    // Section 5.1.1: a client's streams are odd, and a server opens none without PUSH_PROMISE.
    if (streamId % 2 === 0) throw connectionFault(PROTOCOL_ERROR, `HEADERS on stream ${String(streamId)}`);
    let from = start;
    let padding = 0;
    let selfDependent = false;
    if ((flags & Flag.padded) !== 0) {
      if (from >= end) throw badSize('HEADERS', end - start);
      padding = bytes[from]!;
      from += 1;
    }
    if ((flags & Flag.priority) !== 0) {
      if (end - from < 5) throw badSize('HEADERS', end - start);
      selfDependent = number31(bytes, from) === streamId;
      from += 5;
    }
    if (end - padding < from) throw connectionFault(PROTOCOL_ERROR, 'HEADERS with more padding than payload');
    const endStream = (flags & Flag.endStream) !== 0;
    const fragment = bytes.subarray(from, end - padding);
    if ((flags & Flag.endHeaders) !== 0) {
      this.#whole(streamId, fragment, endStream, selfDependent);
    } else {
      this.#selfDependent = selfDependent;
      this.#block ??= new HeaderBlock(this.#core.limits);
      this.#block.begin(streamId, endStream, fragment);
      this.#core.blockOpen = true;
    }
  }

  #continuation(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    this.#block ??= new HeaderBlock(this.#core.limits);
    const block = this.#block.goOn(streamId, (flags & Flag.endHeaders) !== 0, bytes.subarray(start, end));
    if (block === undefined) return;
    this.#core.blockOpen = false;
    this.#whole(streamId, block, this.#block.endStream, this.#selfDependent);
  }

  /** A block is there: it is decoded whatever becomes of it, since the table follows from it (section 4.3). */
  #whole(streamId: number, block: Uint8Array, endStream: boolean, selfDependent: boolean): void {
    const result = this.#core.decoder.decode(block);
    if (result.error !== undefined) throw connectionFault(COMPRESSION_ERROR, result.error);
    this.#core.earnControl(EARNED_BY_HEADERS);
    this.#receiver.sectionReceived(streamId, result.headers, result.tooLarge, endStream, selfDependent);
  }

  #settings(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    onConnection('SETTINGS', streamId);
    if ((flags & Flag.ack) !== 0) {
      if (end > start) throw badSize('the acknowledgement of SETTINGS', end - start);
      this.#control.settingsAcknowledged();
      return;
    }
    if ((end - start) % 6 !== 0) throw badSize('SETTINGS', end - start);
    // Large ones cost as several (CVE-2020-11080).
    this.#core.chargeControl(1 + ((end - start) >>> 6));
    this.#control.settings(bytes, start, end);
  }

  /** Section 5.3.2: deprecated; read for its errors only. */
  #priority(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    onStream('PRIORITY', streamId);
    this.#core.chargeControl(1);
    if (end - start !== 5) {
      const message = `PRIORITY of ${String(end - start)} octets`;
      // The rule (section 6.3) holds for closed streams too, and on those nothing can be sent (section 5.1).
      if (this.#core.find(streamId) === undefined) throw connectionFault(FRAME_SIZE_ERROR, message);
      this.#receiver.streamError(streamId, FRAME_SIZE_ERROR, message);
    } else if (number31(bytes, start) === streamId) {
      this.#receiver.streamError(streamId, PROTOCOL_ERROR, 'a stream that depends on itself');
    }
  }
}

function interrupted(): RemoteProtocolError {
  return connectionFault(PROTOCOL_ERROR, 'a frame inside a header block (RFC 9113 section 6.10)');
}

function badSize(name: string, length: number): RemoteProtocolError {
  return connectionFault(FRAME_SIZE_ERROR, `${name} of ${String(length)} octets`);
}

function onStream(name: string, streamId: number): void {
  if (streamId === 0) throw connectionFault(PROTOCOL_ERROR, `${name} on stream 0`);
}

function onConnection(name: string, streamId: number): void {
  if (streamId !== 0) throw connectionFault(PROTOCOL_ERROR, `${name} on stream ${String(streamId)}`);
}

/** Four octets without the first bit, which is reserved. */
function number31(bytes: Uint8Array, at: number): number {
  return number32(bytes, at) & 0x7fff_ffff;
}

function number32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Octets that outlive the chunk. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end), 0);
  return copy;
}
