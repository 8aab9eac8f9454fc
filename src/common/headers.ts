/**
 * The one form that header and trailer fields have in every HTTP version.
 *
 * Owns the type and the functions that read it. Checking names and values is protocols/semantics' work, spelling them
 * on the wire an engine's. RFC 9110 sections 5.1 to 5.3.
 *
 * @module
 */

/**
 * Fields in wire order as a flat list: name, value, name, value. Names are lowercase; pseudo-header fields, where the
 * place allows them, come first. Values are strings of octets (latin1). A field that came in several lines stands
 * several times.
 *
 * @example
 * ```ts
 * const headers: HeaderList = [':status', '200', 'content-type', 'text/plain'];
 * ```
 */
export type HeaderList = readonly string[];

/** The first value of a field, or `undefined`. `name` is lowercase. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** Whether a field is there. `name` is lowercase. */
export function hasHeader(headers: HeaderList, name: string): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return true;
  }
  return false;
}

/** All values of a field in order. `name` is lowercase. */
export function headerValues(headers: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] === name) values.push(headers[index + 1] as string);
  }
  return values;
}

/** All values of a list-based field joined by a comma (RFC 9110 section 5.3), or `undefined`. */
export function combinedHeaderValue(headers: HeaderList, name: string): string | undefined {
  let combined: string | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    const value = headers[index + 1] as string;
    combined = combined === undefined ? value : `${combined}, ${value}`;
  }
  return combined;
}

/** The fields as pairs, for callers who prefer them to the flat list. */
export function* headerEntries(headers: HeaderList): IterableIterator<[name: string, value: string]> {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    yield [headers[index] as string, headers[index + 1] as string];
  }
}

/** The flat list of some pairs; names become lowercase. */
export function headersFromEntries(entries: Iterable<readonly [name: string, value: string]>): string[] {
  const headers: string[] = [];
  for (const [name, value] of entries) headers.push(name.toLowerCase(), value);
  return headers;
}

/** The fields without pseudo-header fields. */
export function withoutPseudoHeaders(headers: HeaderList): HeaderList {
  let start = 0;
  while (start < headers.length && headers[start]?.charCodeAt(0) === 0x3a) start += 2;
  return start === 0 ? headers : headers.slice(start);
}
