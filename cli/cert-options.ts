/**
 * The options of `hface-ts cert`, as rows.
 *
 * @module
 */
import type { OptionRow } from './option-table.ts';
import { flag, text } from './option-table.ts';

/** Rows in the order of the help text. */
export const certOptions: readonly OptionRow[] = [
  text('directory', undefined, 'DIR', 'where the development CA lies (default: the data folder, or HFACE_DATA_DIR)'),
  text('cert', undefined, 'FILE', 'write a certificate for the names to FILE, the CA behind it'),
  text('key', undefined, 'FILE', 'write its private key to FILE, readable by its owner only'),
  text('pkcs12', undefined, 'FILE', 'write both as PKCS#12'),
  text('passphrase-file', undefined, 'FILE', 'file whose first line protects the PKCS#12 file'),
  text('key-type', undefined, 'TYPE', 'the key of the certificate', ['ecdsa-p256', 'rsa-2048']),
  text('days', undefined, 'DAYS', 'how long the certificate is valid (default 90)'),
  flag('client-auth', undefined, 'the certificate may also be used by a client'),
  flag('private-networks', undefined, 'make the CA for private networks too, not for loopback alone'),
  flag('remove', undefined, 'delete the development CA and all its certificates'),
];

/** Shown under the options. */
export const certExamples: readonly (readonly [command: string, meaning: string])[] = [
  ['hface-ts cert', 'make the development CA if there is none, and show it'],
  ['hface-ts cert localhost 127.0.0.1 --cert leaf.pem --key leaf-key.pem', 'a certificate for another server'],
  ['hface-ts cert app.localhost --pkcs12 app.p12 --passphrase-file secret.txt', 'the same as one PKCS#12 file'],
];
