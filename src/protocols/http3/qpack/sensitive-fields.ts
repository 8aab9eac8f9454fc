/**
 * Fields whose values are secrets that might be guessed (RFC 9204 section 7.1).
 *
 * Who can make a peer send fields of his own beside another's secret, and sees the sizes, can try whole values where a
 * table holds them. Long cookies are left out: whole values of their length are not to be guessed.
 *
 * Owns: the list. Does not own what follows for the encoding.
 *
 * @module
 */

const SECRETS: ReadonlySet<string> = new Set([
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

/** Values shorter than this might be guessed. */
const GUESSABLE_LENGTH = 20;

/** Whether a field is to be marked never to be indexed. */
export function isSensitive(name: string, value: string): boolean {
  return SECRETS.has(name) || (name === 'cookie' && value.length < GUESSABLE_LENGTH);
}
