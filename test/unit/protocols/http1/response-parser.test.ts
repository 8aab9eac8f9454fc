import { describe, expect, it } from 'vitest';
import { LimitError, RemoteProtocolError } from '../../../../src/common/index.ts';
import { resolveClientLimits } from '../../../../src/protocols/http1/limits.ts';
import { ResponseParser } from '../../../../src/protocols/http1/response-parser.ts';

function parse(text: string): ResponseParser {
  const parser = new ResponseParser(resolveClientLimits());
  parser.parse(text);
  return parser;
}

describe('the status-line (RFC 9112 section 4)', () => {
  it('becomes :status', () => {
    const parser = parse('HTTP/1.1 404 Not Found\r\nX-Y: z\r\nHost: h\r\n');
    expect(parser.section.headers).toEqual([':status', '404', 'x-y', 'z', 'host', 'h']);
    expect(parser.section.rawNames).toEqual(['', 'X-Y', 'Host']);
    expect(parser).toMatchObject({ status: 404, httpVersion: '1.1', persistent: true });
  });

  it.each(['HTTP/1.1 200 \r\n', 'HTTP/1.1 200\r\n', 'HTTP/1.1 200 a\tb é\r\n', 'HTTP/1.5 200 OK\r\n'])(
    'takes %j',
    (line) => {
      expect(parse(line)).toMatchObject({ status: 200, httpVersion: '1.1' });
    },
  );

  it.each([
    '',
    '\r\n',
    'HTTP/1.1\r\n',
    'HTTP/1.1 \r\n',
    'HTTP/1.1 20\r\n',
    'HTTP/1.1 20 OK\r\n',
    'HTTP/1.1 2000 OK\r\n',
    'HTTP/1.1 099 OK\r\n',
    'HTTP/1.1 +20 OK\r\n',
    'HTTP/1.1  200 OK\r\n',
    'HTTP/1.1\t200 OK\r\n',
    'HTTP/1.1 200\tOK\r\n',
    'HTTP/1.1 200 a\u0000b\r\n',
    'HTTP/1.1 200 a\nb\r\n',
    'HTTP/1.1 200 a\rb\r\n',
    'http/1.1 200 OK\r\n',
    'HTTP/2.0 200 OK\r\n',
    'HTTP/0.9 200 OK\r\n',
    'HTTP/11 200 OK\r\n',
    'ICY 200 OK\r\n',
    ' HTTP/1.1 200 OK\r\n',
    '200 OK\r\n',
    '<html>\r\n',
  ])('refuses %j', (line) => {
    expect(() => parse(line)).toThrow(RemoteProtocolError);
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nConnection: close\r\n', false],
    ['HTTP/1.0 200 OK\r\n', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: x\r\n', true],
  ])('%j persists: %s (section 9.3)', (text, persistent) => {
    expect(parse(text).persistent).toBe(persistent);
  });

  it('is bounded, as its fields are', () => {
    expect(() => parse(`HTTP/1.1 200 ${'x'.repeat(9000)}\r\n`)).toThrow(LimitError);
    expect(() => parse(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(33_000)}\r\n`)).toThrow(LimitError);
    expect(() => parse(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(129)}`)).toThrow(LimitError);
  });
});

describe('heads that repeat', () => {
  it('mean the same again, and nothing of one stays for another', () => {
    const parser = new ResponseParser(resolveClientLimits());
    const texts = [
      'HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n',
      'HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 5\r\n',
      'HTTP/1.1 200 OK\r\nX: z\r\n',
      'HTTP/1.0 200 OK\r\nX: z\r\n',
      'HTTP/1.1 200 OK\r\nX: z\r\nConnection: close\r\n',
      'HTTP/1.1 200 OK\r\n',
    ];
    for (const text of [...texts, ...texts]) {
      parser.parse(text);
      const fresh = parse(text);
      expect(parser.section.headers).toEqual(fresh.section.headers);
      expect(parser.section.contentLength).toBe(fresh.section.contentLength);
      expect([parser.status, parser.httpVersion, parser.persistent]).toEqual([
        fresh.status,
        fresh.httpVersion,
        fresh.persistent,
      ]);
    }
  });
});
