/**
 * A body that the app pushes piece by piece.
 *
 * Owns the room: a push answers whether the next may follow at once, and who waits is told when it may.
 *
 * @module
 */
import type { BodySink, BodySource } from './body-source.ts';

/** Who pushes. */
export interface PushOwner {
  /** There is room again. */
  roomAgain(): void;
}

/** Pieces from an app that calls rather than being called. */
export class PushSource implements BodySource {
  readonly length: undefined;
  readonly prompt: boolean;
  readonly #owner: PushOwner;
  #sink: BodySink | undefined;
  /** The source that is passed on, and who waits for its end. */
  #inner: BodySource | undefined;
  #piped: (() => void) | undefined;

  constructor(owner: PushOwner) {
    this.length = undefined;
    this.prompt = false;
    this.#owner = owner;
    this.#sink = undefined;
    this.#inner = undefined;
    this.#piped = undefined;
  }

  /** @inheritdoc */
  start(sink: BodySink): void {
    this.#sink = sink;
  }

  /** @inheritdoc */
  resume(): void {
    if (this.#inner === undefined) this.#owner.roomAgain();
    else this.#inner.resume();
  }

  /** @inheritdoc */
  cancel(reason: unknown): void {
    this.#sink = undefined;
    this.#inner?.cancel(reason);
    this.#inner = undefined;
    // Cancelled, a source calls nobody: who waits is told here.
    this.#piped?.();
  }

  /** Sends a piece. False: wait for `roomAgain`, unless the response is over. */
  push(data: Uint8Array): boolean {
    return data.byteLength === 0 || this.#sink === undefined || this.#sink.piece(data);
  }

  /**
   * Passes a whole source on and resolves when the last of it was taken, or when nobody wants it. The response goes on
   * until `end`. Rejects when the source fails, which fails the response too.
   */
  pipe(inner: BodySource): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#sink === undefined) {
        inner.cancel(undefined);
        resolve();
        return;
      }
      this.#inner = inner;
      this.#piped = resolve;
      inner.start({
        piece: (data) => this.push(data),
        end: () => {
          this.#inner = undefined;
          resolve();
        },
        fail: (error) => {
          this.#inner = undefined;
          this.#sink?.fail(error);
          reject(error);
        },
      });
    });
  }

  /** There is no more. */
  end(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end();
  }
}
