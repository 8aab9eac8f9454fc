/**
 * Frames out of the bytes of one stream (RFC 9114 section 7.1).
 *
 * Theory of operation. A frame's type and length are put together octet by octet where they are cut; then its sink says
 * what becomes of the payload: it is told in the pieces in which it comes, or whole, or it is passed over. Only a payload
 * that is wanted whole and was cut is copied, into memory that grows with what has come, never with what was announced;
 * the sink has held the length to a limit before.
 *
 * Owns: the position within a frame. Does not own which frames may come (the sink's), nor credit: what it read of frames
 * told in pieces is their receiver's to give back, all else is to be given back at once.
 *
 * @module
 */
import { ByteWriter, readVarint, varintLengthOf } from '../../wire/index.ts';

/** What becomes of a frame's payload. */
export const Take = { skip: 0, pieces: 1, whole: 2 } as const;
/** One of {@link Take}. */
export type TakeKind = (typeof Take)[keyof typeof Take];

/** Who is told. Members throw what ends the connection. */
export interface FrameSink<Owner> {
  /** The first number of a stream, when it is no frame type of HTTP/3's: true makes the rest raw bytes. */
  lends(owner: Owner, type: number): boolean;
  /** What follows such a number. */
  rawReceived(owner: Owner, bytes: Uint8Array): void;
  /** A frame begins. */
  frameBegins(owner: Owner, type: number, length: number): TakeKind;
  /** A piece of a frame that is taken in pieces. `last`: its last one. `ends`: the stream ends behind it. */
  framePiece(owner: Owner, bytes: Uint8Array, start: number, end: number, last: boolean, ends: boolean): void;
  /** A frame that is taken whole. `bytes` is valid for the call only, unless it is copied from. */
  frameReceived(owner: Owner, type: number, bytes: Uint8Array, start: number, end: number, ends: boolean): void;
}

const State = { type: 0, length: 1, payload: 2, raw: 3, stopped: 4 } as const;
type StateKind = (typeof State)[keyof typeof State];

/** The greatest frame type of RFC 9114. */
const HIGHEST_KNOWN = 0x0d;

/** Reads one stream. */
export class FrameReader<Owner> {
  readonly #owner: Owner;
  readonly #sink: FrameSink<Owner>;
  #state: StateKind;
  #first: boolean;
  /** A number that was cut: what has come of it. */
  #cut: Uint8Array | undefined;
  #cutLength: number;
  #type: number;
  /** What is still to come of the payload. */
  #left: number;
  #take: TakeKind;
  #collected: ByteWriter | undefined;

  constructor(owner: Owner, sink: FrameSink<Owner>) {
    this.#owner = owner;
    this.#sink = sink;
    this.#state = State.type;
    this.#first = true;
    this.#cut = undefined;
    this.#cutLength = 0;
    this.#type = 0;
    this.#left = 0;
    this.#take = Take.skip;
    this.#collected = undefined;
  }

  /** Whether the stream may end here: between two frames, or where frames are of no interest any more. */
  get atBoundary(): boolean {
    return (this.#state === State.type && this.#cutLength === 0) || this.#state >= State.raw;
  }

  /** How many octets are kept of a frame that has not come whole. */
  get held(): number {
    return this.#collected === undefined ? 0 : this.#collected.length;
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#state = State.stopped;
    this.#collected = undefined;
    this.#cut = undefined;
  }

  /**
   * Reads bytes.
   *
   * @param fin - the stream ends behind them
   * @returns how many of them were not told in pieces or raw
   */
  read(bytes: Uint8Array, fin: boolean): number {
    const length = bytes.length;
    let overhead = 0;
    let at = 0;
    while (at < length) {
      const start = at;
      if (this.#state === State.payload) {
        at = this.#readPayload(bytes, at, fin);
        if (this.#take !== Take.pieces) overhead += at - start;
      } else if (this.#state === State.raw) {
        this.#sink.rawReceived(this.#owner, at === 0 ? bytes : bytes.subarray(at));
        return overhead;
      } else if (this.#state === State.stopped) {
        return overhead + length - at;
      } else {
        at = this.#readNumber(bytes, at, fin);
        overhead += at - start;
      }
    }
    return overhead;
  }

  /** A type or a length; answers where to go on. */
  #readNumber(bytes: Uint8Array, start: number, fin: boolean): number {
    let value: number;
    let at = start;
    if (this.#cutLength === 0 && bytes.length - at >= varintLengthOf(bytes[at]!)) {
      value = readVarint(bytes, at);
      at += varintLengthOf(bytes[at]!);
    } else {
      const cut = (this.#cut ??= new Uint8Array(8));
      const whole = varintLengthOf(this.#cutLength === 0 ? bytes[at]! : cut[0]!);
      while (this.#cutLength < whole && at < bytes.length) {
        cut[this.#cutLength] = bytes[at]!;
        this.#cutLength += 1;
        at += 1;
      }
      if (this.#cutLength < whole) return at;
      value = readVarint(cut, 0);
      this.#cutLength = 0;
    }
    if (this.#state === State.type) this.#typeRead(value);
    else this.#lengthRead(value, bytes, at, fin);
    return at;
  }

  #typeRead(type: number): void {
    const first = this.#first;
    this.#first = false;
    if (first && type > HIGHEST_KNOWN && this.#sink.lends(this.#owner, type)) {
      this.#state = State.raw;
      return;
    }
    this.#type = type;
    this.#state = State.length;
  }

  #lengthRead(length: number, bytes: Uint8Array, at: number, fin: boolean): void {
    this.#take = this.#sink.frameBegins(this.#owner, this.#type, length);
    // The sink may have given the stream up.
    if (this.#stopped) return;
    this.#left = length;
    if (length > 0) {
      this.#state = State.payload;
      return;
    }
    this.#state = State.type;
    this.#frameEnds(bytes, at, at, fin && at === bytes.length);
  }

  #readPayload(bytes: Uint8Array, start: number, fin: boolean): number {
    const end = Math.min(bytes.length, start + this.#left);
    this.#left -= end - start;
    const last = this.#left === 0;
    const ends = last && fin && end === bytes.length;
    if (last) this.#state = State.type;
    if (this.#take === Take.pieces) {
      this.#sink.framePiece(this.#owner, bytes, start, end, last, ends);
    } else if (this.#take === Take.whole) {
      if (!last) {
        (this.#collected ??= new ByteWriter()).writeBytes(bytes.subarray(start, end));
      } else {
        this.#frameEnds(bytes, start, end, ends);
      }
    }
    return end;
  }

  /** The rest of a frame's payload is there. */
  #frameEnds(bytes: Uint8Array, start: number, end: number, ends: boolean): void {
    if (this.#take !== Take.whole) return;
    const collected = this.#collected;
    if (collected === undefined) {
      this.#sink.frameReceived(this.#owner, this.#type, bytes, start, end, ends);
      return;
    }
    this.#collected = undefined;
    collected.writeBytes(bytes.subarray(start, end));
    const whole = collected.finish();
    this.#sink.frameReceived(this.#owner, this.#type, whole, 0, whole.length, ends);
  }

  /** Asked anew: a sink's member may have called {@link stop}. */
  get #stopped(): boolean {
    return this.#state === State.stopped;
  }
}
