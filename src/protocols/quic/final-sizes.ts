/**
 * How long streams were of which nothing else is kept.
 *
 * Owns the check of RFC 9000 section 4.5 behind the end of a stream: its final size does not change, and no data comes
 * behind it, even after it was closed. To keep that of every stream would be state without a bound, which is why the
 * section demands it of nobody; so the last ones that were forgotten are kept. What a peer sends in error, or twice, comes
 * soon.
 *
 * @module
 */
import { QuicError, QuicFault } from './error-codes.ts';

/** How many streams are remembered. */
const REMEMBERED = 64;

/** The final sizes of the streams that were forgotten last. */
export class FinalSizes {
  /** A ring: at the same index an id, and the size of that stream. */
  readonly #ids: number[];
  readonly #sizes: number[];
  #next: number;

  constructor() {
    this.#ids = [];
    this.#sizes = [];
    this.#next = 0;
  }

  /** A stream is forgotten. */
  add(streamId: number, finalSize: number): void {
    const at = this.#next;
    this.#ids[at] = streamId;
    this.#sizes[at] = finalSize;
    this.#next = at + 1 === REMEMBERED ? 0 : at + 1;
  }

  /**
   * A frame came for a stream that was forgotten, with bytes up to `end`.
   *
   * @param isEnd - it says that the stream ends there
   * @throws QuicFault FINAL_SIZE_ERROR, as far as the stream is remembered
   */
  check(streamId: number, end: number, isEnd: boolean, frameType: number): void {
    const at = this.#ids.indexOf(streamId);
    if (at < 0) return;
    const size = this.#sizes[at] as number;
    if (end > size || (isEnd && end !== size)) {
      throw new QuicFault(QuicError.finalSizeError, 'a closed stream has another size than it had', frameType);
    }
  }
}
