import { describe, expect, it } from 'vitest';
import {
  LimitError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
} from '../../../../src/common/index.ts';
import { drainEvents, eventTypes } from '../../../support/connection-pair.ts';
import { chunkings } from '../../../support/chunkings.ts';
import type { Side } from '../../../support/http1-sides.ts';
import { clientSide, contentOf, END, eventOf, MORE, octets } from '../../../support/http1-sides.ts';

function asked(method = 'GET', options: Parameters<typeof clientSide>[0] = {}): Side {
  const client = clientSide(options);
  client.request(method, method === 'CONNECT' ? 'b:1' : '/', [], method === 'CONNECT' ? MORE : END);
  client.sent();
  return client;
}

describe('responses (RFC 9112 sections 4 and 6.3)', () => {
  it.each(
    chunkings(
      'HTTP/1.1 200 OK\r\nX-A: b\r\nConnection: x-hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
    ),
  )('chunked with trailers: $name', ({ chunks }) => {
    const client = asked();
    for (const chunk of chunks) client.protocol.bytesReceived(chunk, 0);
    const events = client.events();
    expect(eventOf(events, 'HeadersReceived')).toMatchObject({
      headers: [':status', '200', 'x-a', 'b'],
      rawNames: ['', 'X-A'],
      endStream: false,
      httpVersion: '1.1',
    });
    expect(contentOf(events)).toBe('hello');
    expect(eventOf(events, 'TrailersReceived')).toMatchObject({
      headers: ['x-t', '1'],
      rawNames: ['X-T'],
      endStream: true,
    });
    expect(events.at(-1)?.type).toBe('StreamClosed');
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it('delimited by the close: the end says so (rule 8)', () => {
    const client = asked();
    expect(contentOf(client.receive('HTTP/1.1 200 OK\r\n\r\nhel'))).toBe('hel');
    expect(client.protocol.hasExpired()).toBe(true);
    expect(contentOf(client.receive('lo'))).toBe('lo');
    const events = client.end();
    expect(events[0]).toMatchObject({ type: 'DataReceived', endStream: true, closeDelimited: true });
    expect(eventTypes(events)).toEqual(['DataReceived', 'StreamClosed', 'ConnectionTerminated']);
    expect(eventOf(events, 'ConnectionTerminated').error).toBeUndefined();
  });

  it('delimited by the close and lost: that is no end', () => {
    const client = asked();
    client.receive('HTTP/1.1 200 OK\r\n\r\nhel');
    expect(eventTypes(client.lose())).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
  });

  it.each([
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('%s %j has no content, and the connection lives', (method, text) => {
    const client = asked(method);
    const events = client.receive(text);
    expect(eventTypes(events)).toEqual(['HeadersReceived', 'StreamClosed']);
    expect(eventOf(events, 'HeadersReceived').endStream).toBe(true);
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it.each(['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'])(
    '204 with %j is not followed by another',
    (field) => {
      const client = asked();
      client.receive(`HTTP/1.1 204 No Content\r\n${field}\r\nhello`);
      expect(client.protocol.hasExpired()).toBe(true);
      expect(client.events()).toEqual([]);
    },
  );

  it('interim responses come as such, none of them ends anything (RFC 9110 section 15.2)', () => {
    const client = asked();
    const events = client.receive(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    );
    expect(eventTypes(events)).toEqual([
      'InformationalReceived',
      'InformationalReceived',
      'HeadersReceived',
      'StreamClosed',
    ]);
    expect(events[1]).toMatchObject({ headers: [':status', '103', 'link', 'x'], rawNames: ['', 'Link'] });
  });

  it('100-continue: content may follow at any time', () => {
    const client = clientSide();
    const id = client.request('POST', '/', ['expect', '100-continue'], MORE);
    expect(client.sent()).toContain('expect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n');
    expect(eventTypes(client.receive('HTTP/1.1 100 Continue\r\n\r\n'))).toEqual(['InformationalReceived']);
    client.protocol.submitData(id, octets('hi'), END);
    expect(client.sent()).toBe('2\r\nhi\r\n0\r\n\r\n');
  });
});

describe('what is refused as strictly as by a server (RFC 9112 sections 6.3, 11.1)', () => {
  it.each([
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX : y\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\u0000b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
  ])('%j', (text) => {
    for (const { name, chunks } of chunkings(text, 2)) {
      const client = asked();
      for (const chunk of chunks) client.protocol.bytesReceived(chunk, 0);
      const events = client.events();
      const closing = eventTypes(events).filter((type) => !['HeadersReceived', 'DataReceived'].includes(type));
      expect(closing, name).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
      expect(eventOf(events, 'ConnectionTerminated').error).toBeInstanceOf(RemoteProtocolError);
      expect(client.protocol.wantsEof).toBe(false);
      expect(client.protocol.hasExpired()).toBe(true);
      expect(client.receive('HTTP/1.1 200 OK\r\n\r\n')).toEqual([]);
    }
  });

  it.each(['S', 'SSH-2.0-x\r\n', 'HTTQ', '\x15\x03\x01'])('what is not HTTP at its first octet: %j', (text) => {
    const error = eventOf(asked().receive(text), 'ConnectionTerminated').error;
    expect(error).toMatchObject({ code: 'ERR_NOT_HTTP', initiator: 'peer' });
  });

  it.each(['HTTP/1.1 200 OK\r\nA: b\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab'])(
    'an end inside %j, by a code of its own (section 8)',
    (text) => {
      const client = asked();
      client.receive(text);
      expect(eventOf(client.end(), 'ConnectionTerminated').error).toMatchObject({ code: 'ERR_TRUNCATED' });
    },
  );

  it('with the status that a gateway would answer (RFC 9110 section 15.6.3)', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nX : y\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n',
      `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(200)}\r\n`,
    ]) {
      expect(eventOf(asked().receive(text), 'ConnectionTerminated').error).toMatchObject({ statusHint: 502 });
    }
    const cut = asked();
    expect(eventOf(cut.end(), 'ConnectionTerminated').error).toMatchObject({
      code: 'ERR_CONNECTION_CLOSED',
      statusHint: 502,
    });
  });

  it('data without a request (section 9.2), save empty lines', () => {
    const client = asked();
    client.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n');
    expect(client.receive('\r\n\r')).toEqual([]);
    expect(client.receive('\n')).toEqual([]);
    expect(client.protocol.isAvailable()).toBe(true);
    const events = client.receive('HTTP/1.1 200 OK\r\n\r\n');
    expect(eventTypes(events)).toEqual(['ConnectionTerminated']);
    expect(eventOf(events, 'ConnectionTerminated').error?.message).toMatch(/without a request/);
  });

  it('a response that is there before its request has left', () => {
    const client = clientSide();
    client.request();
    const events = client.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(eventTypes(events)).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(eventOf(events, 'ConnectionTerminated').processed).toBe('no');
    expect(client.sent()).toBe('');
  });

  it('limits', () => {
    const cases: [string, Parameters<typeof clientSide>[0]][] = [
      [`HTTP/1.1 200 ${'x'.repeat(100)}`, { limits: { maxStatusLineBytes: 20, maxHeaderBytes: 20 } }],
      [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100)}\r\n\r\n`, { limits: { maxHeaderBytes: 20 } }],
      [`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(5)}\r\n`, { limits: { maxHeaderCount: 4 } }],
      ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', { limits: { maxBodyBytes: 4 } }],
      ['HTTP/1.1 200 OK\r\n\r\nhello', { limits: { maxBodyBytes: 4 } }],
      ['HTTP/1.1 102 \r\n\r\n'.repeat(3), { limits: { maxInformational: 2 } }],
    ];
    for (const [text, options] of cases) {
      const events = asked('GET', options).receive(text);
      expect(eventOf(events, 'ConnectionTerminated').error, text).toBeInstanceOf(LimitError);
    }
  });
});

describe('how it ends', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi', true],
    ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi', false],
  ])('%j: no request behind it (section 9.6)', (text, said) => {
    const client = asked();
    const events = client.receive(text);
    expect(eventTypes(events).includes('GoawayReceived')).toBe(said);
    expect(eventTypes(events).at(-1)).toBe('StreamClosed');
    expect(client.protocol.hasExpired()).toBe(true);
    expect(client.protocol.wantsEof).toBe(true);
    expect(() => client.request()).toThrow();
    expect(eventTypes(client.end())).toEqual(['ConnectionTerminated']);
  });

  it('does not wait for the server’s end for ever', () => {
    const client = asked('GET', { limits: { lingerTimeout: 100 } });
    client.receive('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    expect(eventTypes(client.advance(100))).toEqual(['ConnectionTerminated']);
  });

  it('gives back requests behind a response that closes; those that never left as not processed', () => {
    const client = clientSide({ maxPipelinedRequests: 9 });
    client.request();
    client.request();
    client.sent();
    client.request();
    const events = client.receive(
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    );
    expect(eventTypes(events)).toEqual([
      'HeadersReceived',
      'GoawayReceived',
      'StreamClosed',
      'StreamResetReceived',
      'StreamClosed',
      'StreamResetReceived',
      'StreamClosed',
    ]);
    const resets = events.filter((event) => event.type === 'StreamResetReceived');
    expect(resets).toMatchObject([
      { streamId: 2, processed: 'maybe' },
      { streamId: 3, processed: 'no' },
    ]);
    expect(client.sent()).toBe('');
    expect(client.protocol.wantsEof).toBe(true);
  });

  it.each([
    ['', 'maybe', /before the response/],
    ['HTTP/1.1 200', 'maybe', /inside a head/],
    ['HTTP/1.1 100 \r\n\r\n', 'maybe', /before the response/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel', 'maybe', /inside the content/],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n', 'maybe', /inside the content/],
  ])('an end after %j cuts (section 8)', (text, processed, sentence) => {
    const client = asked();
    const events = [...client.receive(text), ...client.end()];
    expect(eventTypes(events).slice(-3)).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
    expect(eventOf(events, 'StreamResetReceived')).toMatchObject({ processed });
    expect(eventOf(events, 'ConnectionTerminated')).toMatchObject({ processed });
    expect(eventOf(events, 'ConnectionTerminated').error?.message).toMatch(sentence);
  });

  it('a request of which nothing left was not processed', () => {
    for (const how of ['end', 'lose'] as const) {
      const client = clientSide();
      client.request('POST');
      const events = client[how]();
      expect(eventOf(events, 'StreamResetReceived').processed).toBe('no');
      expect(eventOf(events, 'ConnectionTerminated').processed).toBe('no');
    }
    const sent = clientSide();
    sent.request('POST');
    sent.protocol.bytesToSend(0);
    expect(eventOf(sent.lose(), 'StreamResetReceived').processed).toBe('maybe');
  });

  it('an idle connection ends without an error', () => {
    const ended = asked();
    ended.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(ended.end()).toMatchObject([{ type: 'ConnectionTerminated', errorCode: 0, error: undefined }]);
    const error = new NetworkError('reset', { phase: 'read' });
    expect(clientSide().lose(error)).toMatchObject([{ type: 'ConnectionTerminated', error }]);
    expect(clientSide().lose()).toMatchObject([{ type: 'ConnectionTerminated', error: undefined }]);
  });

  it('a final response before the request’s end stops the request (section 9.5)', () => {
    const client = clientSide();
    const id = client.request('POST', '/', [], MORE);
    client.protocol.submitData(id, octets('begin'), MORE);
    client.sent();
    client.protocol.submitData(id, octets('unsent'), MORE);
    const events = client.receive('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno');
    expect(eventTypes(events)).toEqual(['HeadersReceived', 'DataReceived', 'StreamResetReceived', 'StreamClosed']);
    expect(eventOf(events, 'StreamResetReceived')).toMatchObject({ errorCode: 0 });
    expect(eventOf(events, 'StreamResetReceived').error).toBeInstanceOf(StreamResetError);
    client.protocol.submitData(id, octets('more'), END);
    client.protocol.submitTrailers(id, []);
    expect(client.sent()).toBe('');
    expect(client.protocol.wantsEof).toBe(true);
    expect(client.protocol.hasExpired()).toBe(true);
  });

  it('a reset by the application ends the connection', () => {
    const client = clientSide({ maxPipelinedRequests: 2 });
    client.request();
    client.request();
    client.sent();
    client.protocol.submitStreamReset(1, 4);
    expect(client.events()).toMatchObject([
      { type: 'StreamResetSent', streamId: 1, errorCode: 4 },
      { type: 'StreamClosed', streamId: 1 },
      { type: 'StreamResetReceived', streamId: 2, processed: 'maybe' },
      { type: 'StreamClosed', streamId: 2 },
      { type: 'ConnectionTerminated', errorCode: 4 },
    ]);
    client.protocol.submitStreamReset(1, 4);
    client.protocol.submitData(2, octets('x'), END);
    expect(client.protocol.wantsEof).toBe(false);
  });

  it('a reset behind the end is ignored', () => {
    const client = asked();
    client.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    client.protocol.submitStreamReset(1, 4);
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it('submitShutdown ends an idle connection at once, another after its responses', () => {
    const idle = clientSide();
    idle.protocol.submitShutdown();
    expect(idle.protocol.wantsEof).toBe(true);
    expect(idle.protocol.isAvailable()).toBe(false);
    expect(eventTypes(idle.end())).toEqual(['ConnectionTerminated']);

    const busy = asked();
    busy.protocol.submitShutdown();
    busy.protocol.submitShutdown();
    expect(busy.protocol.wantsEof).toBe(false);
    busy.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(busy.protocol.wantsEof).toBe(true);
  });

  it('submitClose aborts what runs, and is in good order when nothing does', () => {
    const busy = asked();
    busy.protocol.submitClose(0);
    expect(eventTypes(drainEvents(busy.protocol))).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(busy.protocol.wantsEof).toBe(false);
    const idle = clientSide();
    idle.protocol.submitClose(0);
    idle.protocol.submitClose(0);
    idle.protocol.submitShutdown();
    expect(eventTypes(drainEvents(idle.protocol))).toEqual(['ConnectionTerminated']);
    expect(idle.protocol.wantsEof).toBe(true);
  });
});

describe('timers', () => {
  it('for the head, from when the request has left', () => {
    const client = clientSide({ limits: { headTimeout: 1000, writeTimeout: 9000 } });
    client.request();
    client.advance(500);
    expect(client.protocol.nextTimeout()).toBe(9500);
    client.sent();
    expect(client.protocol.nextTimeout()).toBe(1500);
    client.now = 1400;
    client.receive('HTTP/1.1 100 \r\n\r\nHTTP/1.1 2');
    expect(client.protocol.nextTimeout()).toBe(1500);
    const events = client.advance(100);
    expect(eventTypes(events)).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(eventOf(events, 'ConnectionTerminated').error).toBeInstanceOf(TimeoutError);
  });

  it('none while the request’s content is on its way', () => {
    const client = clientSide();
    client.request('POST', '/', [], MORE);
    client.sent();
    expect(client.protocol.nextTimeout()).toBeUndefined();
  });

  it('for each response of a pipeline anew', () => {
    const client = clientSide({ maxPipelinedRequests: 2, limits: { headTimeout: 1000 } });
    client.request();
    client.request();
    client.sent();
    client.now = 600;
    client.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(client.protocol.nextTimeout()).toBe(1600);
  });

  it('for content', () => {
    const client = asked('GET', { limits: { bodyTimeout: 1000 } });
    client.receive('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    client.now = 900;
    client.receive('x');
    expect(client.protocol.nextTimeout()).toBe(1900);
    expect(eventOf(client.advance(1000), 'StreamResetSent').error).toMatchObject({ timer: 'bodyTimeout' });
  });

  it('for idleness, shorter when the server says so', () => {
    const client = clientSide({ limits: { keepAliveTimeout: 60_000 } });
    expect(client.protocol.nextTimeout()).toBe(60_000);
    client.request();
    client.sent();
    client.now = 1000;
    client.receive('HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=5\r\nContent-Length: 0\r\n\r\n');
    expect(client.protocol.nextTimeout()).toBe(5000);
    client.now = 5000;
    expect(client.advance(0)).toMatchObject([{ type: 'ConnectionTerminated', errorCode: 0, error: undefined }]);
    expect(client.protocol.wantsEof).toBe(true);
  });

  it('an idle deadline that has passed does not end a request that was submitted meanwhile', () => {
    const client = clientSide({ limits: { keepAliveTimeout: 1000 } });
    client.now = 2000;
    client.request();
    expect(client.advance(0)).toEqual([]);
    expect(client.sent()).toMatch(/^GET /);
  });

  it('for output that is not taken', () => {
    const client = clientSide({ limits: { writeTimeout: 1000 } });
    client.request();
    client.advance(0);
    const events = client.advance(1000);
    expect(eventOf(events, 'StreamResetReceived')).toMatchObject({ processed: 'no' });
    expect(eventOf(events, 'ConnectionTerminated').error).toMatchObject({ timer: 'writeTimeout' });
  });
});
