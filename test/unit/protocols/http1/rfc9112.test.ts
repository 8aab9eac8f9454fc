/**
 * The requirements of RFC 9112 on senders and recipients, in the order of its sections, each on the wire.
 *
 * Where a requirement leaves a choice, the row says which one is kept.
 */
import { describe, expect, it } from 'vitest';
import type { HttpEvent } from '../../../../src/protocols/index.ts';
import { clientSide, contentOf, END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

/** What a server that answers 200 to each whole request says to a text: its statuses, and whether it ends. */
function served(text: string): { statuses: string; ends: boolean; sent: string; events: HttpEvent[] } {
  const server = serverSide();
  const events: HttpEvent[] = [];
  server.protocol.bytesReceived(octets(text), 0);
  for (let event = server.protocol.nextEvent(); event !== undefined; event = server.protocol.nextEvent()) {
    events.push(event);
    if ('endStream' in event && event.endStream) server.respond(event.streamId, '200', 'ok');
  }
  const sent = server.sent();
  return {
    statuses: (sent.match(/HTTP\/1\.1 \d+/g) ?? []).map((line) => line.slice(9)).join(),
    ends: server.protocol.wantsEof,
    sent,
    events,
  };
}

/** How a client takes a response to a GET, or to another method. */
function answered(text: string, method = 'GET'): { events: HttpEvent[]; failed: boolean; usable: boolean } {
  const client = clientSide();
  client.request(method, method === 'CONNECT' ? 'a:1' : '/', [], method === 'CONNECT' ? MORE : END);
  client.sent();
  const events = client.receive(text);
  const failed = events.some((event) => event.type === 'ConnectionTerminated' && event.error !== undefined);
  return { events, failed, usable: client.protocol.isAvailable() };
}

const HOST = 'Host: a\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

describe('requests: what a server must refuse, and with what', () => {
  const rows: [section: string, requirement: string, text: string, statuses: string][] = [
    ['2.2', 'ignores at least one empty line before a request-line', `\r\n${GET}`, '200'],
    ['2.2', 'considers a bare CR invalid', `GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`, '400'],
    ['2.2', 'a lone LF is no line terminator (the strict choice)', 'GET / HTTP/1.1\nHost: a\n\n', '400'],
    ['2.2', 'rejects whitespace between start-line and fields', `GET / HTTP/1.1\r\n ${HOST}\r\n`, '400'],
    ['2.2', 'rejects what is no HTTP message', '\u0001\u0002\u0003', '400'],
    ['2.2', 'reads octets, of which some are no ASCII', `GET / HTTP/1.1\r\n${HOST}X: \u00e9\u00ff\r\n\r\n`, '200'],
    ['2.3', 'the version is case-sensitive', `GET / http/1.1\r\n${HOST}\r\n`, '400'],
    ['2.3', 'a higher minor version is answered as 1.1', `GET / HTTP/1.7\r\n${HOST}\r\n`, '200'],
    ['3', 'one SP between the parts (the strict choice)', `GET  / HTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['3', 'supports request-lines of 8000 octets', `GET /${'a'.repeat(7985)} HTTP/1.1\r\n${HOST}\r\n`, '200'],
    ['3', 'answers 414 to a target that is too long', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, '414'],
    ['3', 'answers 501 to a method that is too long', `${'A'.repeat(100)} / HTTP/1.1\r\n${HOST}\r\n`, '501'],
    ['3.1', 'the method is case-sensitive: get is another method', `get / HTTP/1.1\r\n${HOST}\r\n`, '200'],
    ['3.2', 'no whitespace in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['3.2', 'answers 400 without Host', 'GET / HTTP/1.1\r\n\r\n', '400'],
    ['3.2', 'answers 400 to more than one Host', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, '400'],
    ['3.2', 'answers 400 to a Host that is malformed', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', '400'],
    ['3.2.2', 'accepts absolute-form', `GET http://b.example/ HTTP/1.1\r\n${HOST}\r\n`, '200'],
    ['3.2.3', 'authority-form for CONNECT only', `GET a:80 HTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['3.2.4', 'asterisk-form for OPTIONS only', `GET * HTTP/1.1\r\n${HOST}\r\n`, '400'],
    ['3.2.4', 'asterisk-form for OPTIONS', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, '200'],
    ['5.1', 'answers 400 to whitespace before the colon', `GET / HTTP/1.1\r\n${HOST}X : y\r\n\r\n`, '400'],
    ['5.2', 'answers 400 to line folding (the strict choice)', `GET / HTTP/1.1\r\n${HOST}X: y\r\n z\r\n\r\n`, '400'],
    [
      '6.1',
      'decodes chunked',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
      '200',
    ],
    [
      '6.1',
      'answers 501 to a coding it does not understand',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      '501',
    ],
    [
      '6.1',
      'refuses Transfer-Encoding beside Content-Length and closes',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n${GET}`,
      '400',
    ],
    [
      '6.1',
      'refuses Transfer-Encoding in HTTP/1.0 and closes',
      `POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${GET}`,
      '400',
    ],
    [
      '6.3',
      'answers 400 where chunked is not the last coding',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n`,
      '400',
    ],
    ['6.3', 'answers 400 to an invalid Content-Length', `POST / HTTP/1.1\r\n${HOST}Content-Length: two\r\n\r\n`, '400'],
    [
      '6.3',
      'a list of equal lengths is refused too (the strict choice)',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 2, 2\r\n\r\nhi`,
      '400',
    ],
    ['6.3', 'without both fields there is no content', `POST / HTTP/1.1\r\n${HOST}\r\n${GET}`, '200,200'],
    [
      '7.1',
      'a chunk size that overflows is refused',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
      '400',
    ],
    [
      '7.1',
      'parameters of chunked are an error',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked;a=b\r\n\r\n`,
      '400',
    ],
    [
      '7.1.1',
      'ignores chunk extensions',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2;a="b"\r\nhi\r\n0\r\n\r\n`,
      '200',
    ],
    [
      '7.1.1',
      'bounds chunk extensions with a 4xx',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(1000)}\r\nhi\r\n`,
      '413',
    ],
    [
      '7.1.2',
      'never merges trailers: framing in them is refused',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n`,
      '400',
    ],
    ['9.3', 'HTTP/1.1 persists', GET + GET, '200,200'],
    ['9.3', 'HTTP/1.0 does not by itself', `GET / HTTP/1.0\r\n\r\n${GET}`, '200'],
    ['9.3', 'HTTP/1.0 with keep-alive does', `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${GET}`, '200,200'],
    ['9.3.2', 'answers pipelined requests in their order', GET.repeat(5), '200,200,200,200,200'],
    [
      '9.6',
      'processes nothing behind a close option',
      `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n${GET}`,
      '200',
    ],
  ];
  it.each(rows)('section %s: %s', (_section, _requirement, text, statuses) => {
    const result = served(text);
    expect(result.statuses).toBe(statuses);
    if (/[45]\d\d$/.test(statuses)) {
      expect(result.sent).toContain('connection: close\r\n');
      expect(result.ends).toBe(true);
    }
  });

  it('section 2.3: the response carries this server’s own version', () => {
    for (const version of ['1.0', '1.1', '1.9'])
      expect(served(`GET / HTTP/${version}\r\n${HOST}\r\n`).sent).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('section 3.2.2: the target replaces Host', () => {
    const { events } = served(`GET http://b.example/ HTTP/1.1\r\n${HOST}\r\n`);
    expect(eventOf(events, 'HeadersReceived').headers).toContain('b.example');
    expect(eventOf(events, 'HeadersReceived').headers).not.toContain('a');
  });

  it('section 3.3: scheme by the connection, authority by Host', () => {
    const server = serverSide({}, { secure: true });
    expect(eventOf(server.receive(GET), 'HeadersReceived').headers.slice(2, 8)).toEqual([
      ':scheme',
      'https',
      ':authority',
      'a',
      ':path',
      '/',
    ]);
  });

  it('section 7.1.2: trailers stay apart from headers', () => {
    const { events } = served(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n`);
    expect(eventOf(events, 'HeadersReceived').headers).not.toContain('x');
    expect(eventOf(events, 'TrailersReceived').headers).toEqual(['x', 'trailer']);
  });

  it('section 9.3: content that nobody read is not taken for a request', () => {
    const server = serverSide();
    server.receive(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`);
    server.respond(1, '200', 'early');
    server.events();
    expect(server.receive(GET)).toEqual([]);
    expect(server.sent()).toContain('connection: close');
    expect(server.protocol.wantsEof).toBe(true);
  });
});

describe('responses: what a server must send', () => {
  it.each([
    ['6.1', 'no Transfer-Encoding in 204', 'GET', '1.1', [':status', '204']],
    ['6.1', 'no Transfer-Encoding in 304 here', 'GET', '1.1', [':status', '304']],
    ['6.1', 'no Transfer-Encoding in 2xx to CONNECT', 'CONNECT', '1.1', [':status', '200']],
    ['6.1', 'no Transfer-Encoding to HTTP/1.0', 'GET', '1.0', [':status', '200']],
    ['6.2', 'no Transfer-Encoding beside Content-Length', 'GET', '1.1', [':status', '200', 'content-length', '2']],
  ])('section %s: %s', (_section, _requirement, method, version, headers) => {
    const server = serverSide();
    server.receive(`${method} ${method === 'CONNECT' ? 'a:1' : '/'} HTTP/${version}\r\n${HOST}\r\n`);
    server.protocol.submitHeaders(1, headers, MORE);
    expect(server.sent()).not.toMatch(/transfer-encoding/i);
  });

  it('section 6.1: nor in 1xx, and chunked is applied once', () => {
    const server = serverSide();
    server.receive(GET);
    server.protocol.submitInformational(1, [':status', '103']);
    expect(server.sent()).not.toMatch(/transfer-encoding/i);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    expect(server.sent().match(/chunked/g)?.length).toBe(1);
    expect(() => server.protocol.submitHeaders(1, [':status', '200', 'transfer-encoding', 'chunked'], MORE)).toThrow();
  });

  it('section 4: SP stands behind the status even without a phrase', () => {
    const server = serverSide();
    server.receive(GET);
    server.protocol.submitHeaders(1, [':status', '222'], END);
    expect(server.sent()).toMatch(/^HTTP\/1\.1 222 \r\n/);
  });

  it('sections 2.2 and 5.2: no bare CR, no folding, in any field', () => {
    const server = serverSide();
    server.receive(GET);
    for (const value of ['a\rb', 'a\r\n b', 'a\nb']) {
      expect(() => server.protocol.submitHeaders(1, [':status', '200', 'x', value], END)).toThrow();
    }
  });

  it('section 9.6: close is sent, and the connection ends after it', () => {
    const server = serverSide();
    server.receive(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    server.respond(1);
    server.events();
    expect(server.sent()).toContain('connection: close\r\n');
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.receive(GET)).toEqual([]);
  });

  it('section 9.6: the end comes in stages, so that no reset destroys the response', () => {
    const server = serverSide();
    server.receive('GET / HTTP/1.0\r\n\r\n');
    server.respond(1);
    server.events();
    expect(server.protocol.wantsEof).toBe(false);
    server.sent();
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.events()).toEqual([]);
  });
});

describe('requests: what a client must send', () => {
  it.each([
    ['3.2', 'Host, equal to the authority', 'GET', '/', 'GET / HTTP/1.1\r\nhost: a.example\r\n\r\n'],
    ['3.2.1', 'path and query only', 'GET', '/where?q=now', 'GET /where?q=now HTTP/1.1\r\nhost: a.example\r\n\r\n'],
    ['3.2.4', '"*" for OPTIONS of the whole server', 'OPTIONS', '*', 'OPTIONS * HTTP/1.1\r\nhost: a.example\r\n\r\n'],
  ])('section %s: %s', (_section, _requirement, method, path, text) => {
    const client = clientSide();
    client.request(method, path);
    expect(client.sent()).toBe(text);
  });

  it('section 3.2: an empty Host where there is no authority; no userinfo ever', () => {
    const client = clientSide();
    client.protocol.submitHeaders(1, [':method', 'GET', ':scheme', 'http', ':path', '/'], END);
    expect(client.sent()).toContain('\r\nhost: \r\n');
    expect(() =>
      clientSide().protocol.submitHeaders(
        1,
        [':method', 'GET', ':scheme', 'http', ':authority', 'u:p@a', ':path', '/'],
        END,
      ),
    ).toThrow();
  });

  it('section 3.2.2: absolute-form to a proxy, with Host', () => {
    const client = clientSide({ absoluteForm: true });
    client.request('GET', '/pub');
    expect(client.sent()).toBe('GET http://a.example/pub HTTP/1.1\r\nhost: a.example\r\n\r\n');
  });

  it('section 3.2.3: host and port only for CONNECT', () => {
    const client = clientSide();
    client.request('CONNECT', 'b.example:80', [], MORE);
    expect(client.sent()).toMatch(/^CONNECT b\.example:80 HTTP\/1\.1\r\n/);
  });

  it('section 2.2: nothing before or behind a request', () => {
    const client = clientSide({ maxPipelinedRequests: 2 });
    client.request('PUT', '/', ['content-length', '2'], MORE);
    client.protocol.submitData(1, octets('hi'), END);
    client.request();
    expect(client.sent()).toMatch(/^PUT [^]*\r\n\r\nhiGET /);
  });

  it('section 6.3: content has Content-Length or chunked', () => {
    for (const [fields, framing] of [
      [['content-length', '2'], /content-length: 2\r\n/],
      [[], /transfer-encoding: chunked\r\n/],
    ] as const) {
      const client = clientSide();
      client.request('POST', '/', fields, MORE);
      expect(client.sent()).toMatch(framing);
    }
  });

  it('section 7.4: no chunked in TE, and TE is named by Connection', () => {
    expect(() => clientSide().request('GET', '/', ['te', 'chunked'])).toThrow();
    const client = clientSide();
    client.request('GET', '/', ['te', 'trailers']);
    expect(client.sent()).toContain('connection: te\r\n');
  });
});

describe('responses: how a client must take them', () => {
  const rows: [section: string, requirement: string, text: string, outcome: 'taken' | 'refused'][] = [
    ['2.2', 'a bare CR is invalid', 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n', 'refused'],
    ['2.2', 'a lone LF is no line terminator (the strict choice)', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 'refused'],
    [
      '5.1',
      'whitespace before the colon (the strict choice)',
      'HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n',
      'refused',
    ],
    [
      '5.2',
      'line folding (the choice of a gateway: discard)',
      'HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 0\r\n\r\n',
      'refused',
    ],
    [
      '6.1',
      'Transfer-Encoding in HTTP/1.0 is faulty',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'refused',
    ],
    [
      '6.3',
      'Transfer-Encoding beside Content-Length is an error',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n',
      'refused',
    ],
    ['6.3', 'an invalid Content-Length closes and discards', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', 'refused'],
    ['6.3', 'two Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n', 'refused'],
    ['6.3', '204 ends with its head', 'HTTP/1.1 204 No Content\r\n\r\n', 'taken'],
    [
      '6.3',
      '304 ends with its head, whatever it declares',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
      'taken',
    ],
    ['6.3', 'Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'taken'],
    ['7.1', 'chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n', 'taken'],
    [
      '7.1',
      'a chunk size that overflows',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n',
      'refused',
    ],
    [
      '7.1.1',
      'extensions are ignored',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\n\r\n',
      'taken',
    ],
    [
      '9.2',
      'nothing is a response without a request',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      'refused',
    ],
  ];
  it.each(rows)('section %s: %s', (_section, _requirement, text, outcome) => {
    const result = answered(text);
    expect(result.failed).toBe(outcome === 'refused');
    expect(result.usable).toBe(outcome === 'taken');
  });

  it('section 6.3: an answer to HEAD ends with its head', () => {
    expect(answered('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', 'HEAD').usable).toBe(true);
  });

  it('section 6.3: a 2xx to CONNECT is a tunnel; its framing fields are ignored', () => {
    const { events } = answered(
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nraw',
      'CONNECT',
    );
    expect(contentOf(events)).toBe('raw');
  });

  it('sections 6.3 and 8: a cut message is incomplete and ends the connection', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n',
      'HTTP/1.1 200 OK\r\nX: y\r\n',
    ]) {
      const client = clientSide();
      client.request();
      client.sent();
      const events = [...client.receive(text), ...client.end()];
      expect(eventOf(events, 'StreamResetReceived').error).toBeDefined();
      expect(events.at(-1)?.type).toBe('ConnectionTerminated');
    }
  });

  it('section 9.6: no request behind a close option, and the connection is closed after the response', () => {
    const client = clientSide();
    client.request();
    client.sent();
    client.receive('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    expect(client.protocol.hasExpired()).toBe(true);
    expect(client.protocol.wantsEof).toBe(true);
  });

  it('section 9.5: a client stops sending content when the response is there', () => {
    const client = clientSide();
    client.request('POST', '/', [], MORE);
    client.sent();
    client.receive('HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    client.protocol.submitData(1, octets('more'), MORE);
    expect(client.sent()).toBe('');
    expect(client.protocol.wantsEof).toBe(true);
  });
});
