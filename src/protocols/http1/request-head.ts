/**
 * A request's head as the application submits it: judged, and turned into text and a framing.
 *
 * Owns: which requests a client may send (RFC 9110 sections 7.8, 8.6, 9.3.6 and 10.1.1, RFC 9112 sections 3.2 and 6),
 * and which framing follows. Nothing here changes any state: what is wrong is thrown before anything is written.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { hasHeader, LocalProtocolError } from '../../common/index.ts';
import { isToken } from '../../wire/index.ts';
import type { SubmitHeadersOptions } from '../http-protocol.ts';
import type { RequestHead } from '../semantics/index.ts';
import { quoted, readRequestHead, UNDECLARED } from '../semantics/index.ts';
import { memberList } from './connection-options.ts';
import type { FieldLines } from './field-lines.ts';
import { checkRawNames, fieldLines } from './head-writer.ts';
import type { SendFramingKind } from './message-writer.ts';
import { SendFraming } from './message-writer.ts';
import type { AfterRequestHead } from './state.ts';

/** What is to be written, and how it goes on. */
export interface RequestPlan {
  readonly method: string;
  /** The head without its empty line, and without what concerns the connection. */
  readonly text: string;
  /** The same with its empty line, as octets; `undefined` where that is not at hand. */
  readonly encoded: Uint8Array | undefined;
  /** The field lines that concern the connection. */
  readonly connection: string;
  readonly framing: SendFramingKind;
  readonly contentLength: number;
  /** What the sending side does next. */
  readonly next: AfterRequestHead;
  /** The tokens that Upgrade offers. */
  readonly upgrade: readonly string[];
}

const NO_TOKENS: readonly string[] = [];

/**
 * Judges a request.
 *
 * @param absoluteForm - whether the recipient is a proxy (RFC 9112 section 3.2.2)
 * @param mayChunk - false when the server is known to speak HTTP/1.0
 * @throws LocalProtocolError
 */
export function planRequest(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  absoluteForm: boolean,
  mayChunk: boolean,
  lines: FieldLines,
): RequestPlan {
  judgeFields(headers, lines);
  const head = readRequestHead(headers, true);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  checkRawNames(headers, options.rawNames);
  if (head.protocol !== undefined) {
    throw new LocalProtocolError(
      'extended CONNECT is not supported by this protocol implementation',
      'ERR_UNSUPPORTED',
    );
  }
  if (absoluteForm && head.path !== undefined && head.authority === undefined) {
    throw new LocalProtocolError('a request to a proxy needs :authority');
  }
  const upgrade = options.upgrade === undefined ? NO_TOKENS : upgradeTokens(options.upgrade);
  const plan = planContent(head, headers, options, mayChunk, upgrade.length > 0);
  const start = lines.requestStart.of(head, absoluteForm, hostName(headers, options.rawNames));
  const { rawNames } = options;
  const joined = rawNames === undefined && plan.omit === '';
  const text = joined
    ? lines.join(start) + plan.lines
    : start + fieldLines(headers, head.fieldsStart, rawNames, 'host', plan.omit) + plan.lines;
  return {
    method: head.method,
    text,
    encoded: joined && plan.lines === '' ? lines.encoded : undefined,
    connection: connectionLines(hasHeader(headers, 'te'), options.upgrade),
    framing: plan.framing,
    contentLength: head.contentLength,
    next: plan.next,
    upgrade,
  };
}

/** Judges the fields, and adds them to the head, save Host. */
function judgeFields(headers: HeaderList, lines: FieldLines): void {
  if (headers.length % 2 !== 0) throw new LocalProtocolError('a header list holds names and values in turn');
  let index = 0;
  while (headers[index]?.charCodeAt(0) === 0x3a) index += 2;
  lines.begin();
  for (; index < headers.length; index += 2) {
    const name = headers[index] as string;
    // Host was judged with the pseudo-header fields and stands first.
    if (name.length !== 4 || name !== 'host') lines.add(name, headers[index + 1] as string);
  }
}

interface ContentPlan {
  readonly framing: SendFramingKind;
  readonly next: AfterRequestHead;
  /** Further framing fields. */
  readonly lines: string;
  /** A field that they replace. */
  readonly omit: string;
}

function contentPlan(framing: SendFramingKind, next: AfterRequestHead, lines = '', omit = ''): ContentPlan {
  return { framing, next, lines, omit };
}

function planContent(
  head: RequestHead,
  headers: HeaderList,
  options: SubmitHeadersOptions,
  mayChunk: boolean,
  upgrades: boolean,
): ContentPlan {
  const { method, contentLength } = head;
  if (method === 'CONNECT') {
    if (contentLength !== UNDECLARED) throw new LocalProtocolError('CONNECT has no content');
    if (options.endStream) throw new LocalProtocolError('CONNECT opens a tunnel: end it with submitData');
    if (upgrades) throw new LocalProtocolError('CONNECT has no upgrade');
    return contentPlan(SendFraming.silent, 'waiting');
  }
  if (upgrades) {
    if (contentLength > 0) throw new LocalProtocolError('a request with upgrade has no content here');
    return contentPlan(SendFraming.silent, 'waiting');
  }
  if (options.endStream) {
    if (contentLength > 0) throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
    if (hasHeader(headers, 'expect')) throw new LocalProtocolError('expect without content');
    // RFC 9110 section 8.6: methods for which content is usual say that there is none.
    const says = method === 'POST' || method === 'PUT' || method === 'PATCH';
    const lines = says && contentLength === UNDECLARED ? 'content-length: 0\r\n' : '';
    return contentPlan(SendFraming.silent, 'idle', lines);
  }
  if (contentLength === UNDECLARED) {
    // RFC 9112 section 6.1: no chunked to a server that does not speak HTTP/1.1.
    if (!mayChunk) throw new LocalProtocolError('content for an HTTP/1.0 server needs content-length');
    return contentPlan(SendFraming.held, 'body');
  }
  // Trailers need chunked, which excludes Content-Length; the ledger still holds the content to it.
  if (mayChunk && hasHeader(headers, 'trailer')) {
    return contentPlan(SendFraming.chunked, 'body', 'transfer-encoding: chunked\r\n', 'content-length');
  }
  return contentPlan(SendFraming.length, 'body');
}

function hostName(headers: HeaderList, rawNames: readonly string[] | undefined): string {
  if (rawNames === undefined) return 'host';
  for (let index = 0; index < rawNames.length; index += 1) {
    const name = headers[index * 2];
    if ((name === ':authority' || name === 'host') && rawNames[index] !== '') return rawNames[index] as string;
  }
  return 'host';
}

/** RFC 9110 section 7.8: `protocol-name [ "/" protocol-version ]`. */
function upgradeTokens(upgrade: string): string[] {
  const tokens = memberList(upgrade);
  for (const token of tokens) {
    const slash = token.indexOf('/');
    const good = slash < 0 ? isToken(token) : isToken(token, 0, slash) && isToken(token, slash + 1);
    if (!good) throw new LocalProtocolError(`${quoted(token)} is no protocol for Upgrade`);
  }
  if (tokens.length === 0) throw new LocalProtocolError('upgrade names no protocol');
  return tokens;
}

/** RFC 9110 sections 7.6.1 and 10.1.4. */
function connectionLines(te: boolean, upgrade: string | undefined): string {
  if (upgrade !== undefined) return `connection: upgrade${te ? ', te' : ''}\r\nupgrade: ${upgrade}\r\n`;
  return te ? 'connection: te\r\n' : '';
}
