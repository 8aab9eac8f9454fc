/**
 * Dates as HTTP writes them.
 *
 * Owns: IMF-fixdate (RFC 9110 section 5.6.7) of a time that is handed in. Nothing here reads a clock.
 *
 * @module
 */

/**
 * `Sun, 06 Nov 1994 08:49:37 GMT`
 *
 * @param wallTime - milliseconds since 1970-01-01T00:00:00Z; fractions are cut off.
 */
export function formatHttpDate(wallTime: number): string {
  // ECMA-262 section 21.4.4.43 defines exactly IMF-fixdate for years from 0 to 9999.
  return new Date(wallTime).toUTCString();
}
