/**
 * The static table of HPACK (RFC 7541 appendix A).
 *
 * Owns: the table as shared strings, and the way back from a name and value to an index. Nothing here changes.
 *
 * @module
 */

/** How many entries the static table has; the dynamic table's first entry has the index behind it. */
export const STATIC_ENTRIES = 61;

/** Name and value of each entry in turn, from index 1 on. */
const ENTRIES: readonly string[] = [
  ...[':authority', ''],
  ...[':method', 'GET'],
  ...[':method', 'POST'],
  ...[':path', '/'],
  ...[':path', '/index.html'],
  ...[':scheme', 'http'],
  ...[':scheme', 'https'],
  ...[':status', '200'],
  ...[':status', '204'],
  ...[':status', '206'],
  ...[':status', '304'],
  ...[':status', '400'],
  ...[':status', '404'],
  ...[':status', '500'],
  ...['accept-charset', ''],
  ...['accept-encoding', 'gzip, deflate'],
  ...['accept-language', ''],
  ...['accept-ranges', ''],
  ...['accept', ''],
  ...['access-control-allow-origin', ''],
  ...['age', ''],
  ...['allow', ''],
  ...['authorization', ''],
  ...['cache-control', ''],
  ...['content-disposition', ''],
  ...['content-encoding', ''],
  ...['content-language', ''],
  ...['content-length', ''],
  ...['content-location', ''],
  ...['content-range', ''],
  ...['content-type', ''],
  ...['cookie', ''],
  ...['date', ''],
  ...['etag', ''],
  ...['expect', ''],
  ...['expires', ''],
  ...['from', ''],
  ...['host', ''],
  ...['if-match', ''],
  ...['if-modified-since', ''],
  ...['if-none-match', ''],
  ...['if-range', ''],
  ...['if-unmodified-since', ''],
  ...['last-modified', ''],
  ...['link', ''],
  ...['location', ''],
  ...['max-forwards', ''],
  ...['proxy-authenticate', ''],
  ...['proxy-authorization', ''],
  ...['range', ''],
  ...['referer', ''],
  ...['refresh', ''],
  ...['retry-after', ''],
  ...['server', ''],
  ...['set-cookie', ''],
  ...['strict-transport-security', ''],
  ...['transfer-encoding', ''],
  ...['user-agent', ''],
  ...['vary', ''],
  ...['via', ''],
  ...['www-authenticate', ''],
];

/** The name of each entry, by index; 0 is no entry. */
export const STATIC_NAMES: readonly string[] = ['', ...ENTRIES.filter((_text, index) => index % 2 === 0)];
/** The value of each entry, by index; 0 is no entry. */
export const STATIC_VALUES: readonly string[] = ['', ...ENTRIES.filter((_text, index) => index % 2 === 1)];

/** What the static table has of a name. */
export interface StaticName {
  /** The first index with this name. */
  readonly index: number;
  /** The index by value. */
  readonly values: ReadonlyMap<string, number>;
}

/** The table by name. */
export const STATIC_BY_NAME: ReadonlyMap<string, StaticName> = makeNames();

function makeNames(): Map<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> }>();
  for (let index = 1; index <= STATIC_ENTRIES; index += 1) {
    const name = STATIC_NAMES[index] as string;
    let entry = names.get(name);
    if (entry === undefined) {
      entry = { index, values: new Map() };
      names.set(name, entry);
    }
    entry.values.set(STATIC_VALUES[index] as string, index);
  }
  return names;
}
