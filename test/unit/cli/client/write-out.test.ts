import { describe, expect, it } from 'vitest';
import { parseWriteOut } from '../../../../cli/client/write-out.ts';
import type { WriteOutPiece } from '../../../../cli/client/write-out.ts';
import { writeOutVariables } from '../../../../cli/client/write-out-variables.ts';
import type { TransferFacts } from '../../../../cli/client/write-out-variables.ts';

const facts: TransferFacts = {
  url: 'localhost/a',
  index: 2,
  referer: 'http://before/',
  headBytes: 60,
  requestBytes: 70,
  connectionId: 8,
  retries: 1,
  certificateRefused: false,
  timeRedirect: 0.35,
  effectiveUrl: 'https://localhost/b',
  method: 'GET',
  status: 200,
  httpVersion: '1.1',
  contentType: 'text/plain',
  redirects: 1,
  redirectUrl: '',
  bytesDownloaded: 3,
  bytesUploaded: 4,
  headerCount: 5,
  connections: 1,
  localAddress: '127.0.0.1',
  localPort: 1,
  remoteAddress: '::1',
  remotePort: 2,
  timeResolved: 0.1,
  timeConnected: 0.2,
  timeSecured: 0.3,
  timeRequestSent: 0.4,
  timeFirstByte: 0.5,
  timeTotal: 1.5,
  exitCode: 0,
  error: '',
  outputFile: 'a.txt',
  headers: new Map([['x-a', 'b']]),
  allHeaders: new Map([
    ['x-a', ['b']],
    ['__proto__', ['"c"', 'd']],
  ]),
};

/** What goes to stdout. */
function textOf(pieces: readonly WriteOutPiece[]): string {
  return pieces.map(({ target, text }) => (target.kind === 'stdout' ? text : '')).join('');
}

describe('-w', () => {
  it.each([
    ['%{http_code}', '200'],
    ['%{response_code} %{http_version}\\n', '200 1.1\n'],
    ['%{scheme} %{url} %{url_effective}', 'https localhost/a https://localhost/b'],
    ['%{time_total} %{time_appconnect}', '1.500000 0.300000'],
    ['%{speed_download}', '2'],
    ['%header{X-A}%header{none}', 'b'],
    ['100%% %a % %{', '100% %a % %{'],
    ['\\t\\r\\n\\\\ \\x', '\t\r\n\\\\ \\x'],
    ['', ''],
  ])('%j: %j', (format, expected) => {
    expect(textOf(parseWriteOut(format)(facts))).toBe(expected);
  });

  it('prints a status that never came as curl does', () => {
    expect(textOf(parseWriteOut('%{http_code}')({ ...facts, status: 0 }))).toBe('000');
  });

  it.each(writeOutVariables)('%s has a value', (name) => {
    expect(textOf(parseWriteOut(`[%{${name}}]`)(facts))).toMatch(/^\[.*\]$/);
  });

  it.each([
    ['%{http_cod}', 'did you mean %{http_code}?'],
    ['%{constructor}', 'variables: conn_id'],
    ['%{certs}', 'variables: conn_id'],
  ])('%s is no variable', (format, hint) => {
    expect(() => parseWriteOut(format)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', hint: expect.stringContaining(hint) }),
    );
  });

  it('writes to stderr and to files, from where it says so', () => {
    expect(parseWriteOut('a%{stderr}b%{urlnum}%{stdout}c%output{x.txt}d%output{>>y}e%output{empty}')(facts)).toEqual([
      { target: { kind: 'stdout' }, text: 'a' },
      { target: { kind: 'stderr' }, text: 'b2' },
      { target: { kind: 'stdout' }, text: 'c' },
      { target: { kind: 'file', file: 'x.txt', append: false }, text: 'd' },
      { target: { kind: 'file', file: 'y', append: true }, text: 'e' },
      { target: { kind: 'file', file: 'empty', append: false }, text: '' },
    ]);
  });

  it('ends at %{onerror} unless something failed', () => {
    const writeOut = parseWriteOut('a%{onerror}b%{exitcode}');
    expect(textOf(writeOut(facts))).toBe('a');
    expect(textOf(writeOut({ ...facts, exitCode: 7 }))).toBe('ab7');
  });

  it('prints JSON', () => {
    const all = JSON.parse(textOf(parseWriteOut('%{json}')(facts))) as Record<string, unknown>;
    expect(all).toMatchObject({ http_code: 200, time_total: 1.5, redirect_url: null, url: 'localhost/a', urlnum: 2 });
    expect(Object.keys(all)).toEqual(writeOutVariables.filter((name) => name !== 'json'));
    const fields = JSON.parse(textOf(parseWriteOut('%{header_json}')(facts))) as object;
    expect(Object.entries(fields)).toEqual([
      ['x-a', ['b']],
      ['__proto__', ['"c"', 'd']],
    ]);
  });
});
