/**
 * The texts that several files of this folder need: error codes, dates, and names made safe to print.
 *
 * Owns the codes of its `ConfigurationError`s.
 *
 * @module
 */

/** The data folder or a file in it cannot be used. */
export const STORE_CODE = 'ERR_CERTIFICATE_STORE';

/** A name that cannot stand in a certificate, or that the CA may not sign. */
export const NAME_CODE = 'ERR_CERTIFICATE_NAME';

/** An option of a certificate that is out of range. */
export const OPTION_CODE = 'ERR_CERTIFICATE_OPTION';

/** Why a user's certificate and key were refused. */
export const IDENTITY_CODES = {
  /** Missing, unreadable, too large. */
  file: 'ERR_IDENTITY_FILE',
  /** Not the PEM that was asked for. */
  format: 'ERR_IDENTITY_FORMAT',
  /** The key is encrypted, and the passphrase is missing or wrong. */
  passphrase: 'ERR_IDENTITY_PASSPHRASE',
  /** Key and certificate do not belong together. */
  mismatch: 'ERR_IDENTITY_MISMATCH',
  /** The certificate's time is over. */
  expired: 'ERR_IDENTITY_EXPIRED',
  /** The certificate's time has not come. */
  notYetValid: 'ERR_IDENTITY_NOT_YET_VALID',
  /** TLS will not use it: a weak key or signature. */
  refused: 'ERR_IDENTITY_REFUSED',
} as const;

/** A path or a name on one line of a terminal: control characters escaped, the length bounded. */
export function printable(text: string): string {
  let out = '';
  for (const character of text.length > MAX_PRINTED ? `${text.slice(0, MAX_PRINTED)}…` : text) {
    const code = character.codePointAt(0) as number;
    out += code < 0x20 || (code >= 0x7f && code < 0xa0) ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  }
  return out;
}

/** The day of a wall time, in UTC: `2027-02-19`. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** What an unknown thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of an error of node:fs, or an empty string. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const MAX_PRINTED = 400;
