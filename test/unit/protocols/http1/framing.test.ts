import { describe, expect, it } from 'vitest';
import { RemoteProtocolError } from '../../../../src/common/index.ts';
import { FieldSection } from '../../../../src/protocols/http1/field-section.ts';
import { Framing, requestFraming, responseFraming } from '../../../../src/protocols/http1/framing.ts';

function section(lines: string): FieldSection {
  const fields = new FieldSection();
  fields.begin([], []);
  fields.parse(lines, 0, 'request', 100);
  return fields;
}

function refusal(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof RemoteProtocolError) return error.statusHint;
    throw error;
  }
  return undefined;
}

describe('requests (RFC 9112 section 6.3)', () => {
  it.each([
    ['', Framing.none],
    ['Content-Length: 0\r\n', Framing.none],
    ['Content-Length: 5\r\n', Framing.length],
    ['Transfer-Encoding: chunked\r\n', Framing.chunked],
    ['Transfer-Encoding: CHUNKED\r\n', Framing.chunked],
    ['Transfer-Encoding: \t chunked \r\n', Framing.chunked],
  ])('%j', (lines, framing) => {
    expect(requestFraming(section(lines), '1.1', 'POST')).toBe(framing);
  });

  it.each([
    ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', 400],
    ['Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', 400],
    ['Transfer-Encoding: chunked, chunked\r\n', 400],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 400],
    ['Transfer-Encoding: chunked, gzip\r\n', 400],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', 400],
    ['Transfer-Encoding: identity\r\n', 400],
    ['Transfer-Encoding: xchunked\r\n', 400],
    ['Transfer-Encoding: chunkedx\r\n', 400],
    ['Transfer-Encoding: chunked;q=1\r\n', 400],
    ['Transfer-Encoding: "chunked"\r\n', 400],
    ['Transfer-Encoding: \u000bchunked\r\n', 400],
    ['Transfer-Encoding:\r\n', 400],
    ['Transfer-Encoding: chunked,\r\n', 400],
    ['Transfer-Encoding: ,chunked\r\n', 400],
    ['Transfer-Encoding: gzip, chunked\r\n', 501],
    ['Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', 501],
    ['Transfer-Encoding: identity, chunked\r\n', 501],
  ])('refuses %j with %i (sections 6.1, 7)', (lines, status) => {
    expect(refusal(() => requestFraming(section(lines), '1.1', 'POST'))).toBe(status);
  });

  it('refuses Transfer-Encoding in HTTP/1.0, also beside Content-Length (section 6.1, CVE-2026-42581)', () => {
    expect(refusal(() => requestFraming(section('Transfer-Encoding: chunked\r\n'), '1.0', 'POST'))).toBe(400);
    expect(
      refusal(() => requestFraming(section('Transfer-Encoding: chunked\r\nContent-Length: 1\r\n'), '1.0', 'POST')),
    ).toBe(400);
  });

  it('refuses CONNECT with content (RFC 9110 section 9.3.6)', () => {
    expect(refusal(() => requestFraming(section('Content-Length: 1\r\n'), '1.1', 'CONNECT'))).toBe(400);
    expect(refusal(() => requestFraming(section('Transfer-Encoding: chunked\r\n'), '1.1', 'CONNECT'))).toBe(400);
    expect(requestFraming(section('Content-Length: 0\r\n'), '1.1', 'CONNECT')).toBe(Framing.none);
  });
});

describe('responses (RFC 9112 section 6.3)', () => {
  it.each([
    ['', 200, 'GET', Framing.close],
    ['Content-Length: 5\r\n', 200, 'GET', Framing.length],
    ['Content-Length: 0\r\n', 200, 'GET', Framing.none],
    ['Transfer-Encoding: chunked\r\n', 200, 'GET', Framing.chunked],
    ['Content-Length: 5\r\n', 200, 'HEAD', Framing.none],
    ['Transfer-Encoding: chunked\r\n', 200, 'HEAD', Framing.none],
    ['', 204, 'GET', Framing.none],
    ['Content-Length: 5\r\n', 304, 'GET', Framing.none],
    ['Content-Length: 5\r\n', 204, 'GET', Framing.none],
    ['', 103, 'GET', Framing.none],
    ['', 200, 'CONNECT', Framing.tunnel],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 299, 'CONNECT', Framing.tunnel],
    ['Content-Length: 5\r\n', 407, 'CONNECT', Framing.length],
  ])('%j with %i to %s', (lines, status, method, framing) => {
    expect(responseFraming(section(lines), '1.1', status, method)).toBe(framing);
  });

  it.each([
    ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '1.1', 200, 'GET'],
    ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '1.1', 200, 'HEAD'],
    ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '1.1', 304, 'GET'],
    ['Transfer-Encoding: gzip\r\n', '1.1', 200, 'GET'],
    ['Transfer-Encoding: gzip, chunked\r\n', '1.1', 200, 'GET'],
    ['Transfer-Encoding: chunked\r\n', '1.0', 200, 'GET'],
  ] as const)('refuses %j in HTTP/%s with %i to %s', (lines, version, status, method) => {
    expect(() => responseFraming(section(lines), version, status, method)).toThrow(RemoteProtocolError);
  });
});
