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

/** There are a few places at first, and all when more streams were closed. */
const FIRST_PLACES = 8;
const PLACES = 128;

/** A bounded memory of closed streams. */
export class ClosedStreams {
  /** By place: half of the id, and the kind in the last two bits. Made when the first stream is closed. */
  #places: Uint32Array | undefined;

  constructor() {
    this.#places = undefined;
  }

  /** Keeps how a stream was closed. */
  add(streamId: number, closed: ClosedKind): void {
    const value = ((streamId >>> 1) << 2) | closed;
    let places = (this.#places ??= new Uint32Array(FIRST_PLACES));
    if (places.length < PLACES && isTaken(places, streamId)) places = this.#grow(places);
    places[placeOf(streamId, places)] = value;
  }

  /** How it was closed; `Closed.no`: unknown. */
  find(streamId: number): ClosedKind {
    const places = this.#places;
    if (places === undefined) return Closed.no;
    const value = places[placeOf(streamId, places)] as number;
    return value >>> 2 === streamId >>> 1 ? ((value & 3) as ClosedKind) : Closed.no;
  }

  /** Forgets all. */
  clear(): void {
    this.#places = undefined;
  }

  #grow(old: Uint32Array): Uint32Array {
    const places = new Uint32Array(PLACES);
    for (const value of old) places[(value >>> 2) & (PLACES - 1)] = value;
    this.#places = places;
    return places;
  }
}

function placeOf(streamId: number, places: Uint32Array): number {
  return (streamId >>> 1) & (places.length - 1);
}

function isTaken(places: Uint32Array, streamId: number): boolean {
  const value = places[placeOf(streamId, places)] as number;
  return value !== 0 && value >>> 2 !== streamId >>> 1;
}
