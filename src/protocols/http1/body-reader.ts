/**
 * The content of the message that is being received, piece by piece.
 *
 * Contract. {@link BodyReader.read} takes what it can off the buffer and answers one of:
 *
 * 1. `needMore`: nothing can be said before more bytes come.
 * 2. `data`: {@link BodyReader.piece} holds content; {@link BodyReader.ended} says whether it was the last.
 * 3. `end`: the message ended, nothing came with it.
 * 4. `trailers`: the message ended, {@link BodyReader.section} holds its trailers.
 *
 * It is to be called until it answers 1, 3 or 4, or `data` with `ended`.
 *
 * Owns: the three framings that end by themselves or by the connection (RFC 9112 sections 6.3 and 7.1), the limits on
 * content, extensions and trailers. Pieces are views, given away; small chunks that lie together are gathered into one
 * piece, so that chunks of one octet cost the application no event each.
 *
 * @module
 */
import type { ReceiveBuffer } from '../../wire/index.ts';
import { isForbiddenTrailer } from '../semantics/index.ts';
import { ChunkLine, LINE_INCOMPLETE } from './chunk-line.ts';
import { fault, limitFault } from './faults.ts';
import { FieldSection } from './field-section.ts';
import type { FramingKind } from './framing.ts';
import { Framing } from './framing.ts';
import type { Http1Limits } from './limits.ts';
import { SectionReader } from './section-reader.ts';

/** What {@link BodyReader.read} answers. */
export const BodyStep = { needMore: 0, data: 1, end: 2, trailers: 3 } as const;
/** One of {@link BodyStep}. */
export type BodyStepKind = (typeof BodyStep)[keyof typeof BodyStep];

/** Pieces below this many bytes are gathered, into runs of at most {@link GATHER_RUN}. */
const GATHER_BELOW = 1024;
const GATHER_RUN = 4096;

const EMPTY: Uint8Array = new Uint8Array(0);

const ChunkState = { size: 0, data: 1, dataEnd: 2, trailers: 3 } as const;

/** Reads the content of one message after the other; one instance serves a connection. */
export class BodyReader {
  /** The content of a `data` step. */
  piece: Uint8Array;
  /** Whether the `data` step was the last. */
  ended: boolean;
  /** The trailers of a `trailers` step. */
  readonly section: FieldSection;
  readonly #limits: Http1Limits;
  readonly #line: ChunkLine;
  readonly #sections: SectionReader;
  #framing: FramingKind;
  /** What is left of the content, or of the chunk. */
  #remaining: number;
  #received: number;
  #extensions: number;
  #chunkState: number;
  /** A piece that waits for what follows it: its end, or small neighbours. */
  #held: Uint8Array | undefined;
  /** How much of #held is used, when it is memory for gathering; otherwise -1. */
  #gathered: number;
  /** What is wrong behind the held piece, which goes first: the result does not depend on how bytes were cut. */
  #fault: Error | undefined;

  constructor(limits: Http1Limits) {
    this.piece = EMPTY;
    this.ended = false;
    this.section = new FieldSection();
    this.#limits = limits;
    this.#line = new ChunkLine();
    this.#sections = new SectionReader();
    this.#framing = Framing.none;
    this.#remaining = 0;
    this.#received = 0;
    this.#extensions = 0;
    this.#chunkState = ChunkState.size;
    this.#held = undefined;
    this.#gathered = -1;
    this.#fault = undefined;
  }

  /** How much content the message has brought. */
  get received(): number {
    return this.#received;
  }

  /** The framing of the message at hand. */
  get framing(): FramingKind {
    return this.#framing;
  }

  /**
   * Begins a message.
   *
   * @throws LimitError when it declares more than `maxBodyBytes`
   */
  begin(framing: FramingKind, contentLength: number): void {
    this.#framing = framing;
    this.#remaining = framing === Framing.length ? contentLength : 0;
    this.#received = 0;
    this.#extensions = 0;
    this.#chunkState = ChunkState.size;
    this.#held = undefined;
    this.#gathered = -1;
    this.#fault = undefined;
    if (this.#remaining > this.#limits.maxBodyBytes) throw limitFault('maxBodyBytes', this.#limits.maxBodyBytes, 413);
  }

  /** Lets go of the message before. */
  forget(): void {
    this.piece = EMPTY;
  }

  /** One step; see the contract above. Throws RemoteProtocolError and LimitError. */
  read(buffer: ReceiveBuffer): BodyStepKind {
    this.ended = false;
    switch (this.#framing) {
      case Framing.length:
        return this.#readLength(buffer);
      case Framing.chunked:
        return this.#readChunked(buffer);
      case Framing.close:
      case Framing.tunnel:
        return this.#readAll(buffer);
      default:
        return BodyStep.end;
    }
  }

  #readLength(buffer: ReceiveBuffer): BodyStepKind {
    if (buffer.size === 0) return BodyStep.needMore;
    this.piece = buffer.take(this.#remaining);
    this.#remaining -= this.piece.length;
    this.#received += this.piece.length;
    this.ended = this.#remaining === 0;
    return BodyStep.data;
  }

  #readAll(buffer: ReceiveBuffer): BodyStepKind {
    if (buffer.size === 0) return BodyStep.needMore;
    this.piece = buffer.take();
    this.#count(this.piece.length);
    return BodyStep.data;
  }

