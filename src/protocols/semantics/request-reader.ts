/**
 * A request's head as a peer sends it over a version with streams, judged.
 *
 * Owns: which requests a server refuses as malformed beyond what every head must be (pseudo-headers.ts), and the memory
 * of what was judged last: a connection's requests repeat each other. Nothing throws: what is wrong is a sentence.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { FieldJudge } from './field-judge.ts';
import type { RequestHead } from './pseudo-headers.ts';
import { fieldsStart, readRequestHead } from './pseudo-headers.ts';

/** Reads the requests of one connection. */
export class RequestReader {
  readonly #judge: FieldJudge;
  /** The list that was judged last, and what it was found to be. */
  #list: HeaderList | undefined;
  #head: RequestHead | string;

  constructor() {
    this.#judge = new FieldJudge();
    this.#list = undefined;
    this.#head = '';
  }

  /** Compares with nothing. */
  forget(): void {
    this.#judge.forget();
    this.#list = undefined;
    this.#head = '';
  }

  /** The head, or what is wrong with it. @param ends - nothing follows it */
  read(headers: HeaderList, ends: boolean): RequestHead | string {
    // A block that came before may give the very same list.
    const head = headers === this.#list ? this.#head : this.#judged(headers);
    if (typeof head === 'string') return head;
    const { authority, contentLength } = head;
    // RFC 9110 section 7.2: who names a resource of http names its host.
    if (authority === undefined || authority === '') return ':authority is missing';
    if (contentLength > 0 && (ends || head.method === 'CONNECT')) {
      return `less content than its content-length (${String(contentLength)})`;
    }
    return head;
  }

  #judged(headers: HeaderList): RequestHead | string {
    const problem = this.#judge.problem(headers, fieldsStart(headers));
    this.#head = problem ?? readRequestHead(headers, true);
    this.#list = headers;
    return this.#head;
  }
}
