/**
 * A request's head as the application submits it to a version with streams, judged.
 *
 * Owns: which requests a client may send beyond what every head must be (pseudo-headers.ts). Nothing here changes any
 * state: what is wrong is thrown before anything is written.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError, unsupported } from '../../common/index.ts';
import type { SubmitHeadersOptions } from '../http-protocol.ts';
import { UNDECLARED } from './content-length.ts';
import type { FieldJudge } from './field-judge.ts';
import type { RequestHead } from './pseudo-headers.ts';
import { fieldsStart, readRequestHead } from './pseudo-headers.ts';

/**
 * Judges a request.
 *
 * @param extendedConnect - the server has said that it takes extended CONNECT (RFC 8441 section 3, RFC 9220 section 3)
 * @throws LocalProtocolError
 */
export function planRequest(
  headers: HeaderList,
  options: SubmitHeadersOptions,
  extendedConnect: boolean,
  judge: FieldJudge,
): RequestHead {
  if (options.upgrade !== undefined) throw unsupported('upgrade');
  const problem = headers.length % 2 === 0 ? judge.problem(headers, fieldsStart(headers)) : undefined;
  const head = problem ?? readRequestHead(headers, true);
  if (typeof head === 'string') throw new LocalProtocolError(head);
  const { authority, method, contentLength } = head;
  // RFC 9110 section 7.2: who names a resource of http names its host.
  if (authority === undefined || authority === '') throw new LocalProtocolError(':authority is missing');
  if (head.protocol !== undefined && !extendedConnect) throw unsupported('extended CONNECT');
  if (method === 'CONNECT' && contentLength !== UNDECLARED) {
    throw new LocalProtocolError('CONNECT has no content-length');
  }
  if (options.endStream && contentLength > 0) {
    throw new LocalProtocolError(`content-length ${String(contentLength)} without content`);
  }
  return head;
}
