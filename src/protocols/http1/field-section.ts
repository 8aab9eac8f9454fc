/**
 * A section of field lines, parsed: the headers behind a start-line, or trailers.
 *
 * Owns: RFC 9112 section 5 as strictly as it may be read (no bare CR or LF, no line folding, no space before the
 * colon), the header list in the form of every version, and the facts that HTTP/1 itself acts on, which never reach
 * the list: Connection and what it names, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, Host of a request.
 * Does not own what follows from them (framing.ts, server and client).
 *
 * The text is decoded once, as latin1, and read once from left to right; names and values are slices of it. One
 * instance serves all messages of a connection; the arrays are new for each. From a connection's second head on, each
 * line is compared with the one that stood in its place before: a peer repeats most of them octet for octet, and what
 * was judged once need not be judged again.
 *
 * @module
 */
import { CONTENT_LENGTH_TOO_LARGE, parseContentLength, quoted, UNDECLARED } from '../semantics/index.ts';
import { isFieldValueByte, isTokenByte, lowercaseFieldName } from '../../wire/index.ts';
import { ConnectionOptions, memberList } from './connection-options.ts';
import { fault, limitFault, syntaxFault } from './faults.ts';

const NO_TOKENS: readonly string[] = [];

/** Lines of a section up to this length, in characters, are kept for comparison. */
const REMEMBERED_SECTION = 4096;

/** A line that was parsed before. */
interface KnownLine {
  /** With its CRLF. */
  readonly text: string;
  readonly rawName: string;
  readonly name: string;
  readonly value: string;
}

/** What kind of section is parsed: it decides what Host is. */
export type SectionKind = 'request' | 'response' | 'trailers';

/** The parsed section. */
export class FieldSection {
  /** The header list; whoever begins a section puts the pseudo-header fields in first. */
  headers: string[];
  /** The names as received, one per pair. */
  rawNames: string[];
  /** The declared length, or `UNDECLARED`. */
  contentLength: number;
  /** The codings of all Transfer-Encoding lines, joined; `undefined` without any. */
  transferEncoding: string | undefined;
  /** What Connection says. */
  readonly connection: ConnectionOptions;
  /** The tokens of Upgrade, whether or not Connection names it. */
  upgrade: readonly string[];
  /** The value of Host; `undefined` without. */
  host: string | undefined;
  /** How Host was spelt. */
  hostName: string;
  /** The value of Expect in lowercase; `undefined` without. */
  expect: string | undefined;
  /** The value of Keep-Alive; `undefined` without. */
  keepAlive: string | undefined;
  /** The lines of the section before, by their place. */
  #known: (KnownLine | undefined)[];
  /** Whether a section was parsed before. */
  #again: boolean;

  constructor() {
    this.headers = [];
    this.rawNames = [];
    this.contentLength = UNDECLARED;
    this.transferEncoding = undefined;
    this.connection = new ConnectionOptions();
    this.upgrade = NO_TOKENS;
    this.host = undefined;
    this.hostName = '';
    this.expect = undefined;
    this.keepAlive = undefined;
    this.#known = [];
    this.#again = false;
  }

  /** Forgets the section before. */
  begin(headers: string[], rawNames: string[]): void {
    this.headers = headers;
    this.rawNames = rawNames;
    this.contentLength = UNDECLARED;
    this.transferEncoding = undefined;
    this.connection.clear();
    this.upgrade = NO_TOKENS;
    this.host = undefined;
    this.hostName = '';
    this.expect = undefined;
    this.keepAlive = undefined;
  }

  /**
   * Parses the field lines from `start` to the end of `text`, whose last line ends with its CRLF.
   *
   * @throws RemoteProtocolError for what the grammar forbids, LimitError for more than `maxCount` lines
   */
  parse(text: string, start: number, kind: SectionKind, maxCount: number): void {
    const remember = this.#again && text.length - start <= REMEMBERED_SECTION;
    let position = start;
    let count = 0;
    while (position < text.length) {
      let line = remember ? this.#known[count] : undefined;
      if (line === undefined || !standsAt(text, position, line.text)) {
        line = parseLine(text, position);
        if (remember) this.#known[count] = line;
      }
      position += line.text.length;
      count += 1;
      if (count > maxCount) throw limitFault('maxHeaderCount', maxCount, 431);
      const { name, rawName, value } = line;
      if (!this.#takeFact(name, rawName, value, kind)) {
        this.headers.push(name, value);
        this.rawNames.push(rawName);
      }
    }
    this.#again = true;
    if (this.connection.named !== undefined) this.#removeNamed(this.connection.named);
  }

