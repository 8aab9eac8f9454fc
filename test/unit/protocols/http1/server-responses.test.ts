import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { eventTypes } from '../../../support/connection-pair.ts';
import type { Side } from '../../../support/http1-sides.ts';
import { END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

function asked(method = 'GET', version = '1.1', fields = ''): Side {
  const server = serverSide();
  const target = method === 'CONNECT' ? 'a:1' : '/';
  server.receive(`${method} ${target} HTTP/${version}\r\nHost: a\r\n${fields}\r\n`);
  return server;
}

describe('framing responses (RFC 9112 sections 6.1 to 6.3)', () => {
  it('chunks what has no length and comes in pieces', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '200', 'x-a', 'b'], MORE);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n');
    server.protocol.submitData(1, octets('hello'), MORE);
    server.protocol.submitTrailers(1, ['x-t', '1']);
    expect(server.sent()).toBe('5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n');
    expect(server.types()).toEqual(['StreamClosed']);
  });

  it('keeps the length that the application gives', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '200', 'content-length', '5'], MORE);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n');
    server.protocol.submitData(1, octets('hel'), MORE);
    server.protocol.submitData(1, octets('lo'), END);
    expect(server.sent()).toBe('hello');
  });

  it('says content-length: 0 where there is nothing', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '404'], END);
    expect(server.sent()).toBe('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  });

  it('delimits by the close towards HTTP/1.0, and never chunks', () => {
    const server = asked('GET', '1.0', 'Connection: keep-alive\r\n');
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    server.protocol.submitData(1, octets('hello'), MORE);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello');
    server.protocol.submitTrailers(1, ['x-t', '1']);
    expect(server.sent()).toBe('');
    expect(server.protocol.wantsEof).toBe(true);
  });

  it.each([
    ['HEAD', '200', [], 'HTTP/1.1 200 OK\r\n\r\n'],
    ['HEAD', '200', ['content-length', '1000'], 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'],
    ['GET', '204', [], 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', '204', ['content-length', '0'], 'HTTP/1.1 204 No Content\r\n\r\n'],
    [
      'GET',
      '304',
      ['content-length', '7', 'etag', '"x"'],
      'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\netag: "x"\r\n\r\n',
    ],
    ['GET', '205', [], 'HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n'],
  ])('%s %s with %j has no content (RFC 9110 sections 6.4.1, 8.6)', (method, status, fields, text) => {
    for (const endStream of [true, false]) {
      const server = asked(method);
      server.protocol.submitHeaders(1, [':status', status, ...fields], { endStream });
      if (!endStream) server.protocol.submitData(1, octets(''), END);
      expect(server.sent()).toBe(text);
      expect(server.types()).toEqual(['StreamClosed']);
      expect(eventTypes(server.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toEqual(['HeadersReceived']);
    }
  });

  it('drops what is submitted for an answer to HEAD', () => {
    const server = asked('HEAD');
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    server.protocol.submitData(1, octets('x'.repeat(100_000)), MORE);
    expect(server.protocol.sendCapacity(1)).toBeGreaterThan(65_000);
    server.protocol.submitTrailers(1, ['x', 'y']);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\n\r\n');
  });

  it('trades content-length for chunked when trailers are announced', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '200', 'content-length', '5', 'trailer', 'x-t'], MORE);
    expect(() => server.protocol.submitData(1, octets('too long'), MORE)).toThrow(LocalProtocolError);
    server.protocol.submitData(1, octets('hello'), MORE);
    server.protocol.submitTrailers(1, ['x-t', '1']);
    expect(server.sent()).toBe(
      'HTTP/1.1 200 OK\r\ntrailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n',
    );
  });

  it('spells names as asked', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '200', 'etag', '"x"', 'x-a', 'b'], {
      ...END,
      rawNames: ['', 'ETag', 'X-A'],
    });
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\nETag: "x"\r\nX-A: b\r\ncontent-length: 0\r\n\r\n');
  });

  it('writes the SP behind a status without a phrase (section 4)', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '599'], END);
    expect(server.sent()).toMatch(/^HTTP\/1.1 599 \r\n/);
  });
});

describe('interim responses (RFC 9110 section 15.2)', () => {
  it('go out before the final one', () => {
    const server = asked();
    server.protocol.submitInformational(1, [':status', '103', 'link', '</a>; rel=preload'], ['', 'Link']);
    expect(server.sent()).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
    server.protocol.submitInformational(1, [':status', '102']);
    server.respond(1, '200', 'hi');
    expect(server.sent()).toBe('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi');
  });

  it('never go to HTTP/1.0', () => {
    const server = asked('GET', '1.0');
    server.protocol.submitInformational(1, [':status', '103']);
    expect(server.sent()).toBe('');
  });
});

