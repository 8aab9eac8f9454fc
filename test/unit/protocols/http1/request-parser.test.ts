import { describe, expect, it } from 'vitest';
import { HfaceError, LimitError, RemoteProtocolError } from '../../../../src/common/index.ts';
import { Framing } from '../../../../src/protocols/http1/framing.ts';
import { resolveServerLimits } from '../../../../src/protocols/http1/limits.ts';
import { RequestParser } from '../../../../src/protocols/http1/request-parser.ts';
import { RequestReader } from '../../../../src/protocols/http1/request-reader.ts';
import { ReceiveBuffer } from '../../../../src/wire/index.ts';
import { chunkings } from '../../../support/chunkings.ts';

function parse(text: string, secure = false): RequestParser {
  const parser = new RequestParser(resolveServerLimits(), secure);
  parser.parse(text);
  return parser;
}

/** The status that a head is refused with; 0 when it is not. */
function refused(text: string): number {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof RemoteProtocolError || error instanceof LimitError) return error.statusHint ?? -1;
    throw error;
  }
  return 0;
}

describe('the request-line (RFC 9112 section 3)', () => {
  it('becomes pseudo-header fields', () => {
    const parser = parse('PATCH /a?b=%20c HTTP/1.1\r\nHost: example.com:80\r\nAccept: */*\r\n', true);
    expect(parser.section.headers).toEqual([
      ':method',
      'PATCH',
      ':scheme',
      'https',
      ':authority',
      'example.com:80',
      ':path',
      '/a?b=%20c',
      'accept',
      '*/*',
    ]);
    expect(parser.section.rawNames).toEqual(['', '', 'Host', '', 'Accept']);
    expect(parser).toMatchObject({
      method: 'PATCH',
      httpVersion: '1.1',
      persistent: true,
      expectsContinue: false,
      upgrade: [],
    });
  });

  it.each([
    ['', 400],
    ['\r\n', 400],
    ['GET\r\n', 400],
    ['GET /\r\n', 400],
    ['GET / \r\n', 400],
    ['GET  / HTTP/1.1\r\n', 400],
    ['GET /  HTTP/1.1\r\n', 400],
    [' GET / HTTP/1.1\r\n', 400],
    ['GET\t/ HTTP/1.1\r\n', 400],
    ['GET / HTTP/1.1 \r\n', 400],
    ['GET / HTTP/1.1x\r\n', 400],
    ['GET / http/1.1\r\n', 400],
    ['GET / HTTP/11\r\n', 400],
    ['GET / HTTP/1.\r\n', 400],
    ['GET / HTTP/1.10\r\n', 400],
    ['GET / HTTP/+1.1\r\n', 400],
    ['GET / HTTPS/1.1\r\n', 400],
    ['GET / HTTP 1.1\r\n', 400],
    ['G(T / HTTP/1.1\r\n', 400],
    ['GET: / HTTP/1.1\r\n', 400],
    ['GÉT / HTTP/1.1\r\n', 400],
    ['GET /\u0000 HTTP/1.1\r\n', 400],
    ['GET /\u007f HTTP/1.1\r\n', 400],
    ['GET /é HTTP/1.1\r\n', 400],
    ['GET /a#b HTTP/1.1\r\n', 400],
    ['GET /a b HTTP/1.1\r\n', 400],
    ['GET / HTTP/0.9\r\n', 505],
    ['GET / HTTP/2.0\r\n', 505],
    ['GET / HTTP/9.9\r\n', 505],
    ['PRI * HTTP/2.0\r\n', 505],
  ])('refuses %j with %i', (line, status) => {
    expect(refused(`${line}Host: a\r\n`)).toBe(status);
  });

  it('counts minor versions above 1 as 1 (RFC 9110 section 2.5)', () => {
    expect(parse('GET / HTTP/1.2\r\nHost: a\r\n').httpVersion).toBe('1.1');
    expect(parse('GET / HTTP/1.9\r\nHost: a\r\n').httpVersion).toBe('1.1');
    expect(parse('GET / HTTP/1.0\r\n').httpVersion).toBe('1.0');
  });

  it('bounds target, method and fields', () => {
    expect(refused(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n`)).toBe(414);
    expect(refused(`GET /${'a'.repeat(8_000)} HTTP/1.1\r\nHost: a\r\n`)).toBe(0);
    expect(refused(`${'A'.repeat(65)} / HTTP/1.1\r\nHost: a\r\n`)).toBe(501);
    expect(refused(`${'A'.repeat(64)} / HTTP/1.1\r\nHost: a\r\n`)).toBe(0);
    expect(refused(`GET / HTTP/1.1\r\nHost: a\r\nx: ${'y'.repeat(40_000)}\r\n`)).toBe(431);
    expect(refused(`GET / HTTP/1.1\r\nHost: a\r\n${'x: y\r\n'.repeat(128)}`)).toBe(431);
    expect(refused(`GET / HTTP/1.1\r\nHost: a\r\n${'x: y\r\n'.repeat(127)}`)).toBe(0);
  });
});

describe('the four forms of a target (RFC 9112 section 3.2)', () => {
  it.each([
    ['GET http://example.com HTTP/1.1', 'http', 'example.com', '/'],
    ['GET HTTP://Example.com:8080/a?b HTTP/1.1', 'http', 'Example.com:8080', '/a?b'],
    ['GET https://example.com?q HTTP/1.1', 'https', 'example.com', '/?q'],
    ['GET ftp://example.com/x HTTP/1.1', 'ftp', 'example.com', '/x'],
    ['GET http://[::1]:80/ HTTP/1.1', 'http', '[::1]:80', '/'],
    ['OPTIONS http://example.com HTTP/1.1', 'http', 'example.com', '*'],
    ['OPTIONS http://example.com/ HTTP/1.1', 'http', 'example.com', '/'],
  ])('%s: the target replaces Host (section 3.2.2)', (line, scheme, authority, path) => {
    const { headers, rawNames } = parse(`${line}\r\nHost: other.example\r\n`).section;
    expect(headers.slice(2)).toEqual([':scheme', scheme, ':authority', authority, ':path', path]);
    expect(rawNames).toEqual(['', '', 'Host', '']);
  });

  it('authority-form belongs to CONNECT (section 3.2.3)', () => {
    const { headers, rawNames } = parse('CONNECT a.example:443 HTTP/1.1\r\nHost: b\r\nX: y\r\n').section;
    expect(headers).toEqual([':method', 'CONNECT', ':authority', 'a.example:443', 'x', 'y']);
    expect(rawNames).toEqual(['', 'Host', 'X']);
  });

  it('asterisk-form belongs to OPTIONS (section 3.2.4)', () => {
    const { headers } = parse('OPTIONS * HTTP/1.1\r\nHost: a\r\n').section;
    expect(headers).toEqual([':method', 'OPTIONS', ':scheme', 'http', ':authority', 'a', ':path', '*']);
  });

  it.each([
    'GET a.example:443 HTTP/1.1',
    'GET * HTTP/1.1',
    'CONNECT / HTTP/1.1',
    'CONNECT a.example HTTP/1.1',
    'CONNECT a.example: HTTP/1.1',
    'CONNECT http://a.example/ HTTP/1.1',
    'CONNECT * HTTP/1.1',
    'GET a HTTP/1.1',
    'GET ?a HTTP/1.1',
    'GET http:/a HTTP/1.1',
    'GET http:// HTTP/1.1',
    'GET http:///a HTTP/1.1',
    'GET http://user@a/ HTTP/1.1',
    'GET http://user:pass@a/ HTTP/1.1',
    'GET http://a:b/ HTTP/1.1',
    'GET 1http://a/ HTTP/1.1',
    'GET ://a/ HTTP/1.1',
    'GET urn:x HTTP/1.1',
    'OPTIONS ** HTTP/1.1',
  ])('%s is refused', (line) => {
    expect(refused(`${line}\r\nHost: a\r\n`)).toBe(400);
  });
});

describe('Host (RFC 9112 section 3.2)', () => {
  it('is there once in HTTP/1.1 and well-formed', () => {
    expect(refused('GET / HTTP/1.1\r\n')).toBe(400);
    expect(refused('GET http://a/ HTTP/1.1\r\n')).toBe(400);
    expect(refused('GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n')).toBe(400);
    expect(refused('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n')).toBe(400);
    for (const host of ['a b', 'a/b', 'u@a', 'a:b', 'http://a', 'a:99999', '[::1', 'a, b', '"a"', 'a#b', 'é', ':80']) {
      expect(refused(`GET / HTTP/1.1\r\nHost: ${host}\r\n`), host).toBe(400);
      expect(refused(`GET / HTTP/1.0\r\nHost: ${host}\r\n`), host).toBe(400);
    }
  });

  it('may be missing in HTTP/1.0, and empty: then there is no :authority', () => {
    const expected = [':method', 'GET', ':scheme', 'http', ':path', '/', 'x', 'y'];
    for (const text of ['GET / HTTP/1.0\r\nX: y\r\n', 'GET / HTTP/1.0\r\nHost:\r\nX: y\r\n']) {
      const { headers, rawNames } = parse(text).section;
      expect(headers).toEqual(expected);
      expect(rawNames).toEqual(['', '', '', 'X']);
    }
  });
});

describe('what the head says of the future', () => {
  it.each([
    ['GET / HTTP/1.1\r\nHost: a\r\n', true],
    ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n', false],
    ['GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n', false],
    ['GET / HTTP/1.0\r\n', false],
    ['GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n', true],
    ['GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n', false],
    ['GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n', false],
  ])('%j persists: %s (RFC 9112 section 9.3)', (text, persistent) => {
    expect(parse(text).persistent).toBe(persistent);
  });

  it('Expect (RFC 9110 section 10.1.1)', () => {
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n';
    expect(parse(`${post}Expect: 100-continue\r\n`).expectsContinue).toBe(true);
    expect(parse(`${post}Expect: 100-Continue\r\n`).expectsContinue).toBe(true);
    expect(parse('GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n').expectsContinue).toBe(false);
    expect(parse('POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n').expectsContinue).toBe(false);
    expect(parse('POST / HTTP/1.0\r\nExpect: x\r\n').expectsContinue).toBe(false);
    expect(refused(`${post}Expect: 200-ok\r\n`)).toBe(417);
    expect(refused(`${post}Expect: 100-continue, x\r\n`)).toBe(417);
    expect(refused(`${post}Expect: 100-continue\r\nExpect: 100-continue\r\n`)).toBe(417);
  });

  it('Upgrade counts only with its connection option and not from HTTP/1.0 (RFC 9110 section 7.8)', () => {
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n';
    expect(parse(`${get}Upgrade: websocket\r\nConnection: Upgrade\r\n`).upgrade).toEqual(['websocket']);
    expect(parse(`${get}Upgrade: websocket\r\n`).upgrade).toEqual([]);
    expect(parse(`${get}Connection: upgrade\r\n`).upgrade).toEqual([]);
    expect(parse('GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n').upgrade).toEqual([]);
  });

  it('framing', () => {
    expect(parse('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n').framing).toBe(Framing.chunked);
    expect(parse('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n').framing).toBe(Framing.length);
    expect(parse('POST / HTTP/1.1\r\nHost: a\r\n').framing).toBe(Framing.none);
  });
});

describe('heads that repeat', () => {
  it('mean the same again, and nothing of one stays for another', () => {
    const parser = new RequestParser(resolveServerLimits(), false);
    const texts = [
      'GET /1 HTTP/1.1\r\nHost: a\r\nX: y\r\n',
      'GET /2 HTTP/1.1\r\nHost: a\r\nX: y\r\n',
      'POST /3 HTTP/1.1\r\nHost: a\r\nX: y\r\n',
      'GET /4 HTTP/1.1\r\nHost: b\r\nX: y\r\n',
      'GET /5 HTTP/1.1\r\nHost: b\r\nX: z\r\nContent-Length: 3\r\n',
      'GET /6 HTTP/1.1\r\nHost: b\r\nX: z\r\nContent-Length: 3\r\n',
      'GET /7 HTTP/1.1\r\nHost: b\r\nX: z\r\n',
      'GET /8 HTTP/1.0\r\nX: z\r\nConnection: keep-alive\r\n',
      'GET /9 HTTP/1.0\r\nX: z\r\nConnection: keep-alive\r\n',
      'GET http://c/10 HTTP/1.1\r\nHost: b\r\nX: z\r\n',
      'GET /11 HTTP/1.1\r\nHost: b\r\nX: z\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: b\r\nX: z\r\n',
      'GET /12 HTTP/1.1\r\nHost: b\r\nX: z\r\n',
      'GET /13 HTTP/1.1\r\nHost: b\r\nX: z\r\nConnection: close, x\r\n',
      'GET /14 HTTP/1.1\r\nHost: b\r\nX: z\r\nConnection: close, x\r\n',
    ];
    const earlier: (readonly string[])[] = [];
    for (const text of [...texts, ...texts]) {
      parser.parse(text);
      const fresh = parse(text);
      expect(parser.section.headers).toEqual(fresh.section.headers);
      expect(parser.section.rawNames).toEqual(fresh.section.rawNames);
      for (const key of ['method', 'httpVersion', 'framing', 'persistent', 'expectsContinue'] as const) {
        expect(parser[key]).toBe(fresh[key]);
      }
      expect(earlier).not.toContain(parser.section.headers);
      earlier.push(parser.section.headers);
    }
  });

  it('are judged by the version they come in', () => {
    const parser = new RequestParser(resolveServerLimits(), false);
    parser.parse('GET / HTTP/1.0\r\nX: y\r\n');
    expect(() => parser.parse('GET / HTTP/1.1\r\nX: y\r\n')).toThrow(/no Host/);
    const other = new RequestParser(resolveServerLimits(), false);
    other.parse('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n');
    expect(() => other.parse('POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n')).toThrow(/HTTP\/1.0/);
  });
});

describe('reading heads off the connection', () => {
  function read(
    chunks: readonly Uint8Array[],
    overrides = {},
  ): { parser: RequestParser; complete: boolean; rest: number } {
    const limits = resolveServerLimits(overrides);
    const parser = new RequestParser(limits, false);
    const reader = new RequestReader(parser, limits);
    const buffer = new ReceiveBuffer();
    let complete = false;
    for (const chunk of chunks) {
      buffer.append(chunk);
      complete ||= reader.read(buffer);
    }
    return { parser, complete, rest: buffer.size };
  }

  it.each(chunkings('\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\nGET'))(
    '$name, behind empty lines (section 2.2)',
    ({ chunks }) => {
      const { parser, complete, rest } = read(chunks);
      expect(complete).toBe(true);
      expect(parser.section.headers.at(7)).toBe('/x');
      expect(rest).toBe(3);
    },
  );

  function error(chunks: readonly Uint8Array[], overrides = {}): number | undefined {
    try {
      read(chunks, overrides);
    } catch (thrown) {
      if (thrown instanceof RemoteProtocolError || thrown instanceof LimitError) return thrown.statusHint;
      expect(thrown).toBeInstanceOf(HfaceError);
    }
    return undefined;
  }

  it.each([
    ['\r\n'.repeat(5), 400, 'too many empty lines'],
    ['\nGET', 400, 'a bare LF before the request-line'],
    ['\rGET', 400, 'a bare CR before the request-line'],
    [`GET /${'a'.repeat(200)}`, 414, 'an endless target'],
    ['GET / HTTP/2.0\r\n', 505, 'another version, without waiting for the rest'],
    ['GET\r\n', 400, 'no target, without waiting for the rest'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(400)}`, 431, 'an endless field'],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(100)}`, 431, 'endless fields'],
  ])('refuses %j with %i: %s', (text, status) => {
    for (const { name, chunks } of chunkings(text)) {
      expect(error(chunks, { maxRequestLineBytes: 100, maxHeaderBytes: 200 }), name).toBe(status);
    }
  });

  it('counts empty lines anew for each request', () => {
    const limits = resolveServerLimits({ maxEmptyLines: 1 });
    const reader = new RequestReader(new RequestParser(limits, false), limits);
    const buffer = new ReceiveBuffer();
    buffer.append(Buffer.from('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3), 'latin1'));
    for (let count = 0; count < 3; count += 1) expect(reader.read(buffer)).toBe(true);
    expect(reader.read(buffer)).toBe(false);
  });
});
