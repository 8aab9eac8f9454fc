/**
 * The version of this package, for User-Agent (RFC 9110 section 10.1.5).
 *
 * A test compares it with package.json.
 *
 * @module
 */

/** The package's version. */
export const packageVersion = '0.1.0';

/** What the client calls itself unless told otherwise. */
export const defaultUserAgent = 'hface-ts/0.1.0';
