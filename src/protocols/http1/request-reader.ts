/**
 * Cuts requests' heads out of the received bytes and has them parsed.
 *
 * Owns: empty lines before a request-line (RFC 9112 section 2.2), the limits on a head that is still incomplete, and
 * judging its first line as soon as that is there. Does not own the grammar (request-parser.ts).
 *
 * @module
 */
import { LimitError } from '../../common/index.ts';
import type { ReceiveBuffer } from '../../wire/index.ts';
import { fault, limitFault } from './faults.ts';
import type { Http1ServerLimits } from './limits.ts';
import type { RequestParser } from './request-parser.ts';
import { RequestLineScan } from './request-line-scan.ts';
import { judgeOctets, SectionReader } from './section-reader.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Reads heads into a {@link RequestParser}; one instance serves a connection. */
export class RequestReader {
  /** Whether {@link read} has seen an octet of a head that is not complete yet. */
  begun: boolean;
  readonly #parser: RequestParser;
  readonly #limits: Http1ServerLimits;
  readonly #sections: SectionReader;
  readonly #line: RequestLineScan;
  #emptyLines: number;
  #lineJudged: boolean;

  constructor(parser: RequestParser, limits: Http1ServerLimits) {
    this.begun = false;
    this.#parser = parser;
    this.#limits = limits;
    this.#sections = new SectionReader();
    this.#line = new RequestLineScan();
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
    const text = this.#sections.take(input, limit);
    if (text === undefined) {
      this.begun = true;
      this.#judgeIncomplete(input);
      return false;
    }
    if (this.begun) {
      this.begun = false;
      this.#lineJudged = false;
      this.#line.begin();
    }
    this.#emptyLines = 0;
    try {
      this.#parser.parse(text);
    } catch (error) {
      this.#judgeLimit(text, error);
      throw error;
    }
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

  /** In the order in which a whole head is judged: its first line, then octets that stand in none, then its size. */
  #judgeIncomplete(input: ReceiveBuffer): void {
    if (!this.#lineJudged) {
      const finding = this.#line.read(input, this.#limits);
      if (finding === 'more') return;
      this.#parser.parseRequestLine(input.latin1(0, this.#line.length));
      if (finding === 'wrong') throw fault('malformed request-line');
      this.#lineJudged = true;
    }
    const { maxHeaderBytes } = this.#limits;
    const end = this.#line.length + maxHeaderBytes + 2;
    this.#sections.look(input, this.#line.length, end);
    if (input.size >= end) throw limitFault('maxHeaderBytes', maxHeaderBytes, 431);
  }

  /** A head that is too large or has too many lines is refused for an octet that may stand in none, if it has one. */
  #judgeLimit(text: string, error: unknown): void {
    if (!(error instanceof LimitError) || error.statusHint !== 431) return;
    const start = text.indexOf('\r\n') + 2;
    judgeOctets(text, start, start + this.#limits.maxHeaderBytes + 2);
  }
}
