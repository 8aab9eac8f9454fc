/**
 * A handler of byte streams that writes down what it is told, and lets a test wait for it.
 *
 * @module
 */
import type { HfaceError } from '../../src/common/index.ts';
import type { ByteStream, ByteStreamHandler } from '../../src/networking/index.ts';

/** Records the events of one stream. */
export class StreamRecorder implements ByteStreamHandler {
  readonly stream: ByteStream;
  readonly chunks: Uint8Array[] = [];
  /** Every call in order: `data 5`, `end`, `drained`, `closed`, `closed ERR_…`. */
  readonly log: string[] = [];
  byteCount = 0;
  ended = false;
  drains = 0;
  closings = 0;
  error: HfaceError | undefined = undefined;
  /** Called after each event, with its name. */
  react: ((event: 'data' | 'end' | 'drained' | 'closed', chunk?: Uint8Array) => void) | undefined = undefined;
  #waiting: { readonly predicate: () => boolean; readonly resolve: () => void }[] = [];

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Starts the stream with a new recorder. */
  static start(stream: ByteStream): StreamRecorder {
    const recorder = new StreamRecorder(stream);
    stream.start(recorder);
    return recorder;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** Resolves when the predicate holds after some event, or now. */
  until(predicate: () => boolean): Promise<void> {
    if (predicate()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ predicate, resolve });
    });
  }

  /** Resolves when so many bytes have come. */
  bytes(count: number): Promise<void> {
    return this.until(() => this.byteCount >= count);
  }

  /** Resolves when the peer has ended. */
  end(): Promise<void> {
    return this.until(() => this.ended);
  }

  /** Resolves when the stream is over. */
  closing(): Promise<void> {
    return this.until(() => this.closings > 0);
  }

  dataReceived(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.byteCount += chunk.length;
    this.log.push(`data ${String(chunk.length)}`);
    this.#told('data', chunk);
  }

  endReceived(): void {
    this.ended = true;
    this.log.push('end');
    this.#told('end');
  }

  drained(): void {
    this.drains += 1;
    this.log.push('drained');
    this.#told('drained');
  }

  closed(error: HfaceError | undefined): void {
    this.closings += 1;
    this.error = error;
    this.log.push(error === undefined ? 'closed' : `closed ${error.code}`);
    this.#told('closed');
  }

  #told(event: 'data' | 'end' | 'drained' | 'closed', chunk?: Uint8Array): void {
    const ready = this.#waiting.filter((waiter) => waiter.predicate());
    this.#waiting = this.#waiting.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
    this.react?.(event, chunk);
  }
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Bytes that tell their place: a block that is lost, doubled or moved shows. */
export function patternBytes(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
