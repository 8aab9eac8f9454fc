/**
 * Requests and responses over HTTP/2: which are malformed, and in what form sound ones arrive. RFC 9113 section 8,
 * RFC 8441, RFC 9110.
 */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import type { HeaderList } from '../../../../src/common/index.ts';
import { data, END_STREAM, latin1, number32, Type } from '../../../support/http2-frames.ts';
import { Http2Peer, request } from '../../../support/http2-peer.ts';

const without = (name: string, list: HeaderList = request()): HeaderList =>
  list.flatMap((item, index) => (index % 2 === 0 && item !== name ? [item, list[index + 1]!] : []));

const malformedRequests: readonly (readonly [what: string, headers: HeaderList])[] = [
  ['8.2: a name in capitals', request('GET', ['X-Test', 'a'])],
  ['8.2.1: a name with a space', request('GET', ['x test', 'a'])],
  ['8.2.1: a name with a colon inside', request('GET', ['x:y', 'a'])],
  ['8.2.1: an empty name', request('GET', ['', 'a'])],
  ['8.2.1: a name beyond ASCII', request('GET', ['x\u00ff', 'a'])],
  ['8.2.1: a value with CR', request('GET', ['x', 'a\rb'])],
  ['8.2.1: a value with LF', request('GET', ['x', 'a\nb'])],
  ['8.2.1: a value with NUL', request('GET', ['x', 'a\0b'])],
  ['8.2.1: a value that begins with a space', request('GET', ['x', ' a'])],
  ['8.2.1: a value that ends with a tab', request('GET', ['x', 'a\t'])],
  ['8.2.2: connection', request('GET', ['connection', 'keep-alive'])],
  ['8.2.2: keep-alive', request('GET', ['keep-alive', 'timeout=5'])],
  ['8.2.2: proxy-connection', request('GET', ['proxy-connection', 'keep-alive'])],
  ['8.2.2: transfer-encoding', request('GET', ['transfer-encoding', 'chunked'])],
  ['8.2.2: upgrade', request('GET', ['upgrade', 'websocket'])],
  ['8.2.2: te other than trailers', request('GET', ['te', 'trailers, deflate;q=0.5'])],
  ['8.3: an unknown pseudo-header field', [...request(), ':test', 'ok']],
  ['8.3: a response’s pseudo-header field', [...request(), ':status', '200']],
  ['8.3: a pseudo-header field behind a field', [...without(':path'), 'x', 'y', ':path', '/']],
  ['8.3.1: no :method', without(':method')],
  ['8.3.1: no :scheme', without(':scheme')],
  ['8.3.1: no :path', without(':path')],
  ['8.3.1: an empty :path', [...without(':path'), ':path', '']],
  ['8.3.1: :method twice', [':method', 'GET', ...request()]],
  ['8.3.1: :scheme twice', [':scheme', 'http', ...request()]],
  ['8.3.1: :path twice', [':path', '/', ...request()]],
  ['8.3.1: :authority twice', [':authority', 'a.example', ...request()]],
  ['8.3.1: host that differs from :authority', request('GET', ['host', 'b.example'])],
  ['8.3.1: host twice', [...without(':authority'), 'host', 'a', 'host', 'a']],
  ['8.3.1: neither :authority nor host', without(':authority')],
  ['8.3.1, RFC 9110 section 4.2.1: an empty :authority', [...without(':authority'), ':authority', '']],
  ['8.3.1: :authority with userinfo', [...without(':authority'), ':authority', 'me@a.example']],
  ['8.3.1: a method that is no token', [':method', 'G T', ...without(':method')]],
  ['8.3.1: a path without its slash', [...without(':path'), ':path', 'x']],
  ['8.3.1: "*" without OPTIONS', [...without(':path'), ':path', '*']],
  ['8.5: CONNECT with :scheme', [':method', 'CONNECT', ':authority', 'a:1', ':scheme', 'http']],
  ['8.5: CONNECT with :path', [':method', 'CONNECT', ':authority', 'a:1', ':path', '/']],
  ['8.5: CONNECT without :authority', [':method', 'CONNECT']],
  ['8.5: CONNECT without a port', [':method', 'CONNECT', ':authority', 'a']],
  ['RFC 8441 4: :protocol without CONNECT', [...request(), ':protocol', 'websocket']],
  [
    'RFC 8441 4: extended CONNECT without :path',
    [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'http', ':authority', 'a'],
  ],
  ['8.1.1: content-length that is none', request('POST', ['content-length', 'x'])],
  ['8.1.1: content-length with a sign', request('POST', ['content-length', '+5'])],
  ['8.1.1: content-length twice', request('POST', ['content-length', '5', 'content-length', '5'])],
  ['8.1.1: content-length without content', request('POST', ['content-length', '5'])],
];

