/**
 * A response's head as the application submits it to a version with streams, judged.
 *
 * Owns: which statuses and fields a server may send (RFC 9110 sections 6.4.1, 8.6, 9.3.6 and 15, RFC 9113 section
 * 8.3.2, RFC 9114 section 4.3.2) and what follows for the message. Nothing here changes any state: what is wrong is
 * thrown before anything is written.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError, unsupported } from '../../common/index.ts';
import { parseContentLength, UNDECLARED } from './content-length.ts';
import type { FieldJudge } from './field-judge.ts';
import { quoted } from './field-rules.ts';
import { hasNoContent, isInformationalStatus, isSuccessfulStatus, parseStatus } from './status.ts';

/** What is to be written, and how it goes on. */
export interface ResponsePlan {
  headers: HeaderList;
  /** What content is held to, or `UNDECLARED`. */
  contentLength: number;
  /** The stream carries raw bytes from here on. */
  tunnel: boolean;
  /** The message has no content: its end goes with the head. */
  silent: boolean;
}

/** One for all plans: it is read before the next is made. */
const plan: ResponsePlan = { headers: [], contentLength: UNDECLARED, tunnel: false, silent: false };

/**
 * Judges a final response.
 *
 * @returns one object for all calls, valid until the next one
 * @throws LocalProtocolError
 */
export function planResponse(
  headers: HeaderList,
  endStream: boolean,
  connects: boolean,
  headRequest: boolean,
  judge: FieldJudge,
): ResponsePlan {
  const status = judgedStatus(headers, judge);
  const contentLength = declaredLength(headers);
  if (status > 599) throw new LocalProtocolError(`:status ${String(status)} is above 599 (RFC 9110 section 15)`);
  if (status === 101) throw unsupported('101 (Upgrade)');
  if (isInformationalStatus(status)) throw new LocalProtocolError('a 1xx response is sent by submitInformational');
  plan.headers = headers;
  plan.contentLength = contentLength;
  plan.tunnel = connects && isSuccessfulStatus(status);
  plan.silent = false;
  if (plan.tunnel) {
    if (contentLength > 0) throw new LocalProtocolError('a tunnel has no content-length');
    if (endStream) throw new LocalProtocolError('an accepted CONNECT is a tunnel: end it with submitData');
    leaveLengthOut(plan, contentLength);
  } else if (hasNoContent(status)) {
    plan.silent = true;
    // RFC 9110 section 8.6: no Content-Length in 204; in 304 it speaks of the representation.
    if (status === 204 && contentLength > 0) throw new LocalProtocolError('204 has no content-length');
    if (status === 204) leaveLengthOut(plan, contentLength);
    plan.contentLength = UNDECLARED;
  } else if (headRequest) {
    plan.silent = true;
    plan.contentLength = UNDECLARED;
  } else if (endStream && contentLength > 0) {
    throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
  } else if (status === 205) {
    if (contentLength > 0) throw new LocalProtocolError('205 has no content');
    plan.contentLength = 0;
  }
  return plan;
}

/**
 * Judges an interim response.
 *
 * @throws LocalProtocolError
 */
export function checkInformational(headers: HeaderList, judge: FieldJudge): void {
  const status = judgedStatus(headers, judge);
  if (status === 101)
    throw new LocalProtocolError('101 exists in HTTP/1.1 only (RFC 9113 section 8.6, RFC 9114 section 4.5)');
  if (!isInformationalStatus(status)) throw new LocalProtocolError('a final response is sent by submitHeaders');
  if (declaredLength(headers) !== UNDECLARED) throw new LocalProtocolError('a 1xx response has no content-length');
}

function judgedStatus(headers: HeaderList, judge: FieldJudge): number {
  if (headers.length % 2 !== 0) throw new LocalProtocolError('a header list holds names and values in turn');
  if (headers[0] !== ':status') throw new LocalProtocolError('a response begins with :status');
  const status = parseStatus(headers[1] as string);
  if (status < 0) throw new LocalProtocolError(`:status ${quoted(headers[1] as string)} is no status`);
  const problem = judge.problem(headers, 2);
  if (problem !== undefined) throw new LocalProtocolError(problem);
  return status;
}

function declaredLength(headers: HeaderList): number {
  let contentLength = UNDECLARED;
  for (let index = 2; index < headers.length; index += 2) {
    if (headers[index] !== 'content-length') continue;
    if (contentLength !== UNDECLARED) throw new LocalProtocolError('content-length stands twice');
    contentLength = parseContentLength(headers[index + 1] as string);
    if (contentLength < 0) {
      throw new LocalProtocolError(`content-length ${quoted(headers[index + 1] as string)} is no length`);
    }
  }
  return contentLength;
}

function leaveLengthOut(target: ResponsePlan, contentLength: number): void {
  target.contentLength = UNDECLARED;
  if (contentLength === UNDECLARED) return;
  const headers: string[] = [];
  for (let index = 0; index < target.headers.length; index += 2) {
    const name = target.headers[index] as string;
    if (name !== 'content-length') headers.push(name, target.headers[index + 1] as string);
  }
  target.headers = headers;
}