  /** Acts on a field that concerns the connection or the framing. True: it does not stand in the list. */
  #takeFact(name: string, rawName: string, value: string, kind: SectionKind): boolean {
    // By length first: most names are told apart without a comparison.
    switch (name.length) {
      case 2:
        return name === 'te' && this.#takeTe(rawName, value);
      case 4:
        return name === 'host' && kind === 'request' && this.#takeHost(rawName, value);
      case 6:
        if (name === 'expect') this.expect = joined(this.expect, value.toLowerCase());
        return false;
      case 7:
        if (name !== 'upgrade') return false;
        this.upgrade = this.upgrade === NO_TOKENS ? memberList(value) : [...this.upgrade, ...memberList(value)];
        return true;
      case 10:
        if (name === 'connection') {
          this.connection.read(value);
          return true;
        }
        if (name !== 'keep-alive') return false;
        this.keepAlive = value;
        return true;
      case 14:
        if (name === 'content-length') this.#takeContentLength(value);
        return false;
      case 16:
        return name === 'proxy-connection';
      case 17:
        if (name !== 'transfer-encoding') return false;
        this.transferEncoding = joined(this.transferEncoding, value);
        return true;
      default:
        return false;
    }
  }

  #takeHost(rawName: string, value: string): boolean {
    // RFC 9112 section 3.2: more than one field line is refused, whatever they say.
    if (this.host !== undefined) throw fault('more than one Host');
    this.host = value;
    this.hostName = rawName;
    return true;
  }

  #takeContentLength(value: string): void {
    // RFC 9112 section 6.3 allows to take equal values as one; a list or a second line is refused here.
    if (this.contentLength !== UNDECLARED) throw fault('more than one Content-Length');
    this.contentLength = parseContentLength(value);
    if (this.contentLength === CONTENT_LENGTH_TOO_LARGE) throw fault('Content-Length above 2^53-1');
    if (this.contentLength < 0) throw fault(`Content-Length ${quoted(value)} is no decimal number`);
  }

  /** Of TE only `trailers` concerns anybody beyond this connection (RFC 9110 section 10.1.4). */
  #takeTe(rawName: string, value: string): boolean {
    for (const member of memberList(value)) {
      if (member.toLowerCase() !== 'trailers') continue;
      this.headers.push('te', 'trailers');
      this.rawNames.push(rawName);
      break;
    }
    return true;
  }

  /** Takes out what Connection names (RFC 9110 section 7.6.1). */
  #removeNamed(named: readonly string[]): void {
    const headers: string[] = [];
    const rawNames: string[] = [];
    for (let index = 0; index < this.rawNames.length; index += 1) {
      const name = this.headers[index * 2] as string;
      // `te: trailers` is always named by Connection and is kept on purpose.
      if (named.includes(name) && name !== 'te') continue;
      headers.push(name, this.headers[index * 2 + 1] as string);
      rawNames.push(this.rawNames[index] as string);
    }
    this.headers = headers;
    this.rawNames = rawNames;
  }
}

/** Whether a line stands at a position. A slice and a comparison are native, whatever the length; startsWith is not. */
function standsAt(text: string, position: number, line: string): boolean {
  return text.slice(position, position + line.length) === line;
}

/** One line and its CRLF. Throws RemoteProtocolError. */
function parseLine(text: string, start: number): KnownLine {
  let at = start;
  let code = text.charCodeAt(at);
  while (isTokenByte(code)) code = text.charCodeAt(++at);
  if (code !== 0x3a || at === start) throw nameFault(text, start, at);
  const rawName = text.slice(start, at);
  do code = text.charCodeAt(++at);
  while (code === 0x20 || code === 0x09);
  const valueStart = at;
  while (isFieldValueByte(code)) code = text.charCodeAt(++at);
  if (code !== 0x0d || text.charCodeAt(at + 1) !== 0x0a) throw syntaxFault('malformed field value', text, at);
  let valueEnd = at;
  while (valueEnd > valueStart && isOws(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  return {
    text: text.slice(start, at + 2),
    rawName,
    name: lowercaseFieldName(rawName),
    value: text.slice(valueStart, valueEnd),
  };
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** RFC 9112 sections 2.2, 5.1 and 5.2: say which of the well-known tricks it is. */
function nameFault(text: string, start: number, at: number): Error {
  const code = text.charCodeAt(at);
  if (at === start && isOws(code)) return fault('a field line begins with whitespace (line folding is obsolete)');
  if (isOws(code)) return fault('whitespace between a field name and its colon');
  if (code === 0x3a) return fault('a field line without a name');
  return syntaxFault('malformed field name', text, at);
}
