import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../../support/connection-pair.ts';
import { clientSide, contentOf, END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';

describe('persistent connections (RFC 9112 section 9.3)', () => {
  it('carry one exchange after the other', () => {
    const server = serverSide();
    for (let id = 1; id <= 3; id += 1) {
      const events = server.receive(GET);
      expect(eventTypes(events)).toEqual(['HeadersReceived']);
      expect(eventOf(events, 'HeadersReceived')).toMatchObject({
        streamId: id,
        endStream: true,
        httpVersion: '1.1',
        early: false,
      });
      server.respond(id, '200', 'hi');
      expect(server.types()).toEqual(['StreamClosed']);
      expect(server.sent()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi');
    }
    expect(server.protocol.wantsEof).toBe(false);
    expect(server.protocol.isAvailable()).toBe(true);
  });

  it.each([
    ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'connection: close'],
    ['GET / HTTP/1.0\r\n\r\n', 'connection: close'],
    ['GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n', 'connection: close'],
  ])('end after the response to %j (sections 9.3, 9.6)', (request, option) => {
    const server = serverSide();
    server.receive(request);
    server.respond(1, '200', 'hi');
    server.events();
    expect(server.sent()).toBe(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${option}\r\n\r\nhi`);
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.protocol.isAvailable()).toBe(false);
    expect(server.protocol.hasExpired()).toBe(true);
    expect(eventTypes(server.end())).toEqual(['ConnectionTerminated']);
  });

  it('tell of a close option as of a goaway', () => {
    const events = serverSide().receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(eventTypes(events)).toEqual(['HeadersReceived', 'GoawayReceived']);
    expect(eventOf(events, 'GoawayReceived').lastStreamId).toBe(1);
  });

  it('persist for HTTP/1.0 when it asks, and the response says so', () => {
    const server = serverSide();
    server.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    server.respond(1, '200', 'hi');
    expect(server.sent()).toBe('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nhi');
    expect(server.receive('GET / HTTP/1.0\r\n\r\n').length).toBeGreaterThan(0);
  });

  it('never read a further request after a close option of either side (section 9.6)', () => {
    const server = serverSide();
    server.receive(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
    server.respond(1);
    expect(eventTypes(server.events())).toEqual(['StreamClosed']);
    expect(server.receive(GET)).toEqual([]);
    server.sent();
    expect(server.protocol.wantsEof).toBe(true);
  });
});

describe('pipelining (RFC 9112 section 9.3.2)', () => {
  it('surfaces the next request only when the response before is whole', () => {
    const server = serverSide();
    expect(eventTypes(server.receive(GET + POST))).toEqual(['HeadersReceived']);
    expect(server.protocol.wantsInput).toBe(false);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    expect(server.events()).toEqual([]);
    server.protocol.submitData(1, octets('one'), END);
    expect(server.types()).toEqual(['StreamClosed', 'HeadersReceived']);
    expect(server.protocol.wantsInput).toBe(true);
    expect(contentOf(server.receive(`hello${GET}`))).toBe('hello');
    server.respond(2, '201');
    server.respond(3, '202');
    expect(server.sent().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 201', 'HTTP/1.1 202']);
  });

  it('writes several small responses in one piece', () => {
    const server = serverSide();
    server.receive(GET.repeat(3));
    for (let id = 1; id <= 3; id += 1) server.respond(id, '200', 'hi');
    expect(server.protocol.bytesToSend(0)?.length).toBe(1);
  });

  it('skips empty lines between requests (section 2.2)', () => {
    const server = serverSide();
    server.receive(`${POST}hello\r\n${GET}`);
    server.respond(1);
    expect(server.types()).toEqual(['StreamClosed', 'HeadersReceived']);
  });

  it('reads no further request while too many handlers run', () => {
    const server = serverSide({ limits: { maxLiveHandlers: 2 } });
    server.receive(GET.repeat(3));
    server.protocol.submitHeaders(1, [':status', '200'], END);
    server.protocol.submitHeaders(2, [':status', '200'], END);
    expect(server.types()).toEqual(['StreamClosed', 'HeadersReceived', 'StreamClosed']);
    expect(server.protocol.wantsInput).toBe(false);
    server.protocol.submitHandlerEnd(1);
    server.protocol.submitHandlerEnd(1);
    expect(server.types()).toEqual(['HeadersReceived']);
    server.protocol.submitHeaders(3, [':status', '200'], END);
    expect(server.types()).toEqual(['StreamClosed']);
  });

  it('reads no further request while too much output waits', () => {
    const server = serverSide({ limits: { maxUnsentBytes: 1000 } });
    server.receive(GET.repeat(2));
    server.respond(1, '200', 'x'.repeat(2000));
    expect(server.types()).toEqual(['StreamClosed']);
    expect(server.protocol.wantsInput).toBe(false);
    server.sent();
    expect(server.types()).toEqual(['HeadersReceived']);
    expect(server.protocol.wantsInput).toBe(true);
  });
});

describe('half-close (RFC 9112 section 9.6: it does not mean that the response is unwanted)', () => {
  it('lets the response go out, then ends', () => {
    const server = serverSide();
    server.receive(GET);
    expect(server.end()).toEqual([]);
    expect(server.protocol.isAvailable()).toBe(false);
    server.respond(1, '200', 'hi');
    expect(server.types()).toEqual(['StreamClosed', 'ConnectionTerminated']);
    expect(server.sent()).toContain('hi');
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('answers all requests that came before it', () => {
    const server = serverSide();
    server.receive(GET.repeat(2));
    server.end();
    server.respond(1);
    expect(server.types()).toEqual(['StreamClosed', 'HeadersReceived']);
    server.respond(2);
    expect(server.types()).toEqual(['StreamClosed', 'ConnectionTerminated']);
  });

  it('ends an idle connection without an error', () => {
    const server = serverSide();
    const [event] = server.end();
    expect(event).toMatchObject({ type: 'ConnectionTerminated', errorCode: 0, error: undefined });
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.end()).toEqual([]);
  });

  it.each([
    ['GET / HTTP/1.1\r\nHo', 'a head'],
    [`${POST}hel`, 'the content'],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'the content'],
  ])('inside a message is an error (section 8): %j', (text, place) => {
    const server = serverSide();
    server.receive(text);
    const events = server.end();
    expect(eventOf(events, 'ConnectionTerminated').error?.message).toContain(place);
    expect(server.sent()).toMatch(/^HTTP\/1.1 400 /);
    if (place === 'the content') {
      expect(eventTypes(events)).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
      expect(eventOf(events, 'StreamResetReceived').processed).toBe('maybe');
    }
  });
});

describe('graceful shutdown', () => {
  it('ends an idle connection at once', () => {
    const server = serverSide();
    server.protocol.submitShutdown();
    server.protocol.submitShutdown();
    expect(server.protocol.wantsEof).toBe(true);
    expect(eventTypes(server.end())).toEqual(['ConnectionTerminated']);
  });

  it('says close in the response that runs, and ends after it', () => {
    const server = serverSide();
    server.receive(GET + GET);
    server.protocol.submitShutdown();
    server.respond(1, '200', 'hi');
    expect(server.sent()).toContain('connection: close\r\n');
    expect(server.types()).toEqual(['StreamClosed']);
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('ends after a response whose head was written before', () => {
    const server = serverSide();
    server.receive(GET);
    server.protocol.submitHeaders(1, [':status', '200'], MORE);
    expect(server.sent()).not.toContain('close');
    server.protocol.submitShutdown();
    server.protocol.submitData(1, octets('hi'), END);
    expect(server.sent()).toBe('2\r\nhi\r\n0\r\n\r\n');
    expect(server.protocol.wantsEof).toBe(true);
  });

  it('serves a request whose head has begun, as the last', () => {
    const server = serverSide();
    server.receive('GET / HTTP/1.1\r\n');
    server.protocol.submitShutdown();
    expect(eventTypes(server.receive('Host: a\r\n\r\n'))).toEqual(['HeadersReceived']);
    server.respond(1);
    expect(server.sent()).toContain('connection: close');
  });
});

describe('the end in stages (RFC 9112 section 9.6)', () => {
  function closing(): ReturnType<typeof serverSide> {
    const server = serverSide({ limits: { maxDrainBytes: 1000, lingerTimeout: 100 } });
    server.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    server.respond(1);
    server.events();
    return server;
  }

  it("waits for the peer's end, dropping what it sends", () => {
    const server = closing();
    expect(server.protocol.wantsEof).toBe(false);
    server.sent();
    expect(server.protocol.wantsEof).toBe(true);
    expect(server.receive(GET)).toEqual([]);
    expect(eventTypes(server.end())).toEqual(['ConnectionTerminated']);
    expect(server.receive(GET)).toEqual([]);
    expect(server.sent()).toBe('');
  });

  it('waits no longer than lingerTimeout, counted from when the output has left', () => {
    const server = closing();
    expect(server.advance(500)).toEqual([]);
    server.sent();
    expect(server.protocol.nextTimeout()).toBe(600);
    expect(server.advance(99)).toEqual([]);
    expect(eventTypes(server.advance(1))).toEqual(['ConnectionTerminated']);
    expect(server.protocol.nextTimeout()).toBeUndefined();
  });

  it('reads no more than maxDrainBytes', () => {
    const server = closing();
    server.sent();
    expect(server.receive('x'.repeat(1000))).toEqual([]);
    expect(eventTypes(server.receive('x'))).toEqual(['ConnectionTerminated']);
  });
});

describe('members that a server has not', () => {
  it('refuse', () => {
    const { protocol } = serverSide();
    const code = (call: () => unknown): unknown => {
      try {
        call();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return undefined;
    };
    expect(code(() => protocol.submitPriority(1, 3, false))).toBe('ERR_UNSUPPORTED');
    expect(code(() => protocol.claimStream(1, { streamDataReceived() {}, streamResetReceived() {} }))).toBe(
      'ERR_UNSUPPORTED',
    );
    expect(code(() => protocol.submitCertificateVerdict({ ok: true }))).toBe('ERR_UNSUPPORTED');
    expect(code(() => protocol.submitServerIdentity(1))).toBe('ERR_UNSUPPORTED');
    expect(code(() => protocol.submitTicketVerdict(true))).toBe('ERR_UNSUPPORTED');
    expect(code(() => protocol.getAvailableStreamId())).toBe('ERR_LOCAL_PROTOCOL');
    expect(code(() => clientSide().protocol.submitInformational(1, [':status', '103']))).toBe('ERR_LOCAL_PROTOCOL');
    expect(protocol.submitDatagram(1, new Uint8Array(1))).toBe(false);
  });
});
