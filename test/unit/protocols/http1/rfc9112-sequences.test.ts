/**
 * RFC 9112 sections 6.3, 8 and 9 and RFC 9110 sections 7.8, 9.3.2, 10.1.1 and 15.2: what engines make of messages that
 * follow one another, or do not.
 */
import { describe, expect, it } from 'vitest';
import type { HttpEvent } from '../../../../src/protocols/index.ts';
import type { Side } from '../../../support/http1-sides.ts';
import { clientSide, contentOf, END, eventOf, MORE, octets, serverSide } from '../../../support/http1-sides.ts';

/** What a client was told, in short: `103 200 ends`, `200 "hi" reset closed`. */
function told(events: readonly HttpEvent[]): string {
  const words: string[] = [];
  for (const event of events) {
    switch (event.type) {
      case 'InformationalReceived':
      case 'HeadersReceived':
        words.push(event.headers[1] ?? '');
        if (event.type === 'HeadersReceived' && event.endStream) words.push('ends');
        break;
      case 'DataReceived':
        if (event.data.length > 0) words.push(JSON.stringify(Buffer.from(event.data).toString('latin1')));
        if (event.endStream) words.push('ends');
        break;
      case 'TrailersReceived':
        words.push('trailers ends');
        break;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        words.push('reset');
        break;
      case 'ConnectionTerminated':
        words.push('closed');
        break;
      default:
    }
  }
  return words.join(' ');
}

/** A client whose requests with these methods have left. */
function asked(...methods: string[]): Side {
  const client = clientSide({ maxPipelinedRequests: 8 });
  for (const method of methods) client.request(method);
  client.sent();
  return client;
}