describe('misuse throws and changes nothing', () => {
  type Call = (server: Side) => void;
  const calls: [string, Call, string?][] = [
    ['no :status', (s) => s.protocol.submitHeaders(1, ['x', 'y'], END)],
    ['a bad status', (s) => s.protocol.submitHeaders(1, [':status', '20'], END)],
    ['a status above 599', (s) => s.protocol.submitHeaders(1, [':status', '600'], END)],
    ['1xx as a final response', (s) => s.protocol.submitHeaders(1, [':status', '103'], END)],
    ['101 without Upgrade', (s) => s.protocol.submitHeaders(1, [':status', '101'], MORE)],
    [
      '101 to what was not offered',
      (s) => s.protocol.submitHeaders(1, [':status', '101'], { ...MORE, upgrade: 'websocket' }),
    ],
    ['upgrade without 101', (s) => s.protocol.submitHeaders(1, [':status', '200'], { ...MORE, upgrade: 'websocket' })],
    ['a capital letter', (s) => s.protocol.submitHeaders(1, [':status', '200', 'X-A', 'b'], END)],
    ['response splitting', (s) => s.protocol.submitHeaders(1, [':status', '200', 'x', 'a\r\nset-cookie: b'], END)],
    ['whitespace around a value', (s) => s.protocol.submitHeaders(1, [':status', '200', 'x', ' a'], END)],
    ['a character beyond latin1', (s) => s.protocol.submitHeaders(1, [':status', '200', 'x', '\u010a'], END)],
    ['Connection', (s) => s.protocol.submitHeaders(1, [':status', '200', 'connection', 'close'], END)],
    ['Transfer-Encoding', (s) => s.protocol.submitHeaders(1, [':status', '200', 'transfer-encoding', 'chunked'], END)],
    ['Upgrade', (s) => s.protocol.submitHeaders(1, [':status', '426', 'upgrade', 'x'], END)],
    [
      'two lengths',
      (s) => s.protocol.submitHeaders(1, [':status', '200', 'content-length', '1', 'content-length', '1'], MORE),
    ],
    ['a length that is none', (s) => s.protocol.submitHeaders(1, [':status', '200', 'content-length', '-1'], MORE)],
    ['a length without content', (s) => s.protocol.submitHeaders(1, [':status', '200', 'content-length', '5'], END)],
    ['204 with a length', (s) => s.protocol.submitHeaders(1, [':status', '204', 'content-length', '5'], END)],
    ['205 with a length', (s) => s.protocol.submitHeaders(1, [':status', '205', 'content-length', '5'], MORE)],
    [
      'rawNames that are too few',
      (s) => s.protocol.submitHeaders(1, [':status', '200', 'a', 'b'], { ...END, rawNames: [''] }),
    ],
    [
      'rawNames of another name',
      (s) => s.protocol.submitHeaders(1, [':status', '200', 'a', 'b'], { ...END, rawNames: ['', 'c'] }),
    ],
    ['data before the head', (s) => s.protocol.submitData(1, octets('x'), MORE)],
    ['trailers before the head', (s) => s.protocol.submitTrailers(1, ['x', 'y'])],
    ['a final status as interim', (s) => s.protocol.submitInformational(1, [':status', '200'])],
    ['101 as interim', (s) => s.protocol.submitInformational(1, [':status', '101'])],
    [
      'an interim response with a length',
      (s) => s.protocol.submitInformational(1, [':status', '103', 'content-length', '0']),
    ],
    ['an interim response with a bad field', (s) => s.protocol.submitInformational(1, [':status', '103', 'x', '\n'])],
    ['a stream that is not there', (s) => s.protocol.submitHeaders(2, [':status', '200'], END)],
    ['stream 0', (s) => s.protocol.submitData(0, octets('x'), END)],
    ['a reset of no stream', (s) => s.protocol.submitStreamReset(5, 0)],
    ['detach outside a tunnel', (s) => s.protocol.detach()],
  ];
  it.each(calls)('%s', (_name, call) => {
    const server = asked();
    expect(() => call(server)).toThrow(LocalProtocolError);
    expect(server.sent()).toBe('');
    expect(server.events()).toEqual([]);
    server.respond(1, '200', 'still');
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstill');
  });

  it('a second final response, and anything behind the end', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '200', 'content-length', '2'], MORE);
    expect(() => server.protocol.submitHeaders(1, [':status', '200'], END)).toThrow(/before/);
    expect(() => server.protocol.submitInformational(1, [':status', '103'])).toThrow(LocalProtocolError);
    expect(() => server.protocol.submitData(1, octets('abc'), MORE)).toThrow(/more content/);
    expect(() => server.protocol.submitData(1, octets('a'), END)).toThrow(/less content/);
    expect(() => server.protocol.submitTrailers(1, ['x', 'y'])).toThrow(/trailers need/);
    server.protocol.submitData(1, octets('ab'), END);
    expect(() => server.protocol.submitData(1, octets(''), END)).toThrow(/has ended/);
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab');
  });

  it('data for a status that has none', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '304'], MORE);
    expect(() => server.protocol.submitData(1, octets('x'), END)).toThrow(/no content/);
    server.protocol.submitData(1, octets(''), END);
    expect(server.types()).toEqual(['StreamClosed']);
  });
});

