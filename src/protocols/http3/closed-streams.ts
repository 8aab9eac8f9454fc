/**
 * How request streams ended that are no more.
 *
 * Owns: a bounded memory, so that a submit behind a good end is told apart from one behind a reset, which is ignored. A
 * stream's place is found by its id, and the one that comes 128 requests later takes it over; what was forgotten counts
 * as reset.
 *
 * @module
 */
import type { ClosedKind } from './stream.ts';
import { Closed } from './stream.ts';

const PLACES = 128;

/** A bounded memory of closed streams. */
export class ClosedStreams {
  readonly #ids: Float64Array;
  readonly #kinds: Uint8Array;

  constructor() {
    this.#ids = new Float64Array(PLACES).fill(-1);
    this.#kinds = new Uint8Array(PLACES);
  }

  /** Keeps how a stream was closed. */
  add(streamId: number, closed: ClosedKind): void {
    const place = (streamId / 4) % PLACES;
    this.#ids[place] = streamId;
    this.#kinds[place] = closed;
  }

  /** How it was closed; `Closed.no`: unknown. */
  find(streamId: number): ClosedKind {
    const place = (streamId / 4) % PLACES;
    return this.#ids[place] === streamId ? (this.#kinds[place] as ClosedKind) : Closed.no;
  }

  /** Forgets all. */
  clear(): void {
    this.#ids.fill(-1);
  }
}
