/**
 * Watches what one HTTP/2 engine writes, and says where it breaks a rule that its peer could hold against it: frames and
 * their sizes, header blocks and HPACK, flow control both ways, what may follow an end or a reset, acknowledgements.
 *
 * It is told what the engine was given, since that moves windows and settings. Once the engine has said GOAWAY with an
 * error there is nothing more to watch.
 *
 * @module
 */
import { HpackDecoder } from '../../../src/protocols/http2/hpack/index.ts';
import type { Frame } from '../../vectors/support/http2-frames.ts';
import { FrameCutter } from '../../vectors/support/http2-frames.ts';

const FIRST_WINDOW = 65_535;
const FIRST_FRAME_SIZE = 16_384;
const LARGEST_WINDOW = 0x7fff_ffff;
const Type = { data: 0, headers: 1, reset: 3, settings: 4, push: 5, ping: 6, goaway: 7, window: 8, continuation: 9 };

interface WatchedStream {
  /** What the engine may still send. */
  window: number;
  /** What the peer may still send. */
  credit: number;
  sentEnd: boolean;
  sentReset: boolean;
  gotReset: boolean;
}

/** One engine's side of a connection. */
export class Http2Wire {
  readonly #role: 'client' | 'server';
  readonly #streams: Map<number, WatchedStream>;
  readonly #decoder: HpackDecoder;
  readonly #output: FrameCutter;
  #begun: boolean;
  #failed: boolean;
  /** An open header block. */
  #block: Uint8Array[];
  #blockStream: number;
  #blockEnds: boolean;
  #window: number;
  #credit: number;
  /** Settings of the peer that are in force, and frames of them that are not acknowledged. */
  #initialWindow: number;
  #maxFrameSize: number;
  #tableSizes: (number | undefined)[];
  /** Ours, as sent; the peer may use the first window until it has read them. */
  #ownWindow: number;
  #pings: string[];
  #lastGoaway: number;
  #highestOwn: number;

  constructor(role: 'client' | 'server') {
    this.#role = role;
    this.#streams = new Map();
    this.#decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 24, maxFields: 100_000 });
    this.#output = new FrameCutter(role === 'client');
    this.#begun = false;
    this.#failed = false;
    this.#block = [];
    this.#blockStream = 0;
    this.#blockEnds = false;
    this.#window = FIRST_WINDOW;
    this.#credit = FIRST_WINDOW;
    this.#initialWindow = FIRST_WINDOW;
    this.#maxFrameSize = FIRST_FRAME_SIZE;
    this.#tableSizes = [];
    this.#ownWindow = FIRST_WINDOW;
    this.#pings = [];
    this.#lastGoaway = LARGEST_WINDOW;
    this.#highestOwn = 0;
  }

  /** Whether the engine has ended the connection with an error. */
  get failed(): boolean {
    return this.#failed;
  }

  /** How much the peer may send on the connection now. */
  get credit(): number {
    return this.#credit;
  }

