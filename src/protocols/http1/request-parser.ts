/**
 * A request's head, from text to the header list that all versions share.
 *
 * Owns: the request-line (RFC 9112 section 3: one SP between its parts, nothing else), the version, Host's rules
 * (section 3.2), Expect, and what the head says of the connection's future. Does not own field lines
 * (field-section.ts), targets (request-target.ts), nor the framing (framing.ts), which it asks for.
 *
 * One instance serves a connection: after {@link RequestParser.parse} its fields describe the request read last.
 *
 * @module
 */
import { isAuthority, quoted } from '../semantics/index.ts';
import { isTokenByte, isVisibleByte } from '../../wire/index.ts';
import { fault, limitFault, syntaxFault } from './faults.ts';
import { FieldSection } from './field-section.ts';
import type { FramingKind } from './framing.ts';
import { Framing, requestFraming } from './framing.ts';
import type { KnownRequest } from './known-request.ts';
import type { Http1ServerLimits } from './limits.ts';
import { readSpecialTarget } from './request-target.ts';

const NO_TOKENS: readonly string[] = [];
/** The fields of a head up to this length, in characters, are kept for comparison with those of the next. */
const REMEMBERED_HEAD = 4096;

/** Parses request heads. */
export class RequestParser {
  /** Fields and facts of the head. */
  readonly section: FieldSection;
  method: string;
  httpVersion: '1.0' | '1.1';
  framing: FramingKind;
  /** Whether the client lets the connection persist (RFC 9112 section 9.3). */
  persistent: boolean;
  /** Whether the client waits for 100 (RFC 9110 section 10.1.1). */
  expectsContinue: boolean;
  /** What is offered by Upgrade; empty where it has no effect. */
  upgrade: readonly string[];
  readonly #limits: Http1ServerLimits;
  #scheme: 'http' | 'https';
  /** Whether the client agreed on HTTP/1.1 by ALPN. */
  #agreed: boolean;
  /** Where the parser stands behind the request-line. */
  #target: string;
  #lineEnd: number;
  /** The fields behind the request-line before, if its target was in origin-form; mostly the next ones are the same. */
  #lastFields: string;
  /** Where in that request's list the value of `:path` stands. */
  #pathIndex: number;

  constructor(limits: Http1ServerLimits, secure = false, agreed = false) {
    this.section = new FieldSection();
    this.method = '';
    this.httpVersion = '1.1';
    this.framing = Framing.none;
    this.persistent = true;
    this.expectsContinue = false;
    this.upgrade = NO_TOKENS;
    this.#limits = limits;
    this.#scheme = secure ? 'https' : 'http';
    this.#agreed = agreed;
    this.#target = '';
    this.#lineEnd = 0;
    this.#lastFields = '';
    this.#pathIndex = 0;
  }

