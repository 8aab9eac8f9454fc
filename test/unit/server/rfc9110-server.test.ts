/**
 * RFC 9110 and RFC 9112 at a running server: what probes from outside send, byte by byte, to an app that echoes.
 *
 * Where the RFCs leave a choice, the row holds the one that is made here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../../src/server/index.ts';
import { RawClient, request, start } from './loopback.ts';

let server: RunningServer;

/** What examples/echo.js does. */
function echo(incoming: Request): Response {
  const type = incoming.headers.get('content-type') ?? 'application/octet-stream';
  return new Response(incoming.body, { headers: { 'content-type': type } });
}

beforeAll(async () => {
  server = await start(echo);
});

afterAll(async () => {
  await server.close();
});

const HOST = 'Host: localhost\r\n';
const CLOSE = 'Connection: close\r\n';
/** A request whose response ends the connection: what comes before it is seen whole. */
const LAST = `GET /last HTTP/1.1\r\n${HOST}${CLOSE}\r\n`;

/** The statuses of all responses in a text, interim ones included. */
function statuses(text: string): string {
  return (text.match(/HTTP\/1\.1 \d{3} /g) ?? []).map((line) => line.slice(9, 12)).join();
}

/** A request with fields and content, on a connection that ends with it. */
function message(line: string, fields = '', content = ''): string {
  return `${line} HTTP/1.1\r\n${HOST}${CLOSE}${fields}\r\n${content}`;
}

/** The same by POST with chunked content. */
function chunked(content: string, field = 'Transfer-Encoding: chunked\r\n'): string {
  return message('POST /', field, content);
}

type Row = [section: string, requirement: string, text: string, statuses: string];

