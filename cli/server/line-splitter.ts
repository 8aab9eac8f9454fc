/**
 * Bytes of a stream as whole lines.
 *
 * @module
 */
import { StringDecoder } from 'node:string_decoder';

/** Passes lines on, without their ends. A line that does not end is passed on in parts. */
export class LineSplitter {
  readonly #take: (line: string) => void;
  readonly #decoder: StringDecoder;
  #rest: string;

  constructor(take: (line: string) => void) {
    this.#take = take;
    this.#decoder = new StringDecoder('utf8');
    this.#rest = '';
  }

  /** Takes bytes. */
  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))).split(
      '\n',
    );
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    if (this.#rest.length > MAX_LINE) {
      this.#take(this.#rest);
      this.#rest = '';
    }
  }

  /** There are no more: passes on what has no end. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#take(rest);
  }
}

/** Characters. */
const MAX_LINE = 65_536;
