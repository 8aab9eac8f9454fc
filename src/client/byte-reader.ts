/**
 * A body that is read piece by piece, and its view as a platform stream.
 *
 * Owns the pull interface that received and decoded bodies share. One reader at a time; a piece is asked for, never
 * pushed, so that a slow reader slows the connection.
 *
 * @module
 */

/** Bytes that come when asked for. */
export interface ByteReader {
  /** The next piece, never empty; `undefined` at the end. Not to be called again before it has answered. */
  read(): Promise<Uint8Array | undefined>;
  /** The rest is not wanted. */
  cancel(reason?: unknown): void;
}

/** Bodies whose stream nobody holds any more are given up, so that a forgotten response blocks no connection. */
const forgotten = new FinalizationRegistry<ByteReader>((reader) => reader.cancel());

/**
 * A readable byte stream over a reader.
 *
 * @param toError - what to fail the stream with when the reader fails
 */
export function readableStream(reader: ByteReader, toError: (error: unknown) => unknown): ReadableStream<Uint8Array> {
  const stream = new ReadableStream({
    type: 'bytes',
    async pull(controller: ReadableByteStreamController): Promise<void> {
      let piece: Uint8Array | undefined;
      try {
        piece = await reader.read();
      } catch (error) {
        throw toError(error);
      }
      if (piece !== undefined) {
        controller.enqueue(transferable(piece));
        return;
      }
      forgotten.unregister(reader);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel(reason: unknown): void {
      forgotten.unregister(reader);
      reader.cancel(reason);
    },
  });
  forgotten.register(stream, reader, reader);
  return stream;
}

/** A byte stream takes the whole buffer away from under a piece, so a piece that shares its buffer is copied. */
function transferable(piece: Uint8Array): Uint8Array {
  const whole = piece.byteLength === piece.buffer.byteLength && piece.buffer instanceof ArrayBuffer;
  return whole ? piece : new Uint8Array(piece);
}
