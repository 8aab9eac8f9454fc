/**
 * The options that more than one command has, word for word.
 *
 * @module
 */
import type { OptionRow } from './option-table.ts';
import { flag, list, text } from './option-table.ts';

/** Which versions over TCP are spoken. */
export const tcpVersionOptions: readonly OptionRow[] = [
  flag('tcp', undefined, 'only the versions that run over TCP'),
  flag('http1', undefined, 'only HTTP/1.1, or with --http2 both'),
  flag('http2', undefined, 'only HTTP/2, without TLS with prior knowledge'),
];

/**
 * Who speaks them.
 *
 * @param http2 - what there is for HTTP/2 beside our own
 */
export function engineOptions(http2: string): readonly OptionRow[] {
  return [
    text(
      'http1-impl',
      undefined,
      'NAME',
      'the implementation of HTTP/1.1: hface, node (node:http), or what a module registers',
    ),
    text('http2-impl', undefined, 'NAME', `the implementation of HTTP/2: hface, ${http2}, or what a module registers`),
    text('http3-impl', undefined, 'NAME', 'the implementation of HTTP/3: hface, or what a module registers'),
  ];
}

/** Where further implementations come from. */
export const engineModuleOption: OptionRow = list(
  'engine-module',
  undefined,
  'FILE',
  'a module that registers further implementations; may be repeated',
);

/** What is written down of connections. */
export const tracingOptions: readonly OptionRow[] = [
  text('keylog', undefined, 'FILE', 'append the secrets of TLS to the file; whoever reads it reads the traffic'),
  text('qlog', undefined, 'DIR', 'write a log of each QUIC connection into the folder, for qvis and its kin'),
];
