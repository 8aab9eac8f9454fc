/**
 * How request streams ended that are no more.
 *
 * Owns: a bounded memory, so that a submit behind a good end is told apart from one behind a reset, which is ignored, and
 * from one for a request that has not come yet. A stream's place is found by its id, and the one that was opened 128
 * requests later takes it over, never the other way round; what was forgotten counts as reset.
 *
 * @module
 */
import type { ClosedKind } from './stream.ts';
import { Closed } from './stream.ts';

const PLACES = 128;

/** A bounded memory of closed streams. */
export class ClosedStreams {
  /** Made when the first stream is closed: an idle connection is to be small. */
  #ids: Float64Array | undefined;
  #kinds: Uint8Array | undefined;

  constructor() {
    this.#ids = undefined;
    this.#kinds = undefined;
  }

  /** Keeps how a stream was closed. */
  add(streamId: number, closed: ClosedKind): void {
    const ids = (this.#ids ??= new Float64Array(PLACES).fill(-1));
    const kinds = (this.#kinds ??= new Uint8Array(PLACES));
    const place = (streamId / 4) % PLACES;
    if ((ids[place] as number) > streamId) return;
    ids[place] = streamId;
    kinds[place] = closed;
  }

  /** How it was closed; `Closed.no`: unknown. */
  find(streamId: number): ClosedKind {
    const place = (streamId / 4) % PLACES;
    if (this.#ids === undefined || this.#ids[place] !== streamId) return Closed.no;
    return (this.#kinds as Uint8Array)[place] as ClosedKind;
  }

  /** Whether a stream may have been closed: it is known, or may have been forgotten. */
  mayHold(streamId: number): boolean {
    return this.#ids !== undefined && (this.#ids[(streamId / 4) % PLACES] as number) >= streamId;
  }

  /** Forgets all. */
  clear(): void {
    this.#ids = undefined;
  }
}