describe('malformed requests (section 8.1.1)', () => {
  it.each(malformedRequests)('section %s: a stream error PROTOCOL_ERROR, and nobody is told', (_what, headers) => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, headers));
    expect(peer.types).toEqual([]);
    peer.expectStreamError(1, 'PROTOCOL_ERROR');
    // The same fields again, with the judge's memory of a list that passed.
    peer.send(peer.headers(3, request('GET', ['x', 'y'])), peer.headers(5, headers));
    expect(peer.all('HeadersReceived').map(({ streamId }) => streamId)).toEqual([3]);
    peer.expectAlive();
  });

  it.each([
    ['more than declared', [data(1, 'toolong')]],
    ['more than declared, in two frames', [data(1, 'too'), data(1, 'long')]],
    ['less than declared', [data(1, 'abc', END_STREAM)]],
    ['none', [data(1, '', END_STREAM)]],
  ])('content that is not what content-length says: %s', (_what, frames) => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('POST', ['content-length', '4']), 0), ...frames);
    expect(peer.all('DataReceived').some(({ endStream }) => endStream)).toBe(false);
    expect(peer.types.slice(-2)).toEqual(['StreamResetSent', 'StreamClosed']);
    peer.expectStreamError(1, 'PROTOCOL_ERROR');
  });

  it('trailers before the content that was declared', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('POST', ['content-length', '4']), 0), peer.headers(1, ['x', 'y']));
    peer.expectStreamError(1, 'PROTOCOL_ERROR');
  });

  it.each([
    ['a pseudo-header field', [':path', '/']],
    ['a name in capitals', ['X', 'y']],
    ['framing', ['content-length', '1']],
    ['a connection field', ['connection', 'close']],
  ])('trailers with %s', (_what, trailers) => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('POST'), 0), peer.headers(1, trailers));
    expect(peer.types).not.toContain('TrailersReceived');
    peer.expectStreamError(1, 'PROTOCOL_ERROR');
  });
});

describe('requests', () => {
  it('arrive in the form of all versions', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('GET', ['te', 'trailers', 'x', '\u00e9'])));
    expect(peer.only('HeadersReceived')).toEqual({
      type: 'HeadersReceived',
      streamId: 1,
      headers: request('GET', ['te', 'trailers', 'x', '\u00e9']),
      rawNames: undefined,
      endStream: true,
      upgrade: [],
      httpVersion: '2',
      early: false,
    });
  });

  it('have their cookie crumbs joined (section 8.2.3)', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('GET', ['cookie', 'a=b', 'x', 'y', 'cookie', 'c=d', 'cookie', 'e=f'])));
    expect(peer.only('HeadersReceived').headers.slice(8)).toEqual(['cookie', 'a=b; c=d; e=f', 'x', 'y']);
  });

  it('have Host folded into :authority (section 8.3.1)', () => {
    const peer = Http2Peer.ofServer();
    peer.send(
      peer.headers(1, request('GET', ['host', 'a.example', 'x', 'y'])),
      peer.headers(3, [...without(':authority'), 'x', 'y', 'host', 'a.example']),
    );
    const [one, other] = peer.all('HeadersReceived').map(({ headers }) => headers);
    expect(one).toEqual(request('GET', ['x', 'y']));
    expect(other).toEqual([...without(':authority'), ':authority', 'a.example', 'x', 'y']);
  });

  it('OPTIONS * is a request for the server as a whole (section 8.3.1)', () => {
    const peer = Http2Peer.ofServer();
    const head = [':method', 'OPTIONS', ':scheme', 'http', ':authority', 'a.example', ':path', '*'];
    peer.send(peer.headers(1, head));
    expect(peer.only('HeadersReceived').headers).toEqual(head);
  });

  it('with more fields, or more bytes of them, than the limits allow get 431 (section 10.5.1)', () => {
    for (const fields of [Array.from({ length: 200 }, () => ['a', 'b']).flat(), ['big', 'x'.repeat(40_000)]]) {
      const peer = Http2Peer.ofServer();
      const block = peer.block(request('POST', fields));
      peer.send(...blockFrames(1, block, 0));
      expect(peer.types).toEqual([]);
      expect(peer.frames.map(({ type }) => type)).toEqual([Type.HEADERS, Type.RST_STREAM]);
      expect(peer.fields(peer.frames[0]!).slice(0, 2)).toEqual([':status', '431']);
      expect(number32(peer.frames[1]!.payload)).toBe(0);
      // The tables are in step.
      peer.send(peer.headers(3, request('GET', ['x', 'y'])));
      expect(peer.only('HeadersReceived').headers.slice(8)).toEqual(['x', 'y']);
      peer.frames = [];
      peer.expectAlive();
    }
  });
});

