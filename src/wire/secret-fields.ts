/**
 * Fields whose values are secrets that might be guessed where a compression table holds them.
 *
 * Who can make a peer send fields of his own beside another's secret, and sees the sizes, can try whole values (RFC 7541
 * section 7.1, RFC 9204 section 7.1). Long cookies are left out: whole values of their length are not to be guessed, and
 * they are most of what there is to save.
 *
 * Owns: the list. Does not own what follows for an encoding.
 *
 * @module
 */

/** Names whose values are never put into a table. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authentication-info',
  'authorization',
  'proxy-authentication-info',
  'proxy-authorization',
  'set-cookie',
  'x-amz-security-token',
  'x-api-key',
  'x-auth-token',
  'x-csrf-token',
  'x-xsrf-token',
]);

/** Values of cookies that are shorter than this might be guessed. */
export const GUESSABLE_LENGTH = 20;
