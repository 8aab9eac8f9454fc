/**
 * Cuts requests' heads out of the received bytes and has them parsed.
 *
 * Owns: empty lines before a request-line (RFC 9112 section 2.2), the limits on a head that is still incomplete, and
 * judging its first line as soon as that is there. Does not own the grammar (request-parser.ts).
 *
 * @module
 */
import type { ReceiveBuffer } from '../../wire/index.ts';
import { fault, limitFault } from './faults.ts';
import type { Http1ServerLimits } from './limits.ts';
import type { RequestParser } from './request-parser.ts';
import { SectionReader } from './section-reader.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Reads heads into a {@link RequestParser}; one instance serves a connection. */
export class RequestReader {
  /** Whether {@link read} has seen an octet of a head that is not complete yet. */
  begun: boolean;
  readonly #parser: RequestParser;
  readonly #limits: Http1ServerLimits;
  readonly #sections: SectionReader;
  #emptyLines: number;
  #lineJudged: boolean;

  constructor(parser: RequestParser, limits: Http1ServerLimits) {
    this.begun = false;
    this.#parser = parser;
    this.#limits = limits;
    this.#sections = new SectionReader();
    this.#emptyLines = 0;
    this.#lineJudged = false;
  }

  /**
   * Reads one head. True: it was complete and the parser holds it.
   *
   * @throws RemoteProtocolError, LimitError
   */
  read(input: ReceiveBuffer): boolean {
    // A refusal of what has no readable method is not to be taken for an answer to the HEAD before it.
    if (!this.begun) this.#parser.method = '';
    if (input.byteAt(0) <= CR && !this.#skipEmptyLines(input)) return false;
    const { maxRequestLineBytes, maxHeaderBytes } = this.#limits;
    const limit = maxRequestLineBytes + maxHeaderBytes;
    const text = this.#sections.read(input, limit);
    if (text === undefined) {
      this.begun = true;
      this.#judgeIncomplete(input, limit);
      return false;
    }
    this.begun = false;
    this.#emptyLines = 0;
    this.#lineJudged = false;
    this.#parser.parse(text);
    return true;
  }

  /** Whether no octet of a further head, nor an empty line before it, has come. */
  get idle(): boolean {
    return !this.begun && this.#emptyLines === 0;
  }

  /** A head was taken without being read. */
  passed(): void {
    this.#emptyLines = 0;
  }

  /** False when nothing but empty lines is there. */
  #skipEmptyLines(input: ReceiveBuffer): boolean {
    for (;;) {
      const first = input.byteAt(0);
      if (first === LF) throw fault('a bare LF');
      if (first !== CR) return first >= 0;
      const second = input.byteAt(1);
      if (second < 0) return false;
      if (second !== LF) throw fault('a bare CR');
      input.skip(2);
      this.#emptyLines += 1;
      const { maxEmptyLines } = this.#limits;
      if (this.#emptyLines > maxEmptyLines) throw limitFault('maxEmptyLines', maxEmptyLines, 400);
    }
  }

  #judgeIncomplete(input: ReceiveBuffer, limit: number): void {
    const { maxMethodBytes, maxRequestLineBytes, maxHeaderBytes } = this.#limits;
    if (!this.#lineJudged) {
      const end = input.findCrlf(maxRequestLineBytes + 2);
      if (end >= 0) {
        this.#parser.parseRequestLine(input.latin1(0, end + 2));
        this.#lineJudged = true;
      } else if (input.size >= maxRequestLineBytes + 2) {
        // RFC 9112 section 3: a method that is too long is 501, a target 414.
        const hasMethod = input.latin1(0, maxMethodBytes + 1).includes(' ');
        if (!hasMethod) throw limitFault('maxMethodBytes', maxMethodBytes, 501);
        throw limitFault('maxRequestLineBytes', maxRequestLineBytes, 414);
      }
    }
    if (this.#sections.overrun(input, limit)) throw limitFault('maxHeaderBytes', maxHeaderBytes, 431);
  }
}
