/**
 * What contenders on the client's side have in common: handlers that gather an answer, and lanes of traffic made of one
 * call or of one promise an answer.
 *
 * @module
 */
import type { Dispatcher } from 'undici';
import type { ClientRequestHandle, ClientRequestHandler } from '../../src/client/index.ts';
import type { Answer, BenchClient } from './client-contender.ts';

/** Takes an answer of ours. */
export class OurHandler implements ClientRequestHandler {
  handle: ClientRequestHandle | undefined;
  readonly #done: (answer: Answer) => void;
  readonly #failed: (error: Error) => void;
  #status: number;
  #type: string | undefined;
  #pieces: Uint8Array[];

  constructor(done: (answer: Answer) => void, failed: (error: Error) => void) {
    this.handle = undefined;
    this.#done = done;
    this.#failed = failed;
    this.#status = 0;
    this.#type = undefined;
    this.#pieces = [];
  }

  informationalReceived(): void {}

  headersReceived(status: number, headers: readonly string[]): void {
    this.#status = status;
    this.#type = headers[headers.indexOf('content-type') + 1];
  }

  dataReceived(data: Uint8Array, length: number): void {
    this.#pieces.push(data);
    this.handle?.dataConsumed(length);
  }

  trailersReceived(): void {}

  failed(error: Error): void {
    this.#failed(error);
  }

  closed(): void {
    this.#done(answerOf(this.#status, this.#type, textOf(this.#pieces)));
  }
}

/** Takes an answer of undici's. */
export class UndiciHandler implements Dispatcher.DispatchHandler {
  readonly #done: (answer: Answer) => void;
  readonly #failed: (error: Error) => void;
  #status: number;
  #type: string | undefined;
  #pieces: Buffer[];

  constructor(done: (answer: Answer) => void, failed: (error: Error) => void) {
    this.#done = done;
    this.#failed = failed;
    this.#status = 0;
    this.#type = undefined;
    this.#pieces = [];
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#type = headers['content-type'] as string;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#pieces.push(chunk);
  }

  onResponseEnd(): void {
    this.#done(answerOf(this.#status, this.#type, textOf(this.#pieces)));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed(error);
  }
}

/** A client of one call an answer. */
export function byCallbacks(
  ask: (done: (answer: Answer) => void, failed: (error: Error) => void) => void,
  close: () => unknown,
): BenchClient {
  return {
    check: () => new Promise((resolve, reject) => ask(resolve, reject)),
    run: (going) =>
      new Promise((resolve, reject) => {
        const next = (): void => {
          if (going()) ask(next, reject);
          else resolve();
        };
        next();
      }),
    close: async () => {
      await close();
    },
  };
}

/** A client of promises. */
export function client(
  ask: () => Promise<void>,
  check: () => Promise<Answer>,
  close: () => Promise<void>,
): BenchClient {
  return {
    check,
    run: async (going) => {
      while (going()) await ask();
    },
    close,
  };
}

/** An answer as it is compared. */
export function answerOf(status: number, type: string | null | undefined, body: string): Answer {
  return { status, type: type ?? undefined, body };
}

/** Pieces of content as text. */
export function textOf(pieces: readonly Uint8Array[]): string {
  const whole = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
  return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('latin1');
}