  /** The engine was given this frame. */
  received({ type, flags, streamId, payload }: Frame): void {
    if (this.#failed) return;
    switch (type) {
      case Type.data:
        this.#credit -= payload.length;
        this.#stream(streamId).credit -= payload.length;
        break;
      case Type.headers:
        if (this.#role === 'server') this.#stream(streamId);
        break;
      case Type.reset:
        this.#stream(streamId).gotReset = true;
        break;
      case Type.settings:
        if ((flags & 1) === 0 && streamId === 0 && payload.length % 6 === 0) this.#settingsReceived(payload);
        break;
      case Type.ping:
        if ((flags & 1) === 0) this.#pings.push(Buffer.from(payload).toString('hex'));
        break;
      case Type.window: {
        const count = payload.length < 4 ? 0 : numberAt(payload, 0) & LARGEST_WINDOW;
        if (streamId === 0) this.#window += count;
        else this.#stream(streamId).window += count;
        break;
      }
      default:
    }
  }

  /** The engine wrote these octets. Throws where it should not have; answers the frames that are whole. */
  sent(bytes: Uint8Array): Frame[] {
    const frames = this.#output.push(bytes);
    for (const frame of frames) if (!this.#failed) this.#check(frame);
    return frames;
  }

  #settingsReceived(payload: Uint8Array): void {
    let tableSize: number | undefined;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const id = ((payload[at] as number) << 8) | (payload[at + 1] as number);
      const value = numberAt(payload, at + 2);
      if (id === 1) tableSize = value;
      // What is no legal value ends the connection; it changes nothing before.
      if (id === 5 && value >= FIRST_FRAME_SIZE) this.#maxFrameSize = value;
      if (id === 4 && value <= LARGEST_WINDOW) {
        for (const stream of this.#streams.values()) stream.window += value - this.#initialWindow;
        this.#initialWindow = value;
      }
    }
    this.#tableSizes.push(tableSize);
  }

  #check(frame: Frame): void {
    const { type, flags, streamId, payload } = frame;
    if (!this.#begun && (type !== Type.settings || flags !== 0)) throw new Error('the first frame is not SETTINGS');
    this.#begun = true;
    if (payload.length > this.#maxFrameSize) throw new Error(`a frame of ${String(payload.length)} octets`);
    if (this.#blockStream !== 0 && (type !== Type.continuation || streamId !== this.#blockStream)) {
      throw new Error('a frame inside a header block');
    }
    switch (type) {
      case Type.data:
        this.#data(frame);
        return;
      case Type.headers:
        this.#headers(frame);
        return;
      case Type.continuation:
        if (this.#blockStream === 0) throw new Error('CONTINUATION without HEADERS');
        this.#fragment(frame);
        return;
      case Type.reset:
        if (payload.length !== 4) throw new Error('RST_STREAM of another size');
        this.#open(streamId, 'RST_STREAM', true).sentReset = true;
        return;
      case Type.settings:
        this.#settingsSent(flags, streamId, payload);
        return;
      case Type.push:
        throw new Error('PUSH_PROMISE');
      case Type.ping:
        if (streamId !== 0 || payload.length !== 8) throw new Error('a bad PING');
        if ((flags & 1) !== 0 && this.#pings.shift() !== Buffer.from(payload).toString('hex')) {
          throw new Error('an acknowledgement of no PING');
        }
        return;
      case Type.goaway: {
        const last = numberAt(payload, 0);
        if (streamId !== 0 || last > this.#lastGoaway) throw new Error('a bad GOAWAY');
        this.#lastGoaway = last;
        this.#failed = numberAt(payload, 4) !== 0;
        return;
      }
      case Type.window:
        this.#windowUpdate(frame);
        return;
      default:
    }
  }

  #data({ flags, streamId, payload }: Frame): void {
    const stream = this.#open(streamId, 'DATA', false);
    this.#window -= payload.length;
    stream.window -= payload.length;
    // An empty frame is allowed at any time (RFC 9113 section 6.9.1).
    if (payload.length > 0 && (this.#window < 0 || stream.window < 0)) throw new Error('DATA beyond a window');
    if ((flags & 1) !== 0) stream.sentEnd = true;
  }

  #headers(frame: Frame): void {
    const { streamId, flags } = frame;
    const isNew = !this.#streams.has(streamId);
    if (this.#role === 'client' && isNew) {
      if (streamId % 2 === 0 || streamId <= this.#highestOwn) throw new Error(`HEADERS on stream ${String(streamId)}`);
      this.#highestOwn = streamId;
    } else if (isNew) {
      throw new Error('a response to no request');
    }
    this.#open(streamId, 'HEADERS', false);
    this.#blockEnds = (flags & 1) !== 0;
    this.#fragment(frame);
  }

  #fragment({ flags, streamId, payload }: Frame): void {
    this.#block.push(payload);
    this.#blockStream = streamId;
    if ((flags & 4) === 0) return;
    const { error, headers } = this.#decoder.decode(Uint8Array.from(Buffer.concat(this.#block)));
    if (error !== undefined) throw new Error(`HPACK: ${error}`);
    if (headers.some((text, index) => index % 2 === 0 && text !== text.toLowerCase())) throw new Error('capitals');
    this.#block = [];
    this.#blockStream = 0;
    if (this.#blockEnds) this.#stream(streamId).sentEnd = true;
  }

  #settingsSent(flags: number, streamId: number, payload: Uint8Array): void {
    if (streamId !== 0 || payload.length % 6 !== 0) throw new Error('bad SETTINGS');
    if ((flags & 1) === 0) {
      for (let at = 0; at < payload.length; at += 6) {
        const id = ((payload[at] as number) << 8) | (payload[at + 1] as number);
        if (id === 4) this.#ownWindow = numberAt(payload, at + 2);
      }
      return;
    }
    if (this.#tableSizes.length === 0) throw new Error('an acknowledgement of no SETTINGS');
    const size = this.#tableSizes.shift();
    // The engine's encoder never uses more than it wants to; an update is due where less is allowed.
    if (size !== undefined) this.#decoder.setMaxTableSize(size);
  }

  #windowUpdate({ streamId, payload }: Frame): void {
    const count = numberAt(payload, 0);
    if (payload.length !== 4 || count === 0 || count > LARGEST_WINDOW) throw new Error('a bad WINDOW_UPDATE');
    if (streamId === 0) {
      this.#credit += count;
      if (this.#credit > LARGEST_WINDOW) throw new Error("the connection's window above 2^31-1");
      return;
    }
    const stream = this.#stream(streamId);
    if (stream.sentReset) throw new Error('WINDOW_UPDATE behind RST_STREAM');
    stream.credit += count;
    if (stream.credit > LARGEST_WINDOW) throw new Error("a stream's window above 2^31-1");
  }

  /** The stream of a frame that is sent, which must be one that may still be sent on. */
  #open(streamId: number, what: string, mayHaveEnded: boolean): WatchedStream {
    if (streamId === 0) throw new Error(`${what} on stream 0`);
    const stream = this.#stream(streamId);
    if (stream.sentReset && !stream.gotReset) {
      // A second reset answers frames that came behind the first (RFC 9113 section 5.1).
      if (what !== 'RST_STREAM') throw new Error(`${what} behind RST_STREAM on stream ${String(streamId)}`);
    }
    if (stream.sentEnd && !mayHaveEnded) throw new Error(`${what} behind END_STREAM on stream ${String(streamId)}`);
    return stream;
  }

  /** What is known of a stream. A peer's stream begins with whatever frame came first. */
  #stream(streamId: number): WatchedStream {
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = {
        window: this.#initialWindow,
        credit: Math.max(this.#ownWindow, FIRST_WINDOW),
        sentEnd: false,
        sentReset: false,
        gotReset: false,
      };
      this.#streams.set(streamId, stream);
    }
    return stream;
  }
}

function numberAt(payload: Uint8Array, at: number): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(at);
}
