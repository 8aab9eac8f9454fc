/**
 * Heads as the application submits them, judged and turned into what Node writes.
 *
 * Owns: which heads are legal (RFC 9110 sections 6.4.1, 7.8, 8.6, 9.3.6 and 15), and which framing follows. Nothing here
 * changes any state: what is wrong is thrown before anything is written.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { hasHeader, LocalProtocolError, unsupported } from '../../common/index.ts';
import type { SubmitHeadersOptions } from '../../protocols/index.ts';
import {
  hasNoContent,
  isInformationalStatus,
  isMethod,
  isSuccessfulStatus,
  quoted,
  readRequestHead,
  readResponseHead,
  reasonPhrase,
  UNDECLARED,
} from '../../protocols/semantics/index.ts';
import { checkRawNames, members, nodeFields } from './fields.ts';
import type { ReceivedRequest } from './received-heads.ts';

/** How content is delimited: not at all, by its length, by chunks, by the connection's end, or it is a tunnel. */
export type SendFraming = 'none' | 'length' | 'chunked' | 'close' | 'tunnel';

/** A request for Node. */
export interface RequestPlan {
  readonly method: string;
  readonly target: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly contentLength: number;
  readonly framing: SendFraming;
  /** The tokens that are offered by Upgrade. */
  readonly upgrade: readonly string[];
}

/** A response for Node. */
export interface ResponsePlan {
  readonly status: number;
  readonly fields: readonly string[];
  readonly contentLength: number;
  readonly framing: SendFraming;
  /** The token of a 101. */
  readonly upgrade: string | undefined;
}

/** @throws LocalProtocolError */
export function planRequest(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  absoluteForm: boolean,
  mayChunk: boolean,
): RequestPlan {
  const head = readRequestHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  checkRawNames(headers, options.rawNames);
  if (head.protocol !== undefined) throw unsupported('extended CONNECT');
  if (absoluteForm && head.path !== undefined && head.authority === undefined) {
    throw new LocalProtocolError('a request to a proxy needs :authority');
  }
  const upgrade = options.upgrade === undefined ? [] : upgradeTokens(options.upgrade);
  const { method, authority = '' } = head;
  const fields = [hostName(headers, options.rawNames), authority];
  const connection: string[] = [];
  let omit = 'host';
  const more: string[] = [];
  let framing: SendFraming = 'none';
  const { contentLength } = head;
  if (method === 'CONNECT') {
    if (contentLength !== UNDECLARED) throw new LocalProtocolError('CONNECT has no content');
    if (options.endStream) throw new LocalProtocolError('CONNECT opens a tunnel: end it with submitData');
    if (upgrade.length > 0) throw new LocalProtocolError('CONNECT has no upgrade');
  } else if (upgrade.length > 0) {
    if (contentLength > 0) throw new LocalProtocolError('a request with upgrade has no content here');
    connection.push('upgrade');
    more.push('upgrade', upgrade.join(', '));
  } else if (options.endStream) {
    if (contentLength > 0) throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
    if (hasHeader(headers, 'expect')) throw new LocalProtocolError('expect without content');
    if (contentLength === UNDECLARED && ['POST', 'PUT', 'PATCH'].includes(method)) more.push('content-length', '0');
  } else if (contentLength === UNDECLARED || (mayChunk && hasHeader(headers, 'trailer'))) {
    if (!mayChunk) throw new LocalProtocolError('content for an HTTP/1.0 server needs content-length');
    framing = 'chunked';
    if (contentLength !== UNDECLARED) omit = 'content-length';
    more.push('transfer-encoding', 'chunked');
  } else {
    framing = 'length';
  }
  if (hasHeader(headers, 'te')) connection.push('te');
  fields.push(...nodeFields(headers, head.fieldsStart, options.rawNames, 'host', omit), ...more);
  // Node adds keep-alive to what it is not told.
  if (connection.length > 0) fields.push('connection', connection.join(', '));
  const target = head.path === undefined ? authority : absolute(head.scheme, authority, head.path, absoluteForm);
  return { method, target, fields, contentLength, framing, upgrade };
}