describe('responses, to a client', () => {
  const asked = (method = 'GET'): Http2Peer => {
    const peer = Http2Peer.ofClient();
    peer.engine.submitHeaders(1, request(method), { endStream: true });
    return peer.collect().clear();
  };

  it.each<readonly [string, HeaderList]>([
    ['8.3.2: no :status', ['x', 'y']],
    ['8.3.2: a :status of two digits', [':status', '20']],
    ['8.3.2: a :status that is none', [':status', 'ok!']],
    ['8.3.2: :status twice', [':status', '200', ':status', '200']],
    ['8.3: a request’s pseudo-header field', [':status', '200', ':path', '/']],
    ['8.3: a pseudo-header field behind a field', ['x', 'y', ':status', '200']],
    ['8.2: a name in capitals', [':status', '200', 'X', 'y']],
    ['8.2.1: a value with LF', [':status', '200', 'x', 'a\nb']],
    ['8.2.2: connection', [':status', '200', 'connection', 'close']],
    ['8.2.2: transfer-encoding', [':status', '200', 'transfer-encoding', 'chunked']],
    ['8.6: 101', [':status', '101']],
    ['8.1: an interim response that ends', [':status', '103']],
    ['8.1.1: content-length without content', [':status', '200', 'content-length', '5']],
    ['8.1.1: content-length twice', [':status', '200', 'content-length', '0', 'content-length', '0']],
    ['an empty list', []],
  ])('section %s: a stream error PROTOCOL_ERROR', (_what, headers) => {
    const peer = asked();
    peer.send(peer.headers(1, headers));
    expect(peer.types).toEqual(['StreamResetSent', 'StreamClosed']);
    peer.expectStreamError(1, 'PROTOCOL_ERROR');
  });

  it('interim ones come before the final one (section 8.1)', () => {
    const peer = asked();
    peer.send(
      peer.headers(1, [':status', '100'], 0),
      peer.headers(1, [':status', '103', 'link', '</a>'], 0),
      peer.headers(1, [':status', '200'], 0),
      data(1, 'hi', END_STREAM),
    );
    expect(peer.types).toEqual([
      'InformationalReceived',
      'InformationalReceived',
      'HeadersReceived',
      'DataReceived',
      'StreamClosed',
    ]);
    expect(peer.all('InformationalReceived')[1]!.headers).toEqual([':status', '103', 'link', '</a>']);
  });

  it('trailers end the stream; what declares a length is held to it (section 8.1.1)', () => {
    const peer = asked();
    peer.send(
      peer.headers(1, [':status', '200', 'content-length', '2'], 0),
      data(1, 'hi'),
      peer.headers(1, ['x', 'y']),
    );
    expect(peer.only('TrailersReceived')).toMatchObject({ headers: ['x', 'y'], endStream: true });
    expect(peer.types.at(-1)).toBe('StreamClosed');
  });

  it.each([
    ['HEAD', '200'],
    ['GET', '204'],
    ['GET', '304'],
  ])('to %s with %s have no content whatever they declare; content is malformed (RFC 9110 6.4.1)', (method, status) => {
    const sound = asked(method);
    sound.send(sound.headers(1, [':status', status, 'content-length', '1000'], 0), data(1, '', END_STREAM));
    expect(sound.types).toEqual(['HeadersReceived', 'DataReceived', 'StreamClosed']);
    const unsound = asked(method);
    unsound.send(unsound.headers(1, [':status', status], 0), data(1, 'x', END_STREAM));
    unsound.expectStreamError(1, 'PROTOCOL_ERROR');
  });

  it('whose fields are too large reset the stream and keep the connection', () => {
    const peer = asked();
    peer.send(...blockFrames(1, peer.block([':status', '200', 'big', 'x'.repeat(40_000)]), END_STREAM));
    expect(peer.only('StreamResetSent').error).toMatchObject({ name: 'LimitError', limit: 'maxHeaderBytes' });
    peer.expectAlive();
  });
});

