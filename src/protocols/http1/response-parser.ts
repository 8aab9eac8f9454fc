/**
 * A response's head, from text to the header list that all versions share.
 *
 * Owns: the status-line (RFC 9112 section 4) and what the head says of the connection's future. Does not own field
 * lines (field-section.ts) nor the framing (framing.ts). The reason phrase is checked and forgotten. A status-line that
 * ends behind the status without the SP that a server must send is taken: nothing else can be meant by it.
 *
 * One instance serves a connection: after {@link ResponseParser.parse} its fields describe the response read last.
 *
 * @module
 */
import { isFieldValueByte, parseDecimal } from '../../wire/index.ts';
import { fault, limitFault, syntaxFault } from './faults.ts';
import { FieldSection } from './field-section.ts';
import type { Http1ClientLimits } from './limits.ts';

const USUAL_STATUS_LINE = 'HTTP/1.1 200 OK\r\n';
/** The fields of a head up to this length, in characters, are kept for comparison with those of the next. */
const REMEMBERED_HEAD = 4096;

/** Parses response heads. */
export class ResponseParser {
  /** Fields and facts of the head. */
  readonly section: FieldSection;
  status: number;
  httpVersion: '1.0' | '1.1';
  /** Whether the server lets the connection persist (RFC 9112 section 9.3). */
  persistent: boolean;
  readonly #limits: Http1ClientLimits;
  /** The fields behind the status-line before; often the next ones are the same. */
  #lastFields: string;

  constructor(limits: Http1ClientLimits) {
    this.section = new FieldSection();
    this.status = 0;
    this.httpVersion = '1.1';
    this.persistent = true;
    this.#limits = limits;
    this.#lastFields = '';
  }

  /**
   * Parses a head: `text` ends with the CRLF of its last line.
   *
   * @throws RemoteProtocolError, LimitError
   */
  parse(text: string): void {
    const limits = this.#limits;
    const lineEnd = this.parseStatusLine(text);
    if (lineEnd > limits.maxStatusLineBytes) throw limitFault('maxStatusLineBytes', limits.maxStatusLineBytes, 502);
    if (text.length - lineEnd > limits.maxHeaderBytes) throw limitFault('maxHeaderBytes', limits.maxHeaderBytes, 502);
    const { section } = this;
    const last = this.#lastFields;
    if (last.length > 0 && text.length - lineEnd === last.length && text.slice(lineEnd) === last) {
      // Equal octets mean the same again.
      const headers = section.headers.slice();
      headers[1] = text.slice(9, 12);
      section.headers = headers;
    } else {
      this.#lastFields = '';
      section.begin([':status', text.slice(9, 12)], ['']);
      section.parse(text, lineEnd, 'response', limits.maxHeaderCount);
      if (text.length <= REMEMBERED_HEAD) this.#lastFields = text.slice(lineEnd);
    }
    const { connection } = section;
    this.persistent = this.httpVersion === '1.1' ? !connection.close : connection.keepAlive && !connection.close;
  }

  /** The first line alone; answers where it ends. Throws RemoteProtocolError. */
  parseStatusLine(text: string): number {
    if (text.startsWith(USUAL_STATUS_LINE)) {
      this.httpVersion = '1.1';
      this.status = 200;
      return USUAL_STATUS_LINE.length;
    }
    const major = text.charCodeAt(5);
    const minor = text.charCodeAt(7);
    if (
      !text.startsWith('HTTP/') ||
      text.charCodeAt(6) !== 0x2e ||
      !isDigit(major) ||
      !isDigit(minor) ||
      text.charCodeAt(8) !== 0x20
    ) {
      throw fault('malformed HTTP version in a status-line');
    }
    if (major !== 0x31) throw fault(`the server answers with HTTP/${text.slice(5, 8)}`);
    this.httpVersion = minor === 0x30 ? '1.0' : '1.1';
    this.status = parseDecimal(text, 9, 12);
    if (this.status < 100) throw syntaxFault('malformed status', text, 9);
    let at = 12;
    let code = text.charCodeAt(at);
    if (code === 0x20) {
      do code = text.charCodeAt(++at);
      while (isFieldValueByte(code));
    }
    if (code !== 0x0d || text.charCodeAt(at + 1) !== 0x0a) throw syntaxFault('malformed status-line', text, at);
    return at + 2;
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