  #readChunked(buffer: ReceiveBuffer): BodyStepKind {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      return this.#readChunks(buffer);
    } catch (error) {
      if (this.#held === undefined) throw error;
      this.#fault = error as Error;
      return this.#release(BodyStep.needMore);
    }
  }

  #readChunks(buffer: ReceiveBuffer): BodyStepKind {
    for (;;) {
      switch (this.#chunkState) {
        case ChunkState.size:
          if (!this.#readSize(buffer)) return this.#release(BodyStep.needMore);
          break;
        case ChunkState.data:
          if (buffer.size === 0) return this.#release(BodyStep.needMore);
          if (this.#mustReleaseFirst(buffer)) return this.#release(BodyStep.needMore);
          this.#readData(buffer);
          break;
        case ChunkState.dataEnd:
          if (!this.#readDataEnd(buffer)) return this.#release(BodyStep.needMore);
          break;
        default:
          return this.#readTrailers(buffer);
      }
    }
  }

  /** False while the line is incomplete. */
  #readSize(buffer: ReceiveBuffer): boolean {
    const size = this.#line.read(buffer, this.#limits.maxChunkLineBytes);
    if (size === LINE_INCOMPLETE) return false;
    this.#extensions += this.#line.extensionLength;
    const { maxChunkExtensionBytes } = this.#limits;
    if (this.#extensions > maxChunkExtensionBytes) {
      throw limitFault('maxChunkExtensionBytes', maxChunkExtensionBytes, 413);
    }
    this.#count(size);
    this.#remaining = size;
    this.#chunkState = size === 0 ? ChunkState.trailers : ChunkState.data;
    return true;
  }

  #count(length: number): void {
    this.#received += length;
    // A tunnel's bytes are no content.
    if (this.#received > this.#limits.maxBodyBytes && this.#framing !== Framing.tunnel) {
      throw limitFault('maxBodyBytes', this.#limits.maxBodyBytes, 413);
    }
  }

  /** Whether the held piece must go before the next is taken: the two are not gathered. */
  #mustReleaseFirst(buffer: ReceiveBuffer): boolean {
    if (this.#held === undefined) return false;
    const next = Math.min(this.#remaining, buffer.size);
    const used = this.#gathered < 0 ? this.#held.length : this.#gathered;
    return next >= GATHER_BELOW || used >= GATHER_BELOW * 3 || (this.#gathered < 0 && used >= GATHER_BELOW);
  }

  #readData(buffer: ReceiveBuffer): void {
    const piece = buffer.take(this.#remaining);
    this.#remaining -= piece.length;
    if (this.#remaining === 0) this.#chunkState = ChunkState.dataEnd;
    if (this.#held === undefined) {
      this.#held = piece;
      return;
    }
    if (this.#gathered < 0) {
      const memory = new Uint8Array(GATHER_RUN);
      memory.set(this.#held, 0);
      this.#gathered = this.#held.length;
      this.#held = memory;
    }
    this.#held.set(piece, this.#gathered);
    this.#gathered += piece.length;
  }

  /** CRLF and nothing else behind a chunk (CVE-2025-43859). False while it is incomplete. */
  #readDataEnd(buffer: ReceiveBuffer): boolean {
    if (buffer.size === 0) return false;
    if (buffer.byteAt(0) !== 0x0d) throw fault('a chunk that is not followed by CRLF');
    if (buffer.size === 1) return false;
    if (buffer.byteAt(1) !== 0x0a) throw fault('a chunk that is not followed by CRLF');
    buffer.skip(2);
    this.#chunkState = ChunkState.size;
    return true;
  }

  #readTrailers(buffer: ReceiveBuffer): BodyStepKind {
    if (buffer.byteAt(0) === 0x0d) {
      const second = buffer.byteAt(1);
      if (second === 0x0a) {
        buffer.skip(2);
        return this.#release(BodyStep.end);
      }
      if (second < 0) return this.#release(BodyStep.needMore);
    }
    const limit = this.#limits.maxHeaderBytes;
    if (this.#held !== undefined) return this.#release(BodyStep.needMore);
    const text = this.#sections.read(buffer, limit);
    if (text === undefined) {
      if (this.#sections.overrun(buffer, limit)) throw limitFault('maxHeaderBytes', limit, 431);
      return BodyStep.needMore;
    }
    this.section.begin([], []);
    this.section.parse(text, 0, 'trailers', this.#limits.maxHeaderCount);
    this.#checkTrailers();
    return BodyStep.trailers;
  }

  /** RFC 9110 section 6.5.1; what concerns the connection may not come here either. */
  #checkTrailers(): void {
    const { section } = this;
    const { connection } = section;
    if (section.transferEncoding !== undefined || section.upgrade.length > 0 || section.keepAlive !== undefined) {
      throw fault('a field that frames the message or the connection stands in trailers');
    }
    if (connection.close || connection.keepAlive || connection.upgrade || connection.named !== undefined) {
      throw fault('Connection may not stand in trailers');
    }
    for (let index = 0; index < section.headers.length; index += 2) {
      const name = section.headers[index] as string;
      if (isForbiddenTrailer(name)) throw fault(`${name} may not stand in trailers`);
    }
  }

  /** Gives the held piece, if any; otherwise answers `step`. With `end` the piece is the last. */
  #release(step: BodyStepKind): BodyStepKind {
    const held = this.#held;
    if (held === undefined) return step;
    this.piece = this.#gathered < 0 ? held : held.subarray(0, this.#gathered);
    this.#held = undefined;
    this.#gathered = -1;
    this.ended = step === BodyStep.end;
    return BodyStep.data;
  }
}