  /**
   * Goes on with another connection. Its requests are no continuation of those before; that equal octets mean the same
   * holds between connections too, save for the scheme.
   *
   * @param secure - decides the scheme
   * @param agreed - whether the client agreed on HTTP/1.1 by ALPN
   */
  resume(secure: boolean, agreed: boolean): void {
    const scheme = secure ? 'https' : 'http';
    if (scheme !== this.#scheme) this.#lastFields = '';
    this.#scheme = scheme;
    this.#agreed = agreed;
    this.method = '';
  }

  /**
   * Parses a head: `text` ends with the CRLF of its last line.
   *
   * @throws RemoteProtocolError, LimitError, each with the status to answer
   */
  parse(text: string): void {
    this.parseRequestLine(text);
    const { section } = this;
    const limits = this.#limits;
    if (text.length - this.#lineEnd > limits.maxHeaderBytes) {
      throw limitFault('maxHeaderBytes', limits.maxHeaderBytes, 431);
    }
    const target = this.#target;
    if (target.charCodeAt(0) !== 0x2f || this.method === 'CONNECT') {
      this.#lastFields = '';
      this.#parseSpecialTarget(text, target);
    } else if (this.#sameFields(text)) {
      // RFC 9112 leaves nothing of one request to the next; equal octets mean the same again.
      const headers = section.headers.slice();
      headers[1] = this.method;
      headers[this.#pathIndex] = target;
      section.headers = headers;
    } else {
      this.#lastFields = '';
      const headers = [':method', this.method, ':scheme', this.#scheme, ':authority', '', ':path', target];
      section.begin(headers, ['', '', '', '']);
      section.parse(text, this.#lineEnd, 'request', limits.maxHeaderCount);
      this.#placeAuthority(section.host);
      this.#judgeHost();
      this.#pathIndex = section.headers[4] === ':path' ? 5 : 7;
      if (text.length <= REMEMBERED_HEAD) this.#lastFields = text.slice(this.#lineEnd);
    }
    this.#judge();
  }

  /** The request is one that was parsed before, of the plain kind. */
  recall(known: KnownRequest): void {
    this.method = known.method;
    this.httpVersion = '1.1';
    this.framing = Framing.none;
    this.persistent = true;
    this.expectsContinue = false;
    this.upgrade = NO_TOKENS;
  }

  #sameFields(text: string): boolean {
    const last = this.#lastFields;
    // A slice and a comparison are native code, whatever the length; endsWith is not.
    return last.length > 0 && text.length - this.#lineEnd === last.length && text.slice(this.#lineEnd) === last;
  }

  /** The first line alone, so that a head that is still incomplete can be refused early. Throws as {@link parse}. */
  parseRequestLine(text: string): void {
    const limits = this.#limits;
    let at = 0;
    let code = 0x20;
    if (text.startsWith('GET ')) {
      at = 3;
      this.method = 'GET';
    } else {
      code = text.charCodeAt(0);
      while (isTokenByte(code)) code = text.charCodeAt(++at);
      if (at > limits.maxMethodBytes) throw limitFault('maxMethodBytes', limits.maxMethodBytes, 501);
      if (code !== 0x20 || at === 0) throw syntaxFault('malformed method', text, at);
      this.method = text.slice(0, at);
    }
    const targetStart = at + 1;
    do code = text.charCodeAt(++at);
    while (isVisibleByte(code) && code !== 0x23);
    if (at > limits.maxRequestLineBytes) {
      throw limitFault('maxRequestLineBytes', limits.maxRequestLineBytes, 414);
    }
    if (code !== 0x20 || at === targetStart) throw syntaxFault('malformed request-target', text, at);
    this.#target = text.slice(targetStart, at);
    this.#parseVersion(text, at + 1);
  }

  /** RFC 9112 section 2.3: `HTTP/` DIGIT `.` DIGIT; RFC 9110 section 2.5: minor versions above 1 count as 1. */
  #parseVersion(text: string, start: number): void {
    if (text.startsWith('HTTP/1.1\r\n', start)) {
      this.httpVersion = '1.1';
      this.#lineEnd = start + 10;
      return;
    }
    const major = text.charCodeAt(start + 5);
    const minor = text.charCodeAt(start + 7);
    if (
      !text.startsWith('HTTP/', start) ||
      text.charCodeAt(start + 6) !== 0x2e ||
      !isDigit(major) ||
      !isDigit(minor) ||
      !text.startsWith('\r\n', start + 8)
    ) {
      throw syntaxFault('malformed HTTP version', text, start);
    }
    if (major !== 0x31) {
      // The HTTP/2 preface from a client that has agreed on HTTP/1.1 is no question of versions.
      const status = this.#agreed && this.method === 'PRI' ? 400 : 505;
      throw fault(`HTTP/${text.slice(start + 5, start + 8)} is not spoken here`, status);
    }
    this.httpVersion = minor === 0x30 ? '1.0' : '1.1';
    this.#lineEnd = start + 10;
  }

  #parseSpecialTarget(text: string, target: string): void {
    const parts = readSpecialTarget(this.method, target);
    const { section } = this;
    const headers = [':method', this.method];
    const rawNames = [''];
    if (this.method !== 'CONNECT') {
      headers.push(':scheme', parts.scheme ?? this.#scheme);
      rawNames.push('');
    }
    headers.push(':authority', '');
    rawNames.push('');
    if (parts.path !== undefined) {
      headers.push(':path', parts.path);
      rawNames.push('');
    }
    section.begin(headers, rawNames);
    section.parse(text, this.#lineEnd, 'request', this.#limits.maxHeaderCount);
    // RFC 9112 section 3.2.2: the target replaces whatever Host says.
    this.#placeAuthority(parts.authority ?? section.host);
    this.#judgeHost();
  }

  /** Puts the authority where the list left room for it, or takes the room away. */
  #placeAuthority(authority: string | undefined): void {
    const { section } = this;
    const at = this.method === 'CONNECT' ? 2 : 4;
    if (authority === undefined || authority === '') {
      section.headers.splice(at, 2);
      section.rawNames.splice(at / 2, 1);
      return;
    }
    section.headers[at + 1] = authority;
    section.rawNames[at / 2] = section.hostName;
  }

  #hasAuthority(): boolean {
    return this.section.headers[this.method === 'CONNECT' ? 2 : 4] === ':authority';
  }

  #judgeHost(): void {
    const { host } = this.section;
    if (host !== undefined && !isAuthority(host)) throw fault(`Host ${quoted(host)} is no host with an optional port`);
  }

  #judge(): void {
    const { section, httpVersion } = this;
    if (httpVersion !== '1.0') {
      if (section.host === undefined) throw fault('no Host');
      // RFC 9110 section 4.2.1: an http or https URI has a host. An absolute target brings its own.
      if (section.host === '' && !this.#hasAuthority()) throw fault('an empty Host');
    }
    this.framing = requestFraming(section, httpVersion, this.method);
    const { connection } = section;
    this.persistent = httpVersion === '1.1' ? !connection.close : connection.keepAlive && !connection.close;
    // RFC 9110 section 7.8: without the option, and from HTTP/1.0, the field has no effect.
    this.upgrade = connection.upgrade && httpVersion === '1.1' ? section.upgrade : NO_TOKENS;
    this.expectsContinue = false;
    if (section.expect !== undefined && httpVersion !== '1.0') {
      if (section.expect !== '100-continue')
        throw fault(`the expectation ${quoted(section.expect)} cannot be met`, 417);
      this.expectsContinue = this.framing !== Framing.none;
    }
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
