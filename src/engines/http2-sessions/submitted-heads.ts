/**
 * Heads as the application submits them, judged before Node sees them (RFC 9110 sections 6.4.1, 8.6, 9.3.6 and 15).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError, unsupported } from '../../common/index.ts';
import type { SubmitHeadersOptions } from '../../protocols/index.ts';
import type { RequestHead } from '../../protocols/semantics/index.ts';
import {
  hasNoContent,
  isInformationalStatus,
  isSuccessfulStatus,
  readRequestHead,
  readResponseHead,
  UNDECLARED,
} from '../../protocols/semantics/index.ts';

/** Judges a request. @throws LocalProtocolError */
export function judgeRequest(headers: HeaderList, options: SubmitHeadersOptions): RequestHead {
  const head = readRequestHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  if (options.upgrade !== undefined) throw unsupported('upgrade');
  if (head.method === 'CONNECT' && head.contentLength !== UNDECLARED)
    throw new LocalProtocolError('CONNECT has no content');
  if (options.endStream && head.contentLength > 0 && head.method !== 'CONNECT') {
    throw new LocalProtocolError(`content-length ${String(head.contentLength)} without content`);
  }
  return head;
}

/** What a final response is. */
export interface JudgedResponse {
  readonly contentLength: number;
  /** It opens a tunnel. */
  readonly tunnel: boolean;
  /** Its head ends it, whatever is submitted behind it. */
  readonly silent: boolean;
}

/** Judges a final response to a request of a method. @throws LocalProtocolError */
export function judgeResponse(headers: HeaderList, options: SubmitHeadersOptions, method: string): JudgedResponse {
  const head = readResponseHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  if (options.upgrade !== undefined) throw unsupported('upgrade');
  const { status, contentLength } = head;
  if (status > 599) throw new LocalProtocolError(`:status ${String(status)} is above 599 (RFC 9110 section 15)`);
  if (isInformationalStatus(status)) throw new LocalProtocolError('a 1xx response is sent by submitInformational');
  if (method === 'CONNECT' && isSuccessfulStatus(status)) {
    if (contentLength > 0) throw new LocalProtocolError('a tunnel has no content-length');
    if (options.endStream) throw new LocalProtocolError('an accepted CONNECT is a tunnel: end it with submitData');
    return { contentLength: UNDECLARED, tunnel: true, silent: false };
  }
  const silent = method === 'HEAD' || hasNoContent(status);
  if (status === 204 && contentLength > 0) throw new LocalProtocolError('204 has no content-length');
  if (!silent && options.endStream && contentLength > 0) {
    throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
  }
  return { contentLength, tunnel: false, silent };
}

/** Judges an interim response. @throws LocalProtocolError */
export function judgeInformational(headers: HeaderList): void {
  const head = readResponseHead(headers);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  if (head.status === 101) throw new LocalProtocolError('HTTP/2 has no 101');
  if (!isInformationalStatus(head.status)) throw new LocalProtocolError('a final response is sent by submitHeaders');
  if (head.contentLength !== UNDECLARED) throw new LocalProtocolError('a 1xx response has no content-length');
}
