import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { eventTypes } from '../../../support/connection-pair.ts';
import type { Side } from '../../../support/http1-sides.ts';
import { clientSide, END, MORE, octets } from '../../../support/http1-sides.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
const GET = [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'];

describe('request-lines and Host (RFC 9112 section 3.2)', () => {
  it.each([
    [
      [':method', 'GET', ':scheme', 'http', ':authority', 'a.example:80', ':path', '/a?b'],
      'GET /a?b HTTP/1.1\r\nhost: a.example:80\r\n',
    ],
    [[':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'b'], 'GET / HTTP/1.1\r\nhost: b\r\n'],
    [
      [':method', 'GET', ':scheme', 'http', ':authority', 'b', ':path', '/', 'host', 'b'],
      'GET / HTTP/1.1\r\nhost: b\r\n',
    ],
    [[':method', 'GET', ':scheme', 'http', ':path', '/'], 'GET / HTTP/1.1\r\nhost: \r\n'],
    [[':method', 'OPTIONS', ':scheme', 'http', ':authority', 'a', ':path', '*'], 'OPTIONS * HTTP/1.1\r\nhost: a\r\n'],
  ])('%j', (headers, head) => {
    const client = clientSide();
    client.protocol.submitHeaders(1, headers, END);
    expect(client.sent()).toBe(`${head}\r\n`);
  });

  it('are in absolute-form towards a proxy (section 3.2.2), except for CONNECT', () => {
    const client = clientSide({ absoluteForm: true, maxPipelinedRequests: 9 });
    client.request('GET', '/a?b');
    client.request('OPTIONS', '*');
    client.request('CONNECT', 'b.example:443', [], MORE);
    expect(client.sent()).toBe(
      'GET http://a.example/a?b HTTP/1.1\r\nhost: a.example\r\n\r\n' +
        'OPTIONS http://a.example HTTP/1.1\r\nhost: a.example\r\n\r\n' +
        'CONNECT b.example:443 HTTP/1.1\r\nhost: b.example:443\r\n\r\n',
    );
    expect(() =>
      clientSide({ absoluteForm: true }).protocol.submitHeaders(
        1,
        [':method', 'GET', ':scheme', 'http', ':path', '/'],
        END,
      ),
    ).toThrow(/:authority/);
  });

  it('spell names as asked, Host by the entry of :authority', () => {
    const client = clientSide();
    client.protocol.submitHeaders(1, [...GET, 'x-a', 'b'], { ...END, rawNames: ['', '', 'HOST', '', 'X-a'] });
    expect(client.sent()).toBe('GET / HTTP/1.1\r\nHOST: a\r\nX-a: b\r\n\r\n');
  });
});

describe('framing requests (RFC 9112 section 6, RFC 9110 section 8.6)', () => {
  it.each([
    ['GET', ''],
    ['HEAD', ''],
    ['DELETE', ''],
    ['POST', 'content-length: 0\r\n'],
    ['PUT', 'content-length: 0\r\n'],
    ['PATCH', 'content-length: 0\r\n'],
  ])('%s without content', (method, field) => {
    const client = clientSide();
    client.request(method);
    expect(client.sent()).toBe(`${method} / HTTP/1.1\r\nhost: a.example\r\n${field}\r\n`);
  });

  it('gives content that comes whole its length, and chunks what comes in pieces', () => {
    const client = clientSide({ maxPipelinedRequests: 2 });
    const first = client.request('PUT', '/', [], MORE);
    client.protocol.submitData(first, octets('hello'), END);
    const second = client.request('POST', '/', [], MORE);
    client.protocol.submitData(second, octets('he'), MORE);
    client.protocol.submitData(second, octets('llo'), MORE);
    client.protocol.submitTrailers(second, ['x-t', '1']);
    expect(client.sent()).toBe(
      'PUT / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\nhello' +
        'POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-t: 1\r\n\r\n',
    );
  });

  it('trades content-length for chunked when trailers are announced', () => {
    const client = clientSide();
    const id = client.request('PUT', '/', ['content-length', '5', 'trailer', 'x-t'], MORE);
    expect(() => client.protocol.submitData(id, octets('too long'), MORE)).toThrow(/more content/);
    client.protocol.submitData(id, octets('hello'), MORE);
    client.protocol.submitTrailers(id, ['x-t', '1']);
    expect(client.sent()).toMatch(
      /trailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n$/,
    );
  });

  it('never chunks to a server that spoke HTTP/1.0 (section 6.1)', () => {
    const client = clientSide();
    client.request();
    client.sent();
    client.receive('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n');
    expect(() => client.request('POST', '/', [], MORE)).toThrow(/content-length/);
    const id = client.request('POST', '/', ['content-length', '2'], MORE);
    client.protocol.submitData(id, octets('hi'), END);
    expect(client.sent()).toMatch(/content-length: 2\r\n\r\nhi$/);
  });

  it('names TE in Connection (RFC 9110 section 10.1.4)', () => {
    const client = clientSide();
    client.request('GET', '/', ['te', 'trailers']);
    expect(client.sent()).toBe('GET / HTTP/1.1\r\nhost: a.example\r\nte: trailers\r\nconnection: te\r\n\r\n');
  });
});

describe('pipelining (RFC 9112 section 9.3.2)', () => {
  it('is off by default', () => {
    const client = clientSide();
    expect(client.protocol.isAvailable()).toBe(true);
    expect(client.protocol.getAvailableStreamId()).toBe(1);
    expect(client.protocol.getAvailableStreamId()).toBe(1);
    client.request();
    expect(client.protocol.isAvailable()).toBe(false);
    expect(() => client.protocol.getAvailableStreamId()).toThrow(LocalProtocolError);
    expect(() => client.protocol.submitHeaders(2, GET, END)).toThrow(LocalProtocolError);
    client.sent();
    client.receive(OK);
    expect(client.protocol.getAvailableStreamId()).toBe(2);
  });

  it('gives each response to the first request that waits (section 9.2)', () => {
    const client = clientSide({ maxPipelinedRequests: 3 });
    for (const path of ['/1', '/2', '/3']) client.request('GET', path);
    expect(client.protocol.isAvailable()).toBe(false);
    expect(client.sent().match(/GET \/\d/g)).toEqual(['GET /1', 'GET /2', 'GET /3']);
    const events = client.receive(OK + 'HTTP/1.1 103 \r\n\r\n' + OK + OK);
    expect(events.map((event) => ('streamId' in event ? event.streamId : 0))).toEqual([1, 1, 1, 2, 2, 2, 2, 3, 3, 3]);
    expect(client.protocol.isAvailable()).toBe(true);
  });

  it('goes no further behind a request that cannot be repeated, or is not whole', () => {
    const client = clientSide({ maxPipelinedRequests: 9 });
    const id = client.request('PUT', '/', [], MORE);
    expect(client.protocol.isAvailable()).toBe(false);
    client.protocol.submitData(id, octets('x'), END);
    expect(client.protocol.isAvailable()).toBe(true);
    client.request('POST');
    expect(client.protocol.isAvailable()).toBe(false);
  });

  it('knows the method of each response', () => {
    const client = clientSide({ maxPipelinedRequests: 3 });
    client.request('HEAD');
    client.request('GET');
    client.sent();
    const events = client.receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' + OK);
    expect(eventTypes(events)).toEqual([
      'HeadersReceived',
      'StreamClosed',
      'HeadersReceived',
      'DataReceived',
      'StreamClosed',
    ]);
  });
});

describe('misuse throws and changes nothing', () => {
  type Call = (client: Side) => void;
  const calls: [string, Call][] = [
    ['another id', (c) => c.protocol.submitHeaders(2, GET, END)],
    ['stream 0', (c) => c.protocol.submitHeaders(0, GET, END)],
    ['no :method', (c) => c.protocol.submitHeaders(1, GET.slice(2), END)],
    ['a method with a space (CVE-2022-31150)', (c) => c.request('GET /x HTTP/1.1\r\nX:')],
    ['a path with CRLF (CVE-2022-31150)', (c) => c.request('GET', '/ HTTP/1.1\r\nX: y')],
    ['a path with a fragment', (c) => c.request('GET', '/#a')],
    ['a path that is none', (c) => c.request('GET', 'http://b/')],
    [
      'an authority with userinfo',
      (c) => c.protocol.submitHeaders(1, [':method', 'GET', ':scheme', 'http', ':authority', 'u@a', ':path', '/'], END),
    ],
    [
      'an authority with CRLF (CVE-2023-23936)',
      (c) =>
        c.protocol.submitHeaders(
          1,
          [':method', 'GET', ':scheme', 'http', ':authority', 'a\r\nX: y', ':path', '/'],
          END,
        ),
    ],
    ['Host beside another :authority', (c) => c.request('GET', '/', ['host', 'b'])],
    ['a field with CRLF', (c) => c.request('GET', '/', ['x', 'a\r\nb: c'])],
    ['Connection', (c) => c.request('GET', '/', ['connection', 'close'])],
    ['Transfer-Encoding', (c) => c.request('POST', '/', ['transfer-encoding', 'chunked'], MORE)],
    ['Keep-Alive', (c) => c.request('GET', '/', ['keep-alive', '5'])],
    ['te: gzip', (c) => c.request('GET', '/', ['te', 'gzip'])],
    ['two lengths', (c) => c.request('POST', '/', ['content-length', '1', 'content-length', '1'], MORE)],
    ['a length without content', (c) => c.request('POST', '/', ['content-length', '1'])],
    ['expect without content (RFC 9110 section 10.1.1)', (c) => c.request('GET', '/', ['expect', '100-continue'])],
    ['CONNECT that ends', (c) => c.request('CONNECT', 'a:1')],
    ['CONNECT with content-length', (c) => c.request('CONNECT', 'a:1', ['content-length', '0'], MORE)],
    ['CONNECT without a port', (c) => c.request('CONNECT', 'a', [], MORE)],
    ['CONNECT with upgrade', (c) => c.request('CONNECT', 'a:1', [], { ...MORE, upgrade: 'x' })],
    [
      'extended CONNECT',
      (c) =>
        c.protocol.submitHeaders(
          1,
          [':method', 'CONNECT', ':protocol', 'x', ':scheme', 'http', ':authority', 'a', ':path', '/'],
          MORE,
        ),
    ],
    ['upgrade with content', (c) => c.request('POST', '/', ['content-length', '5'], { ...MORE, upgrade: 'x' })],
    ['upgrade to nothing', (c) => c.request('GET', '/', [], { ...END, upgrade: ' , ' })],
    ['upgrade to no token', (c) => c.request('GET', '/', [], { ...END, upgrade: 'a b' })],
    ['upgrade with CRLF', (c) => c.request('GET', '/', [], { ...END, upgrade: 'x\r\nY: z' })],
    [
      'rawNames of another name',
      (c) => c.protocol.submitHeaders(1, GET, { ...END, rawNames: ['', '', 'Hostess', ''] }),
    ],
    ['data without a request', (c) => c.protocol.submitData(1, octets('x'), END)],
    ['trailers without a request', (c) => c.protocol.submitTrailers(1, [])],
    ['a reset without a request', (c) => c.protocol.submitStreamReset(1, 0)],
    ['an interim response', (c) => c.protocol.submitInformational(1, [':status', '103'])],
    ['detach', (c) => c.protocol.detach()],
  ];
  it.each(calls)('%s', (_name, call) => {
    const client = clientSide();
    expect(() => call(client)).toThrow(LocalProtocolError);
    expect(client.sent()).toBe('');
    expect(client.events()).toEqual([]);
    client.request();
    expect(client.sent()).toBe('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n');
  });

  it('what does not belong to a request that runs', () => {
    const client = clientSide();
    const id = client.request('POST', '/', ['content-length', '3'], MORE);
    expect(() => client.protocol.submitHeaders(id, GET, END)).toThrow(/before/);
    expect(() => client.protocol.submitData(id, octets('abcd'), END)).toThrow(/more content/);
    expect(() => client.protocol.submitData(id, octets('ab'), END)).toThrow(/less content/);
    expect(() => client.protocol.submitTrailers(id, ['x', 'y'])).toThrow(/content-length/);
    client.protocol.submitData(id, octets('abc'), END);
    expect(() => client.protocol.submitData(id, octets('d'), END)).toThrow(/ended/);
    client.sent();
    client.receive(OK);
    expect(() => client.protocol.submitData(id, octets('d'), END)).toThrow(/ended/);
    expect(() => client.protocol.submitHeaders(id, GET, END)).toThrow(/ended/);
  });
});

describe('flow', () => {
  it('takes a chunk while there is room, and says when there is again', () => {
    const client = clientSide({ limits: { sendBufferBytes: 1000 } });
    expect(client.protocol.sendCapacity(1)).toBe(0);
    const id = client.request('POST', '/', [], MORE);
    expect(client.protocol.sendCapacity(id)).toBeGreaterThan(0);
    client.protocol.submitData(id, octets('x'.repeat(5000)), MORE);
    expect(client.protocol.sendCapacity(id)).toBe(0);
    expect(() => client.protocol.submitData(id, octets('x'), MORE)).toThrow(/full/);
    client.sent();
    expect(client.types()).toEqual(['StreamWritable']);
    client.protocol.submitData(id, octets(''), END);
    expect(client.protocol.sendCapacity(id)).toBe(0);
  });

  it('pauses reading while too much is unconsumed, counted per response', () => {
    const client = clientSide({ limits: { maxUnconsumedBytes: 2 } });
    const first = client.request();
    client.sent();
    client.receive(OK);
    expect(client.protocol.wantsInput).toBe(false);
    client.protocol.dataConsumed(first + 1, 2);
    expect(client.protocol.wantsInput).toBe(false);
    client.protocol.dataConsumed(first, 2);
    expect(client.protocol.wantsInput).toBe(true);
  });
});