const ok = (fields: string, content = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${content}`;
const NEXT = ok('Content-Length: 4\r\n', 'next');

describe('a client with one request under way', () => {
  const rows: [section: string, what: string, method: string, bytes: string, outcome: string, usable: boolean][] = [
    [
      '9110-15.2',
      '100 that nobody asked for',
      'GET',
      `HTTP/1.1 100 Continue\r\n\r\n${NEXT}`,
      '100 200 "next" ends',
      true,
    ],
    [
      '9110-15.2',
      '102, 103 and one unknown',
      'GET',
      `HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 199 \r\n\r\n${NEXT}`,
      '102 103 199 200 "next" ends',
      true,
    ],
    [
      '9112-6.3',
      '1xx with Content-Length has no content all the same',
      'GET',
      `HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\n${NEXT}`,
      '103 200 "next" ends',
      true,
    ],
    [
      '9112-6.3',
      '1xx with chunked neither',
      'GET',
      `HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n${NEXT}`,
      '103 200 "next" ends',
      true,
    ],
    [
      '9110-15.2.2',
      '101 that nobody asked for',
      'GET',
      'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw',
      'reset closed',
      false,
    ],
    [
      '9112-6.3',
      '204 with Content-Length: it is over, the connection too',
      'GET',
      'HTTP/1.1 204 N\r\nContent-Length: 4\r\n\r\nbody',
      '204 ends',
      false,
    ],
    [
      '9112-6.3',
      '204 with chunked: the same',
      'GET',
      'HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '204 ends',
      false,
    ],
    ['9112-6.3', '204 with Content-Length: 0', 'GET', 'HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n', '204 ends', true],
    ['9112-6.3', '204 and bytes behind it', 'GET', 'HTTP/1.1 204 N\r\n\r\nbody', '204 ends', false],
    [
      '9112-6.3',
      '304 with the length of the representation',
      'GET',
      'HTTP/1.1 304 N\r\nContent-Length: 4\r\n\r\n',
      '304 ends',
      true,
    ],
    ['9112-6.3', '304 with chunked', 'GET', 'HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n', '304 ends', true],
    [
      '9112-6.3',
      '304 and bytes behind it',
      'GET',
      'HTTP/1.1 304 N\r\nContent-Length: 4\r\n\r\nbody',
      '304 ends',
      false,
    ],
    ['9112-6.3', 'HEAD with a length', 'HEAD', ok('Content-Length: 4\r\n'), '200 ends', true],
    ['9112-6.3', 'HEAD without any', 'HEAD', ok(''), '200 ends', true],
    ['9112-6.3', 'HEAD with chunked', 'HEAD', ok('Transfer-Encoding: chunked\r\n'), '200 ends', true],
    [
      '9112-6.3',
      'HEAD and content that should not be there',
      'HEAD',
      ok('Content-Length: 4\r\n', 'body'),
      '200 ends',
      false,
    ],
    [
      '9112-6.3',
      'HEAD and a response that nobody asked for',
      'HEAD',
      ok('Content-Length: 4\r\n', NEXT),
      '200 ends',
      false,
    ],
    ['9112-6.3', 'bytes behind Content-Length', 'GET', `${NEXT}more`, '200 "next" ends', false],
    ['9112-9.2', 'a second response', 'GET', NEXT + NEXT, '200 "next" ends', false],
    ['9112-9.2', 'CRLF behind a response', 'GET', `${NEXT}\r\n\r\n`, '200 "next" ends', true],
    [
      '9112-6.3',
      'bytes behind the last chunk',
      'GET',
      ok('Transfer-Encoding: chunked\r\n', '0\r\n\r\nmore'),
      '200 ends',
      false,
    ],
    ['9112-6.3', 'Content-Length: 0', 'GET', ok('Content-Length: 0\r\n'), '200 ends', true],
    ['9112-4', 'no reason, with its SP', 'GET', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', '200 ends', true],
    ['9112-4', 'no reason, and no SP', 'GET', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', '200 ends', true],
    [
      '9112-4',
      'a reason with obs-text',
      'GET',
      'HTTP/1.1 200 Tr\u00e8s bien\r\nContent-Length: 0\r\n\r\n',
      '200 ends',
      true,
    ],
    ['9110-15', 'a status that is unknown', 'GET', 'HTTP/1.1 299 X\r\nContent-Length: 0\r\n\r\n', '299 ends', true],
    ['9110-15', 'a status above 599', 'GET', 'HTTP/1.1 699 X\r\nContent-Length: 0\r\n\r\n', '699 ends', true],
    ['9112-9.3', 'close', 'GET', ok('Connection: close\r\nContent-Length: 0\r\n'), '200 ends', false],
    [
      '9112-9.3',
      'close among others, in capitals',
      'GET',
      ok('Connection: x, CLOSE\r\nContent-Length: 0\r\n'),
      '200 ends',
      false,
    ],
    ['9112-9.3', 'HTTP/1.0', 'GET', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', '200 ends', false],
    [
      '9112-9.3',
      'HTTP/1.0 with keep-alive',
      'GET',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      '200 ends',
      true,
    ],
    ['9110-2.5', 'HTTP/1.9', 'GET', 'HTTP/1.9 200 OK\r\nContent-Length: 0\r\n\r\n', '200 ends', true],
    [
      '9112-7.1.2',
      'trailers',
      'GET',
      ok('Transfer-Encoding: chunked\r\n', '1\r\na\r\n0\r\nX: y\r\n\r\n'),
      '200 "a" trailers ends',
      true,
    ],
    [
      '9110-7.8',
      'Upgrade that only advertises',
      'GET',
      ok('Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n'),
      '200 ends',
      true,
    ],
  ];
  it.each(rows)('RFC %s: %s', (_section, _what, method, bytes, outcome, usable) => {
    for (const whole of [true, false]) {
      const client = asked(method);
      const events: HttpEvent[] = [];
      for (const piece of whole ? [bytes] : bytes) events.push(...client.receive(piece));
      const said = told(events.filter((event) => event.type !== 'ConnectionTerminated' || outcome.includes('closed')));
      expect(said.replaceAll('" "', '')).toBe(outcome);
      expect(client.protocol.isAvailable()).toBe(usable);
    }
  });

  it('RFC 9112 section 8: an end inside a message is no end of it', () => {
    for (const bytes of [
      'HTTP/1.1 2',
      'HTTP/1.1 100 Continue\r\n\r\n',
      ok('Content-Length: 4\r\n', 'bod'),
      ok('Transfer-Encoding: chunked\r\n', '3\r\nbod\r\n'),
      ok('Transfer-Encoding: chunked\r\n', '3\r\nbod\r\n0\r\n'),
      ok('Transfer-Encoding: chunked\r\n', '3\r\nbod\r\n0\r\nX: y\r\n'),
    ]) {
      for (const stop of ['end', 'lose'] as const) {
        const client = asked('GET');
        const outcome = told([...client.receive(bytes), ...client[stop]()]);
        expect(outcome).toMatch(/reset closed$/);
        expect(outcome).not.toContain('ends');
      }
    }
  });

  it('RFC 9112 section 9.8: a message that the end delimits is whole by an end, not by a loss', () => {
    expect(told([...asked('GET').receive(ok('', 'all'))])).toBe('200 "all"');
    const ended = asked('GET');
    expect(told([...ended.receive(ok('', 'all')), ...ended.end()])).toBe('200 "all" ends closed');
    const lost = asked('GET');
    expect(told([...lost.receive(ok('', 'all')), ...lost.lose()])).toBe('200 "all" reset closed');
  });
});

describe('a client with requests in a pipeline', () => {
  it('RFC 9112 section 9.2: takes each response for the first request without one, by that request’s rules', () => {
    const client = asked('GET', 'HEAD', 'GET');
    const events = client.receive(
      `HTTP/1.1 103 E\r\n\r\n${NEXT}${ok('Content-Length: 4\r\n')}HTTP/1.1 103 E\r\n\r\n${ok('Transfer-Encoding: chunked\r\n', '0\r\n\r\n')}`,
    );
    expect(told(events)).toBe('103 200 "next" ends 200 ends 103 200 ends');
    expect(events.flatMap((event) => (event.type === 'HeadersReceived' ? [event.streamId] : []))).toEqual([1, 2, 3]);
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it('RFC 9112 section 9.6: takes nothing behind a response that closes', () => {
    const client = asked('GET', 'GET');
    const events = client.receive(ok('Connection: close\r\nContent-Length: 1\r\n', 'a') + NEXT);
    expect(contentOf(events)).toBe('a');
    expect(events.some((event) => event.type === 'StreamResetReceived' && event.streamId === 2)).toBe(true);
  });
});

describe('a server', () => {
  const expecting = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n';
  const switching = { ...MORE, upgrade: 'x' };

  it('RFC 9110 section 7.8: sends 100 before 101 to who expects it', () => {
    const server = serverSide();
    server.receive(`${expecting}Content-Length: 2\r\n\r\nhi`);
    server.protocol.submitHeaders(1, [':status', '101'], switching);
    expect(server.sent()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 101 Switching Protocols\r\n/);
  });

  it('RFC 9110 section 7.8: but once', () => {
    const server = serverSide();
    server.receive(`${expecting}Content-Length: 2\r\n\r\n`);
    server.protocol.submitInformational(1, [':status', '100']);
    server.receive('hi');
    server.protocol.submitHeaders(1, [':status', '101'], switching);
    expect(server.sent().match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 101']);
  });

  it('RFC 9110 section 7.8: and not to who expects nothing', () => {
    const server = serverSide();
    server.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    server.protocol.submitHeaders(1, [':status', '101'], switching);
    expect(server.sent()).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('RFC 9110 section 7.8: ignores Upgrade from HTTP/1.0', () => {
    const server = serverSide();
    const events = server.receive('GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    expect(eventOf(events, 'HeadersReceived').upgrade).toEqual([]);
    expect(() => server.protocol.submitHeaders(1, [':status', '101'], switching)).toThrow(/not offered/);
  });

  it('RFC 9110 section 9.3.2: does not take a fault or a timer behind HEAD for an answer to it', () => {
    for (const stop of [
      (server: Side): unknown => server.receive('\u0001\r\n\r\n'),
      (server: Side): unknown => [server.receive('G'), server.end()],
      (server: Side): unknown => [server.receive('G'), server.advance(60_000)],
    ]) {
      const server = serverSide();
      server.receive('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
      server.respond(1);
      server.sent();
      stop(server);
      expect(server.sent()).toMatch(/\r\n\r\n4\d\d [^]+\n$/);
    }
    const again = serverSide();
    again.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    again.respond(1);
    again.sent();
    again.receive('HEAD / HTTP/1.1\r\nHost: a\r\n');
    again.advance(60_000);
    expect(again.sent()).toMatch(/^HTTP\/1\.1 408 [^]*\r\n\r\n$/);
  });

  it('RFC 9112 section 3: tells a method without end from a target without end', () => {
    const method = serverSide();
    method.receive('A'.repeat(17_000));
    expect(method.sent()).toMatch(/^HTTP\/1\.1 501 /);
    const target = serverSide();
    target.receive(`GET /${'a'.repeat(17_000)}`);
    expect(target.sent()).toMatch(/^HTTP\/1\.1 414 /);
  });

  it('RFC 9112 section 6.3: takes content by its octets, whatever they look like', () => {
    const server = serverSide();
    const content = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const events = server.receive(
      `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${String(content.length)}\r\n\r\n${content}`,
    );
    expect(contentOf(events)).toBe(content);
    server.protocol.submitHeaders(1, [':status', '200', 'content-length', '2'], MORE);
    server.protocol.submitData(1, octets('ok'), END);
    expect(server.sent().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});
