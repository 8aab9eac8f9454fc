/**
 * A `Response` whose body is a file.
 *
 * Owns the ordinary stream of such a response, for middleware that reads or wraps it. The adapter takes the source
 * instead (response-source.ts) and never touches the stream.
 *
 * @module
 */
import type { BodySource } from '../body-source.ts';
import { tieSource } from '../response-source.ts';

/** A response with a source as its body. Nothing is opened before somebody reads. */
export function sourceResponse(
  source: BodySource,
  init: { readonly status: number; readonly headers: Headers },
): Response {
  return tieSource(new Response(streamOf(source), init), source);
}

function streamOf(source: BodySource): ReadableStream<Uint8Array> {
  let started = false;
  let settle = (): void => undefined;
  return new ReadableStream<Uint8Array>(
    {
      // Resolves when a piece has come, so that one pull is one piece.
      pull: (controller) =>
        new Promise<void>((resolve) => {
          settle = resolve;
          if (started) {
            source.resume();
            return;
          }
          started = true;
          source.start({
            piece: (data) => {
              controller.enqueue(data);
              settle();
              return false;
            },
            end: () => {
              controller.close();
              settle();
            },
            fail: (error) => {
              controller.error(error);
              settle();
            },
          });
        }),
      cancel: (reason) => source.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
