/**
 * How streams ended that are no more.
 *
 * Theory of operation. What a late frame means depends on how its stream was closed (RFC 9113 section 5.1): behind this
 * side's RST_STREAM anything may still be on its way, behind the peer's END_STREAM or RST_STREAM nothing may. The memory
 * is bounded: an id's place is found by the id itself, and the stream that comes 256 ids later takes it over. For ids
 * that were forgotten, or never used since a higher one came first (section 5.1.1), the answer is `unknown`.
 *
 * @module
 */
import type { ClosedKind } from './stream.ts';
import { Closed } from './stream.ts';

const PLACES = 128;

/** A bounded memory of closed streams. */
export class ClosedStreams {
  /** Made when the first stream is closed: an idle connection is to be small. */
  #ids: Uint32Array | undefined;
  #kinds: Uint8Array | undefined;

  constructor() {
    this.#ids = undefined;
    this.#kinds = undefined;
  }

  /** Keeps how a stream was closed. */
  add(streamId: number, closed: ClosedKind): void {
    const ids = (this.#ids ??= new Uint32Array(PLACES));
    const kinds = (this.#kinds ??= new Uint8Array(PLACES));
    const place = (streamId >>> 1) & (PLACES - 1);
    ids[place] = streamId;
    kinds[place] = closed;
  }

  /** How it was closed; `Closed.no`: unknown. */
  find(streamId: number): ClosedKind {
    const place = (streamId >>> 1) & (PLACES - 1);
    if (this.#ids === undefined || this.#ids[place] !== streamId) return Closed.no;
    return (this.#kinds as Uint8Array)[place] as ClosedKind;
  }
}
