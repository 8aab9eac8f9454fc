/**
 * A request body that can be sent, whatever it was given as.
 *
 * Owns the interface. The kinds of bodies are body-source.ts's and multipart.ts's, sending is body-sender.ts's.
 *
 * @module
 */

/** A body that can be sent. */
export interface BodySource {
  /** Its length in bytes, or `undefined` where only the end will tell. */
  readonly length: number | undefined;
  /** The Content-Type that it implies, or `undefined`. */
  readonly contentType: string | undefined;
  /** Whether `open` may be called again. */
  readonly replayable: boolean;
  /** All of it, when it is in memory. */
  readonly bytes: Uint8Array | undefined;
  /** Begins to read it. */
  open(): AsyncIterator<Uint8Array, unknown>;
}
