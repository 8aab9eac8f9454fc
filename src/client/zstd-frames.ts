/**
 * Where the frames of a Zstandard stream end (RFC 8878 section 3.1).
 *
 * Owns the walk over frame and block headers, nothing of decoding: Node's decoder takes a stream that breaks off for
 * one that has ended (in 22; 24 tells), and a cut body shall not pass for a whole one. What is no Zstandard is the
 * decoder's to refuse.
 *
 * @module
 */

/** What the walker reads next. */
const Step = { magic: 0, skippableSize: 1, descriptor: 2, block: 3, skip: 4, lost: 5 } as const;
type StepKind = (typeof Step)[keyof typeof Step];

/** Follows a stream of frames. */
export class ZstdFrames {
  #step: StepKind;
  /** The number being read, least significant octet first, and how many octets of it have come. */
  #value: number;
  #octets: number;
  /** Octets to pass over, and what comes after them. */
  #left: number;
  #after: StepKind;
  #hasChecksum: boolean;
  #empty: boolean;

  constructor() {
    this.#step = Step.magic;
    this.#value = 0;
    this.#octets = 0;
    this.#left = 0;
    this.#after = Step.magic;
    this.#hasChecksum = false;
    this.#empty = true;
  }

  /** Whether the stream may end here: behind a frame. True for what is no Zstandard. */
  get complete(): boolean {
    return this.#step === Step.lost || (this.#step === Step.magic && this.#octets === 0 && !this.#empty);
  }

  /** The next piece of the stream. */
  push(piece: Uint8Array): void {
    this.#empty = false;
    let at = 0;
    while (at < piece.byteLength && this.#step !== Step.lost) {
      if (this.#step === Step.skip) {
        const passed = Math.min(this.#left, piece.byteLength - at);
        this.#left -= passed;
        at += passed;
        if (this.#left === 0) this.#step = this.#after;
      } else {
        this.#octet(piece[at] as number);
        at += 1;
      }
    }
  }

  #octet(octet: number): void {
    this.#value += octet * 2 ** (8 * this.#octets);
    this.#octets += 1;
    if (this.#octets < WIDTHS[this.#step]) return;
    const value = this.#value;
    this.#value = 0;
    this.#octets = 0;
    switch (this.#step) {
      case Step.magic:
        if (value === 0xfd2fb528) this.#step = Step.descriptor;
        // Section 3.1.2: any of sixteen values begins a frame to skip.
        else this.#step = value >= 0x184d2a50 && value <= 0x184d2a5f ? Step.skippableSize : Step.lost;
        return;
      case Step.skippableSize:
        this.#skip(value, Step.magic);
        return;
      case Step.descriptor:
        this.#frameHeader(value);
        return;
      default:
        this.#blockHeader(value);
    }
  }

  /** Section 3.1.1.1.1. */
  #frameHeader(descriptor: number): void {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    const windowSize = isSingleSegment ? 0 : 1;
    const dictionarySize = [0, 1, 2, 4][descriptor & 0x03] as number;
    const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
    this.#skip(windowSize + dictionarySize + contentSize, Step.block);
  }

  /** Section 3.1.1.2. */
  #blockHeader(header: number): void {
    const isLast = (header & 1) !== 0;
    const kind = (header >> 1) & 3;
    if (kind === 3) {
      this.#step = Step.lost;
      return;
    }
    // A block of one repeated octet has that octet only.
    const size = kind === 1 ? 1 : header >> 3;
    if (isLast) this.#skip(size + (this.#hasChecksum ? 4 : 0), Step.magic);
    else this.#skip(size, Step.block);
  }

  #skip(octets: number, after: StepKind): void {
    this.#left = octets;
    this.#after = after;
    this.#step = octets === 0 ? after : Step.skip;
  }
}

/** Octets of the number that each step reads. */
const WIDTHS: Readonly<Record<StepKind, number>> = { 0: 4, 1: 4, 2: 1, 3: 3, 4: 0, 5: 0 };
