/**
 * The form that a request's fields have in all versions.
 *
 * Owns: Host folded into `:authority` (RFC 9113 section 8.3.1, RFC 9114 section 4.3.1), cookie crumbs joined (RFC 9113
 * section 8.2.3, RFC 9114 section 4.2.1), the Priority field read on the way (RFC 9218 section 5). Lists that have that
 * form already, which most have, pass uncopied.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import type { Priority } from './priority.ts';
import { parsePriority } from './priority.ts';
import type { RequestHead } from './pseudo-headers.ts';

/** A request's fields in that form. */
export interface RequestForm {
  headers: HeaderList;
  /** What the Priority field says, if it is there. */
  priority: Priority | undefined;
}

/** One for all requests: it is read before the next is made. */
const form: RequestForm = { headers: [], priority: undefined };

/**
 * Brings a request into its form.
 *
 * @param joinsCookies - into one field: on the way to the application
 * @returns one object for all calls, valid until the next one
 */
export function requestForm(headers: HeaderList, head: RequestHead, joinsCookies: boolean): RequestForm {
  let cookies = 0;
  let host = false;
  let priority: string | undefined;
  for (let index = head.fieldsStart; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name === 'cookie') cookies += 1;
    else if (name === 'host') host = true;
    else if (name === 'priority')
      priority = priority === undefined ? headers[index + 1] : `${priority}, ${headers[index + 1] as string}`;
  }
  const joins = joinsCookies && cookies > 1;
  form.headers = joins || host ? rewritten(headers, head, joins) : headers;
  form.priority = priority === undefined ? undefined : parsePriority(priority);
  return form;
}

/** `:authority` in place of Host, and perhaps one Cookie of all crumbs. */
function rewritten(headers: HeaderList, head: RequestHead, joins: boolean): HeaderList {
  const start = head.fieldsStart;
  const list: string[] = headers.slice(0, start);
  if (!list.includes(':authority')) list.push(':authority', head.authority as string);
  let cookieAt = -1;
  for (let index = start; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (name === 'host') continue;
    if (name === 'cookie' && joins) {
      if (cookieAt >= 0) {
        list[cookieAt] = `${list[cookieAt] as string}; ${value}`;
        continue;
      }
      cookieAt = list.length + 1;
    }
    list.push(name, value);
  }
  return list;
}