describe('what an application submits', () => {
  const served = (method = 'GET'): Http2Peer => {
    const peer = Http2Peer.ofServer();
    return peer.send(peer.headers(1, request(method))).clear();
  };

  it('ends with the head where there is no content, and stays open to who submits none', () => {
    for (const [method, status] of [
      ['HEAD', '200'],
      ['GET', '304'],
    ] as const) {
      const peer = served(method);
      peer.engine.submitHeaders(1, [':status', status, 'content-length', '5'], { endStream: false });
      peer.collect();
      expect(peer.sent(Type.HEADERS)[0]!.flags & END_STREAM).toBe(END_STREAM);
      expect(peer.types).toEqual([]);
      if (method === 'HEAD') peer.engine.submitData(1, latin1('hello'), { endStream: false });
      else expect(() => peer.engine.submitData(1, latin1('hello'), { endStream: false })).toThrow(LocalProtocolError);
      peer.engine.submitTrailers(1, ['x', 'y']);
      peer.collect();
      expect(peer.types).toEqual(['StreamClosed']);
      expect(peer.frames).toHaveLength(1);
    }
  });

  it('a length in 204 is left out when it is 0 (RFC 9110 section 8.6)', () => {
    const peer = served();
    const head = [':status', '204', 'vary', 'content-length', 'content-length', '0', 'x', 'y'];
    peer.engine.submitHeaders(1, head, { endStream: true });
    peer.collect();
    expect(peer.fields(peer.frames[0]!)).toEqual([':status', '204', 'vary', 'content-length', 'x', 'y']);
  });

  it.each<readonly [string, HeaderList]>([
    ['101', [':status', '101']],
    ['an interim status', [':status', '103']],
    ['a status above 599', [':status', '600']],
    ['205 with content', [':status', '205', 'content-length', '3']],
    ['204 with content', [':status', '204', 'content-length', '3']],
    ['an odd list', [':status', '200', 'x']],
    ['content-length without content', [':status', '200', 'content-length', '3']],
  ])('is refused: %s', (_what, headers) => {
    const peer = served();
    expect(() => peer.engine.submitHeaders(1, headers, { endStream: true })).toThrow(LocalProtocolError);
    peer.collect();
    expect(peer.frames).toEqual([]);
  });

  it('trailers wait for the content before them', () => {
    const peer = served();
    peer.engine.submitHeaders(1, [':status', '200', 'content-length', '100000'], { endStream: false });
    peer.engine.submitData(1, new Uint8Array(100_000), { endStream: false });
    peer.engine.submitTrailers(1, ['x', 'y']);
    expect(() => peer.engine.submitData(1, latin1('x'), { endStream: false })).toThrow(LocalProtocolError);
    peer.collect();
    expect(peer.content(1)).toHaveLength(65_535);
    peer.frames = [];
    peer.send(
      Uint8Array.of(0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 1, 0, 0),
      Uint8Array.of(0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 1, 0, 0),
    );
    expect(peer.content(1)).toHaveLength(100_000 - 65_535);
    expect(peer.frames.at(-1)).toMatchObject({ type: Type.HEADERS, flags: 5 });
    expect(peer.types.at(-1)).toBe('StreamClosed');
  });

  it('by a client: Host becomes :authority', () => {
    const peer = Http2Peer.ofClient();
    const head = [':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'a.example', 'x', 'y'];
    peer.engine.submitHeaders(1, head, { endStream: true });
    peer.collect();
    expect(peer.fields(peer.frames[0]!)).toEqual([
      ...[':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a.example'],
      ...['x', 'y'],
    ]);
  });

  it('a response that is whole before its request gives the rest up when its handler has ended (section 8.1)', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request('POST'), 0), data(1, 'part')).clear();
    peer.engine.submitHeaders(1, [':status', '413'], { endStream: true });
    peer.collect();
    expect(peer.types).toEqual([]);
    peer.send(data(1, 'more'));
    expect(peer.types).toEqual(['DataReceived']);
    peer.engine.submitHandlerEnd(1);
    peer.collect();
    peer.expectStreamError(1, 'NO_ERROR');
    // What is still on its way is dropped, and its credit is not lost.
    peer.send(data(1, 'rest', END_STREAM));
    peer.expectAlive();
  });
});

/** A block over as many frames as it needs. */
function blockFrames(streamId: number, block: Uint8Array, flags: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += 16_384) {
    const part = block.slice(at, at + 16_384);
    const last = at + 16_384 >= block.length;
    const head = [part.length >> 16, (part.length >> 8) & 255, part.length & 255, at === 0 ? 1 : 9];
    const bits = (at === 0 ? flags : 0) | (last ? 4 : 0);
    frames.push(Uint8Array.of(...head, bits, 0, 0, 0, streamId), part);
  }
  return frames;
}