describe('request lines and targets', () => {
  const rows: Row[] = [
    ['9112-2.3', 'HTTP/1.2 is answered as HTTP/1.1', `GET / HTTP/1.2\r\n${HOST}${CLOSE}\r\n`, '200'],
    ['9110-15.6.6', 'HTTP/2.0 by its name is 505', `GET / HTTP/2.0\r\n${HOST}\r\n`, '505'],
    ['9110-15.6.6', 'HTTP/0.9 by its name is 505', 'GET / HTTP/0.9\r\n\r\n', '505'],
    ['9112-2.3', 'a line without version is no request', 'GET /\r\n\r\n', '400'],
    ['9112-2.3', 'two digits of minor version', `GET / HTTP/1.10\r\n${HOST}\r\n`, '400'],
    ['9112-2.3', 'no minor version', `GET / HTTP/1\r\n${HOST}\r\n`, '400'],
    ['9112-2.3', 'another protocol', `GET / HTTPS/1.1\r\n${HOST}\r\n`, '400'],
    ['9112-2.2', 'a TLS ClientHello', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', '400'],
    ['9112-3', 'SP behind the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`, '400'],
    ['9112-3', 'HTAB for SP', `GET\t/\tHTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['9112-3', 'SP before the method', ` GET / HTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['9112-3', 'no target', `GET HTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['9112-3', 'a method that is too long, in a line without end', 'A'.repeat(100_000), '501'],
    ['9112-3', 'a target that is too long, in a line without end', `GET /${'a'.repeat(100_000)}`, '414'],
    ['9112-3', 'a request-line of 8000 octets', message(`GET /${'a'.repeat(7_986)}`), '200'],
    ['9110-9.1', 'a method that is no token', message('GE[T /'), '400'],
    ['9110-9.1', 'methods are case-sensitive: get is none that is known', message('get /'), '501'],
    ['9110-9.1', 'an unknown method is the app’s to judge', message('M-SEARCH /'), '200'],
    ['9112-3.2', 'octets that are no ASCII in a target', message('GET /caf\u00e9'), '400'],
    ['9112-3.2', 'NUL in a target', message('GET /a\u0000b'), '400'],
    ['9110-4.2.5', 'a fragment in a target', message('GET /a#b'), '400'],
    ['9112-3.2', 'a backslash, which no URL can say', message('GET /a\\b'), '400'],
    ['9112-3.2.1', 'a path that begins with two slashes', message('GET //a/b'), '200'],
    ['9112-3.2.1', 'percent-encodings are left alone', message('GET /%00%zz%2F..'), '200'],
    ['9112-3.2.1', 'a relative path', message('GET index.html'), '400'],
    ['9112-3.2.1', 'a query without a path', message('GET ?q'), '400'],
    ['9112-3.2.2', 'absolute-form', message('GET http://localhost/a'), '200'],
    ['9112-3.2.2', 'absolute-form with the scheme in capitals (RFC 3986)', message('GET HTTP://localhost/a'), '200'],
    ['9112-3.2.2', 'absolute-form without a path', message('GET http://localhost?q'), '200'],
    ['9112-3.2', 'absolute-form does not do without Host', `GET http://localhost/ HTTP/1.1\r\n${CLOSE}\r\n`, '400'],
    ['9110-4.2.4', 'userinfo in absolute-form', message('GET http://user:secret@localhost/'), '400'],
    ['9110-4.2.1', 'absolute-form with an empty host', message('GET http:///a'), '400'],
    ['9110-7.4', 'an https resource on a connection without TLS', message('GET https://localhost/'), '421'],
    ['9110-7.4', 'a resource of another scheme', message('GET ftp://localhost/'), '421'],
    ['9112-3.2.4', 'OPTIONS *', message('OPTIONS *'), '204'],
    ['9112-3.2.4', 'OPTIONS of an absolute URI without path', message('OPTIONS http://localhost'), '204'],
    ['9112-3.2.4', '* with another method', message('GET *'), '400'],
    [
      '9110-9.3.7',
      'OPTIONS * with content',
      `OPTIONS * HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi${LAST}`,
      '204,200',
    ],
    ['9110-9.3.8', 'TRACE is not offered', message('TRACE /'), '501'],
    ['9110-9.3.8', 'TRACE with content neither', message('TRACE /', 'Content-Length: 2\r\n', 'hi'), '501'],
    [
      '9110-9.3.6',
      'CONNECT is not offered, and ends the connection',
      `CONNECT a:80 HTTP/1.1\r\n${HOST}\r\n${LAST}`,
      '501',
    ],
    ['9110-9.3.6', 'CONNECT without a port', message('CONNECT localhost'), '400'],
    ['9110-9.3.6', 'CONNECT with an empty port', message('CONNECT localhost:'), '400'],
    ['9110-9.3.6', 'CONNECT to port 0', message('CONNECT localhost:0'), '400'],
    ['9112-3.2.3', 'CONNECT with a path', message('CONNECT /'), '400'],
  ];
  it.each(rows)('RFC %s: %s', async (_section, _requirement, text, expected) => {
    expect(statuses(await request(server, Buffer.from(text, 'latin1')))).toBe(expected);
  });
});

describe('Host', () => {
  const rows: Row[] = [
    ['9112-3.2', 'none', `GET / HTTP/1.1\r\n${CLOSE}\r\n`, '400'],
    ['9112-3.2', 'none, by HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', '200'],
    ['9112-3.2', 'two, equal', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, '400'],
    ['9112-3.2', 'two, by HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`, '400'],
    ['9110-4.2.1', 'empty', `GET / HTTP/1.1\r\nHost:\r\n${CLOSE}\r\n`, '400'],
    ['9110-4.2.1', 'empty, of blanks', `OPTIONS * HTTP/1.1\r\nHost: \t\r\n${CLOSE}\r\n`, '400'],
    ['9112-3.2.2', 'empty, beside an absolute target', `GET http://a/ HTTP/1.1\r\nHost:\r\n${CLOSE}\r\n`, '200'],
    ['9112-3.3', 'empty, by HTTP/1.0', 'GET / HTTP/1.0\r\nHost:\r\n\r\n', '200'],
    ...(
      [
        ['a name with a port', 'localhost:8080', '200'],
        ['a name with an empty port', 'localhost:', '200'],
        ['an IPv4 address', '127.0.0.1', '200'],
        ['an IPv6 address with a port', '[::1]:80', '200'],
        ['an IPv6 address without its end', '[::1', '400'],
        ['an IPv6 address that is none', '[1::2::3]', '400'],
        ['an IPv4 address that is none', '1.2.3.999', '400'],
        ['userinfo', 'user@localhost', '400'],
        ['a path', 'localhost/a', '400'],
        ['a scheme', 'http://localhost', '400'],
        ['two ports', 'localhost:80:80', '400'],
        ['a port that is none', 'localhost:http', '400'],
        ['a port above 65535', 'localhost:65536', '400'],
        ['a space', 'local host', '400'],
        ['a question mark', 'localhost?', '400'],
        ['octets that are no ASCII', 'caf\u00e9', '400'],
      ] as const
    ).map(([what, value, status]): Row => [
      '9110-7.2',
      what,
      `GET / HTTP/1.1\r\nHost: ${value}\r\n${CLOSE}\r\n`,
      status,
    ]),
  ];
  it.each(rows)('RFC %s: %s', async (_section, _requirement, text, expected) => {
    expect(statuses(await request(server, Buffer.from(text, 'latin1')))).toBe(expected);
  });
});

describe('field lines', () => {
  const rows: Row[] = [
    ...(
      [
        ['9110-5.6.2', 'any token for a name', "!#$%&'*+-.^_`|~09aZ: b\r\n", '200'],
        ['9110-5.5', 'an empty value', 'X:\r\n', '200'],
        ['9112-5.1', 'whitespace around a value', 'X: \t b \t\r\n', '200'],
        ['9110-5.5', 'obs-text in a value', 'X: caf\u00e9\r\n', '200'],
        ['9110-5.5', 'NUL in a value', 'X: a\u0000b\r\n', '400'],
        ['9110-5.5', 'a control character in a value', 'X: a\u0001b\r\n', '400'],
        ['9110-5.5', 'DEL in a value', 'X: a\u007fb\r\n', '400'],
        ['9112-2.2', 'a bare CR in a value', 'X: a\rb\r\n', '400'],
        ['9112-2.2', 'a bare LF behind a line', 'X: a\n', '400'],
        ['9112-5.1', 'whitespace before the colon', 'X : a\r\n', '400'],
        ['9112-5.1', 'a tab before the colon', 'X\t: a\r\n', '400'],
        ['9112-5.2', 'line folding', 'X: a\r\n b\r\n', '400'],
        ['9112-5', 'no name', ': a\r\n', '400'],
        ['9112-5', 'no colon', 'X\r\n', '400'],
        ['9110-5.1', 'a name with octets that are no ASCII', '\u00e9: a\r\n', '400'],
        ['9110-5.1', 'a name with a control character', 'X\u0001: a\r\n', '400'],
        ['9110-5.4', 'a value of 100 kB', `X: ${'a'.repeat(100_000)}\r\n`, '431'],
        ['9110-5.4', 'a name of 100 kB', `${'a'.repeat(100_000)}: b\r\n`, '431'],
        ['9110-5.4', '10,000 lines', 'a: b\r\n'.repeat(10_000), '431'],
        ['9110-5.4', '120 lines of 200 octets', `a: ${'b'.repeat(195)}\r\n`.repeat(120), '200'],
        ['9110-7.6.1', 'an option that is no token', 'Connection: a b\r\n', '400'],
        ['9110-7.6.1', 'an empty list of options', 'Connection:\r\n', '200'],
        ['9110-7.6.1', 'Connection that names Host', 'Connection: host\r\n', '400'],
        ['9110-7.8', 'Upgrade to what is not spoken is ignored', 'Connection: upgrade\r\nUpgrade: h2c\r\n', '200'],
        ['9110-7.8', 'Upgrade without its option is ignored', 'Upgrade: websocket\r\n', '200'],
        ['9110-10.1.1', 'an expectation that is unknown', 'Expect: 200-ok\r\n', '417'],
        ['9110-10.1.1', '100-continue without content', 'Expect: 100-continue\r\n', '200'],
      ] as const
    ).map(([section, what, lines, status]): Row => [section, what, message('GET /', lines), status]),
    ['9112-2.2', 'whitespace before the first field', `GET / HTTP/1.1\r\n ${HOST}\r\n`, '400'],
    ['9112-2.2', 'LF for CRLF throughout', 'GET / HTTP/1.1\nHost: localhost\n\n', '400'],
    ['9112-2.2', 'CR for CRLF throughout', 'GET / HTTP/1.1\rHost: localhost\r\r', '400'],
    ['9112-2.2', 'empty lines before a request', `\r\n\r\n${LAST}`, '200'],
    ['9112-2.2', 'a line of whitespace before a request', `  \r\n${LAST}`, '400'],
    [
      '9110-10.1.1',
      'Expect from HTTP/1.0 is ignored',
      'POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na',
      '200',
    ],
  ];
  it.each(rows)('RFC %s: %s', async (_section, _requirement, text, expected) => {
    expect(statuses(await request(server, Buffer.from(text, 'latin1')))).toBe(expected);
  });
});

describe('content and its framing', () => {
  const post = (fields: string, content = ''): string => message('POST /', fields, content);
  const rows: [section: string, requirement: string, text: string, statuses: string, content?: string][] = [
    ['9112-6.3', 'neither field: no content', post(''), '200', ''],
    ['9112-6.3', 'Content-Length: 0', post('Content-Length: 0\r\n'), '200', ''],
    ['9112-6.3', 'Content-Length', post('Content-Length: 3\r\n', 'abc'), '200', 'abc'],
    ['9110-8.6', 'leading zeros are digits', post('Content-Length: 003\r\n', 'abc'), '200', 'abc'],
    ...['+3', '-3', '-0', '0x3', '3.0', '3 3', '3, 3', '3;', '1_0', '\u00b3', '', ',3'].map(
      (value): [string, string, string, string] => [
        '9112-6.3',
        `Content-Length: ${JSON.stringify(value)}`,
        post(`Content-Length: ${value}\r\n`, 'abc'),
        '400',
      ],
    ),
    ['9112-6.3', 'two of them, equal', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'), '400'],
    ['9112-6.3', 'two of them', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'), '400'],
    ['9110-8.6', 'above 2^53', post(`Content-Length: ${'9'.repeat(20)}\r\n`), '400'],
    ['9112-6.1', 'chunked', chunked('3\r\nabc\r\n0\r\n\r\n'), '200', 'abc'],
    ['9112-6.1', 'coding names have no case', chunked('0\r\n\r\n', 'TRANSFER-ENCODING: CHUNKED\r\n'), '200', ''],
    [
      '9112-6.1',
      'with Content-Length',
      post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n'),
      '400',
    ],
    ['9112-6.1', 'from HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '400'],
    ...[
      ['chunked, chunked', '400'],
      ['chunked\r\nTransfer-Encoding: chunked', '400'],
      ['identity', '400'],
      ['chunked, identity', '400'],
      ['xchunked', '400'],
      ['chunked;a=b', '400'],
      ['"chunked"', '400'],
      ['chunked,', '400'],
      [', chunked', '400'],
      ['\u000bchunked', '400'],
      ['chunked\u0000', '400'],
      ['', '400'],
      ['gzip, chunked', '501'],
    ].map(([value, status]): [string, string, string, string] => [
      '9112-6.1',
      `Transfer-Encoding: ${JSON.stringify(value)}`,
      chunked('0\r\n\r\n', `Transfer-Encoding: ${String(value)}\r\n`),
      String(status),
    ]),
    [
      '9112-5.1',
      'Transfer-Encoding with a space before its colon',
      chunked('0\r\n\r\n', 'Transfer-Encoding : chunked\r\n'),
      '400',
    ],
    ['9112-6.1', 'Transfer_Encoding is another field', chunked('', 'Transfer_Encoding: chunked\r\n'), '200', ''],
    [
      '9112-7.1',
      'digits in both cases',
      chunked('A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'),
      '200',
      '01234567890123456789',
    ],
    ['9112-7.1', 'a last chunk of many zeros', chunked('3\r\nabc\r\n0000\r\n\r\n'), '200', 'abc'],
    ['9112-7.1.1', 'extensions', chunked('3;a;b=c;d="e;\\"f"\r\nabc\r\n0;x\r\n\r\n'), '200', 'abc'],
    ['9112-7.1.1', 'extensions with BWS', chunked('3 ; a = b\r\nabc\r\n0\r\n\r\n'), '200', 'abc'],
    ['9112-7.1.2', 'trailers', chunked('3\r\nabc\r\n0\r\nX: y\r\n\r\n'), '200', 'abc'],
  ];
  it.each(rows)('RFC %s: %s', async (_section, _requirement, text, expected, content) => {
    const response = await request(server, Buffer.from(text, 'latin1'));
    expect(statuses(response)).toBe(expected);
    if (content !== undefined) expect(response.split('\r\n\r\n')[1]).toBe(content);
  });

  // The echo may have begun to answer when the fault comes: then the connection breaks off inside the response.
  it.each([
    ['7.1', 'no digits', '\r\nabc\r\n0\r\n\r\n'],
    ['7.1', 'a sign', '+3\r\nabc\r\n0\r\n\r\n'],
    ['7.1', 'a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
    ['7.1', '0x', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['7.1', 'an underscore', '0_3\r\nabc\r\n0\r\n\r\n'],
    ['7.1', 'a size that overflows', `${'f'.repeat(17)}\r\nabc\r\n0\r\n\r\n`],
    ['7.1', 'whitespace before the size', ' 3\r\nabc\r\n0\r\n\r\n'],
    ['7.1', 'whitespace behind the size', '3 \r\nabc\r\n0\r\n\r\n'],
    ['7.1', 'LF behind the size', '3\nabc\r\n0\r\n\r\n'],
    ['7.1', 'CR behind the size', '3\rabc\r\n0\r\n\r\n'],
    ['7.1', 'nothing behind the data', '3\r\nabc0\r\n\r\n'],
    ['7.1', 'LF behind the data', '3\r\nabc\n0\r\n\r\n'],
    ['7.1', 'two other octets behind the data', '3\r\nabcXX0\r\n\r\n'],
    ['7.1', 'more data than the size says', '3\r\nabcd\r\n0\r\n\r\n'],
    ['7.1.1', 'an extension without a name', '3;\r\nabc\r\n0\r\n\r\n'],
    ['7.1.1', 'LF in an extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
    ['7.1.1', 'a bare CR in an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'],
    ['7.1.1', 'NUL in an extension', '3;a\u0000b\r\nabc\r\n0\r\n\r\n'],
    ['7.1.1', 'extensions without measure', `3;${'a'.repeat(100_000)}\r\nabc\r\n0\r\n\r\n`],
    ['7.1.2', 'LF behind a trailer', '3\r\nabc\r\n0\r\nX: y\n\r\n'],
    ['7.1.2', 'LF for the last line', '3\r\nabc\r\n0\r\n\n'],
    ['7.1.2', 'Content-Length in trailers', '3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n'],
    ['7.1.2', 'Transfer-Encoding in trailers', '3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['7.1.2', 'Host in trailers', '3\r\nabc\r\n0\r\nHost: other\r\n\r\n'],
    ['7.1.2', 'Authorization in trailers', '3\r\nabc\r\n0\r\nAuthorization: x\r\n\r\n'],
    ['7.1.2', 'Content-Type in trailers', '3\r\nabc\r\n0\r\nContent-Type: x/y\r\n\r\n'],
  ])(
    'RFC 9112 section %s: a chunked request with %s is no request, nor what follows it',
    async (_section, _what, content) => {
      const head = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
      const response = await request(server, head + content + LAST);
      expect(statuses(response)).toMatch(/^(?:200|4\d\d)?$/);
      if (statuses(response) === '200') {
        expect(response).toContain('connection: close\r\n');
        expect(response).toContain('transfer-encoding: chunked\r\n');
        expect(response.endsWith('0\r\n\r\n')).toBe(false);
      }
    },
  );

  it('RFC 9112 section 6.3: methods have no say in it', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'FOO']) {
      const sized = `${method} / HTTP/1.1\r\n${HOST}Content-Length: 24\r\n\r\nGET /smuggled HTTP/1.1\r\n`;
      const inChunks = `${method} / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n`;
      expect(statuses(await request(server, sized + inChunks + LAST))).toBe('200,200,200');
    }
  });

  it('RFC 9112 section 8: content that breaks off ends the connection, never the message', async () => {
    for (const text of [
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`,
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nab`,
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`,
    ]) {
      const client = new RawClient(server);
      client.write(text);
      client.socket.end();
      const response = await client.end();
      expect(statuses(response)).toMatch(/^(?:200|400)?$/);
      if (statuses(response) === '200') expect(response.endsWith('0\r\n\r\n')).toBe(false);
    }
  });
});

describe('responses', () => {
  it('RFC 9110 section 6.6.1: have a Date, those of the engine as well', async () => {
    for (const text of [LAST, message('OPTIONS *'), message('TRACE /'), 'GET /\r\n\r\n', message('GET ftp://a/')]) {
      const response = await request(server, text);
      expect(response).toMatch(
        /\r\ndate: (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT\r\n/,
      );
      expect(response.match(/\r\ndate:/g)).toHaveLength(1);
    }
  });

  it('RFC 9110 section 9.3.2: to HEAD have no content, whatever became of the request', async () => {
    for (const [text, status] of [
      [message('HEAD /'), '200'],
      [message('HEAD /', 'X: a\u0000\r\n'), '400'],
      [message('HEAD /', 'Expect: x\r\n'), '417'],
      [message('HEAD ftp://a/'), '421'],
    ] as const) {
      const response = await request(server, text);
      expect(statuses(response)).toBe(status);
      expect(response.endsWith('\r\n\r\n')).toBe(true);
      expect(response.indexOf('\r\n\r\n')).toBe(response.length - 4);
    }
  });

  it('RFC 9110 section 9.3.2: what follows HEAD and is no request is not answered as one', async () => {
    for (const rest of ['\u0001\r\n\r\n', '\n', 'G']) {
      const client = new RawClient(server);
      client.write(`HEAD / HTTP/1.1\r\n${HOST}\r\n`);
      await client.until('\r\n\r\n');
      client.write(rest);
      client.socket.end();
      const response = await client.end();
      expect(statuses(response)).toBe('200,400');
      const [, , head = '', content = ''] = /^([^]*?\r\n\r\n)([^]*?\r\n\r\n)([^]*)$/.exec(response) ?? [];
      expect(head).toContain(`content-length: ${String(content.length)}\r\n`);
      expect(content).toMatch(/^400 Bad Request/);
    }
  });

  it('RFC 9110 section 8.6: 204 has no Content-Length, others without content have', async () => {
    expect(await request(server, message('OPTIONS *'))).not.toMatch(/content-length|transfer-encoding/);
    expect(await request(server, LAST)).toContain('\r\ncontent-length: 0\r\n');
  });

  it('RFC 9110 section 9.3.8: TRACE sends nothing back of what it was sent', async () => {
    expect(await request(server, message('TRACE /', 'Cookie: secret\r\n'))).not.toContain('secret');
  });
});

describe('connections', () => {
  it.each<[section: string, requirement: string, text: string, statuses: string, last: RegExp]>([
    ['9.3', 'HTTP/1.1 persists', `GET / HTTP/1.1\r\n${HOST}\r\n${LAST}`, '200,200', /connection: close/],
    ['9.3', 'HTTP/1.0 does not', `GET / HTTP/1.0\r\n\r\n${LAST}`, '200', /connection: close/],
    [
      'C.2.2',
      'HTTP/1.0 with keep-alive does',
      `GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n${LAST}`,
      '200,200',
      /connection: keep-alive/,
    ],
    [
      '9.6',
      'close in any case, among others',
      `GET / HTTP/1.1\r\n${HOST}Connection: X, CLOSE\r\n\r\n${LAST}`,
      '200',
      /connection: close/,
    ],
    [
      '9.6',
      'close beats keep-alive',
      `GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n${LAST}`,
      '200',
      /connection: close/,
    ],
    [
      '9.3.2',
      'a pipeline, in its order',
      `${`POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\na\r\n`.repeat(50)}${LAST}`,
      Array(51).fill('200').join(),
      /connection: close/,
    ],
    [
      '2.2',
      'CRLF behind content is skipped',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\na\r\n${LAST}`,
      '200,200',
      /connection: close/,
    ],
    ['9.3', 'nothing behind a refusal', `GET / HTTP/1.1\r\n\r\n${LAST}`, '400', /connection: close/],
  ])('RFC 9112 section %s: %s', async (_section, _requirement, text, expected, field) => {
    const response = await request(server, text);
    expect(statuses(response)).toBe(expected);
    expect(response).toMatch(field);
  });

  it('RFC 9112 section 9.6: a client that has ended its side is still answered', async () => {
    const client = new RawClient(server);
    client.write(`GET / HTTP/1.1\r\n${HOST}\r\nPOST / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi`);
    client.socket.end();
    const response = await client.end();
    expect(statuses(response)).toBe('200,200');
    expect(response.endsWith('hi')).toBe(true);
  });

  it('RFC 9112 section 9.5: who says nothing is left without an answer', async () => {
    for (const text of ['', '\r\n']) {
      const client = new RawClient(server);
      client.write(text);
      client.socket.end();
      expect(await client.end()).toBe('');
    }
  });

  it('RFC 9112 section 2.2: octets come one by one', async () => {
    const client = new RawClient(server);
    client.socket.setNoDelay(true);
    const text = chunked('3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n');
    for (const character of text) {
      await new Promise<void>((resolve) => client.socket.write(character, () => resolve()));
    }
    const response = await client.end();
    expect(statuses(response)).toBe('200');
    expect(response).toContain('abc');
  });

  it('RFC 9112 section 9.6: a refusal is read by a client that goes on sending', async () => {
    const client = new RawClient(server);
    client.write(`GET / HTTP/1.1\r\n${HOST}X: ${'a'.repeat(500_000)}`);
    const response = await client.end();
    expect(statuses(response)).toBe('431');
    expect(response).toContain('maxHeaderBytes');
  });

  it('RFC 9110 section 10.1.1: 100 when content is wanted, none when it is there or unwanted', async () => {
    const expecting = (method: string): string =>
      `${method} / HTTP/1.1\r\n${HOST}${CLOSE}Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n`;
    const waiting = new RawClient(server);
    waiting.write(expecting('POST'));
    expect(await waiting.until('HTTP/1.1 100 Continue\r\n\r\n')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    waiting.write('hi');
    expect(statuses(await waiting.end())).toBe('100,200');
    expect(statuses(await request(server, `${expecting('POST')}hi`))).toBe('200');
    // Nobody reads the content of a GET: the final response comes at once and ends the connection.
    const unwanted = await request(server, expecting('GET'));
    expect(statuses(unwanted)).toBe('200');
    expect(unwanted).toContain('connection: close\r\n');
    // RFC 9110 section 15.2: no interim response to HTTP/1.0.
    const old = `POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`;
    expect(statuses(await request(server, old))).toBe('200');
  });
});
