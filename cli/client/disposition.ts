/**
 * The file name that Content-Disposition gives: `-J`.
 *
 * Owns the reading of the field (RFC 6266, RFC 8187) and what is left of a name: its last part, and nothing that would
 * be hidden, a device, or a way out of the folder.
 *
 * @module
 */

/** The name without any folder, or `undefined` when the field has none that is safe. Latin1 in, text out. */
export function dispositionName(field: string | undefined): string | undefined {
  if (field === undefined) return undefined;
  const extended = parameter(field, 'filename*');
  const name = (extended === undefined ? undefined : decoded(extended)) ?? plain(parameter(field, 'filename'));
  if (name === undefined) return undefined;
  const last = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  return isSafeName(last) ? last : undefined;
}

/** Whether a file of this name may be made in the working folder, on any system. */
export function isSafeName(name: string): boolean {
  return name !== '' && name.length <= MAX_NAME && !name.startsWith('.') && !UNSAFE.test(name) && !RESERVED.test(name);
}

/** The value of a parameter, quotes undone. */
function parameter(field: string, name: string): string | undefined {
  for (const match of field.matchAll(PARAMETER)) {
    const [, found = '', quoted, token = ''] = match;
    if (found.toLowerCase() === name) return quoted === undefined ? token : quoted.replaceAll(/\\(.)/g, '$1');
  }
  return undefined;
}

/** `UTF-8''a%20b` (RFC 8187). */
function decoded(value: string): string | undefined {
  const match = /^utf-8'[^']*'(.*)$/i.exec(value);
  if (match === null) return undefined;
  try {
    return decodeURIComponent(match[1] as string);
  } catch {
    return undefined;
  }
}

function plain(value: string | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value, 'latin1').toString('utf8');
}

const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;
const MAX_NAME = 200;
/** What file systems or shells read specially, control characters, and what turns a name around. */
const UNSAFE = /[\\/:*?"<>|\p{Cc}\p{Cf}\u2028\u2029]|[ .]$/u;
/** Names of devices on Windows, with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