describe('giving up', () => {
  it('a reset ends the connection and is not mistaken for an end', () => {
    const server = asked();
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    server.protocol.submitData(1, octets('half'), MORE);
    server.protocol.submitStreamReset(1, server.protocol.errorCodes.cancelled);
    const events = server.events();
    expect(eventTypes(events)).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(eventOf(events, 'StreamResetSent').errorCode).toBe(4);
    expect(server.sent()).toBe('');
    expect(server.protocol.wantsEof).toBe(false);
  });

  it('after a reset submits are ignored and there is no room', () => {
    const server = asked();
    server.protocol.submitStreamReset(1, 4);
    server.protocol.submitStreamReset(1, 4);
    server.protocol.submitHeaders(1, ['bad'], END);
    server.protocol.submitData(1, octets('x'), END);
    server.protocol.submitTrailers(1, ['x', 'y']);
    server.protocol.submitInformational(1, [':status', '103']);
    server.protocol.dataConsumed(1, 100);
    server.protocol.submitHandlerEnd(1);
    expect(server.protocol.sendCapacity(1)).toBe(0);
    expect(server.sent()).toBe('');
  });

  it('submitClose aborts what runs, and is in good order when nothing does', () => {
    const busy = asked();
    busy.protocol.submitClose(0);
    expect(busy.types()).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(busy.protocol.wantsEof).toBe(false);

    const idle = asked();
    idle.respond(1, '200', 'hi');
    idle.events();
    idle.protocol.submitClose(0, 'because');
    idle.protocol.submitClose(0);
    expect(idle.events()).toMatchObject([
      { type: 'ConnectionTerminated', reason: 'because', errorCode: 0, error: undefined },
    ]);
    expect(idle.sent()).toContain('hi');
    expect(idle.protocol.wantsEof).toBe(true);

    const failed = asked();
    failed.respond(1);
    failed.events();
    failed.protocol.submitClose(2);
    expect(failed.protocol.wantsEof).toBe(false);
    expect(failed.types()).toEqual(['ConnectionTerminated']);
  });
});

describe('early responses (RFC 9112 section 9.3: read the request whole or close)', () => {
  const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

  it('close when the handler has ended and content is still due', () => {
    const server = serverSide();
    server.receive(`${POST}12345`);
    server.respond(1, '403', 'no');
    expect(server.types()).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(server.sent()).toContain('connection: close');
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.receive('67890GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toEqual([]);
    expect(eventTypes(server.end())).toEqual(['ConnectionTerminated']);
  });

  it('deliver content while the handler lives, and then end as they said', () => {
    const server = serverSide();
    server.receive(POST);
    server.protocol.submitHeaders(1, [':status', '200'], END);
    expect(server.sent()).toContain('connection: close');
    expect(eventTypes(server.receive('1234567890'))).toEqual(['DataReceived', 'StreamClosed']);
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('say in a head that is written before the request has come whole that the connection ends', () => {
    for (const fields of [[], ['content-length', '1']]) {
      const server = serverSide();
      server.receive(POST);
      server.protocol.submitHeaders(1, [':status', '200', ...fields], MORE);
      expect(server.sent()).toContain('connection: close');
      server.protocol.submitData(1, octets('x'), END);
      expect(eventTypes(server.receive('1234567890GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toEqual([
        'DataReceived',
        'StreamClosed',
      ]);
      server.sent();
      expect(server.protocol.wantsEof).toBe(true);
    }
  });

  it('do not wait for ever for content that nobody reads', () => {
    const server = serverSide({ limits: { bodyTimeout: 100, minBodyRate: 0, maxUnconsumedBytes: 3 } });
    server.receive(`${POST}12345`);
    server.protocol.submitHeaders(1, [':status', '200'], END);
    server.sent();
    expect(server.protocol.wantsInput).toBe(false);
    expect(server.protocol.nextTimeout()).toBe(100);
    expect(eventTypes(server.advance(100))).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(server.sent()).toBe('');
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('a request that came whole leaves nothing behind', () => {
    const server = serverSide();
    server.receive(`${POST}1234567890`);
    server.respond(1, '200', 'hi');
    expect(server.sent()).not.toContain('close');
    expect(server.types()).toEqual(['StreamClosed']);
  });
});