/** @throws LocalProtocolError */
export function planResponse(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  request: ReceivedRequest,
  requestComplete: boolean,
): ResponsePlan {
  const head = readResponseHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  checkRawNames(headers, options.rawNames);
  const { status, contentLength } = head;
  if (status > 599) throw new LocalProtocolError(`:status ${String(status)} is above 599 (RFC 9110 section 15)`);
  if (status === 101) return planSwitch(headers, options, request, requestComplete, contentLength);
  if (isInformationalStatus(status)) throw new LocalProtocolError('a 1xx response is sent by submitInformational');
  if (options.upgrade !== undefined) throw new LocalProtocolError('upgrade belongs to :status 101');
  const without = nodeFields(headers, 2, options.rawNames, 'content-length');
  if (request.method === 'CONNECT' && isSuccessfulStatus(status)) {
    if (contentLength > 0) throw new LocalProtocolError('a tunnel has no content-length');
    if (options.endStream) throw new LocalProtocolError('an accepted CONNECT is a tunnel: end it with submitData');
    return { status, fields: without, contentLength: UNDECLARED, framing: 'tunnel', upgrade: undefined };
  }
  const plan = (fields: readonly string[], framing: SendFraming, length = contentLength): ResponsePlan => ({
    status,
    fields,
    contentLength: length,
    framing,
    upgrade: undefined,
  });
  // Node refuses to announce trailers where there can be none.
  const plain = nodeFields(headers, 2, options.rawNames, 'trailer');
  if (hasNoContent(status)) {
    if (status === 304) return plan(plain, 'none');
    if (contentLength > 0) throw new LocalProtocolError('204 has no content-length');
    return plan(without, 'none');
  }
  if (request.method === 'HEAD') return plan(plain, 'none');
  if (options.endStream && contentLength > 0) {
    throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
  }
  if (status === 205 && contentLength > 0) throw new LocalProtocolError('205 has no content');
  if (contentLength === UNDECLARED) {
    if (options.endStream || status === 205) return plan([...plain, 'content-length', '0'], 'length', 0);
    const chunks = request.httpVersion === '1.1';
    return chunks ? plan(nodeFields(headers, 2, options.rawNames), 'chunked') : plan(plain, 'close');
  }
  if (hasHeader(headers, 'trailer') && request.httpVersion === '1.1') {
    return plan([...without, 'transfer-encoding', 'chunked'], 'chunked');
  }
  return plan(plain, 'length');
}

function planSwitch(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  request: ReceivedRequest,
  requestComplete: boolean,
  contentLength: number,
): ResponsePlan {
  const token = options.upgrade;
  if (token === undefined) throw new LocalProtocolError(':status 101 needs the option upgrade');
  if (!request.upgrade.includes(token)) throw new LocalProtocolError(`${quoted(token)} was not offered in Upgrade`);
  if (!requestComplete || request.hasContent) throw new LocalProtocolError('101 to a request with content');
  if (options.endStream) throw new LocalProtocolError('an accepted Upgrade is a tunnel: end it with submitData');
  if (contentLength !== UNDECLARED) throw new LocalProtocolError('101 has no content-length');
  const fields = [...nodeFields(headers, 2, options.rawNames), 'connection', 'upgrade', 'upgrade', token];
  return { status: 101, fields, contentLength, framing: 'tunnel', upgrade: token };
}

/** An interim response: its status and fields. @throws LocalProtocolError */
export function planInterim(
  headers: HeaderList,
  rawNames: readonly string[] | undefined,
): { readonly status: number; readonly fields: readonly string[] } {
  const head = readResponseHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  checkRawNames(headers, rawNames);
  if (head.status === 101) throw new LocalProtocolError('101 accepts a tunnel: submitHeaders');
  if (!isInformationalStatus(head.status)) throw new LocalProtocolError('a final response is sent by submitHeaders');
  if (head.contentLength !== UNDECLARED) throw new LocalProtocolError('a 1xx response has no content-length');
  return { status: head.status, fields: nodeFields(headers, 2, rawNames) };
}

/** A response's head as text: for heads that Node has no call for. */
export function headText(status: number, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${String(status)} ${reasonPhrase(status)}\r\n`;
  for (let index = 0; index < fields.length; index += 2) {
    text += `${fields[index] as string}: ${fields[index + 1] as string}\r\n`;
  }
  return `${text}\r\n`;
}

function absolute(scheme: string | undefined, authority: string, path: string, absoluteForm: boolean): string {
  return absoluteForm ? `${scheme ?? 'http'}://${authority}${path === '*' ? '' : path}` : path;
}

function hostName(headers: HeaderList, rawNames: readonly string[] | undefined): string {
  for (const [index, spelling] of (rawNames ?? []).entries()) {
    const name = headers[index * 2];
    if ((name === ':authority' || name === 'host') && spelling !== '') return spelling;
  }
  return 'host';
}

/** RFC 9110 section 7.8. */
function upgradeTokens(upgrade: string): string[] {
  const tokens = members(upgrade);
  for (const token of tokens) {
    const [name = '', version, ...rest] = token.split('/');
    if (!isMethod(name) || rest.length > 0 || (version !== undefined && !isMethod(version))) {
      throw new LocalProtocolError(`${quoted(token)} is no protocol for Upgrade`);
    }
  }
  if (tokens.length === 0) throw new LocalProtocolError('upgrade names no protocol');
  return tokens;
}
