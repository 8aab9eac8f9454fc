/**
 * The content that one side sends, held to what its head said.
 *
 * Owns the order head, content, trailers (RFC 9110 section 6) and the ledger of Content-Length. What is out of order
 * throws before anything is written.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { ContentLedger, trailersProblem, UNDECLARED } from '../../protocols/semantics/index.ts';
import { checkRawNames } from './fields.ts';
import type { SendFraming } from './submitted-heads.ts';

/** What was sent of one message, and what may be. */
export class OutgoingContent {
  framing: SendFraming;
  /** Content is due. */
  open: boolean;
  /** Content is taken and not sent: the answer to HEAD. */
  readonly dropsData: boolean;
  readonly #ledger: ContentLedger;

  constructor(framing: SendFraming, contentLength: number, dropsData: boolean) {
    this.framing = framing;
    this.open = true;
    this.dropsData = dropsData;
    this.#ledger = new ContentLedger();
    this.#ledger.begin(framing === 'none' || framing === 'tunnel' ? UNDECLARED : contentLength);
  }

  /** A piece of content. @throws LocalProtocolError */
  data(length: number, endStream: boolean): void {
    if (!this.open) throw new LocalProtocolError('the message has ended');
    if (this.framing === 'none') {
      if (length > 0 && !this.dropsData) throw new LocalProtocolError('this message has no content');
    } else {
      const { remaining, declared } = this.#ledger;
      if (length > remaining)
        throw new LocalProtocolError(`more content than its content-length (${String(declared)})`);
      if (endStream && declared !== UNDECLARED && length < remaining) {
        throw new LocalProtocolError(`less content than its content-length (${String(declared)})`);
      }
    }
  }

  /** The piece was written. */
  wrote(length: number, endStream: boolean): void {
    if (this.framing !== 'none') this.#ledger.count(length);
    if (endStream) this.open = false;
  }

  /** Trailers, and the end. @throws LocalProtocolError */
  trailers(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (!this.open) throw new LocalProtocolError('the message has ended');
    if (this.framing === 'tunnel') throw new LocalProtocolError('a tunnel has no trailers');
    const problem = trailersProblem(headers);
    if (problem !== undefined) throw new LocalProtocolError(problem);
    checkRawNames(headers, rawNames);
    if (this.framing === 'length') {
      throw new LocalProtocolError('trailers need a message without content-length, or with a trailer field');
    }
    if (this.framing !== 'none' && !this.#ledger.balanced) {
      throw new LocalProtocolError(`less content than its content-length (${String(this.#ledger.declared)})`);
    }
    this.open = false;
  }
}
