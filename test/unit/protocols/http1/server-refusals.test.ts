import { describe, expect, it } from 'vitest';
import { LimitError, NetworkError, RemoteProtocolError, TimeoutError } from '../../../../src/common/index.ts';
import { drainEvents, eventTypes, takeText } from '../../../support/connection-pair.ts';
import { chunkings } from '../../../support/chunkings.ts';
import { END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('what is refused on the wire (RFC 9110 section 15.5, RFC 9112 section 2.2)', () => {
  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\nHost: a\n\n', 400],
    ['\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n', 400],
    [`GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: magic\r\n\r\n', 417],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(200)}\r\n`, 431],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501],
    [`${'M'.repeat(100)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 501],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
  ])('%j with %i, whatever the chunks', (text, status) => {
    for (const { name, chunks } of chunkings(text, 2)) {
      if (chunks.length > 1 && text.length > 1000 && !name.startsWith('random')) continue;
      const { protocol } = serverSide();
      for (const chunk of chunks) protocol.bytesReceived(chunk, 0);
      expect(drainEvents(protocol), name).toEqual([]);
      const response = takeText(protocol);
      expect(response, name).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} [A-Z]`));
      expect(response).toMatch(/\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n/);
      expect(response).toMatch(/\r\ncontent-type: text\/plain\r\n/);
      expect(response).toMatch(/\r\nconnection: close\r\n/);
      const [head, content] = response.split('\r\n\r\n') as [string, string];
      expect(Number(/content-length: (\d+)/.exec(head)?.[1])).toBe(content.length);
      expect(protocol.wantsEof).toBe(true);
      protocol.eofReceived(0);
      expect(eventOf(drainEvents(protocol), 'ConnectionTerminated').error).toBeDefined();
    }
  });

  it('with the fields that the settings add', () => {
    const server = serverSide({ errorResponseHeaders: ['server', 'x'] });
    server.receive('x\r\n');
    expect(server.sent()).toContain('\r\nserver: x\r\n');
  });

  it('without content in answer to HEAD', () => {
    const server = serverSide();
    server.receive('HEAD / HTTP/1.1\r\n\r\n');
    expect(server.sent()).toMatch(/^HTTP\/1.1 400 [^]*content-length: \d+\r\n[^]*\r\n\r\n$/);
  });

  it('behind the responses to requests before it', () => {
    const server = serverSide();
    server.receive(`${GET}GET / HTTP/1.1\r\n\r\n${GET}`);
    expect(server.sent()).toBe('');
    server.respond(1, '200', 'first');
    const text = server.sent();
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(server.types()).toEqual(['StreamClosed']);
  });

  it('and nothing that follows is read', () => {
    const server = serverSide();
    server.receive(`GET / HTTP/1.1\r\n\r\n${GET}`);
    expect(server.receive(GET)).toEqual([]);
    expect(server.sent().match(/HTTP\/1.1 /g)?.length).toBe(1);
  });
});

