/**
 * `hface-ts cert` as data: its options and examples.
 *
 * @module
 */
import type { CommandDescription } from '../option-table.ts';
import { flag, text } from '../option-table.ts';

/** What the parser, the help and the documentation know of the command. */
export const certCommand: CommandDescription = {
  command: 'cert',
  usage: 'hface-ts cert [NAME…] [options]',
  summary: 'Shows the development CA, makes it when there is none, and issues certificates for local names.',
  options: [
    text(
      'directory',
      undefined,
      'DIR',
      'where the development CA lies (default: HFACE_DATA_DIR, then the data folder)',
    ),
    text('cert', undefined, 'FILE', 'write a certificate for the names to FILE, the CA behind it'),
    text('key', undefined, 'FILE', 'write its private key to FILE, readable by its owner only'),
    text('pkcs12', undefined, 'FILE', 'write both as PKCS#12'),
    text('passphrase-file', undefined, 'FILE', 'file whose first line protects the PKCS#12 file'),
    text('key-type', undefined, 'TYPE', 'the key of the certificate', ['ecdsa-p256', 'rsa-2048']),
    text('days', undefined, 'DAYS', 'how long the certificate is valid (default 90)'),
    flag('client-auth', undefined, 'the certificate may also be used by a client'),
    flag('private-networks', undefined, 'make the CA for private networks too, not for loopback alone'),
    flag('remove', undefined, 'delete the development CA and all its certificates'),
  ],
  refused: new Set(),
  examples: [
    ['hface-ts cert', 'make the development CA if there is none, and show it'],
    ['hface-ts cert localhost 127.0.0.1 --cert leaf.pem --key leaf-key.pem', 'a certificate for another server'],
    ['hface-ts cert app.localhost --pkcs12 app.p12 --passphrase-file secret.txt', 'the same as one PKCS#12 file'],
  ],
  words: { least: 0, most: 100, name: 'names' },
};
