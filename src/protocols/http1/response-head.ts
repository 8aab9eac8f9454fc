/**
 * A final response's head as the application submits it: judged, and turned into text and a framing.
 *
 * Owns: which statuses and fields a server may send (RFC 9110 sections 6.4.1, 8.6, 9.3.6 and 15, RFC 9112 sections 6.1
 * and 6.2), and which framing follows. Nothing here changes any state: what is wrong is thrown before anything is
 * written.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { SubmitHeadersOptions } from '../http-protocol.ts';
import {
  hasNoContent,
  isInformationalStatus,
  isSuccessfulStatus,
  quoted,
  readResponseHead,
  UNDECLARED,
} from '../semantics/index.ts';
import { hasHeader } from '../../common/index.ts';
import { checkRawNames, fieldLines, statusLine } from './head-writer.ts';
import type { SendFramingKind } from './message-writer.ts';
import { SendFraming } from './message-writer.ts';
import type { RequestParser } from './request-parser.ts';

/** What is to be written, and how it goes on. */
export interface ResponsePlan {
  /** The head without its empty line, and without what concerns the connection. */
  readonly text: string;
  readonly framing: SendFramingKind;
  readonly contentLength: number;
  /** The stream carries raw bytes from here on. */
  readonly tunnel: boolean;
  /** The token of a 101, otherwise `undefined`. */
  readonly upgrade: string | undefined;
}

/**
 * Judges a final response.
 *
 * @param requestComplete - whether the request has been read whole
 * @throws LocalProtocolError
 */
export function planResponse(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  request: RequestParser,
  requestComplete: boolean,
): ResponsePlan {
  const head = readResponseHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  checkRawNames(headers, options.rawNames);
  const { status } = head;
  if (status > 599) throw new LocalProtocolError(`:status ${String(status)} is above 599 (RFC 9110 section 15)`);
  if (status === 101) return planSwitch(headers, options, request, requestComplete);
  if (isInformationalStatus(status)) throw new LocalProtocolError('a 1xx response is sent by submitInformational');
  if (options.upgrade !== undefined) throw new LocalProtocolError('upgrade belongs to :status 101');
  if (request.method === 'CONNECT' && isSuccessfulStatus(status)) {
    if (head.contentLength > 0) throw new LocalProtocolError('a tunnel has no content-length');
    if (options.endStream) throw new LocalProtocolError('an accepted CONNECT is a tunnel: end it with submitData');
    const text = statusLine(status) + fieldLines(headers, 2, options.rawNames, 'content-length');
    return { text, framing: SendFraming.tunnel, contentLength: UNDECLARED, tunnel: true, upgrade: undefined };
  }
  return planMessage(headers, options, request, status, head.contentLength);
}

function planMessage(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  request: RequestParser,
  status: number,
  contentLength: number,
): ResponsePlan {
  let framing: SendFramingKind;
  let omit = '';
  if (hasNoContent(status)) {
    // RFC 9110 section 8.6: no Content-Length in 204; in 304 it speaks of the representation.
    if (status === 204 && contentLength > 0) throw new LocalProtocolError('204 has no content-length');
    if (status === 204) omit = 'content-length';
    framing = SendFraming.silent;
  } else if (request.method === 'HEAD') {
    framing = SendFraming.silent;
  } else if (contentLength === UNDECLARED) {
    if (options.endStream || status === 205) return endedPlan(headers, options, status);
    framing = SendFraming.held;
  } else {
    if (options.endStream && contentLength > 0) {
      throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
    }
    if (status === 205 && contentLength > 0) throw new LocalProtocolError('205 has no content');
    framing = SendFraming.length;
    // Trailers need chunked, which excludes Content-Length; the ledger still holds the content to it.
    if (request.httpVersion === '1.1' && hasHeader(headers, 'trailer')) {
      framing = SendFraming.chunked;
      omit = 'content-length';
    }
  }
  let text = statusLine(status) + fieldLines(headers, 2, options.rawNames, omit);
  if (framing === SendFraming.chunked) text += 'transfer-encoding: chunked\r\n';
  return { text, framing, contentLength, tunnel: false, upgrade: undefined };
}

/** A response without content that says so. */
function endedPlan(headers: HeaderList, options: SubmitHeadersOptions, status: number): ResponsePlan {
  const text = `${statusLine(status)}${fieldLines(headers, 2, options.rawNames, '')}content-length: 0\r\n`;
  return { text, framing: SendFraming.length, contentLength: 0, tunnel: false, upgrade: undefined };
}

/** RFC 9110 sections 7.8 and 15.2.2. */
function planSwitch(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  request: RequestParser,
  requestComplete: boolean,
): ResponsePlan {
  const token = options.upgrade;
  if (token === undefined) throw new LocalProtocolError(':status 101 needs the option upgrade');
  if (!request.upgrade.includes(token)) throw new LocalProtocolError(`${quoted(token)} was not offered in Upgrade`);
  if (!requestComplete) throw new LocalProtocolError('101 before the end of the request');
  if (options.endStream) throw new LocalProtocolError('an accepted Upgrade is a tunnel: end it with submitData');
  if (hasHeader(headers, 'content-length')) throw new LocalProtocolError('101 has no content-length');
  const text = statusLine(101) + fieldLines(headers, 2, options.rawNames, '');
  return { text, framing: SendFraming.tunnel, contentLength: UNDECLARED, tunnel: true, upgrade: token };
}

/**
 * An interim response as text, with its empty line.
 *
 * @throws LocalProtocolError
 */
export function interimHead(headers: HeaderList, rawNames: readonly string[] | undefined): string {
  const head = readResponseHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  checkRawNames(headers, rawNames);
  const { status } = head;
  if (status === 101) throw new LocalProtocolError('101 accepts a tunnel: submitHeaders');
  if (!isInformationalStatus(status)) throw new LocalProtocolError('a final response is sent by submitHeaders');
  if (head.contentLength !== UNDECLARED) throw new LocalProtocolError('a 1xx response has no content-length');
  return `${statusLine(status)}${fieldLines(headers, 2, rawNames, '')}\r\n`;
}
