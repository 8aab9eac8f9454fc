/**
 * Header lists as node:http2 takes and tells them.
 *
 * Owns the two translations. Node takes an object: repeated fields stand together there, where the first of them stood,
 * and those of which Node allows one line only are refused.
 *
 * @module
 */
import type { OutgoingHttpHeaders } from 'node:http2';
import type { HeaderList } from '../../common/index.ts';

/** A list as an object; `start`: where in the list to begin. */
export function toNodeHeaders(headers: HeaderList, start = 0): OutgoingHttpHeaders {
  const object = Object.create(null) as Record<string, string | string[]>;
  for (let index = start; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    const before = object[name];
    if (before === undefined) object[name] = value;
    else if (typeof before === 'string') object[name] = [before, value];
    else before.push(value);
  }
  return object;
}

/** The flat array that Node's events carry, with pseudo-header fields first. */
export function fromNodeHeaders(raw: readonly string[]): string[] {
  const pseudo: string[] = [];
  const fields: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    (name.startsWith(':') ? pseudo : fields).push(name, raw[index + 1] as string);
  }
  return [...pseudo, ...fields];
}
