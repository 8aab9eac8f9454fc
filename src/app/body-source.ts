/**
 * A response's body as it is pulled through the adapter: pieces come while there is room and stop when there is none.
 *
 * Owns the two interfaces. Sources: stream-source.ts (a ReadableStream), file-source.ts (a file); the sink is
 * response-writer.ts.
 *
 * Invariants: a source calls its sink only between `start` and the first of `end`, `fail` and its own `cancel`; after
 * `piece` returned false it waits for `resume`.
 *
 * @module
 */

/** Where a body goes. */
export interface BodySink {
  /** Takes a piece, which is the sink's for good; false: wait for `resume` before the next. */
  piece(data: Uint8Array): boolean;
  /** There is no more. */
  end(): void;
  /** There is no more, and what came is not the whole. */
  fail(error: unknown): void;
}

/** Where a body comes from. */
export interface BodySource {
  /** All its bytes, or `undefined` when that is not known. */
  readonly length: number | undefined;
  /** Whether the first piece is at hand so soon that the head may wait for it. */
  readonly prompt: boolean;
  /** Lets pieces come; may call the sink at once. */
  start(sink: BodySink): void;
  /** There is room again. */
  resume(): void;
  /** Nobody wants the rest: lets go of what it holds. Also before `start`, also twice. */
  cancel(reason: unknown): void;
}
