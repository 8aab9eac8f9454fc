import { describe, expect, it } from 'vitest';
import type { TransferFacts } from '../../../../cli/client/write-out.ts';
import { parseWriteOut, writeOutVariables } from '../../../../cli/client/write-out.ts';

const facts: TransferFacts = {
  url: 'localhost/a',
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
  localPort: '1',
  remoteAddress: '::1',
  remotePort: '2',
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
};

describe('-w', () => {
  it.each([
    ['%{http_code}', '200'],
    ['%{response_code} %{http_version}\\n', '200 1.1\n'],
    ['%{scheme} %{url} %{url_effective}', 'https localhost/a https://localhost/b'],
    ['%{time_total} %{time_appconnect}', '1.500000 0.300000'],
    ['%{speed_download}', '2'],
    ['%header{X-A}%header{none}', 'b'],
    ['100%% %a % %{', '100% %a % %{'],
    ['\\t\\r\\n\\\\ \\x', '\t\r\n\\ \\x'],
    ['', ''],
  ])('%j: %j', (format, expected) => {
    expect(parseWriteOut(format)(facts)).toBe(expected);
  });

  it('prints a status that never came as curl does', () => {
    expect(parseWriteOut('%{http_code}')({ ...facts, status: 0 })).toBe('000');
  });

  it.each(writeOutVariables)('%s has a value', (name) => {
    expect(parseWriteOut(`[%{${name}}]`)(facts)).toMatch(/^\[.*\]$/);
  });

  it.each([
    ['%{http_cod}', 'did you mean %{http_code}?'],
    ['%{constructor}', 'variables: content_type'],
    ['%{json}', 'variables: content_type'],
  ])('%s is no variable', (format, hint) => {
    expect(() => parseWriteOut(format)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', hint: expect.stringContaining(hint) }),
    );
  });
});
