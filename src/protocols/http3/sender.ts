/**
 * The sending side of messages: what was submitted, from its checks to its frames.
 *
 * Theory of operation. Everything is handed to the transport at once: it holds the bytes, bounds them by
 * `sendCapacity`, and picks among the streams, late. Content passes uncopied behind the header of its DATA frame; a small
 * piece is put into one chunk with it.
 *
 * Owns: the content ledger, the order of a message's parts as they are submitted, HEADERS and DATA (RFC 9114 sections
 * 4.1, 7.2.1 and 7.2.2). A submit that throws has changed nothing. Does not own which heads are legal (server.ts,
 * client.ts).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { ByteWriter, varintLength, writeVarint } from '../../wire/index.ts';
import { checkLedger, checkOpen, trailersProblem } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { FrameType } from './frame-types.ts';
import { QpackEncoder } from './qpack/index.ts';
import type { Stream } from './stream.ts';
import { Send, Tunnel } from './stream.ts';

/** Content up to this size is copied behind its frame's header: one chunk costs less than two. */
const SMALL_CONTENT = 1024;
const EMPTY: Uint8Array = new Uint8Array(0);
/** Field sections are encoded here, one after the other, whichever connection they are for. */
let scratch = new ByteWriter();
/** Memory for a larger one is not kept. */
const KEPT_SCRATCH = 0x10000;

/** Writes what the application submits. */
export class Sender {
  readonly #core: Core;
  readonly #encoder: QpackEncoder;

  constructor(core: Core) {
    this.#core = core;
    this.#encoder = new QpackEncoder();
  }

  /**
   * The frame of a field section.
   *
   * @param own - it is the engine's own, and small
   * @throws LocalProtocolError when the peer has said that it takes none so large (RFC 9114 section 4.2.2)
   */
  encode(headers: HeaderList, own = false): Uint8Array {
    scratch.clear();
    const size = this.#encoder.encode(headers, scratch);
    const { maxFieldSectionSize } = this.#core.peer;
    if (size > maxFieldSectionSize && !own) {
      throw new LocalProtocolError(
        `a field section of ${String(size)} bytes where the peer takes ${String(maxFieldSectionSize)}`,
      );
    }
    const { length } = scratch;
    const start = 1 + varintLength(length);
    const frame = new Uint8Array(start + length);
    frame[0] = FrameType.headers;
    writeVarint(frame, 1, length);
    scratch.copyTo(frame, start);
    if (length > KEPT_SCRATCH) scratch = new ByteWriter();
    return frame;
  }

  /** A message's head, encoded. `silent`: the message has no content, its end goes with the head. */
  submitHead(stream: Stream, frame: Uint8Array, contentLength: number, endStream: boolean, silent: boolean): void {
    stream.sendDeclared = contentLength;
    this.#write(stream, frame, endStream || silent);
    if (endStream) stream.send = Send.ended;
    else stream.send = silent ? Send.silent : Send.content;
    this.#core.closeIfOver(stream);
  }

  /** A frame that belongs to no order, such as an interim response. */
  submitFrame(stream: Stream, frame: Uint8Array): void {
    this.#write(stream, frame, false);
  }

  /** Content, or a tunnel's bytes. @throws LocalProtocolError */
  submitData(stream: Stream, data: Uint8Array, endStream: boolean): void {
    const { length } = data;
    if (stream.stopped) return;
    if (stream.send === Send.silent) {
      if (length > 0 && !stream.headRequest) throw new LocalProtocolError('this message has no content');
      if (endStream) this.#endSilent(stream);
      return;
    }
    checkOpen(stream);
    checkLedger(stream, length, endStream);
    if (length > 0) {
      if (this.#core.transport.sendCapacity(stream.id) === 0) throw new LocalProtocolError('the send buffer is full');
      stream.sendCounted += length;
      this.#writeContent(stream, data, endStream);
    } else if (endStream) {
      this.#write(stream, EMPTY, true);
    } else {
      return;
    }
    if (!endStream) return;
    stream.send = Send.ended;
    this.#core.closeIfOver(stream);
  }

  /** Trailers, and the message's end. @throws LocalProtocolError */
  submitTrailers(stream: Stream, headers: HeaderList): void {
    if (stream.stopped) return;
    if (stream.tunnel === Tunnel.open) throw new LocalProtocolError('a tunnel has no trailers');
    if (stream.send !== Send.silent) checkOpen(stream);
    const problem = trailersProblem(headers);
    if (problem !== undefined) throw new LocalProtocolError(problem);
    if (stream.send === Send.silent) {
      this.#endSilent(stream);
      return;
    }
    checkLedger(stream, 0, true);
    this.#write(stream, this.encode(headers), true);
    stream.send = Send.ended;
    this.#core.closeIfOver(stream);
  }

  /** The end of what a refused CONNECT never sent. */
  submitEnd(stream: Stream): void {
    this.#write(stream, EMPTY, true);
    stream.send = Send.ended;
  }

  /** The free room of a stream's send buffer. */
  capacity(stream: Stream): number {
    if (stream.send !== Send.content || stream.stopped || stream.tunnel === Tunnel.asked) return 0;
    return this.#core.transport.sendCapacity(stream.id);
  }

  /** Another urgency. */
  prioritise(stream: Stream, urgency: number, incremental: boolean): void {
    stream.urgency = urgency;
    stream.incremental = incremental;
    this.#core.transport.setStreamPriority(stream.id, urgency, incremental);
  }

  #writeContent(stream: Stream, data: Uint8Array, endStream: boolean): void {
    const { length } = data;
    const start = 1 + varintLength(length);
    const copies = length <= SMALL_CONTENT;
    const frame = new Uint8Array(copies ? start + length : start);
    frame[0] = FrameType.data;
    writeVarint(frame, 1, length);
    if (copies) {
      frame.set(data, start);
      this.#write(stream, frame, endStream);
    } else {
      this.#write(stream, frame, false);
      this.#write(stream, data, endStream);
    }
  }

  #write(stream: Stream, bytes: Uint8Array, fin: boolean): void {
    const core = this.#core;
    core.transport.writeStream(stream.id, bytes, fin);
    core.stalls.awaitSending(stream, core.now);
  }

  #endSilent(stream: Stream): void {
    stream.send = Send.ended;
    this.#core.closeIfOver(stream);
  }
}
