/**
 * `hface-ts server` as data: its options and examples.
 *
 * @module
 */
import type { CommandDescription } from '../option-table.ts';
import { flag, text } from '../option-table.ts';
import { engineModuleOption, engineOptions, tcpVersionOptions, tracingOptions } from '../protocol-options.ts';

/** What the parser, the help and the documentation know of the command. */
export const serverCommand: CommandDescription = {
  command: 'server',
  usage: 'hface-ts server APP|DIR [ENDPOINT…] [options]',
  summary:
    'Serves an app, or the files of a folder. APP is a file, FILE:EXPORT or a package export; an ENDPOINT is ' +
    'https://localhost:5443, localhost:5080, 5080, :5080 or unix:/path. Without one: http://localhost:5080 and ' +
    'https://localhost:5443, on this machine only.',
  options: [
    text(
      'port',
      'p',
      'PORT',
      'port of a cleartext endpoint; 0 lets the system choose (default: the PORT variable, then 5080)',
    ),
    text('host', undefined, 'HOST', 'host of endpoints that name none (default: localhost, on IPv4 and IPv6)'),
    text('cert', undefined, 'FILE', 'certificate chain in PEM, leaf first (default: a development certificate)'),
    text('key', undefined, 'FILE', 'private key in PEM'),
    text('passphrase-file', undefined, 'FILE', 'file whose first line opens the private key'),
    text('client-ca', undefined, 'FILE', 'ask clients for a certificate of these authorities and serve no others'),
    ...tcpVersionOptions,
    flag('http3', undefined, 'only HTTP/3, or with --http1 and --http2 these too'),
    ...engineOptions('node (node:http2)'),
    engineModuleOption,
    text('app-style', undefined, 'STYLE', 'what the export is, when it does not say so itself', [
      'fetch',
      'asgi',
      'node',
    ]),
    flag('fast-response', undefined, 'the app gets a faster Response, Request and fetch for the global ones'),
    flag('list', undefined, 'a folder without index.html is shown as a list'),
    text(
      'workers',
      undefined,
      'COUNT',
      'serve by so many processes that share the port; auto: one for each processor (default: this process alone)',
    ),
    flag('watch', undefined, 'start the app anew when a file that it is made of changes'),
    flag('dev', undefined, 'errors of the app are shown in full, in the response and here'),
    text('log-level', undefined, 'LEVEL', 'the least important messages to print', [
      'error',
      'warn',
      'info',
      'debug',
      'silent',
    ]),
    text('log-format', undefined, 'FORMAT', 'how requests are logged', ['pretty', 'json', 'clf']),
    text(
      'drain-timeout',
      undefined,
      'SECONDS',
      'how long running requests may go on after SIGINT or SIGTERM (default 10)',
    ),
    ...tracingOptions,
  ],
  refused: new Set(),
  examples: [
    ['hface-ts server app.js', 'the app in app.js on http://localhost:5080 and https://localhost:5443'],
    ['hface-ts server public --list', 'the files of a folder'],
    ['hface-ts server app.js:admin 8080', 'the export named admin, on port 8080 alone'],
    ['hface-ts server app.js https://[::]:443 --cert chain.pem --key key.pem', 'on all addresses, with a certificate'],
    ['hface-ts server app.js unix:/run/app.sock', 'on a unix socket'],
    ['hface-ts server app.js --watch --dev', 'while you write it'],
    ['hface-ts server app.js --workers auto', 'a process for each processor'],
    ['hface-ts server hface-ts/examples/echo', 'an example from the package'],
  ],
  words: { least: 1, most: 65, name: 'an app or a folder' },
};