describe('faults inside content', () => {
  const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  it('reset the stream and are answered while no response has begun', () => {
    const server = serverSide();
    server.receive(CHUNKED);
    const events = server.receive('zz\r\n');
    expect(eventTypes(events)).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(eventOf(events, 'StreamResetSent').error).toBeInstanceOf(RemoteProtocolError);
    expect(server.sent()).toMatch(/^HTTP\/1.1 400 /);
    server.protocol.submitHeaders(1, [':status', '200'], END);
    expect(server.sent()).toBe('');
    expect(eventTypes(server.end())).toEqual(['ConnectionTerminated']);
  });

  it('abort when one has begun: never a response inside another', () => {
    for (const flushed of [true, false]) {
      const server = serverSide();
      server.receive(CHUNKED);
      server.protocol.submitHeaders(1, [':status', '200'], MORE);
      if (flushed) server.sent();
      expect(eventTypes(server.receive('zz\r\n'))).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
      expect(server.sent()).toBe('');
      expect(server.protocol.wantsEof).toBe(false);
    }
  });

  it('after an interim response are answered: that is none', () => {
    const server = serverSide();
    server.receive(CHUNKED);
    server.protocol.submitInformational(1, [':status', '100']);
    server.receive('zz\r\n');
    expect(server.sent()).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 400 /);
  });

  it('after a whole early response end in good order', () => {
    const server = serverSide();
    server.receive(CHUNKED);
    server.protocol.submitHeaders(1, [':status', '200'], END);
    expect(eventTypes(server.receive('zz\r\n'))).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(server.sent().match(/HTTP\/1.1 /g)?.length).toBe(1);
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('413 above maxBodyBytes, declared or counted', () => {
    const declared = serverSide({ limits: { maxBodyBytes: 4 } });
    expect(declared.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n')).toEqual([]);
    expect(declared.sent()).toMatch(/^HTTP\/1.1 413 /);

    const counted = serverSide({ limits: { maxBodyBytes: 4 } });
    const events = counted.receive(`${CHUNKED}3\r\nabc\r\n2\r\n`);
    expect(eventTypes(events)).toEqual(['HeadersReceived', 'DataReceived', 'StreamResetSent', 'StreamClosed']);
    expect(eventOf(events, 'StreamResetSent').error).toBeInstanceOf(LimitError);
    expect(counted.sent()).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('timers', () => {
  it('408 for a head that does not come (slowloris), however it trickles', () => {
    const server = serverSide({ limits: { headTimeout: 1000 } });
    server.now = 100;
    for (const octet of 'GET / HTTP/1.1\r\nX: ') {
      server.receive(octet);
      server.now += 10;
    }
    expect(server.protocol.nextTimeout()).toBe(1100);
    server.now = 1099;
    expect(server.advance(0)).toEqual([]);
    server.now = 1100;
    server.advance(0);
    expect(server.sent()).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    const [event] = server.end();
    expect(event).toMatchObject({ type: 'ConnectionTerminated' });
    expect(eventOf(event === undefined ? [] : [event], 'ConnectionTerminated').error).toBeInstanceOf(TimeoutError);
  });

  it('closes without a word when nothing came, at first or between requests', () => {
    const fresh = serverSide({ limits: { headTimeout: 1000 } });
    expect(fresh.protocol.nextTimeout()).toBe(1000);
    expect(fresh.advance(1000)).toMatchObject([{ type: 'ConnectionTerminated', errorCode: 0, error: undefined }]);
    expect(fresh.sent()).toBe('');
    expect(fresh.protocol.wantsEof).toBe(true);

    const used = serverSide({ limits: { headTimeout: 1000, keepAliveTimeout: 5000 } });
    used.now = 100;
    used.receive(GET);
    expect(used.protocol.nextTimeout()).toBeUndefined();
    used.respond(1, '200', 'hi');
    used.sent();
    used.events();
    expect(used.protocol.nextTimeout()).toBe(5100);
    used.now = 5100;
    expect(used.advance(0)).toMatchObject([{ type: 'ConnectionTerminated', error: undefined }]);
  });

  it('begins to count idleness when the response has been taken', () => {
    const server = serverSide({ limits: { keepAliveTimeout: 5000, writeTimeout: 60_000 } });
    server.receive(GET);
    server.respond(1, '200', 'hi');
    server.events();
    server.advance(10_000);
    expect(server.protocol.nextTimeout()).toBe(70_000);
    server.sent();
    expect(server.protocol.nextTimeout()).toBe(15_000);
  });

  it('408 for content that does not come, and for content that trickles', () => {
    const server = serverSide({ limits: { bodyTimeout: 1000, minBodyRate: 100 } });
    server.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n');
    let events = server.events();
    for (let step = 0; step < 1000 && events.length === 0; step += 1) {
      server.now += 90;
      server.receive('x');
      server.protocol.dataConsumed(1, 1);
      events = server.advance(0);
    }
    expect(server.now).toBeLessThan(1300);
    expect(eventTypes(events)).toEqual(['StreamResetSent', 'StreamClosed']);
    expect(eventOf(events, 'StreamResetSent').error).toMatchObject({ timer: 'bodyTimeout', milliseconds: 1000 });
    expect(server.sent()).toMatch(/^HTTP\/1.1 408 /);
  });

  it('does not count time in which the application does not read', () => {
    const server = serverSide({ limits: { bodyTimeout: 1000, minBodyRate: 0, maxUnconsumedBytes: 10 } });
    server.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n0123456789');
    expect(server.protocol.wantsInput).toBe(false);
    expect(server.protocol.nextTimeout()).toBeUndefined();
    server.now = 50_000;
    server.protocol.dataConsumed(1, 10);
    expect(server.protocol.wantsInput).toBe(true);
    expect(server.protocol.nextTimeout()).toBe(0);
    server.sent();
    expect(server.protocol.nextTimeout()).toBe(51_000);
  });

  it('aborts when output is not taken (slow read)', () => {
    const server = serverSide({ limits: { writeTimeout: 1000 } });
    server.receive(GET);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    server.protocol.submitData(1, octets('x'.repeat(100_000)), MORE);
    expect(server.protocol.bytesToSend(0)).toBeDefined();
    server.events();
    expect(server.protocol.nextTimeout()).toBe(1000);
    const events = server.advance(1000);
    expect(eventTypes(events)).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
    expect(eventOf(events, 'ConnectionTerminated').error).toMatchObject({ timer: 'writeTimeout' });
    expect(server.protocol.wantsEof).toBe(false);
    expect(server.sent()).toBe('');
  });

  it('arms by handleTimeout where bytesToSend is not called', () => {
    const server = serverSide({ limits: { writeTimeout: 1000 } });
    server.receive(GET);
    server.now = 500;
    server.respond(1, '200', 'hi');
    server.events();
    expect(server.protocol.nextTimeout()).toBe(0);
    expect(server.advance(0)).toEqual([]);
    expect(server.protocol.nextTimeout()).toBe(1500);
  });
});

describe('the connection lost', () => {
  const error = new NetworkError('reset', { code: 'ECONNRESET', phase: 'read' });

  it('while idle', () => {
    expect(serverSide().lose()).toMatchObject([{ type: 'ConnectionTerminated', errorCode: 0, error: undefined }]);
    const [event] = serverSide().lose(error);
    expect(event).toMatchObject({ type: 'ConnectionTerminated', error });
  });

  it('with a request open', () => {
    for (const text of [
      GET,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
    ]) {
      const server = serverSide();
      server.receive(text);
      const events = server.lose(error);
      expect(eventTypes(events)).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
      expect(eventOf(events, 'StreamResetReceived')).toMatchObject({ processed: 'maybe', error });
      expect(server.lose(error)).toEqual([]);
      expect(server.protocol.wantsEof).toBe(false);
      expect(server.protocol.nextTimeout()).toBeUndefined();
    }
  });

  it('while it was closing in good order', () => {
    const server = serverSide();
    server.receive('GET / HTTP/1.0\r\n\r\n');
    server.respond(1);
    server.events();
    server.sent();
    expect(server.lose(error)).toMatchObject([{ type: 'ConnectionTerminated', errorCode: 0, error: undefined }]);
  });

  it('while a response had not left', () => {
    const server = serverSide();
    server.receive('GET / HTTP/1.0\r\n\r\n');
    server.respond(1);
    server.events();
    expect(server.lose(error).at(-1)).toMatchObject({ type: 'ConnectionTerminated', error });
    expect(server.protocol.wantsEof).toBe(false);
    expect(server.sent()).toBe('');
  });
});
