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
  parseContentLength,
  parseStatus,
  quoted,
  UNDECLARED,
} from '../semantics/index.ts';
import type { FieldLines } from './field-lines.ts';
import { checkRawNames, fieldLines, statusLine } from './head-writer.ts';
import type { SendFramingKind } from './message-writer.ts';
import { SendFraming } from './message-writer.ts';
import type { RequestParser } from './request-parser.ts';

/** What is to be written, and how it goes on. */
export interface ResponsePlan {
  /** The head without its empty line, and without what concerns the connection. */
  readonly text: string;
  /** The same with its empty line, as octets; `undefined` where that is not at hand. */
  readonly encoded: Uint8Array | undefined;
  readonly framing: SendFramingKind;
  readonly contentLength: number;
  /** The stream carries raw bytes from here on. */
  readonly tunnel: boolean;
  /** The token of a 101, otherwise `undefined`. */
  readonly upgrade: string | undefined;
}

/** A response's list, read. */
interface Fields {
  readonly status: number;
  readonly contentLength: number;
  /** Whether trailers are announced. */
  readonly trailer: boolean;
  /** The status-line and all fields. */
  readonly text: string;
  /** The same as octets with the empty line, if at hand. */
  readonly encoded: Uint8Array | undefined;
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
  lines: FieldLines,
): ResponsePlan {
  const fields = readFields(headers, options.rawNames, lines);
  const { status } = fields;
  if (status > 599) throw new LocalProtocolError(`:status ${String(status)} is above 599 (RFC 9110 section 15)`);
  if (status === 101) return planSwitch(fields, options, request, requestComplete);
  if (isInformationalStatus(status)) throw new LocalProtocolError('a 1xx response is sent by submitInformational');
  if (options.upgrade !== undefined) throw new LocalProtocolError('upgrade belongs to :status 101');
  if (request.method === 'CONNECT' && isSuccessfulStatus(status)) {
    if (fields.contentLength > 0) throw new LocalProtocolError('a tunnel has no content-length');
    if (options.endStream) throw new LocalProtocolError('an accepted CONNECT is a tunnel: end it with submitData');
    return plan(withoutLength(fields, headers, options.rawNames), SendFraming.tunnel, UNDECLARED, true, undefined);
  }
  return planMessage(headers, options, request, fields);
}

function planMessage(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  request: RequestParser,
  fields: Fields,
): ResponsePlan {
  const { status, contentLength } = fields;
  if (hasNoContent(status)) {
    if (status === 304) return asJoined(fields, SendFraming.silent);
    // RFC 9110 section 8.6: no Content-Length in 204; in 304 it speaks of the representation.
    if (contentLength > 0) throw new LocalProtocolError('204 has no content-length');
    return plan(withoutLength(fields, headers, options.rawNames), SendFraming.silent, UNDECLARED, false, undefined);
  }
  if (request.method === 'HEAD') return asJoined(fields, SendFraming.silent);
  if (contentLength === UNDECLARED) {
    if (!options.endStream && status !== 205) return asJoined(fields, SendFraming.held);
    return plan(`${fields.text}content-length: 0\r\n`, SendFraming.length, 0, false, undefined);
  }
  if (options.endStream && contentLength > 0) {
    throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
  }
  if (status === 205 && contentLength > 0) throw new LocalProtocolError('205 has no content');
  // Trailers need chunked, which excludes Content-Length; the ledger still holds the content to it.
  if (fields.trailer && request.httpVersion === '1.1') {
    const text = `${withoutLength(fields, headers, options.rawNames)}transfer-encoding: chunked\r\n`;
    return plan(text, SendFraming.chunked, contentLength, false, undefined);
  }
  return asJoined(fields, SendFraming.length);
}

/** RFC 9110 sections 7.8 and 15.2.2. */
function planSwitch(
  fields: Fields,
  options: SubmitHeadersOptions,
  request: RequestParser,
  requestComplete: boolean,
): ResponsePlan {
  const token = options.upgrade;
  if (token === undefined) throw new LocalProtocolError(':status 101 needs the option upgrade');
  if (!request.upgrade.includes(token)) throw new LocalProtocolError(`${quoted(token)} was not offered in Upgrade`);
  if (!requestComplete) throw new LocalProtocolError('101 before the end of the request');
  if (options.endStream) throw new LocalProtocolError('an accepted Upgrade is a tunnel: end it with submitData');
  if (fields.contentLength !== UNDECLARED) throw new LocalProtocolError('101 has no content-length');
  return plan(fields.text, SendFraming.tunnel, UNDECLARED, true, token);
}

/**
 * An interim response as text, with its empty line.
 *
 * @throws LocalProtocolError
 */
export function interimHead(headers: HeaderList, rawNames: readonly string[] | undefined, lines: FieldLines): string {
  const { status, contentLength, text } = readFields(headers, rawNames, lines);
  if (status === 101) throw new LocalProtocolError('101 accepts a tunnel: submitHeaders');
  if (!isInformationalStatus(status)) throw new LocalProtocolError('a final response is sent by submitHeaders');
  if (contentLength !== UNDECLARED) throw new LocalProtocolError('a 1xx response has no content-length');
  return `${text}\r\n`;
}

/** Reads the list once: judges it, and joins its lines. */
function readFields(headers: HeaderList, rawNames: readonly string[] | undefined, lines: FieldLines): Fields {
  if (headers.length % 2 !== 0) throw new LocalProtocolError('a header list holds names and values in turn');
  if (headers[0] !== ':status') throw new LocalProtocolError('a response begins with :status');
  const status = parseStatus(headers[1] as string);
  if (status < 0) throw new LocalProtocolError(`:status ${quoted(headers[1] as string)} is no status`);
  let contentLength = UNDECLARED;
  let trailer = false;
  lines.begin();
  for (let index = 2; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    lines.add(name, value);
    if (name.length === 14 && name === 'content-length') {
      if (contentLength !== UNDECLARED) throw new LocalProtocolError('content-length stands twice');
      contentLength = parseContentLength(value);
      if (contentLength < 0) throw new LocalProtocolError(`content-length ${quoted(value)} is no length`);
    } else if (name.length === 7 && name === 'trailer') {
      trailer = true;
    }
  }
  if (rawNames === undefined) {
    const text = lines.join(statusLine(status));
    return { status, contentLength, trailer, text, encoded: lines.encoded };
  }
  checkRawNames(headers, rawNames);
  const text = statusLine(status) + fieldLines(headers, 2, rawNames, '');
  return { status, contentLength, trailer, text, encoded: undefined };
}

function withoutLength(fields: Fields, headers: HeaderList, rawNames: readonly string[] | undefined): string {
  if (fields.contentLength === UNDECLARED) return fields.text;
  return statusLine(fields.status) + fieldLines(headers, 2, rawNames, 'content-length');
}

function plan(
  text: string,
  framing: SendFramingKind,
  contentLength: number,
  tunnel: boolean,
  upgrade: string | undefined,
): ResponsePlan {
  return { text, encoded: undefined, framing, contentLength, tunnel, upgrade };
}

/** A head that is sent as it was joined. */
function asJoined(fields: Fields, framing: SendFramingKind): ResponsePlan {
  const { text, encoded, contentLength } = fields;
  return { text, encoded, framing, contentLength, tunnel: false, upgrade: undefined };
}
